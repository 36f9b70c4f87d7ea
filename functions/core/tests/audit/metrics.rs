//! The metrics on the lines, held to AWS's specification of the embedded metric format.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use snapferry_core::audit::{
    Chain, CopyDeferred, CopyKept, CopyLocked, CopyMissed, CopyProved, CopyRefused, CopyRejected, CopySkipped,
    CopyWithdrawn, Environment, NAMESPACE, Reason, Record,
};

use snapferry_core::ids::MetricNamespace;

use crate::every_record;
use crate::schema::schema;

/// The rules of "Specification: Embedded metric format" (Amazon CloudWatch User Guide,
/// CloudWatch_Embedded_Metric_Format_Specification.html), its JSON schema included, and of the dimension values in
/// CloudWatch's API reference (`Dimension`).
fn violations(line: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut rule = |kept: bool, rule: &str| {
        if !kept {
            found.push(rule.to_owned());
        }
    };
    let metadata = &line["_aws"];
    rule(metadata["Timestamp"].is_i64(), "_aws.Timestamp is an integer");
    let directives = metadata["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
    rule(!directives.is_empty(), "_aws.CloudWatchMetrics is an array");
    for directive in &directives {
        let namespace = directive["Namespace"].as_str().unwrap_or_default();
        rule((1..=1024).contains(&namespace.len()), "Namespace has 1 to 1024 characters");
        let sets = directive["Dimensions"].as_array().cloned().unwrap_or_default();
        rule(!sets.is_empty(), "Dimensions holds at least one set");
        for set in sets.iter().map(|set| set.as_array().unwrap()) {
            rule(set.len() <= 30, "a dimension set has at most 30 members");
            for name in set.iter().map(|name| name.as_str().unwrap_or_default()) {
                rule((1..=250).contains(&name.len()), "a dimension's name has 1 to 250 characters");
                let value = line[name].as_str().unwrap_or_default();
                let printable = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
                rule(
                    (1..=1024).contains(&value.len()) && printable,
                    "a dimension refers to a text of the root, in ASCII",
                );
            }
        }
        let metrics = directive["Metrics"].as_array().cloned().unwrap_or_default();
        rule((1..=100).contains(&metrics.len()), "Metrics holds 1 to 100 definitions");
        for metric in &metrics {
            let name = metric["Name"].as_str().unwrap_or_default();
            rule((1..=1024).contains(&name.len()), "a metric's name has 1 to 1024 characters");
            rule(line[name].is_number(), "a metric refers to a number of the root");
            let units = ["Count", "Seconds", "Milliseconds", "None"];
            rule(units.contains(&metric["Unit"].as_str().unwrap_or_default()), "a unit is one that CloudWatch knows");
        }
    }
    rule(line.to_string().len() < 256 * 1024, "a log event has at most 256 KB");
    found
}

fn line(record: &Record) -> Value {
    serde_json::from_str(&record.to_line()).unwrap()
}

#[test]
fn the_metrics_stand_in_the_namespace_of_the_stack() {
    let namespace = |named: Option<&str>| {
        let named = named.map(|name| MetricNamespace::parse(name).unwrap());
        let record = Record::new(CopyKept::RunLimit, crate::world::now());
        let line = Chain::new(Environment::new(crate::world::now(), 1)).with_namespace(named).line(&record);
        let line: Value = serde_json::from_str(&line).unwrap();
        line["_aws"]["CloudWatchMetrics"][0]["Namespace"].as_str().unwrap().to_owned()
    };
    assert_eq!(namespace(None), NAMESPACE);
    assert_eq!(namespace(Some("Snapferry/frankfurt")), "Snapferry/frankfurt");
}

fn measured(line: &Value) -> BTreeMap<String, f64> {
    let definitions = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().cloned().unwrap_or_default();
    let names = definitions.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned());
    names.map(|name| (name.clone(), line[&name].as_f64().unwrap())).collect()
}

#[test]
fn every_line_with_metrics_keeps_the_rules() {
    let lines: Vec<Value> = every_record().iter().map(line).filter(|line| line.get("_aws").is_some()).collect();
    assert!(lines.len() > 50);
    for line in lines {
        assert_eq!(violations(&line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn the_rules_can_be_broken() {
    let good = every_record().iter().map(line).find(|line| line["event"] == "copy.started").unwrap();
    for (path, value, broken) in [
        ("/_aws/Timestamp", "now".into(), "_aws.Timestamp is an integer"),
        ("/_aws/CloudWatchMetrics/0/Dimensions", Value::Array(Vec::new()), "Dimensions holds at least one set"),
        ("/PolicyId", "näglich".into(), "a dimension refers to a text of the root, in ASCII"),
        ("/CopiesStarted", "1".into(), "a metric refers to a number of the root"),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", "Hours".into(), "a unit is one that CloudWatch knows"),
    ] {
        let mut line = good.clone();
        *line.pointer_mut(path).unwrap() = value;
        assert_eq!(violations(&line), [broken], "{path}");
    }
}

#[test]
fn no_two_members_of_a_line_differ_by_case_only() {
    let members: Vec<String> =
        schema()["properties"].as_object().unwrap().keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(members.len(), members.iter().collect::<BTreeSet<_>>().len());
}

#[test]
fn each_event_counts_in_its_own_metrics() {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in every_record() {
        let line = line(&record);
        let event = line["event"].as_str().unwrap().to_owned();
        told.entry(event).or_default().extend(measured(&line).into_keys());
    }
    told.retain(|_, names| !names.is_empty());
    let told = told.into_iter().map(|(event, names)| format!("{event}: {}", Vec::from_iter(names).join(" ")));
    let told: Vec<String> = told.collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    copy.deferred: CopiesDeferred LedgerUnread QuotasExceeded
    copy.expired: CopiesExpired
    copy.failed: CopiesFailed
    copy.kept: CopiesKept DeletionsRefused
    copy.locked: CopiesLocked LocksFailed
    copy.missed: CopiesMissed
    copy.proved: CopiesProved ProofsDiffering
    copy.refused: CopiesRefused MassExpiriesRefused
    copy.rejected: CopiesRejected ProofsDiffering
    copy.stalled: CopiesStalled
    copy.started: CopiesStarted
    copy.verified: CopiesVerified CopyDuration TimeToProtect
    event.invalid: EventsInvalid
    expiry.completed: CopiesKeysEndangered DeletionsWaiting ExpiryDuration ExpiryRunsCompleted VolumesDroppedOut
    prove.completed: ProofsWaiting ProveDuration ProveRunsCompleted
    sweep.completed: AttemptsExhausted CopiesKeysEndangered InFlight KeysUnusable OldestUnprotectedHours PoliciesUnserved Protected SilentOwners SweepDuration SweepsCompleted TagsMalformed Unprotected
    sweep.owner: HoursSinceLastShare
    sweep.region: InFlight OldestUnprotectedHours Protected Unprotected
    verify.completed: CopiesKeysEndangered VerdictsDeferred VerifyDuration VerifyRunsCompleted
    ");
}

#[test]
fn an_owner_has_a_metric_only_where_one_is_asked_for() {
    let owner = every_record().into_iter().find(|record| record.owner.is_some()).unwrap();
    for (asked, expected) in [(false, 0), (true, 1)] {
        let mut chain = Chain::new(Environment::new(crate::world::now(), 1)).with_owner_metrics(asked);
        let line: Value = serde_json::from_str(&chain.line(&owner)).unwrap();
        assert_eq!(line.get("_aws").into_iter().count(), expected);
        assert_eq!(line.get("HoursSinceLastShare").into_iter().count(), expected);
        assert!(line["owner"]["silent"].is_boolean());
    }
}

#[test]
fn a_failed_lock_is_no_lock_and_a_refused_deletion_is_told_apart() {
    let of = |reason: Reason| {
        let record = every_record().into_iter().find(|record| record.reason == reason).unwrap();
        measured(&line(&record))
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (reason, expected) in [
        (CopyLocked::Locked.into(), "CopiesLocked=1"),
        (CopyLocked::AlreadyLocked.into(), "CopiesLocked=1"),
        (CopyLocked::LockFailed.into(), "LocksFailed=1"),
        (CopyLocked::LockRuleGone.into(), "LocksFailed=1"),
        (CopyKept::LastVerified.into(), "CopiesKept=1"),
        (CopyKept::RunLimit.into(), "CopiesKept=40"),
        (CopyKept::LineageUnknown.into(), "CopiesKept=40"),
        (CopyKept::Locked.into(), "CopiesKept=1 DeletionsRefused=1"),
        (CopyKept::InUse.into(), "CopiesKept=1 DeletionsRefused=1"),
        (CopyKept::NotAuthorized.into(), "CopiesKept=1 DeletionsRefused=1"),
        (CopyRefused::MassExpiry.into(), "MassExpiriesRefused=1"),
        (CopyRefused::ClockBehind.into(), "MassExpiriesRefused=1"),
        (CopyRefused::KeyDisabled.into(), "CopiesRefused=1"),
        (CopyDeferred::RegionFull.into(), "CopiesDeferred=1"),
        (CopyDeferred::InLine.into(), "CopiesDeferred=1"),
        (CopyDeferred::LedgerUnread.into(), "CopiesDeferred=1 LedgerUnread=1"),
        (CopyDeferred::QuotaExceeded.into(), "CopiesDeferred=1 QuotasExceeded=1"),
        (CopyMissed::SourceGone.into(), "CopiesMissed=1"),
        (CopyProved::Sampled.into(), "CopiesProved=1"),
        (CopyProved::StructureDiffers.into(), "CopiesProved=1 ProofsDiffering=1"),
        (CopyRejected::ContentDiffers.into(), "CopiesRejected=1 ProofsDiffering=1"),
        (CopyRejected::WrongKey.into(), "CopiesRejected=1"),
        (CopyWithdrawn::PolicyGone.into(), ""),
        (CopySkipped::AlreadyCopied.into(), ""),
    ] {
        assert_eq!(of(reason), expected, "{reason:?}");
    }
}
