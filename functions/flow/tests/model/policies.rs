//! The policies of every run, and what they want: told a second time, in plain Rust, so that the model does not
//! believe what it tests.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::{Value, json};
use snapferry_core::ids::{KeyArn, Region};
use snapferry_core::policy::{self, Encryption, Policy, SourceType};

use crate::clock::Ms;

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

/// What is changed in the document for a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Phase {
    /// The third policy's State is DISABLED.
    pub(crate) is_production_off: bool,
    /// An owner is not in the first policy's list.
    pub(crate) is_ben_out: bool,
    /// The last target is not in the first policy.
    pub(crate) is_target_out: bool,
}

impl Phase {
    /// Whether a wish of this owner's still stands.
    pub(crate) fn wants(self, owner: &str, wish: Wish) -> bool {
        let is_off = self.is_production_off && wish.policy == 2;
        let is_out = self.is_ben_out && wish.policy == 0 && owner == BEN;
        let is_gone = self.is_target_out && wish == Wish { policy: 0, region: 2 };
        !(is_off || is_out || is_gone)
    }

    /// What the document is from when on: disabled and enabled again, an owner taken out and put back, a target taken out and,
    /// in some runs, put back.
    pub(crate) fn of_a_run(rng: &mut Rng, until: Ms) -> Vec<(Ms, Self)> {
        let mut times: Vec<Ms> = (0..6).map(|_| rng.i64(0..until)).collect();
        times.sort_unstable();
        let mut phase = Self::default();
        let mut phases = vec![(Ms::MIN, phase)];
        let mut changes = [0, 0, 1, 1, 2, 2];
        rng.shuffle(&mut changes);
        let is_put_back = rng.bool();
        for (time, change) in times.into_iter().zip(changes) {
            match change {
                0 => phase.is_production_off = !phase.is_production_off,
                1 => phase.is_ben_out = !phase.is_ben_out,
                _ => phase.is_target_out = !phase.is_target_out || !is_put_back,
            }
            phases.push((time, phase));
        }
        phases
    }
}

/// What the policies want for a snapshot, whatever is changed for a time: by its description, or by a database's snapshot's name.
pub(crate) fn wishes(owner: &str, text: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut want = |policy, regions: &[usize]| wishes.extend(regions.iter().map(|&region| Wish { policy, region }));
    let nightly = owner == ANNA || owner == BEN || SMALL.contains(&owner);
    if nightly && ["Created for policy: policy-", "nightly-"].iter().any(|begin| text.starts_with(begin)) {
        want(0, &[0, 1, 2]);
    }
    if owner == CARLA {
        want(1, &[0, 1, 2]);
    }
    if (owner == ANNA || owner == CARLA) && text.contains("production") {
        want(2, &[2]);
    }
    wishes
}

/// The key that a copy is to be under: `None` for the account's default key or none at all, which RDS does not have for copies.
pub(crate) fn key(kind: SourceType, wish: Wish) -> Option<String> {
    match (wish.policy, wish.region) {
        (1, region) if kind.is_of_databases() => Some(arn(region, "backup")),
        (0, region) | (1, region @ 1) => Some(arn(region, "backup")),
        (2, region) => Some(arn(region, "production")),
        _ => None,
    }
}

/// Whether the request has to say `Encrypted`.
pub(crate) fn encrypted(kind: SourceType, wish: Wish) -> bool {
    kind.is_of_databases() || wish != (Wish { policy: 1, region: 0 })
}

fn arn(region: usize, key: &str) -> String {
    format!("arn:aws:kms:{}:{ACCOUNT}:key/{key}", REGIONS[region])
}

/// The policies as the functions read them.
pub(crate) fn policies(kind: SourceType, phase: Phase) -> Vec<Policy> {
    let target = |region: usize, key: Option<String>| {
        let encryption = match key {
            Some(key) => json!({"Encrypted": true, "CmkArn": key}),
            None => json!({"Encrypted": region != 0}),
        };
        json!({"Target": REGIONS[region], "EncryptionConfiguration": encryption,
            "RetainRule": {"Interval": 1, "IntervalUnit": "YEARS"}})
    };
    let all = |policy| (0..3).map(|region| target(region, key(kind, Wish { policy, region }))).collect::<Vec<_>>();
    let mut nightly_targets = all(0);
    nightly_targets.truncate(if phase.is_target_out { 2 } else { 3 });
    let mut production = target(2, key(kind, Wish { policy: 2, region: 2 }));
    if !kind.is_of_databases() {
        production["LockRule"] = json!({"Mode": "governance", "Interval": 7, "IntervalUnit": "DAYS"});
    }
    production["TagsToAdd"] = json!([{"Key": "team", "Value": "database"}]);
    let ben = (!phase.is_ben_out).then_some(BEN);
    let nightly: Vec<&str> = [ANNA].into_iter().chain(ben).chain(SMALL).collect();
    let state = |is_off: bool| if is_off { "DISABLED" } else { "ENABLED" };
    let of_nightly = if kind.is_of_databases() { "nightly-.*" } else { "Created for policy: policy-.*" };
    let policy = |index, state, owners: &[&str], regex, targets| policy(kind, index, state, owners, regex, targets);
    let of_off = kind.is_of_databases().then(|| arn(1, "backup"));
    let document = json!([
        policy(0, "ENABLED", &nightly, Some(of_nightly), nightly_targets),
        policy(1, "ENABLED", &[CARLA], None, all(1)),
        policy(2, state(phase.is_production_off), &[ANNA, CARLA], Some(".*production.*"), vec![production]),
        policy(3, "DISABLED", &[ANNA, BEN, CARLA, DORA], Some(".*"), vec![target(1, of_off)]),
    ]);
    policy::parse(&document.to_string()).unwrap().policies
}

fn policy(
    kind: SourceType,
    index: usize,
    state: &str,
    owners: &[&str],
    regex: Option<&str>,
    targets: Vec<Value>,
) -> Value {
    let types = [kind.as_str()];
    let mut parameters = json!({"EventType": "shareSnapshot", "SnapshotOwner": owners, "SourceTypes": types});
    match (regex, kind.is_of_databases()) {
        (Some(regex), true) => parameters["DatabaseFilter"] = json!({"SnapshotRegex": regex}),
        (Some(regex), false) => parameters["DescriptionRegex"] = json!(regex),
        (None, _) => {}
    }
    json!({"Policy": {"PolicyId": NAMES[index], "State": state, "PolicyDetails": {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": parameters},
        "Actions": [{"Name": "copy", "CrossRegionCopy": targets}],
    }}})
}

/// The keys that the document names.
pub(crate) fn keys(kind: SourceType, phase: Phase) -> BTreeSet<KeyArn> {
    let policies = policies(kind, phase);
    let encryptions = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.encryption);
    let key = |encryption: &Encryption| if let Encryption::Key(key) = encryption { Some(key.clone()) } else { None };
    encryptions.filter_map(key).collect()
}

/// A Region by its number.
pub(crate) fn region(number: usize) -> Region {
    Region::parse(REGIONS[number]).unwrap()
}

/// A Region's number.
pub(crate) fn number(region: &Region) -> usize {
    REGIONS.iter().position(|known| *known == region.as_str()).expect("a known Region")
}
