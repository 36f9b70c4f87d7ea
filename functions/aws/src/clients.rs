//! Clients for every Region over one HTTP client and one credentials cache.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;
use snapferry_core::ids::Region;

/// Connecting to a Regional endpoint takes milliseconds; after this it is down, and other Regions wait for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt of a read. Pages of 1000 snapshots come within a second or two.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// A read with its retries: three attempts and the SDK's backoff between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);

/// The clients, and how often they were used.
#[derive(Debug)]
pub struct Clients {
    /// The Region that the function runs in.
    pub home: Region,
    config: SdkConfig,
    ec2: BTreeMap<Region, aws_sdk_ec2::Client>,
    kms: BTreeMap<Region, aws_sdk_kms::Client>,
    calls: AtomicU64,
}

/// Reads the configuration of the environment, as every AWS SDK does.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names a file that cannot be used.
pub async fn load_config() -> anyhow::Result<SdkConfig> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .tls_context(tls_context()?)
        .build_https();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard());
    Ok(loader.load().await)
}

/// The machine's roots, or those of `AWS_CA_BUNDLE` alone, as the AWS CLI reads it.
fn tls_context() -> anyhow::Result<tls::TlsContext> {
    let store = match std::env::var("AWS_CA_BUNDLE") {
        Ok(path) if !path.is_empty() => {
            let pem = std::fs::read(&path).with_context(|| format!("AWS_CA_BUNDLE: {path} cannot be read"))?;
            tls::TrustStore::empty().with_pem_certificate(pem)
        }
        _ => tls::TrustStore::default(),
    };
    tls::TlsContext::builder().with_trust_store(store).build().context("AWS_CA_BUNDLE holds no usable certificates")
}

impl Clients {
    /// Makes the clients for `home` and `regions`.
    #[must_use]
    pub fn new(config: SdkConfig, home: Region, regions: impl IntoIterator<Item = Region>) -> Self {
        let mut clients =
            Self { home: home.clone(), config, ec2: BTreeMap::new(), kms: BTreeMap::new(), calls: AtomicU64::new(0) };
        for region in regions.into_iter().chain([home]) {
            clients.ec2.insert(region.clone(), clients.make_ec2(&region));
            clients.kms.insert(region.clone(), clients.make_kms(&region));
        }
        clients
    }

    /// The given clients instead of made ones, for tests with mocked answers.
    #[must_use]
    pub fn with(
        config: SdkConfig,
        home: Region,
        ec2: BTreeMap<Region, aws_sdk_ec2::Client>,
        kms: BTreeMap<Region, aws_sdk_kms::Client>,
    ) -> Self {
        Self { home, config, ec2, kms, calls: AtomicU64::new(0) }
    }

    /// The configuration that the clients share.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// EC2 in a Region; counts a call.
    #[must_use]
    pub fn ec2(&self, region: &Region) -> aws_sdk_ec2::Client {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.ec2.get(region).cloned().unwrap_or_else(|| self.make_ec2(region))
    }

    /// KMS in a Region; counts a call.
    #[must_use]
    pub fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.kms.get(region).cloned().unwrap_or_else(|| self.make_kms(region))
    }

    /// Calls made so far, retries not counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn make_ec2(&self, region: &Region) -> aws_sdk_ec2::Client {
        let region = aws_config::Region::new(region.to_string());
        aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::config::Builder::from(&self.config).region(region).build())
    }

    fn make_kms(&self, region: &Region) -> aws_sdk_kms::Client {
        let region = aws_config::Region::new(region.to_string());
        aws_sdk_kms::Client::from_conf(aws_sdk_kms::config::Builder::from(&self.config).region(region).build())
    }
}
