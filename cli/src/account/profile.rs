//! Credentials of the profile that the command line names. It precedes credentials in the environment, as with the AWS
//! CLI; the SDK's own chain would take those first and so act in another account than the one that was named.

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{self, ProfileFileCredentialsProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::os_shim_internal::{Env, Fs};
use snapferry_aws::clients;

/// The settings of a profile that say where its credentials come from (AWS SDKs and Tools Reference Guide).
const SOURCES: [&str; 7] = [
    "aws_access_key_id",
    "credential_process",
    "login_session",
    "role_arn",
    "sso_account_id",
    "sso_session",
    "web_identity_token_file",
];

/// Whether the profile says where its credentials come from. One that does not may still name a Region.
///
/// # Errors
/// When there is no such profile, or AWS's configuration files cannot be read.
pub(crate) async fn has_credentials(name: &str) -> anyhow::Result<bool> {
    let files = profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
    let files = files.context("AWS's configuration files cannot be read")?;
    let found = files.get_profile(name).with_context(|| format!("there is no profile {name:?}"))?;
    Ok(SOURCES.iter().any(|setting| found.get(setting).is_some()))
}

/// The profile's credentials; those of the machine when it says nothing of any, and never those of the environment.
pub(crate) fn credentials(name: &str, has_credentials: bool, config: &SdkConfig) -> SharedCredentialsProvider {
    let mut how = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack())
        .with_timeout_config(clients::timeouts());
    if let Some(client) = config.http_client() {
        how = how.with_http_client(client);
    }
    if has_credentials {
        let of_profile = ProfileFileCredentialsProvider::builder().configure(&how).profile_name(name).build();
        return SharedCredentialsProvider::new(of_profile);
    }
    let container = EcsCredentialsProvider::builder().configure(&how).build();
    let instance = ImdsCredentialsProvider::builder().configure(&how).build();
    let machine = CredentialsProviderChain::first_try("EcsContainer", container);
    SharedCredentialsProvider::new(machine.or_else("Ec2InstanceMetadata", instance))
}
