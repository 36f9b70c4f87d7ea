//! The presigned URL against botocore's own, captured under a frozen clock by `tests/presign/capture.py`.

#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use serde_json::Value;
use snapferry_aws::presign::{copy_snapshot_url, endpoint};

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

/// Host and path, and the query's parameters as they stand in the URL.
fn parts(url: &str) -> (&str, BTreeMap<&str, &str>) {
    let (base, query) = url.split_once('?').expect("a query");
    (base, query.split('&').filter_map(|pair| pair.split_once('=')).collect())
}

#[tokio::test]
async fn the_url_is_botocores_parameter_for_parameter_and_signature_for_signature() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/presigned_urls.json")).expect("the fixture");
    let now: SystemTime =
        text(&fixture["now"]).and_then(|now| now.parse::<jiff::Timestamp>().ok()).expect("a time").into();
    let cases = fixture["cases"].as_object().expect("cases");
    assert!(cases.len() >= 6);
    for (name, case) in cases {
        let token = text(&case["token"]).map(str::to_owned);
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token.clone(), None, "test");
        let source = text(&case["source"]).expect("a source Region");
        let mut config = aws_config::SdkConfig::builder();
        config.set_endpoint_url(text(&case["endpoint"]).map(str::to_owned));
        let base = endpoint(&config.build(), source).await.expect("an endpoint");
        let form: Vec<(String, String)> = serde_json::from_value(case["form"].clone()).expect("a form");
        let destination = text(&case["destination"]).expect("a destination");
        let url = copy_snapshot_url(&credentials, &base, source, destination, &form, now).expect("a URL");

        let expected = text(&case["url"]).expect("botocore's URL");
        assert_eq!(parts(&url), parts(expected), "{name}");
        if token.is_none() {
            assert_eq!(url, expected, "{name}: without a session token the order is the same too");
        }
    }
}
