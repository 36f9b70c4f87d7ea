//! Clients of RDS for every Region. They stand beside the others, so that what copies volumes has nothing of RDS in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use snapferry_core::ids::Region;

/// The clients, and how often they were used.
#[derive(Debug)]
pub struct RdsClients {
    /// The Region in which snapshots are shared.
    pub home: Region,
    config: SdkConfig,
    regional: BTreeMap<Region, Client>,
    calls: AtomicU64,
}

impl RdsClients {
    /// Makes the clients for `home` and `regions`, over the HTTP client and the credentials of `config`.
    #[must_use]
    pub fn new(config: SdkConfig, home: Region, regions: impl IntoIterator<Item = Region>) -> Self {
        let regions = regions.into_iter().chain([home.clone()]);
        let regional = regions.map(|region| (region.clone(), made(&config, &region))).collect();
        Self::with(config, home, regional)
    }

    /// The given clients instead of made ones, for tests with mocked answers.
    #[must_use]
    pub fn with(config: SdkConfig, home: Region, regional: BTreeMap<Region, Client>) -> Self {
        Self { home, config, regional, calls: AtomicU64::new(0) }
    }

    /// The configuration that the clients share.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// RDS in a Region; counts a call.
    #[must_use]
    pub fn rds(&self, region: &Region) -> Client {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.regional.get(region).cloned().unwrap_or_else(|| made(&self.config, region))
    }

    /// Calls made so far, retries not counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn made(config: &SdkConfig, region: &Region) -> Client {
    let region = aws_config::Region::new(region.to_string());
    Client::from_conf(aws_sdk_rds::config::Builder::from(config).region(region).build())
}
