//! Arbitrary vaults of copies of databases' snapshots, and what RDS makes of them besides: as volumes' they have the laws of
//! `laws.rs`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::facts::{DescribedCopy, KeyLife, State};
use snapferry_core::ids::{AccountId, KeyArn, PolicyName};
use snapferry_core::rds::{ATTEMPT, CopyTags, Kind, Own, SOURCE_RESOURCE, SnapshotArn, Source, copy_name};
use snapferry_core::tags::{
    COPY, EXPIRE_AFTER, KMS_KEY, POLICY, SETTLED_AT, SOURCE_ACCOUNT, SOURCE_REGION, SOURCE_SIZE_GIB, SOURCE_SNAPSHOT,
    SOURCE_START_TIME, STATUS, Status,
};

use crate::world::*;

/// What RDS says of a database's copy that EC2 does not say of a volume's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database {
    pub(crate) kind: Kind,
    /// `Status`.
    pub(crate) status: &'static str,
    /// Whether there is a `SnapshotCreateTime`.
    pub(crate) is_dated: bool,
    /// Whether its name was made of its tags as they are now.
    pub(crate) fits: bool,
}

/// Whether the copy is one that Snapferry made of what its tags say; of a volume's nothing but its tags tells.
pub(crate) fn fits(shown: &Shown) -> bool {
    shown.database.is_none_or(|database| database.fits)
}

fn key(life: KeyLife) -> KeyArn {
    KeyArn::parse(&key_named(life)).unwrap()
}

/// The copy as RDS describes it, read as the functions read it: nothing where it has no name of Snapferry's.
pub(crate) fn described(shown: &Shown, database: Database) -> Option<DescribedCopy> {
    let account = AccountId::parse(&shown.owner).unwrap();
    let own = Own {
        arn: SnapshotArn::new(database.kind, region(REGION), account, shown.id.clone()),
        database: None,
        status: database.status.to_owned(),
        tags: shown.tags.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        source_arn: None,
        encrypted: true,
        key: Some(key(shown.key)),
        engine: Some("postgres".to_owned()),
        engine_version: None,
        allocated_storage: Some(8),
        resource_id: None,
        created: database.is_dated.then_some(shown.start),
        original: None,
    };
    own.fact()
}

/// RDS's statuses ("Viewing DB snapshot status" in the RDS User Guide), with the states as the laws know them.
const STATUSES: [(&str, State); 6] = [
    ("available", State::Completed),
    ("failed", State::Error),
    ("copying", State::Pending),
    ("creating", State::Pending),
    ("deleting", State::Other),
    ("incompatible-restore", State::Other),
];

/// The sources: name, account, hours since they were made, and resource ID. Some were made again under their names, of the same
/// database or of another one; of some RDS does not say of which they are.
const SOURCES: [(&str, &str, i64, &str); 12] = [
    ("nightly-1", "111111111111", 58 * 24, "db-A"),
    ("nightly-2", "111111111111", 45 * 24, "db-A"),
    ("nightly-3", "111111111111", 45 * 24 - 3, "db-A"),
    ("nightly-1", "111111111111", 20 * 24, "db-A"),
    ("nightly-1", "111111111111", 12 * 24, "db-B"),
    ("nightly-2", "111111111111", 2 * 24, "db-B"),
    ("nightly-1", "333333333333", 12 * 24, "db-A"),
    ("nightly-4", "111111111111", 30 * 24, ""),
    ("nightly-5", "111111111111", 24, ""),
    ("nightly-1", "111111111111", 40 * 24, "cluster-C"),
    ("nightly-2", "111111111111", 3 * 24, "cluster-C"),
    // Made after all its copies, as its owner says.
    ("nightly-6", "111111111111", -50 * 24, "db-A"),
];

/// What somebody may write into the tags of which a copy's name was made.
const EDITS: [(&str, &str); 12] = [
    (POLICY, "default"),
    (POLICY, "retired"),
    (SOURCE_SNAPSHOT, "nightly-1"),
    (SOURCE_ACCOUNT, "111111111111"),
    (SOURCE_ACCOUNT, "333333333333"),
    (SOURCE_REGION, "us-east-1"),
    (SOURCE_RESOURCE, "db-A"),
    (SOURCE_RESOURCE, "db-B"),
    (SOURCE_START_TIME, "2026-11-21T12:00:00Z"),
    (SOURCE_START_TIME, "2026-09-20T12:00:00Z"),
    (ATTEMPT, "7"),
    (KMS_KEY, "arn:aws:kms:eu-west-1:222222222222:key/of-another"),
];

/// A copy as it was asked for, with its verdict.
fn any_made() -> impl Strategy<Value = (Kind, CopyTags)> {
    let policy = prop_oneof![9 => Just("default"), 3 => Just("retired"), 1 => Just("unnamed")];
    let home = prop_oneof![10 => Just("us-east-1"), 1 => Just("us-east-2"), 1 => Just("eu-central-1")];
    let status = prop_oneof![
        6 => Just(Status::Verified),
        2 => Just(Status::Copying),
        1 => Just(Status::Failed),
        2 => Just(Status::Rejected),
    ];
    let moment = || prop::option::weighted(0.9, (-60_i64..60).prop_map(day));
    let has_key = prop::bool::weighted(0.9);
    (policy, prop::sample::select(&SOURCES[..]), home, 1_u32..4, status, moment(), moment(), has_key).prop_map(
        |(policy, (name, account, hours, resource), home, attempt, status, expire_after, settled_at, has_key)| {
            let tags = CopyTags {
                policy: PolicyName::parse(policy).unwrap(),
                source_name: name.to_owned(),
                source_account: AccountId::parse(account).unwrap(),
                source_region: region(home),
                source_resource: Some(resource.to_owned()).filter(|resource| !resource.is_empty()),
                source_engine: "postgres".to_owned(),
                source_size_gib: 8,
                source_created: now() - SignedDuration::from_hours(hours),
                attempt,
                kms_key: has_key.then(|| key(KeyLife::Alive)),
                expire_after,
                status,
                settled_at,
                copy: None,
            };
            (if resource.starts_with("cluster-") { Kind::Cluster } else { Kind::Instance }, tags)
        },
    )
}

/// The name that Snapferry gives it.
fn name_of(kind: Kind, tags: &CopyTags) -> String {
    let (region_of, account, name) =
        (tags.source_region.clone(), tags.source_account.clone(), tags.source_name.clone());
    let source = Source {
        arn: SnapshotArn::new(kind, region_of, account, name),
        created: tags.source_created,
        resource_id: tags.source_resource.clone().unwrap_or_default(),
    };
    copy_name(&tags.policy, &source, &region(REGION), tags.kms_key.as_ref(), tags.attempt).to_string()
}

/// What somebody did to a copy's tags: nothing, mostly; or something of [`EDITS`], or one was removed or made unreadable.
fn any_edit() -> impl Strategy<Value = Option<(&'static str, Option<String>)>> {
    let edited = prop::sample::select(&EDITS[..]).prop_map(|(key, value)| (key, Some(value.to_owned())));
    let keys = EDITS.map(|(key, _)| key).into_iter().chain([STATUS, EXPIRE_AFTER, SETTLED_AT, COPY, SOURCE_SIZE_GIB]);
    let spoiled = (prop::sample::select(keys.collect::<Vec<_>>()), prop::option::of(".{0,20}"));
    prop_oneof![8 => Just(None), 2 => edited.prop_map(Some), 1 => spoiled.prop_map(Some)]
}

pub(crate) fn any_database() -> impl Strategy<Value = Shown> {
    let status = prop_oneof![4 => Just(STATUSES[0]), 1 => prop::sample::select(&STATUSES[..])];
    let owner = prop_oneof![30 => Just(OURS), 1 => Just("999999999999")];
    let life = prop_oneof![4 => Just(KeyLife::Alive), 1 => Just(KeyLife::InDoubt), 1 => Just(KeyLife::Doomed)];
    let start = prop::option::weighted(0.8, -60_i64..0);
    // Its own name, mostly, or one that was made of nothing that its tags say; and the name that its tags say.
    let names = (
        prop_oneof![20 => Just(None), 1 => Just(Some("nightly")), 1 => Just(Some("snapferry-"))],
        prop_oneof![20 => Just(Some(true)), 2 => Just(None), 1 => Just(Some(false))],
    );
    (any_made(), status, owner, start, life, names, any_edit()).prop_map(
        |((kind, made), (status, state), owner, start, life, (name, names), edit)| {
            let id = match name {
                None => name_of(kind, &made),
                Some("nightly") => "nightly-1".to_owned(),
                Some(_) => format!("snapferry-{:052x}", made.attempt),
            };
            let mut tags: BTreeMap<&'static str, String> = made.to_pairs().into_iter().collect();
            let as_made = tags.clone();
            if let Some(is_own) = names {
                let another = || name_of(kind, &CopyTags { attempt: 9, ..made.clone() });
                tags.insert(COPY, if is_own { id.clone() } else { another() });
            }
            if let Some((key, value)) = edit {
                tags.remove(key);
                tags.extend(value.map(|value| (key, value)));
            }
            let is_of_name = |key: &&str| ![STATUS, EXPIRE_AFTER, SETTLED_AT, COPY].contains(key);
            let naming = |tags: &BTreeMap<&'static str, String>| {
                tags.iter()
                    .filter(|(key, _)| is_of_name(key))
                    .map(|(key, value)| (*key, value.clone()))
                    .collect::<Vec<_>>()
            };
            let fits = name.is_none() && naming(&tags) == naming(&as_made);
            // What RDS does not date counts as old as its verdict, or as its source, or as older than all.
            let told = |key| tags.get(key).and_then(|time| time.parse().ok());
            let undated = || told(SETTLED_AT).or(told(SOURCE_START_TIME)).unwrap_or(Timestamp::UNIX_EPOCH);
            let database = Database { kind, status, is_dated: start.is_some(), fits };
            let start = start.map_or_else(undated, day);
            Shown { id, owner: owner.to_owned(), state, start, key: life, tags, database: Some(database) }
        },
    )
}
