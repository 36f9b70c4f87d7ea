//! What a policy says of databases.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

use serde_json::{Value, json};
use snapferry_core::policy::{SourceType, parse};

fn document() -> Value {
    json!({
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
            "EventType": "shareSnapshot",
            "SourceTypes": ["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"],
            "SnapshotOwner": ["111111111111"],
            "DatabaseFilter": {"SnapshotRegex": "nightly-.*", "DatabaseRegex": "orders", "Engines": ["aurora-mysql", "postgres"]},
        }},
        "Actions": [{"Name": "copy", "CrossRegionCopy": [{
            "Target": "eu-west-1",
            "EncryptionConfiguration": {"Encrypted": true, "CmkArn": "arn:aws:kms:eu-west-1:222222222222:key/abc"},
        }]}],
    })
}

fn edited(pointer: &str, value: Value) -> String {
    let mut document = document();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    document.to_string()
}

const PARAMETERS: &str = "/EventSource/Parameters";
const COPY: &str = "/Actions/0/CrossRegionCopy/0";

#[test]
fn what_a_policy_says_of_databases() {
    let parsed = parse(&document().to_string()).unwrap();
    let policy = &parsed.policies[0];
    assert_eq!(policy.source_types, [SourceType::DbSnapshot, SourceType::DbClusterSnapshot].into());
    assert_eq!(policy.databases.snapshot.as_str(), "nightly-.*");
    assert!(policy.databases.snapshot.matches("nightly-1") && !policy.databases.snapshot.matches("a-nightly-1"));
    assert!(policy.databases.database.matches("orders") && !policy.databases.database.matches("orders-2"));
    let takes = |engine| policy.databases.takes("nightly-1", "orders", engine);
    assert!(takes("postgres") && !takes("mysql"));
    // Nothing is missing: snapshots of databases have no description for a DescriptionRegex.
    assert_eq!(parsed.warnings, []);
}

#[test]
fn without_a_filter_every_database_passes() {
    let policy = parse(&edited("/EventSource/Parameters/DatabaseFilter", Value::Null)).unwrap();
    let filter = &policy.policies[0].databases;
    assert_eq!((filter.snapshot.as_str(), filter.database.as_str()), (".*", ".*"));
    assert!(filter.snapshot.matches("x") && filter.database.matches("") && filter.takes("x", "y", "mysql"));
}

#[test]
fn a_policy_that_names_no_kind_is_about_volumes() {
    for types in [Value::Null, json!(["EBS_SNAPSHOT"])] {
        let mut document: Value = serde_json::from_str(&edited(&format!("{PARAMETERS}/SourceTypes"), types)).unwrap();
        document.pointer_mut(PARAMETERS).unwrap().as_object_mut().unwrap().remove("DatabaseFilter");
        let policies = parse(&document.to_string()).unwrap().policies;
        assert_eq!(policies[0].source_types, [SourceType::EbsSnapshot].into());
    }
}

#[test]
fn each_rule_says_what_is_wrong_and_what_would_be_right() {
    for (place, member, value, expected) in [
        (
            PARAMETERS,
            "SourceTypes",
            json!(["DB_SNAPSHOTS"]),
            ".SourceTypes[0]: \"DB_SNAPSHOTS\", did you mean \"DB_SNAPSHOT\"?; allowed: EBS_SNAPSHOT, DB_SNAPSHOT, DB_CLUSTER_SNAPSHOT",
        ),
        (
            PARAMETERS,
            "SourceTypes",
            json!(["EBS_SNAPSHOT"]),
            ".DatabaseFilter: a filter of databases, but SourceTypes names none; allowed: absent, or DB_SNAPSHOT or \
             DB_CLUSTER_SNAPSHOT among SourceTypes",
        ),
        (
            PARAMETERS,
            "DescriptionRegex",
            json!(".*"),
            ".DescriptionRegex: \".*\", but snapshots of databases have no description; allowed: absent, or EBS_SNAPSHOT among \
             SourceTypes; DatabaseFilter is the filter of databases",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"SnapshotRegexp": "a"}),
            ".DatabaseFilter.SnapshotRegexp: unknown member, did you mean \"SnapshotRegex\"?; allowed: SnapshotRegex, \
             DatabaseRegex, Engines",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"DatabaseRegex": "("}),
            ".DatabaseFilter.DatabaseRegex: \"(\" at character 1: unclosed group; allowed: Rust regex syntax (docs.rs/regex)",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"SnapshotRegex": "a".repeat(1001)}),
            ".DatabaseFilter.SnapshotRegex: 1001 characters; allowed: at most 1000 characters",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"Engines": []}),
            ".DatabaseFilter.Engines: an empty array; allowed: engines as RDS calls them, such as [\"postgres\", \
             \"aurora-mysql\"], or absent, which means all",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"Engines": ["mysql", "PostgreSQL"]}),
            ".DatabaseFilter.Engines[1]: \"PostgreSQL\"; allowed: engines as RDS calls them, such as [\"postgres\", \
             \"aurora-mysql\"], or absent, which means all",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"Engines": ["docdb"]}),
            ".DatabaseFilter.Engines[0]: \"docdb\", whose snapshots nobody has tried to copy across accounts; allowed: engines \
             of RDS and Aurora",
        ),
        (
            PARAMETERS,
            "DatabaseFilter",
            json!({"SnapshotRegex": ""}),
            ".DatabaseFilter.SnapshotRegex: an empty text, which no name matches; allowed: a regex, or absent, which means \
             every name",
        ),
        (
            COPY,
            "LockRule",
            json!({"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}),
            ".LockRule: a lock, but RDS has none for the snapshots of databases that SourceTypes names; allowed: absent; what \
             protects them is that no role of Snapferry may both copy and delete, and the guardrails of infra/scp. Locked \
             copies of volumes are a policy of their own",
        ),
        (
            COPY,
            "TagsToAdd",
            json!([{"Key": "team", "Value": "a"}, {"Key": "RDS:team", "Value": "a"}]),
            ".TagsToAdd[1].Key: a key in the namespace rds:, which RDS keeps for itself; allowed: keys outside of rds:",
        ),
        (
            COPY,
            "ProofRule",
            json!({"Blocks": 10}),
            ".ProofRule: a proof by blocks, but nobody can read those of a database's snapshot; allowed: absent; volumes may \
             have a policy of their own",
        ),
        (
            COPY,
            "CompletionDurationMinutes",
            json!(15),
            ".CompletionDurationMinutes: a duration, but RDS takes none; allowed: absent; volumes may have a policy of their own",
        ),
        (
            COPY,
            "EncryptionConfiguration",
            json!({"Encrypted": true}),
            ".EncryptionConfiguration.CmkArn: missing, and RDS encrypts the copy of another account's snapshot only under a key \
             that is named; allowed: the ARN of a key in eu-west-1",
        ),
    ] {
        let error = parse(&edited(&format!("{place}/{member}"), value)).expect_err(expected).to_string();
        assert!(error.ends_with(expected), "{error}\n{expected}");
    }
}

/// EC2 has a key where nobody names one, RDS has none for another account's snapshot.
#[test]
fn warnings_speak_of_what_the_policy_copies() {
    let warnings = |types: Value| {
        let mut document: Value = serde_json::from_str(&edited(&format!("{PARAMETERS}/SourceTypes"), types)).unwrap();
        let copy = document.pointer_mut(COPY).unwrap().as_object_mut().unwrap();
        copy.insert("EncryptionConfiguration".to_owned(), json!({"Encrypted": false}));
        copy.insert("RetainRule".to_owned(), json!({"Interval": 1, "IntervalUnit": "DAYS", "KeepAtLeast": 0}));
        let warnings = parse(&document.to_string()).unwrap().warnings;
        let of_target = warnings.into_iter().filter(|warning| warning.path.starts_with("Actions"));
        of_target.map(|warning| (warning.code.name(), warning.message)).collect::<Vec<_>>()
    };
    let plain = "copies of databases' unencrypted snapshots are not encrypted, and their encrypted snapshots are not copied: RDS \
                 makes such a copy only under a key that the policy names; set it to true and name a key in eu-west-1 in CmkArn";
    assert_eq!(
        warnings(json!(["DB_SNAPSHOT"])),
        [
            ("target-unencrypted", format!("false, so {plain}")),
            ("keep-none", "0, so the last verified copy of a database is deleted when it expires".to_owned()),
        ]
    );
    assert_eq!(
        warnings(json!(["EBS_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"])),
        [
            (
                "target-unencrypted",
                format!(
                    "false, so of volumes, copies of unencrypted snapshots are not encrypted unless EBS encryption by default \
                     is on, and others are under a key that EC2 chooses; {plain}"
                )
            ),
            (
                "keep-none",
                "0, so the last verified copy of a volume or a database is deleted when it expires".to_owned()
            ),
        ]
    );
}

#[test]
fn a_lock_is_refused_beside_volumes_too() {
    let mut both: Value =
        serde_json::from_str(&edited(&format!("{PARAMETERS}/SourceTypes"), json!(["EBS_SNAPSHOT", "DB_SNAPSHOT"])))
            .unwrap();
    let copy = both.pointer_mut(COPY).unwrap().as_object_mut().unwrap();
    copy.insert("LockRule".to_owned(), json!({"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}));
    let error = parse(&both.to_string()).unwrap_err();
    assert_eq!(error.path, "Actions[0].CrossRegionCopy[0].LockRule");
}

#[test]
fn of_china_one_region_is_a_target() {
    let target = |region: &str| json!({"Target": region, "EncryptionConfiguration": {"Encrypted": false}});
    let document =
        |targets: &[&str]| edited("/Actions/0/CrossRegionCopy", targets.iter().map(|region| target(region)).collect());
    assert!(parse(&document(&["cn-north-1"])).is_ok());
    assert!(parse(&document(&["eu-west-1", "eu-west-2"])).is_ok());
    let error = parse(&document(&["cn-north-1", "cn-northwest-1"])).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "CrossRegionCopy[1].Target: \"cn-northwest-1\" besides cn-north-1, but RDS copies no snapshots between the Regions \
             of China; allowed: the Region in which they are shared alone"
        ),
        "{error}"
    );
}
