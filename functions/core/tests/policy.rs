//! What policy documents mean: the three forms, Snapferry's additions, the warnings, the description filter.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::collections::BTreeSet;

use snapferry_core::ids::{KeyArn, Region};
use snapferry_core::policy::{
    self, DescriptionFilter, Encryption, Extent, LockMode, LockRule, Parsed, Policy, PolicyState, ProofRule,
    RetainRule, Tag, Target,
};
use snapferry_core::retention::{Interval, IntervalUnit};

const CROSS_ACCOUNT_COPY: &str = include_str!("fixtures/policies/cross-account-copy.json");
const GET_LIFECYCLE_POLICY: &str = include_str!("fixtures/policies/get-lifecycle-policy.json");
const SEVERAL: &str = include_str!("fixtures/policies/several.json");

fn warnings(parsed: &Parsed) -> Vec<String> {
    parsed.warnings.iter().map(|warning| format!("[{}] {warning}", warning.policy)).collect()
}

fn owners(policy: &Policy) -> Vec<&str> {
    policy.owners.iter().map(|owner| owner.as_str()).collect()
}

fn retain(count: u32, unit: IntervalUnit, keep_at_least: u32) -> RetainRule {
    RetainRule { interval: Interval { count, unit }, keep_at_least }
}

fn target(region: &str, encryption: Encryption, retain: Option<RetainRule>) -> Target {
    let region = Region::parse(region).unwrap();
    Target { region, encryption, retain, lock: None, proof: None, tags: Vec::new(), completion_duration_minutes: None }
}

fn key(arn: &str) -> Encryption {
    Encryption::Key(KeyArn::parse(arn).unwrap())
}

/// The two-Region example of the EBS user guide, "Automate cross-account snapshot copies".
#[test]
fn bare_policy_details() {
    let parsed = policy::parse(CROSS_ACCOUNT_COPY).unwrap();
    let [policy] = parsed.policies.as_slice() else { panic!("one policy expected") };
    assert_eq!((policy.name.as_str(), policy.state), ("default", PolicyState::Enabled));
    assert_eq!((owners(policy), policy.description.as_str()), (vec!["111111111111"], ".*"));
    assert_eq!(
        policy.targets,
        [
            target("sa-east-1", Encryption::AsSource, Some(retain(3, IntervalUnit::Days, 1))),
            target(
                "eu-west-2",
                key("arn:aws:kms:eu-west-2:222222222222:key/8af79514-350d-4c52-bac8-8985e84171c7"),
                Some(retain(1, IntervalUnit::Months, 1)),
            ),
        ]
    );
    insta::assert_snapshot!(warnings(&parsed).join("\n"), @r#"
    [default] EventSource.Parameters.DescriptionRegex: missing, so every shared snapshot of the listed owners is copied, as with ".*" (description-regex-missing)
    [default] Actions[0].CrossRegionCopy[0].EncryptionConfiguration.Encrypted: false, so copies of unencrypted snapshots are not encrypted unless EBS encryption by default is on, and others are under a key that EC2 chooses (target-unencrypted)
    "#);
}

#[test]
fn answer_of_get_lifecycle_policy() {
    let parsed = policy::parse(GET_LIFECYCLE_POLICY).unwrap();
    let [policy] = parsed.policies.as_slice() else { panic!("one policy expected") };
    assert_eq!((policy.name.as_str(), policy.state), ("policy-9876543210abcdef0", PolicyState::Enabled));
    assert_eq!(owners(policy), ["111111111111", "333333333333"]);
    assert!(policy.description.matches("Created for policy: policy-0123 schedule: Default"));
    assert_eq!(policy.targets, [target("eu-central-1", Encryption::DefaultKey, None)]);
    assert_eq!(parsed.warnings, []);
}

#[test]
fn an_answer_without_a_policy_id_is_the_default_policy() {
    let without_id = GET_LIFECYCLE_POLICY.replacen("\"PolicyId\": \"policy-9876543210abcdef0\",", "", 1);
    assert_ne!(without_id, GET_LIFECYCLE_POLICY);
    assert_eq!(policy::parse(&without_id).unwrap().policies[0].name.as_str(), "default");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_document() {
    let marked = format!("\u{feff}{CROSS_ACCOUNT_COPY}");
    assert_eq!(policy::parse(&marked), policy::parse(CROSS_ACCOUNT_COPY));
}

#[test]
fn several_policies_with_every_addition() {
    let parsed = policy::parse(SEVERAL).unwrap();
    let [locked, staging] = parsed.policies.as_slice() else { panic!("two policies expected") };
    assert_eq!((locked.name.as_str(), locked.state), ("policy-0123456789abcdef0", PolicyState::Disabled));
    assert_eq!(owners(locked), ["111111111111"]);
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let lock =
        |mode, count, unit, cool_off_hours| LockRule { mode, interval: Interval { count, unit }, cool_off_hours };
    let ireland = key("arn:aws:kms:eu-west-1:222222222222:key/mrk-1234abcd12ab34cd56ef1234567890ab");
    assert_eq!(
        locked.targets,
        [
            Target {
                lock: Some(lock(LockMode::Compliance, 1, IntervalUnit::Years, Some(72))),
                proof: Some(ProofRule { extent: Extent::Sample(459), compare: true }),
                tags: vec![tag("team", "backup"), tag("Kostenstelle/Größe", "")],
                completion_duration_minutes: Some(90),
                ..target("eu-west-1", ireland, Some(retain(12, IntervalUnit::Months, 3)))
            },
            Target {
                lock: Some(lock(LockMode::Governance, 36_500, IntervalUnit::Days, None)),
                proof: Some(ProofRule { extent: Extent::All, compare: false }),
                ..target("us-east-2", Encryption::DefaultKey, None)
            },
        ]
    );
    assert_eq!((staging.name.as_str(), staging.state), ("staging", PolicyState::Enabled));
    assert_eq!(
        staging.targets,
        [
            Target {
                lock: Some(lock(LockMode::Governance, 15, IntervalUnit::Days, None)),
                ..target("eu-west-1", Encryption::DefaultKey, Some(retain(2, IntervalUnit::Weeks, 0)))
            },
            target("eu-east-9", Encryption::DefaultKey, None),
        ]
    );
    insta::assert_snapshot!(warnings(&parsed).join("\n"), @r#"
    [staging] [1].Policy.State: "ERROR" says that DLM could not run the policy; Snapferry has its own roles and reads it as ENABLED (state-error)
    [staging] [1].Policy.PolicyDetails.EventSource.Parameters.SnapshotOwner: empty, so the policy copies nothing (owners-empty)
    [staging] [1].Policy.PolicyDetails.EventSource.Parameters.DescriptionRegex: empty, so only snapshots without a description are copied; ".*" matches every description (description-regex-empty)
    [staging] [1].Policy.PolicyDetails.Actions[0].CrossRegionCopy[0].RetainRule.KeepAtLeast: 0, so the last verified copy of a volume is deleted when it expires (keep-none)
    [staging] [1].Policy.PolicyDetails.Actions[0].CrossRegionCopy[1].Target: "eu-east-9" is no Region known to this version (region-unknown)
    [staging] [1].Policy.PolicyDetails.Actions[1].CrossRegionCopy: empty, so this action copies to no Region (no-targets)
    "#);
}

/// As boto3 gives it, and as the AWS CLI does.
#[test]
fn what_tells_of_the_request_is_passed_over() {
    let of_request = r#"{"ResponseMetadata": {"RequestId": "6f0b0b1e", "HTTPStatusCode": 200, "RetryAttempts": 0}, "#;
    let answer = GET_LIFECYCLE_POLICY.replacen('{', of_request, 1);
    assert_eq!(policy::parse(&answer), policy::parse(GET_LIFECYCLE_POLICY));
    assert_eq!(policy::parse(&format!("[{answer}]")), policy::parse(&format!("[{GET_LIFECYCLE_POLICY}]")));
}

/// KMS takes the ID of a key in any case; EC2 and KMS answer it in small letters, which is what copies are compared with.
#[test]
fn the_id_of_a_key_is_kept_as_ec2_answers_it() {
    let typed = CROSS_ACCOUNT_COPY.replace("8af79514-350d-4c52-bac8", "8AF79514-350D-4c52-BAC8");
    assert_ne!(typed, CROSS_ACCOUNT_COPY);
    assert_eq!(policy::parse(&typed), policy::parse(CROSS_ACCOUNT_COPY));
}

#[test]
fn every_warning_has_a_code_of_its_own() {
    let mut all = [CROSS_ACCOUNT_COPY, SEVERAL].map(|document| policy::parse(document).unwrap().warnings).concat();
    all.extend(policy::parse(&under_a_key_of_the_source()).unwrap().warnings.pop());
    let codes: BTreeSet<&str> = all.iter().map(|warning| warning.code.name()).collect();
    assert_eq!(codes.len(), all.len());
    assert_eq!(
        codes.into_iter().collect::<Vec<_>>(),
        [
            "description-regex-empty",
            "description-regex-missing",
            "keep-none",
            "key-of-source",
            "no-targets",
            "owners-empty",
            "region-unknown",
            "state-error",
            "target-unencrypted",
        ]
    );
}

/// The example of DLM's documentation, its key in the account that shares the snapshots.
fn under_a_key_of_the_source() -> String {
    CROSS_ACCOUNT_COPY.replace("kms:eu-west-2:222222222222:", "kms:eu-west-2:111111111111:")
}

#[test]
fn a_key_of_a_source_account_is_warned_of() {
    let of_source = "a key of 111111111111, which is a SnapshotOwner: that source account could disable or delete the key, and \
                     with it every copy; name a key of the target account";
    let parsed = policy::parse(&under_a_key_of_the_source()).unwrap();
    let warning = parsed.warnings.last().unwrap();
    assert_eq!(warning.path, "Actions[0].CrossRegionCopy[1].EncryptionConfiguration.CmkArn");
    assert_eq!((warning.message.as_str(), warning.code.name()), (of_source, "key-of-source"));
    // The sources of one policy hold no key to the copies of another one either.
    let owner = SEVERAL.replace("\"SnapshotOwner\": []", "\"SnapshotOwner\": [\"222222222222\"]");
    let warnings = policy::parse(&owner).unwrap().warnings;
    let found: Vec<_> = warnings.iter().filter(|warning| warning.code.name() == "key-of-source").collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].path.starts_with("[0].Policy.PolicyDetails.Actions[0].CrossRegionCopy[0]"), "{found:?}");
    assert_ne!(found[0].policy.as_str(), "staging");
}

/// The policies that deployments start from: valid, and nothing in them to warn of.
#[test]
fn the_shipped_examples_parse() {
    for file in ["policy.example.json", "stacksets/policy.json"] {
        let path = format!("{}/../../infra/{file}", env!("CARGO_MANIFEST_DIR"));
        let parsed = policy::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(parsed.policies.len(), 1, "{file}");
        assert_eq!(warnings(&parsed), [""; 0], "{file}");
    }
}

/// The filter of a policy with this DescriptionRegex.
fn described(regex: &str) -> DescriptionFilter {
    let regex = serde_json::to_string(regex).unwrap();
    let document = CROSS_ACCOUNT_COPY.replacen("[\"111111111111\"]", &format!("[], \"DescriptionRegex\": {regex}"), 1);
    policy::parse(&document).unwrap().policies.remove(0).description
}

#[test]
fn a_group_of_the_description_names_the_volume() {
    for (regex, description, volume) in [
        ("nightly (?<volume>vol-[0-9a-f]+).*", "nightly vol-0123456789abcdef0 of db", Some("vol-0123456789abcdef0")),
        ("nightly (?P<volume>.*)", "nightly vol-01234567", Some("vol-01234567")),
        // Whatever else it captures is no volume.
        ("nightly (?<volume>.*)", "nightly vol-ffffffff", None),
        ("nightly (?<volume>.*)", "nightly vol-01234567 ", None),
        ("nightly (?<volume>.*)", "nightly vol-0123", None),
        ("(?<volume>vol-[0-9a-f]+)?.*", "nightly", None),
        ("nightly (?<volume>.*)", "weekly vol-01234567", None),
        ("(?<volumes>.*)", "vol-01234567", None),
        ("(.*)", "vol-01234567", None),
        (".*<volume>.*", "<volume>", None),
        ("\u{1f4a5}(?<volume>.*)", "\u{1f4a5}vol-01234567", Some("vol-01234567")),
    ] {
        let filter = described(regex);
        assert_eq!(
            filter.volume(description).map(|volume| volume.to_string()).as_deref(),
            volume,
            "{regex} {description}"
        );
    }
}

#[test]
fn a_description_matches_as_a_whole() {
    for (regex, description, matches) in [
        // The three examples of the EBS user guide, "Specify snapshot description filters".
        (".*", "anything\nat all, even a line break", true),
        (".*", "", true),
        ("Created for policy: policy-0123456789abcdef0.*", "Created for policy: policy-0123456789abcdef0 s: 1", true),
        ("Created for policy: policy-0123456789abcdef0.*", "not Created for policy: policy-0123456789abcdef0", false),
        (".*production.*", "nightly production backup", true),
        (".*production.*", "nightly Production backup", false),
        ("production", "nightly production backup", false),
        ("production", "production", true),
        ("production", "production\n", false),
        ("^production$", "production", true),
        ("a|ab", "ab", true),
        ("a|ab", "xab", false),
        ("", "", true),
        ("", "x", false),
        ("(?i)PROD.*", "production", true),
        ("(?-s).*", "two\nlines", false),
        ("(?m)^b$", "a\nb", false),
        ("(?x) prod .*  # everything of it", "production", true),
        ("(?x) prod .*  # everything of it", "reproduction", false),
        ("\u{1f4a5}.", "\u{1f4a5}\u{fffd}", true),
    ] {
        let filter = described(regex);
        assert_eq!(filter.as_str(), regex);
        assert_eq!(filter.matches(description), matches, "{regex:?} on {description:?}");
    }
}

/// Time linear in the description's length: a backtracking engine would be at it for longer than the universe lasts.
#[test]
fn a_regex_that_ruins_backtracking_engines_is_quick() {
    assert!(!described("(a*)*b").matches(&"a".repeat(10_000)));
}

#[test]
fn the_place_of_a_member() {
    for (path, place) in [
        ("", Some((1, 1))),
        ("[1].Policy.State", Some((52, 16))),
        ("[1].Policy.PolicyDetails.Actions[0].CrossRegionCopy[1].Target", Some((74, 27))),
        // What is absent, or no path: as far as it goes.
        ("[1].Policy.Description", Some((50, 15))),
        ("[1].Policy.Description.Length[7]", Some((50, 15))),
        ("[1].Policy[\"a \\\"b\"].State", Some((50, 15))),
        ("[1].Policy..State", Some((50, 15))),
        ("[x]", Some((1, 1))),
        ("]", Some((1, 1))),
    ] {
        assert_eq!(policy::place_of(SEVERAL, path), place, "{path}");
    }
    for warning in policy::parse(SEVERAL).unwrap().warnings {
        assert!(policy::place_of(SEVERAL, &warning.path).is_some(), "{warning}");
    }
    assert_eq!(policy::place_of("", "a"), Some((1, 1)));
}

#[test]
fn the_bytes_of_a_value() {
    let marked = format!("\u{feff}{SEVERAL}");
    for document in [SEVERAL, &marked] {
        let text = |path| policy::bytes_of(document, path).map(|bytes| &document[bytes]);
        assert_eq!(text("[1].Policy.State"), Some("\"ERROR\""));
        assert_eq!(text("[1].Policy.PolicyDetails.EventSource.Parameters.SnapshotOwner"), Some("[]"));
        assert_eq!(text("[1].Policy.Description"), None);
        assert_eq!(text("[2]"), None);
        assert_eq!(text(""), Some(SEVERAL.trim_end()));
    }
    assert_eq!(policy::bytes_of("{\"a\": [1", "a"), None);
}
