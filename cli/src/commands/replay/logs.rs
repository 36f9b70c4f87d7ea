//! `event.invalid` records from exported lines or from a log group.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use aws_config::SdkConfig;
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;
use snapferry_aws::errors::call_error;

use super::report::{ReplayReport, Replayed, note};
use crate::account::connection::words;
use crate::account::queue;
use crate::terminal::audit_lines;
use crate::terminal::input;

/// What was exported.
#[derive(Debug, Default)]
pub(super) struct Export {
    /// The `event.invalid` records.
    pub(super) records: Vec<Value>,
    /// Where it comes from, and how many other records it has.
    what: String,
}

/// Reads a file in any form that `audit verify` takes.
///
/// # Errors
/// When it cannot be read to its end, or has no line of the audit: then it is most likely another file than was meant.
pub(super) fn file(path: &Path, since: Option<Timestamp>) -> anyhow::Result<Export> {
    let shown = input::shown(path);
    let input = input::open(path).with_context(|| format!("{shown} cannot be read"))?;
    let mut lines = 0_u64;
    let mut records = Vec::new();
    let read = audit_lines::read(input, |_, line| {
        lines += 1;
        records.extend(record(line, since));
    });
    read.with_context(|| shown.clone())?;
    anyhow::ensure!(lines > 0, "{shown}: no line of Snapferry's audit in any form that `snapferry audit verify` takes");
    Ok(Export { records, what: format!("{shown}: {lines} audit lines") })
}

/// Reads a log group.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn log_group(group: &str, since: Option<Timestamp>, config: &SdkConfig) -> anyhow::Result<Export> {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let pattern = r#"{ $.event = "event.invalid" }"#;
    let since_ms = since.map(Timestamp::as_millisecond);
    let wanted = logs.filter_log_events().log_group_name(group).filter_pattern(pattern).set_start_time(since_ms);
    let mut pages = wanted.into_paginator().send();
    let mut records = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page
            .map_err(|error| anyhow::anyhow!("the log group {group} cannot be read: {}", words(&call_error(&error))))?;
        records.extend(page.events().iter().filter_map(|event| record(event.message()?, since)));
    }
    Ok(Export { records, what: format!("the log group {group}") })
}

/// The `event.invalid` record in an audit line.
fn record(line: &str, since: Option<Timestamp>) -> Option<Value> {
    let value: Value = serde_json::from_str(line.trim_end()).ok()?;
    let text = |name| value.get(name).and_then(Value::as_str);
    let is_before = || text("time")?.parse::<Timestamp>().ok().zip(since).map(|(time, since)| time < since);
    let is_wanted = text("audit") == Some("snapferry/1") && text("event") == Some("event.invalid");
    (is_wanted && is_before() != Some(true)).then_some(value)
}

/// Asks the copier to look at each snapshot that the records' bodies name; without a queue only says so.
pub(super) async fn replay(
    to: Option<(&aws_sdk_sqs::Client, &str)>,
    export: &Export,
    max: usize,
    report: &mut ReplayReport,
) -> anyhow::Result<()> {
    if export.records.is_empty() {
        note(&format!("{}, no event.invalid record", export.what));
    }
    let mut asked = BTreeSet::new();
    for record in &export.records {
        let text = |name| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = text("time").to_owned();
        let Some(snapshot) = snapshot(text("body")) else {
            let problem = format!("its body names no snapshot ({})", text("reason"));
            report.say(&Replayed { id, about: None, replayed: false, problem: Some(problem) });
            continue;
        };
        let about = Some(snapshot.clone());
        if asked.len() == max && !asked.contains(&snapshot) {
            let problem = Some(format!("--max {max} is reached"));
            report.say(&Replayed { id, about, replayed: false, problem });
            continue;
        }
        let key = format!("replay-{snapshot}-{}", id.replace([':', '.'], "-"));
        if asked.insert(snapshot.clone())
            && let Some((sqs, url)) = to
        {
            queue::send(sqs, url, &queue::share(&snapshot, &key), &key).await?;
        }
        report.say(&Replayed { id, about, replayed: true, problem: None });
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
        r#"{"audit":"snapferry/1","time":"2026-11-22T03:00:00Z","event":"event.invalid","body":"x snap-01234567 y"}"#;

    #[test]
    fn only_invalid_events_are_records() {
        assert!(record(RECORD, None).is_some() && record(&format!("{RECORD}\n"), None).is_some());
        let started = RECORD.replace("event.invalid", "copy.started");
        for line in ["", "text", "{", "[]", "{}", started.as_str(), r#"{"event":"event.invalid"}"#] {
            assert!(record(line, None).is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_older_is_left_out() {
        for (since, is_wanted) in [("2026-11-22T03:00:00Z", true), ("2026-11-22T03:00:01Z", false)] {
            assert_eq!(record(RECORD, since.parse().ok()).is_some(), is_wanted, "{since}");
        }
        let timeless = RECORD.replace("2026-11-22", "a day");
        assert!(record(&timeless, "2026-11-22T03:00:01Z".parse().ok()).is_some());
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
