//! Reads the policy documents that deployed functions work by.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use snapferry_aws::download::download;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;
use snapferry_core::policy::MAX_DOCUMENT_BYTES;
use snapferry_core::text::printable;

use crate::commands::doctor::facts::Document;
use crate::terminal::package;

/// The functions' environment variable, in which the document or its place stands.
const VARIABLE: &str = "SNAPFERRY_POLICY";
/// Where Lambda puts what is in layers.
const LAYERS: &str = "/opt/";
/// The longest package of a layer that is read. One with the document alone has kilobytes.
const MAX_PACKAGE_BYTES: usize = 8 * 1024 * 1024;

/// The documents of functions, of which most share their layer.
#[derive(Debug, Default)]
pub(super) struct Documents {
    packages: BTreeMap<String, Result<Vec<u8>, CallError>>,
}

impl Documents {
    /// The document of a function.
    pub(super) async fn of(&mut self, config: &SdkConfig, function: &GetFunctionConfigurationOutput) -> Document {
        if let Some(error) = unread_environment(function) {
            return Document::Unread(error);
        }
        let variables = function.environment().and_then(|environment| environment.variables());
        let Some(said) = variables.and_then(|variables| variables.get(VARIABLE)) else {
            return Document::Missing(format!("it has no variable {VARIABLE}"));
        };
        if said.trim_start().starts_with(['{', '[']) {
            return Document::Text(said.clone());
        }
        let shown = printable(said, 200);
        let Some(name) = said.strip_prefix(LAYERS) else {
            return Document::Elsewhere(format!("it takes its policy from {shown}, in its own package"));
        };
        // The last first: its files hide those of the ones before.
        for layer in function.layers().iter().rev().filter_map(|layer| layer.arn()) {
            if !self.packages.contains_key(layer) {
                self.packages.insert(layer.to_owned(), package_of(config, layer).await);
            }
            let found = match self.packages.get(layer) {
                Some(Ok(bytes)) => package::file(bytes, name, MAX_DOCUMENT_BYTES),
                Some(Err(error)) => return Document::Unread(error.clone()),
                None => Ok(None),
            };
            match found.map(|found| found.map(String::from_utf8)) {
                Ok(Some(Ok(text))) => return Document::Text(text),
                Ok(Some(Err(_))) => return Document::Missing(format!("its policy {shown} is not UTF-8 text")),
                Ok(None) => {}
                Err(why) => return Document::Elsewhere(format!("its layer {layer} cannot be read: {why}")),
            }
        }
        Document::Missing(format!("it takes its policy from {shown}, and no layer of it has that"))
    }
}

/// Why Lambda does not show a function's variables: the caller may not use the key that they are under (Lambda API reference,
/// EnvironmentResponse, `Error`).
pub(super) fn unread_environment(function: &GetFunctionConfigurationOutput) -> Option<CallError> {
    let error = function.environment()?.error()?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(CallError { code: text(error.error_code()), message: text(error.message()), request_id: None })
}

async fn package_of(config: &SdkConfig, layer: &str) -> Result<Vec<u8>, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_layer_version_by_arn().arn(layer).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let location = answer.content().and_then(|content| content.location()).unwrap_or_default();
    download(location, MAX_PACKAGE_BYTES).await
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use aws_sdk_lambda::types::{EnvironmentError, EnvironmentResponse};

    use super::*;

    /// What is read of a server that gives this answer.
    fn answered(answer: &'static [u8], most: usize) -> Result<Vec<u8>, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/package?signed=secret", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(answer).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let read = runtime.block_on(download(&url, most));
        server.join().unwrap();
        read.map_err(|error| {
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
            error.code
        })
    }

    #[test]
    fn what_is_at_a_url_is_read_to_its_end() {
        let fine = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes";
        assert_eq!(answered(fine, 5), Ok(b"bytes".to_vec()));
        assert_eq!(answered(fine, 4), Err("TooLarge".to_owned()));
        let short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbytes";
        assert_eq!(answered(short, 9), Err("ConnectionFailed".to_owned()));
        let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nbytes";
        assert_eq!(answered(refused, 5), Err("Http403".to_owned()));
        assert_eq!(answered(b"", 5), Err("ConnectionFailed".to_owned()));
    }

    #[test]
    fn variables_that_are_not_shown_are_not_missing() {
        let error = EnvironmentError::builder().error_code("AccessDeniedException").message("no kms:Decrypt").build();
        let environment = EnvironmentResponse::builder().error(error).build();
        let function = GetFunctionConfigurationOutput::builder().environment(environment).build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(Documents::default().of(&SdkConfig::builder().build(), &function));
        assert!(matches!(found, Document::Unread(CallError { code, .. }) if code == "AccessDeniedException"));
    }

    #[test]
    fn what_is_no_url_is_not_asked() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(download("", 5)).unwrap_err().code, "NotSent");
    }
}
