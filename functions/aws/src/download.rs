//! What a service leaves at a signed URL instead of putting it into its answer.

use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use snapferry_core::facts::CallError;

use crate::roots::Roots;

/// A few megabytes, at most.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The bytes at `url`, which are no more than `most`. The URL is a key, so it stands in no error.
///
/// # Errors
/// When the bytes cannot be had, or are more.
pub async fn download(url: &str, most: usize) -> Result<Vec<u8>, CallError> {
    let read = tokio::time::timeout(TIMEOUT, bytes(url, most)).await;
    read.unwrap_or_else(|_| Err(failed("Timeout", "the signed URL did not answer in time")))
}

async fn bytes(url: &str, most: usize) -> Result<Vec<u8>, CallError> {
    let trusted = Roots::Machine
        .trust_store()
        .and_then(|roots| Ok(tls::TlsContext::builder().with_trust_store(roots).build()?));
    let context = trusted.map_err(|error| failed("NotSent", &format!("TLS cannot be set up: {error:#}")))?;
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .tls_context(context)
        .build();
    let request = HttpRequest::get(url).map_err(|_| failed("NotSent", "the signed URL is none"))?;
    let answer = connector.call(request).await;
    let answer = answer.map_err(|_| failed("ConnectionFailed", "the signed URL could not be read"))?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(failed(&format!("Http{status}"), "the signed URL was refused"));
    }
    let (mut body, mut bytes) = (ByteStream::new(answer.into_body()), Vec::new());
    while let Some(more) = body.next().await {
        let more = more.map_err(|_| failed("ConnectionFailed", "what is at the signed URL broke off"))?;
        bytes.extend_from_slice(&more);
        if bytes.len() > most {
            return Err(failed("TooLarge", &format!("what is at the signed URL is more than {most} bytes")));
        }
    }
    Ok(bytes)
}

fn failed(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned(), request_id: None }
}
