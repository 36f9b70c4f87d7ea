//! The command's way into AWS: credentials and Regions as the AWS CLI takes them.

use anyhow::Context as _;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use snapferry_aws::clients::{self, Clients};
use snapferry_aws::errors::call_error;
use snapferry_aws::roots::Roots;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};

/// Where the credentials and the home Region come from, when not from the environment.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Connection {
    /// The profile of AWS's configuration files to use
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region of the deployed stack, whose snapshots are shared
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// The target account, as the command sees it.
#[derive(Debug)]
pub(crate) struct Account {
    /// The configuration for clients of other services than EC2 and KMS.
    pub(crate) config: SdkConfig,
    /// The Region whose snapshots are shared with this account.
    pub(crate) home: Region,
    /// The account that the credentials belong to.
    pub(crate) id: AccountId,
    /// The ARN of the role or user that the credentials belong to.
    pub(crate) arn: String,
}

impl Connection {
    /// Finds the credentials and asks STS whose they are.
    ///
    /// # Errors
    /// When there is no Region, there are no credentials, or STS does not answer.
    pub(crate) async fn open(&self) -> anyhow::Result<Account> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(clients::http_client(Roots::Machine)?)
            .timeout_config(clients::timeouts())
            .retry_config(RetryConfig::standard());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        let config = loader.load().await;
        let region = config.region().context("no Region: give --region, or set AWS_REGION or the profile's region")?;
        let home = Region::parse(region.as_ref()).map_err(|_| anyhow::anyhow!("{region} is no Region code"))?;
        let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let caller = caller.map_err(|error| {
            let CallError { code, message, .. } = call_error(&error);
            anyhow::anyhow!("AWS does not say whose credentials these are: {code}: {message}")
        })?;
        let id = caller.account().and_then(|id| AccountId::parse(id).ok()).context("STS names no account")?;
        Ok(Account { home, id, arn: caller.arn().unwrap_or_default().to_owned(), config })
    }
}

impl Account {
    /// Clients of EC2 and KMS in the home Region and in `regions`.
    pub(crate) fn clients(&self, regions: impl IntoIterator<Item = Region>) -> Clients {
        Clients::new(self.config.clone(), self.home.clone(), regions)
    }
}

/// Runs what talks to AWS to its end.
///
/// # Errors
/// Those of `work`, and when the machine gives no runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
