//! The policies of every run, and what they want: told a second time, in plain Rust, so that the model does not
//! believe what it tests.

use serde_json::{Value, json};
use snapferry_core::policy::{self, Policy};

/// The account that the copies are made in.
pub(crate) const ACCOUNT: &str = "222222222222";
/// The target Regions. The first is the home Region too.
pub(crate) const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];
/// Owns a good deal, and so do the next two.
pub(crate) const ANNA: &str = "111111111111";
pub(crate) const BEN: &str = "133333333333";
pub(crate) const CARLA: &str = "155555555555";
/// Listed in a disabled policy only.
pub(crate) const DORA: &str = "177777777777";
/// Listed nowhere, and shares all the same.
pub(crate) const STRANGER: &str = "999999999999";
/// Own one snapshot each: whom the others must not starve.
pub(crate) const SMALL: [&str; 8] = [
    "100000000001",
    "100000000002",
    "100000000003",
    "100000000004",
    "100000000005",
    "100000000006",
    "100000000007",
    "100000000008",
];

/// The names of the policies, in the document's order.
pub(crate) const NAMES: [&str; 4] = ["nightly", "all-of-carla", "production", "off"];

/// One copy that has to exist: for the policy at this index, in the Region at that index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wish {
    pub(crate) policy: usize,
    pub(crate) region: usize,
}

/// What the policies want for a snapshot.
pub(crate) fn wishes(owner: &str, description: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut want = |policy, regions: &[usize]| wishes.extend(regions.iter().map(|&region| Wish { policy, region }));
    let nightly = owner == ANNA || owner == BEN || SMALL.contains(&owner);
    if nightly && description.starts_with("Created for policy: policy-") {
        want(0, &[0, 1, 2]);
    }
    if owner == CARLA {
        want(1, &[0, 1, 2]);
    }
    if (owner == ANNA || owner == CARLA) && description.contains("production") {
        want(2, &[2]);
    }
    wishes
}

/// The key that a copy is to be under: `None` for the account's default key or none at all.
pub(crate) fn key(wish: Wish) -> Option<String> {
    match (wish.policy, wish.region) {
        (0, region) | (1, region @ 1) => Some(arn(region, "backup")),
        (2, region) => Some(arn(region, "production")),
        _ => None,
    }
}

/// Whether the request has to say `Encrypted`.
pub(crate) fn encrypted(wish: Wish) -> bool {
    wish != (Wish { policy: 1, region: 0 })
}

fn arn(region: usize, key: &str) -> String {
    format!("arn:aws:kms:{}:{ACCOUNT}:key/{key}", REGIONS[region])
}

/// The policies as the functions read them.
pub(crate) fn policies() -> Vec<Policy> {
    let target = |region: usize, key: Option<String>| {
        let encryption = match key {
            Some(key) => json!({"Encrypted": true, "CmkArn": key}),
            None => json!({"Encrypted": region != 0}),
        };
        json!({"Target": REGIONS[region], "EncryptionConfiguration": encryption,
            "RetainRule": {"Interval": 1, "IntervalUnit": "YEARS"}})
    };
    let all = |policy| (0..3).map(|region| target(region, key(Wish { policy, region }))).collect::<Vec<_>>();
    let mut production = target(2, key(Wish { policy: 2, region: 2 }));
    production["LockRule"] = json!({"Mode": "governance", "Interval": 7, "IntervalUnit": "DAYS"});
    production["TagsToAdd"] = json!([{"Key": "team", "Value": "database"}]);
    let nightly: Vec<&str> = [ANNA, BEN].into_iter().chain(SMALL).collect();
    let document = json!([
        policy(0, &nightly, Some("Created for policy: policy-.*"), all(0)),
        policy(1, &[CARLA], None, all(1)),
        policy(2, &[ANNA, CARLA], Some(".*production.*"), vec![production]),
        policy(3, &[ANNA, BEN, CARLA, DORA], Some(".*"), vec![target(1, None)]),
    ]);
    policy::parse(&document.to_string()).unwrap().policies
}

fn policy(index: usize, owners: &[&str], regex: Option<&str>, targets: Vec<Value>) -> Value {
    let mut parameters = json!({"EventType": "shareSnapshot", "SnapshotOwner": owners});
    if let Some(regex) = regex {
        parameters["DescriptionRegex"] = json!(regex);
    }
    let state = if index == 3 { "DISABLED" } else { "ENABLED" };
    json!({"Policy": {"PolicyId": NAMES[index], "State": state, "PolicyDetails": {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": parameters},
        "Actions": [{"Name": "copy", "CrossRegionCopy": targets}],
    }}})
}
