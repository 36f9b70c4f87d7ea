//! The command's way into AWS: credentials and Regions as the AWS CLI takes them.

use std::fmt;

use anyhow::Context as _;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use snapferry_aws::clients::{self, Clients};
use snapferry_aws::errors::call_error;
use snapferry_aws::roots::Roots;
use snapferry_core::ebs::regions::is_region_not_enabled;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::text::printable;

use crate::account::profile;

/// Longer words of services are cut.
const LONGEST: usize = 1000;

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

/// The same for a command that looks at several homes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Connections {
    /// The profile of AWS's configuration files to use
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region of the deployed stack, whose snapshots are shared (may be repeated: several homes of one account)
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
}

impl Connections {
    /// Finds the credentials, and asks STS once whose they are; gives the account as each home's stack sees it, each once.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub(crate) async fn open(&self) -> Result<Vec<Account>, NoWay> {
        let connection = Connection { profile: self.profile.clone(), region: self.region.first().cloned() };
        let mut accounts = vec![connection.open().await?];
        for region in self.region.iter().skip(1) {
            let home = home(region).map_err(|error| NoWay {
                problem: error.to_string(),
                remedy: "Correct --region: it takes codes as eu-central-1.".to_owned(),
            })?;
            if let Some(first) = accounts.first().filter(|_| accounts.iter().all(|account| account.home != home)) {
                accounts.push(first.at(home));
            }
        }
        Ok(accounts)
    }
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

/// Why there is no way into AWS, and what to do.
#[derive(Debug)]
pub(crate) struct NoWay {
    /// In one line.
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl std::error::Error for NoWay {}

impl fmt::Display for NoWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n        {}", self.problem, self.remedy)
    }
}

impl Connection {
    /// Finds the credentials and asks STS whose they are.
    ///
    /// # Errors
    /// When there is no Region, no such profile, there are no credentials, or STS does not answer.
    pub(crate) async fn open(&self) -> Result<Account, NoWay> {
        self.account().await.map_err(|error| NoWay { problem: one_line(&format!("{error:#}")), remedy: self.remedy() })
    }

    /// The configuration alone, for a service that tells by itself whom it answers.
    ///
    /// # Errors
    /// When there is no Region or no such profile.
    pub(crate) async fn settings(&self) -> anyhow::Result<SdkConfig> {
        let config = self.config().await?;
        anyhow::ensure!(
            config.region().is_some(),
            "no Region: give --region, or set AWS_REGION or the profile's region"
        );
        Ok(config)
    }

    async fn account(&self) -> anyhow::Result<Account> {
        let config = self.config().await?;
        let region = config.region().context("no Region: give --region, or set AWS_REGION or the profile's region")?;
        let home = home(region.as_ref())?;
        let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let caller = caller.map_err(|error| {
            anyhow::anyhow!("AWS does not say whose credentials these are: {}", words(&call_error(&error)))
        })?;
        let id = caller.account().and_then(|id| AccountId::parse(id).ok()).context("STS names no account")?;
        Ok(Account { home, id, arn: caller.arn().unwrap_or_default().to_owned(), config })
    }

    async fn config(&self) -> anyhow::Result<SdkConfig> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(clients::http_client(Roots::Machine)?)
            .timeout_config(clients::timeouts())
            .retry_config(RetryConfig::standard());
        if let Some(region) = &self.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        // One that is named in either way and does not exist is an error, as with the AWS CLI.
        let of_environment = || std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let has_credentials = match self.profile.clone().or_else(of_environment) {
            Some(name) => profile::has_credentials(&name).await?,
            None => false,
        };
        let Some(name) = &self.profile else { return Ok(loader.load().await) };
        let config = loader.profile_name(name).load().await;
        let credentials = profile::credentials(name, has_credentials, &config);
        Ok(config.into_builder().credentials_provider(credentials).build())
    }

    fn remedy(&self) -> String {
        let profile = self.profile.as_ref().map(|name| format!(" --profile {name}")).unwrap_or_default();
        format!(
            "Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso \
             login{profile}`."
        )
    }
}

fn home(text: &str) -> anyhow::Result<Region> {
    anyhow::ensure!(!text.trim().is_empty(), "the Region is empty");
    Region::parse(text).map_err(|_| anyhow::anyhow!("{} is no Region code", printable(text, LONGEST)))
}

/// A service's words, and its name for the request.
pub(crate) fn words(error: &CallError) -> String {
    let CallError { code, message, request_id } = error;
    let request = request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
    // Of an endpoint that is no URL the SDK says so, and then prints the whole request.
    let (message, _) = message.split_once(" to request `Request {").unwrap_or((message, ""));
    printable(&format!("{code}: {}{request}", one_line(message)), LONGEST)
}

/// What is to be done when a read failed as those of a Region do that is not enabled; `named` is what names the Region.
pub(crate) fn not_enabled(error: &CallError, named: &str) -> Option<String> {
    let what = "The Region is not enabled in this account, or does not exist";
    is_region_not_enabled(&error.code).then(|| format!("{what}: enable it, or correct {named}."))
}

/// A text of several lines in one, as of the SDK's list of places where it found no credentials.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").replace(":; ", ": ")
}

impl Account {
    /// The same account as another home's stack sees it.
    fn at(&self, home: Region) -> Self {
        let region = aws_config::Region::new(home.as_str().to_owned());
        let config = self.config.to_builder().region(region).build();
        Self { config, home, id: self.id.clone(), arn: self.arn.clone() }
    }

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
