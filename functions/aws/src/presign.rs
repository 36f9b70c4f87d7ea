//! CopySnapshot's `PresignedUrl`, byte for byte as botocore makes it.
//!
//! The API reference now calls the member deprecated, and the Rust SDK does not send it. Every other SDK still does,
//! and what its absence did in the past was a copy under another key than the one asked for, so Snapferry sends it.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_ec2::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http::query::fmt_string as encoded;

/// How long the URL is valid: what botocore asks for. EC2 uses it at once.
const EXPIRES: Duration = Duration::from_secs(3600);

/// Why a URL could not be made; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum PresignError {
    /// There is no EC2 endpoint for the source Region.
    #[error("no EC2 endpoint is known for Region {region}")]
    Endpoint {
        /// The source Region.
        region: String,
        /// The SDK's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request could not be signed.
    #[error("the presigned URL could not be signed")]
    Sign(#[source] aws_sigv4::http_request::SigningError),
    /// The signing parameters were incomplete.
    #[error("the presigned URL's signing parameters are incomplete")]
    Parameters(#[source] v4::signing_params::BuildError),
}

/// The EC2 endpoint of `region`, or the configured one for all.
///
/// # Errors
/// [`PresignError::Endpoint`].
pub async fn endpoint(config: &aws_config::SdkConfig, region: &str) -> Result<String, PresignError> {
    let configured = std::env::var("AWS_ENDPOINT_URL_EC2").ok().filter(|url| !url.is_empty());
    if let Some(url) = configured.or_else(|| config.endpoint_url().map(str::to_owned)) {
        return Ok(url);
    }
    let fail = |source| PresignError::Endpoint { region: region.to_owned(), source };
    let params = Params::builder()
        .region(region)
        .use_fips(config.use_fips().unwrap_or(false))
        .use_dual_stack(config.use_dual_stack().unwrap_or(false))
        .build()
        .map_err(|error| fail(error.into()))?;
    let resolved = DefaultResolver::new().resolve_endpoint(&params).await.map_err(&fail)?;
    Ok(resolved.url().to_owned())
}

/// The URL of a GET on the source Region's `endpoint` with `params`, the members of the real request in its order
/// (without `PresignedUrl`), plus `DestinationRegion`.
///
/// # Errors
/// [`PresignError`] when signing fails, as with credentials that hold no signable text.
pub fn copy_snapshot_url(
    credentials: &Credentials,
    endpoint: &str,
    source_region: &str,
    destination_region: &str,
    params: &[(String, String)],
    now: SystemTime,
) -> Result<String, PresignError> {
    let mut url = format!("{}/?Action=CopySnapshot&Version=2016-11-15", endpoint.trim_end_matches('/'));
    let destination = ("DestinationRegion", destination_region);
    for (key, value) in params.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain([destination]) {
        append(&mut url, key, value);
    }
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES);
    let signing = v4::SigningParams::builder()
        .identity(&identity)
        .region(source_region)
        .name("ec2")
        .time(now)
        .settings(settings)
        .build()
        .map_err(PresignError::Parameters)?
        .into();
    let request =
        SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[])).map_err(PresignError::Sign)?;
    let (instructions, _signature) = sign(request, &signing).map_err(PresignError::Sign)?.into_parts();
    for (key, value) in instructions.params() {
        append(&mut url, key, value);
    }
    Ok(url)
}

fn append(url: &mut String, key: &str, value: &str) {
    url.push('&');
    url.push_str(&encoded(key));
    url.push('=');
    url.push_str(&encoded(value));
}
