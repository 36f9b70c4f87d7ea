//! CopySnapshot's `PresignedUrl`, and what RDS calls `PreSignedUrl`: the same request once more, addressed to the source Region and signed in its query.
//! It is botocore's, parameter for parameter and signature for signature.
//!
//! The API reference now calls the member deprecated, and the Rust SDK does not send it. Every other SDK still does,
//! and what its absence did in the past was a copy under another key than the one asked for, so Snapferry sends it.
//!
//! The SDK's own client of the source Region makes the URL. Its host is therefore the one that this client would call,
//! whatever the environment says of endpoints, FIPS and dual stack. Only what it sends the request with is replaced, by
//! a connector that keeps the URL and sends nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_runtime::auth::{HttpSignatureType, SigV4OperationSigningConfig};
use aws_sdk_ec2::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_sdk_ec2::operation::copy_snapshot::builders::CopySnapshotInputBuilder;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;

use crate::errors::call_error;

/// How long the URL is valid: what botocore asks for. EC2 uses it at once.
const EXPIRES: Duration = Duration::from_secs(3600);

/// The URL of `request`, which names its `DestinationRegion`, for the `source` Region.
///
/// # Errors
/// The SDK's own words when there are no credentials, no endpoint is known for the Region, or the configured one is no URL.
pub async fn copy_snapshot_url(
    config: &SdkConfig,
    source: &Region,
    request: CopySnapshotInputBuilder,
) -> Result<String, CallError> {
    let kept = Kept::default();
    let connector = SharedHttpConnector::new(kept.clone());
    let config = aws_sdk_ec2::config::Builder::from(config)
        .region(aws_config::Region::new(source.to_string()))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .interceptor(InQuery { destination: None })
        .build();
    let answer = request.send_with(&aws_sdk_ec2::Client::from_conf(config)).await;
    kept.url().ok_or_else(|| match answer {
        Err(error) => call_error(&error),
        Ok(_) => not_made(),
    })
}

/// The URL of a copy of a database's snapshot from `source` to `destination`. `send` sends the request with the client that it is
/// given, and tells of its failure.
///
/// # Errors
/// As for [`copy_snapshot_url`].
pub async fn copy_db_url(
    config: &SdkConfig,
    source: &Region,
    destination: &Region,
    send: impl AsyncFnOnce(aws_sdk_rds::Client) -> Option<CallError>,
) -> Result<String, CallError> {
    let kept = Kept::default();
    let connector = SharedHttpConnector::new(kept.clone());
    let config = aws_sdk_rds::config::Builder::from(config)
        .region(aws_config::Region::new(source.to_string()))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .interceptor(InQuery { destination: Some(destination.to_string()) })
        .build();
    let error = send(aws_sdk_rds::Client::from_conf(config)).await;
    kept.url().ok_or_else(|| error.unwrap_or_else(not_made))
}

fn not_made() -> CallError {
    CallError { code: "NotSent".to_owned(), message: "no request was made".to_owned(), request_id: None }
}

/// Nothing has been sent yet, so the copy certainly was not started; asking the next sweep is right all the same.
pub(crate) fn not_signed(error: CallError) -> CopyError {
    let failure = CopyFailure::Refused {
        reason: CopyFailed::NotSigned,
        remedy: "The presigned URL could not be made, so nothing was sent. Check the function's credentials.",
    };
    CopyError { failure, error }
}

/// Moves the request's form into its query, where the signer then puts the signature too.
#[derive(Debug)]
struct InQuery {
    /// The `DestinationRegion`, where it is no member of the request itself: RDS knows it in URLs only.
    destination: Option<String>,
}

impl Intercept for InQuery {
    fn name(&self) -> &'static str {
        "InQuery"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let form = std::mem::replace(request.body_mut(), SdkBody::empty());
        let form = std::str::from_utf8(form.bytes().ok_or("the request's form is no text")?)?;
        let destination = self.destination.as_ref().map(|region| format!("&DestinationRegion={region}"));
        let url = format!("{}?{form}{}", request.uri(), destination.unwrap_or_default());
        request.set_method("GET")?;
        request.set_uri(url)?;
        // Whoever follows the URL sends no header but its host.
        let names: Vec<String> = request.headers().iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            request.headers_mut().remove(name);
        }
        let mut signing = config.load::<SigV4OperationSigningConfig>().cloned().unwrap_or_default();
        signing.signing_options.signature_type = HttpSignatureType::HttpRequestQueryParams;
        signing.signing_options.expires_in = Some(EXPIRES);
        config.interceptor_state().store_put(signing);
        Ok(())
    }
}

/// What stands in for the network: keeps the URL of the request that it is given.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Option<String>>>);

impl Kept {
    fn url(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HttpConnector for Kept {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.uri().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::user("the request is signed and not sent".into())))
    }
}
