//! AWS's own environment variables, as every AWS SDK reads them.

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The endpoint for all services, before the service's name is added.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// A variable that is set and not blank.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
///
/// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
#[derive(Debug)]
pub(crate) struct Endpoints {
    are_ignored: bool,
}

impl Default for Endpoints {
    fn default() -> Self {
        let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        Self { are_ignored: ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) }
    }
}

impl Endpoints {
    /// The endpoint for all services.
    pub(crate) fn for_all(&self) -> Option<String> {
        if self.are_ignored { None } else { variable(ENDPOINT_URL) }
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if self.are_ignored || key.env() != ENDPOINT_URL {
            return None;
        }
        variable(&format!("{ENDPOINT_URL}_{}", key.service_id().to_uppercase().replace(' ', "_")))
    }
}
