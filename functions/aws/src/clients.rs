//! Clients for every Region over one HTTP client and one credentials cache.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use snapferry_core::ids::{PolicyName, Region};

use crate::legible::legible;
use crate::roots::Roots;
use crate::{environment, settings};

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
    /// The Regions whose copies are this stack's own: `home`, and of a function the retired ones.
    pub homes: BTreeSet<Region>,
    /// The policies whose document is gone and whose copies are this stack's own all the same; of a function only.
    pub retired_policies: BTreeSet<PolicyName>,
    config: SdkConfig,
    ec2: BTreeMap<Region, aws_sdk_ec2::Client>,
    kms: BTreeMap<Region, aws_sdk_kms::Client>,
    calls: AtomicU64,
}

/// A function's configuration: the environment that Lambda gives it, and nothing else of the places where the SDK
/// would look (profiles, metadata services), which cost time at each cold start and size in each package.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names a file that cannot be used.
pub fn lambda_config(home: &Region) -> anyhow::Result<SdkConfig> {
    let is_true = |name| environment::variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let service_config = environment::Endpoints::default();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(home.to_string()))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(http_client(Roots::of(home))?)
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard())
        .use_fips(is_true("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_true("AWS_USE_DUALSTACK_ENDPOINT"));
    config.set_endpoint_url(service_config.for_all());
    Ok(config.service_config(service_config).build())
}

/// How long a read may take.
///
/// The SDK keeps connections by connect and read timeouts, so nothing else sets those two: a copy would have to open
/// connections of its own beside those that its Region was just read through.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// The one HTTP client that all clients share.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names a file that cannot be used.
pub fn http_client(roots: Roots) -> anyhow::Result<SharedHttpClient> {
    let context = tls::TlsContext::builder().with_trust_store(roots.trust_store()?).build();
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .tls_context(context.context("TLS cannot be set up")?)
        .build_https();
    Ok(legible(SharedHttpClient::new(OnceForAll(client))))
}

/// An HTTP client that reads its certificates at the first request, and not also whenever a service's client is made, to
/// try them: `roots` has tried them already.
#[derive(Debug)]
struct OnceForAll(SharedHttpClient);

impl HttpClient for OnceForAll {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

impl Clients {
    /// A function's clients: its home Region is the one that it runs in.
    ///
    /// # Errors
    /// When `AWS_REGION`, `SNAPFERRY_RETIRED_HOMES`, `SNAPFERRY_RETIRED_POLICIES` or `AWS_CA_BUNDLE` cannot be used.
    pub fn of_function(regions: impl IntoIterator<Item = Region>) -> anyhow::Result<Self> {
        let home = settings::home_region()?;
        let (homes, retired_policies) = (settings::homes(&home)?, settings::retired_policies()?);
        Ok(Self { homes, retired_policies, ..Self::new(lambda_config(&home)?, home, regions) })
    }

    /// Makes the clients for `home` and `regions`.
    #[must_use]
    pub fn new(config: SdkConfig, home: Region, regions: impl IntoIterator<Item = Region>) -> Self {
        let mut clients = Self::with(config, home.clone(), BTreeMap::new(), BTreeMap::new());
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
        let (homes, retired_policies) = ([home.clone()].into(), BTreeSet::new());
        Self { home, homes, retired_policies, config, ec2, kms, calls: AtomicU64::new(0) }
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

    /// The EBS direct APIs in a Region, made anew each time: one proof keeps its own. Its calls are not counted.
    #[must_use]
    pub fn ebs(&self, region: &Region) -> aws_sdk_ebs::Client {
        let region = aws_config::Region::new(region.to_string());
        aws_sdk_ebs::Client::from_conf(aws_sdk_ebs::config::Builder::from(&self.config).region(region).build())
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
