//! `event.invalid` records from exported lines or from a log group.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use regex::Regex;
use serde_json::Value;

use super::{Replayed, Report};
use crate::{input, queue};

/// What tells a log group from a file.
const LOG_GROUP: &str = "log-group:";

/// The `event.invalid` records of a file or log group.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn read(from: &str, config: &SdkConfig) -> anyhow::Result<Vec<Value>> {
    match from.strip_prefix(LOG_GROUP) {
        Some(group) => log_group(group, config).await,
        None => file(Path::new(from)),
    }
}

fn file(path: &Path) -> anyhow::Result<Vec<Value>> {
    let shown = input::shown(path);
    let reader = BufReader::new(input::open(path).with_context(|| format!("{shown} cannot be read"))?);
    let mut records = Vec::new();
    for line in reader.lines() {
        let line = line.with_context(|| format!("{shown} cannot be read"))?;
        records.extend(record(&line));
    }
    Ok(records)
}

async fn log_group(group: &str, config: &SdkConfig) -> anyhow::Result<Vec<Value>> {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let pattern = r#"{ $.event = "event.invalid" }"#;
    let mut pages = logs.filter_log_events().log_group_name(group).filter_pattern(pattern).into_paginator().send();
    let mut records = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            anyhow::anyhow!("the log group {group} cannot be read: {}", DisplayErrorContext(&error))
        })?;
        records.extend(page.events().iter().filter_map(|event| record(event.message()?)));
    }
    Ok(records)
}

/// The `event.invalid` record in a line, which may begin with a timestamp or wrap the record in a `message`.
fn record(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line.get(line.find('{')?..)?.trim_end()).ok()?;
    if let Some(message) = value.get("message").and_then(Value::as_str).filter(|_| value.get("audit").is_none()) {
        return record(message);
    }
    let is = |name, expected| value.get(name).and_then(Value::as_str) == Some(expected);
    (is("audit", "snapferry/1") && is("event", "event.invalid")).then_some(value)
}

/// Asks the copier to look at each snapshot that the records' bodies name.
pub(super) async fn replay(
    sqs: &aws_sdk_sqs::Client,
    records: &[Value],
    url: &str,
    max: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut asked = BTreeSet::new();
    for record in records {
        let text = |name| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = text("time").to_owned();
        let Some(snapshot) = snapshot(text("body")) else {
            let problem = format!("its body names no snapshot ({})", text("reason"));
            report.say(&Replayed { id, about: None, replayed: false, problem: Some(problem) })?;
            continue;
        };
        let about = Some(snapshot.clone());
        if asked.len() == max && !asked.contains(&snapshot) {
            let problem = Some(format!("--max {max} is reached"));
            report.say(&Replayed { id, about, replayed: false, problem })?;
            continue;
        }
        let key = format!("replay-{snapshot}-{}", id.replace([':', '.'], "-"));
        if asked.insert(snapshot.clone()) && !report.dry_run {
            queue::send(sqs, url, &queue::share(&snapshot, &key), &key).await?;
        }
        report.say(&Replayed { id, about, replayed: true, problem: None })?;
    }
    Ok(())
}

/// The snapshot that a body names. Only the ID is taken from it: all else the copier asks EC2.
fn snapshot(body: &str) -> Option<String> {
    let id = Regex::new(r"\bsnap-(?:[0-9a-f]{17}|[0-9a-f]{8})\b").ok()?;
    Some(id.find(body)?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str =
        r#"{"audit":"snapferry/1","event":"event.invalid","reason":"not-json","body":"x snap-01234567 y"}"#;

    #[test]
    fn a_record_is_found_in_every_form_of_export() {
        let wrapped = serde_json::json!({"timestamp": 1, "message": RECORD}).to_string();
        for line in [RECORD.to_owned(), format!("2026-11-22T12:00:00.000Z {RECORD}\n"), wrapped] {
            assert!(record(&line).is_some(), "{line}");
        }
        let started = RECORD.replace("event.invalid", "copy.started");
        for line in ["", "text", "{", "[]", "{}", started.as_str(), r#"{"event":"event.invalid"}"#] {
            assert!(record(line).is_none(), "{line}");
        }
    }

    #[test]
    fn only_a_whole_id_is_a_snapshot() {
        let cases = [
            ("arn:aws:ec2::us-east-1:snapshot/snap-0123456789abcdef0\"", Some("snap-0123456789abcdef0")),
            ("snap-01234567", Some("snap-01234567")),
            ("snap-0123456", None),
            ("snap-012345678", None),
            ("snap-0123456789ABCDEF0", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(snapshot(body).as_deref(), expected, "{body}");
        }
    }
}
