//! What is said of a policy beside the one that is deployed.

use serde_json::Value;

use crate::{ANSWER, DATABASES, json, read, snapferry};

#[test]
fn a_new_name_means_copying_anew() {
    let renamed = read(ANSWER).replace("\"PolicyId\": \"policy-9876543210abcdef0\"", "\"PolicyId\": \"frankfurt\"");
    let done = snapferry().args(["check", "--quiet", "--previous", ANSWER, "-"]).stdin(&renamed).assert().success();
    assert!(String::from_utf8_lossy(&done.get_output().stderr).contains("policy-renamed"));
    let done = snapferry().args(["check", "--quiet", "--previous", ANSWER, ANSWER]).assert().success();
    assert!(!String::from_utf8_lossy(&done.get_output().stderr).contains("policy-renamed"));
    // Another policy, with other owners, is no new name of this one.
    let other = renamed.replace("111111111111", "555555555555").replace("333333333333", "666666666666");
    let done = snapferry().args(["check", "--quiet", "--previous", ANSWER, "-"]).stdin(other).assert().success();
    assert!(!String::from_utf8_lossy(&done.get_output().stderr).contains("policy-renamed"));
    for previous in ["nosuch.json", "errors.txt", ".."] {
        snapferry().args(["check", "--previous", previous, ANSWER]).assert().code(2).stdout_eq("");
    }
}

/// What is said of an edit of the deployed answer: `code policy member: message`.
fn edited(edit: impl Fn(&mut Value)) -> Vec<String> {
    let mut document: Value = serde_json::from_str(&read(ANSWER)).unwrap();
    edit(&mut document);
    let found = json(snapferry().args(["check", "--json", "--previous", ANSWER, "-"]).stdin(document.to_string()));
    let about =
        ["policy-renamed", "policy-removed", "owner-removed", "source-type-removed", "target-removed", "key-changed"];
    let findings = found.pointer("/files/0/findings").and_then(Value::as_array).unwrap().iter();
    findings
        .map(|each| ["code", "policy", "path", "message"].map(|name| each[name].as_str().unwrap_or_default()))
        .filter(|[code, ..]| about.contains(code))
        .map(|[code, policy, path, message]| format!("{code} {policy} {}: {message}", path.rsplit('.').next().unwrap()))
        .collect()
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    *document.pointer_mut(&format!("/Policy{pointer}")).unwrap() = value;
}

#[test]
fn what_an_edit_leaves_behind_is_told() {
    const OWNERS: &str = "/PolicyDetails/EventSource/Parameters/SnapshotOwner";
    const COPY: &str = "/PolicyDetails/Actions/0/CrossRegionCopy/0";
    let region = format!("{COPY}/Target");
    let key = format!("{COPY}/EncryptionConfiguration/CmkArn");
    let arn = "arn:aws:kms:eu-central-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for (member, value, expected) in [
        (OWNERS, json!(["333333333333", "111111111111", "555555555555"]), None),
        (
            OWNERS,
            json!(["333333333333"]),
            Some(
                "owner-removed policy-9876543210abcdef0 SnapshotOwner: 111111111111 is no longer listed, so what that \
                 account shares is not copied any more; its copies still expire on their dates",
            ),
        ),
        (
            &region,
            json!("eu-west-1"),
            Some(
                "target-removed policy-9876543210abcdef0 Actions: eu-central-1 is no longer a target, so nothing is \
                 copied there any more; no policy targets eu-central-1, where copies are neither verified nor deleted \
                 unless RetiredRegions names it",
            ),
        ),
        (
            &key,
            json!(arn),
            Some(
                "key-changed policy-9876543210abcdef0 EncryptionConfiguration: not the key of the deployed policy; \
                 copies that exist stay under the key that EC2 chose, and can be restored only as long as that key \
                 can be used",
            ),
        ),
    ] {
        let said = edited(|answer| set(answer, member, value.clone()));
        assert_eq!(said, expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_policy_that_is_gone_is_told_with_the_regions_that_nobody_targets() {
    let other = json!({"Policy": {
        "PolicyId": "policy-0000000000abcdef0",
        "PolicyDetails": {
            "PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
                "EventType": "shareSnapshot", "SnapshotOwner": ["555555555555"], "DescriptionRegex": "nightly"
            }},
            "Actions": [{"Name": "copy", "CrossRegionCopy": [
                {"Target": "eu-west-1", "EncryptionConfiguration": {"Encrypted": true}}
            ]}]
        }
    }});
    let gone = "policy-removed policy-9876543210abcdef0 : \"policy-9876543210abcdef0\" is no longer in the document: it \
                copies nothing, and its copies are neither verified nor deleted unless RetiredPolicies names it";
    let orphans = "; no policy targets eu-central-1, where copies are neither verified nor deleted unless RetiredRegions \
                   names it";
    assert_eq!(edited(|answer| *answer = other.clone()), [format!("{gone}{orphans}")]);
    assert_eq!(
        edited(|answer| {
            *answer = other.clone();
            set(answer, "/PolicyDetails/Actions/0/CrossRegionCopy/0/Target", json!("eu-central-1"));
        }),
        [gone]
    );
}

/// Nothing in the stack can delete copies of databases once no policy names any.
#[test]
fn databases_that_are_no_longer_named_are_told_of_with_what_becomes_of_their_copies() {
    let said = |types: &[&str], removed: bool| {
        let mut document: Value = serde_json::from_str(&read(DATABASES)).unwrap();
        let parameters = "/PolicyDetails/EventSource/Parameters";
        set(&mut document, &format!("{parameters}/SourceTypes"), json!(types));
        if !types.iter().any(|kind| kind.starts_with("DB_")) {
            let parameters = document.pointer_mut(&format!("/Policy{parameters}")).unwrap();
            parameters.as_object_mut().unwrap().remove("DatabaseFilter");
        }
        if removed {
            set(&mut document, "/PolicyId", json!("others"));
            set(&mut document, "/PolicyDetails/EventSource/Parameters/SnapshotOwner", json!(["555555555555"]));
        }
        let done = snapferry().args(["check", "--quiet", "--previous", DATABASES, "-"]).stdin(document.to_string());
        String::from_utf8_lossy(&done.assert().success().get_output().stderr).into_owned()
    };
    let left = said(&["EBS_SNAPSHOT"], false);
    assert_eq!(
        (left.matches("source-type-removed").count(), left.matches("Databases=false").count()),
        (2, 2),
        "{left}"
    );
    let one = said(&["DB_SNAPSHOT"], false);
    assert!(one.contains("DB_CLUSTER_SNAPSHOT is no longer named") && !one.contains("Databases=false"), "{one}");
    let gone = said(&["EBS_SNAPSHOT"], true);
    assert!(gone.contains("policy-removed") && gone.contains("Databases=false"), "{gone}");
    assert!(!said(&["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"], false).contains("removed"));
}
