//! An HTTP client whose XML can be read. EC2 passes on what owners wrote into descriptions, and XML has no form for most
//! control characters, neither as themselves nor as references: one of them makes a whole page unreadable for the SDK. So does one
//! time or number that is none.

mod members;

use std::borrow::Cow;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

/// The client, with answers in XML made legible: each character that XML does not have comes as U+FFFD, and a member of EC2's that
/// is not of its type does not come at all, so that only its own item lacks it.
#[must_use]
pub fn legible(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Legible(client))
}

#[derive(Debug)]
struct Legible<T>(T);

impl HttpClient for Legible<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Legible(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

impl HttpConnector for Legible<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { whole(answer.await?).await })
    }
}

/// The answer with its body read to the end. One that breaks off is an error of the connection, as if nothing had come.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    // What a snapshot's block begins with is its owner's choice, and must come as it is.
    let is_block = answer.headers().contains_key("x-amz-data-length");
    *answer.body_mut() = match legible_text(&body).filter(|_| !is_block) {
        Some(text) => SdkBody::from(text),
        None => SdkBody::from(body),
    };
    Ok(answer)
}

/// The text of an answer in XML, if something had to be replaced or left out.
fn legible_text(body: &[u8]) -> Option<String> {
    let corrected = corrected(body);
    let text = corrected.as_deref().or_else(|| std::str::from_utf8(body).ok().filter(|text| text.starts_with('<')))?;
    members::without_unreadable(text).or(corrected)
}

/// The text of an answer in XML, if something had to be replaced.
fn corrected(body: &[u8]) -> Option<String> {
    if !body.starts_with(b"<") {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let is_odd = |c: char| c == '&' || !is_in_xml(c);
    let (mut out, mut rest) = (String::new(), &*text);
    let mut is_changed = matches!(text, Cow::Owned(_));
    while let Some((before, behind)) = rest.find(is_odd).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let replaced = if behind.starts_with('&') { impossible_reference(behind) } else { Some(1) };
        let mut chars = behind.chars();
        match replaced {
            Some(count) => {
                is_changed = true;
                out.push(char::REPLACEMENT_CHARACTER);
                chars.by_ref().take(count).for_each(drop);
            }
            None => out.extend(chars.by_ref().take(1)),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    is_changed.then_some(out)
}

/// How many characters a reference has that begins `text` and names what XML does not have.
fn impossible_reference(text: &str) -> Option<usize> {
    let (digits, _) = text.strip_prefix("&#")?.split_once(';')?;
    let code = match digits.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    let is_possible = char::from_u32(code.ok()?).is_some_and(is_in_xml);
    (!is_possible).then_some("&#;".len() + digits.len())
}

/// Extensible Markup Language 1.0, production 2.
fn is_in_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_xml_does_not_have_is_replaced() {
        for (body, expected) in [
            ("<a>b &amp; c&#10;&#x1F4A5;&#xd;\t\r\n\u{85}é\u{1f4a5}</a>", None),
            ("<a>\u{0}b\u{1}\u{1b}[2J\u{ffff}</a>", Some("<a>\u{fffd}b\u{fffd}\u{fffd}[2J\u{fffd}</a>")),
            (
                "<a>&#0;&#x1;&#x1b;&#xD800;&#x110000;&lt;</a>",
                Some("<a>\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}&lt;</a>"),
            ),
            ("<a>& &# &#; &#x; &#xg; &#1</a>", None),
            ("{\"a\": \"\u{1}\"}", None),
            ("", None),
        ] {
            assert_eq!(corrected(body.as_bytes()).as_deref(), expected, "{body:?}");
        }
        assert_eq!(corrected(b"<a>\xff</a>").as_deref(), Some("<a>\u{fffd}</a>"));
    }
}
