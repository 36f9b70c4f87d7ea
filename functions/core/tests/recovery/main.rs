//! What can be restored: each reason by example, and laws over random vaults.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails, in its helpers too")]

mod emit;
mod made;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::facts::{CallError, DescribedCopy, KeyFact, KeyProblem, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::recovery::{
    Attachment, Content, Facts, Passed, Reading, Recovery, TOGETHER, Vault, Wanted, recover,
};
use snapferry_core::tags::{self, ReadTags};

const ACCOUNT: &str = "222222222222";
const OWNER: &str = "111111111111";
const OTHER: &str = "133333333333";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1";
const LOST: &str = "arn:aws:kms:eu-west-1:222222222222:key/2";
const DISABLED: &str = "arn:aws:kms:eu-west-1:222222222222:key/3";
const UNASKED: &str = "arn:aws:kms:eu-west-1:222222222222:key/4";
const HOUR: i64 = 3600;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-c{number:07x}")).unwrap()
}

fn volume(number: u32) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:08x}")).unwrap()
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

/// A verified copy of a volume's snapshot, with tags to change or, where the new value is empty, to remove.
fn copy(number: u32, of: u32, started: Timestamp, changed: &[(&str, &str)]) -> DescribedCopy {
    let own = id(number);
    let mut tags = BTreeMap::from([
        (tags::POLICY, "nightly".to_owned()),
        (tags::SOURCE_SNAPSHOT, format!("snap-{number:08x}")),
        (tags::SOURCE_ACCOUNT, OWNER.to_owned()),
        (tags::SOURCE_REGION, "eu-central-1".to_owned()),
        (tags::SOURCE_VOLUME, volume(of).to_string()),
        (tags::SOURCE_SIZE_GIB, "8".to_owned()),
        (tags::SOURCE_START_TIME, started.to_string()),
        (tags::EXPIRE_AFTER, ago(HOUR).to_string()),
        (tags::STATUS, "verified".to_owned()),
        (tags::SETTLED_AT, now().to_string()),
        (tags::COPY, own.to_string()),
    ]);
    for (key, value) in changed {
        if value.is_empty() {
            tags.remove(key);
        } else {
            tags.insert(key, (*value).to_owned());
        }
    }
    DescribedCopy {
        owner: AccountId::parse(ACCOUNT).ok(),
        state: State::Completed,
        state_message: String::new(),
        encrypted: true,
        kms_key: Some(KEY.to_owned()),
        size_gib: 8,
        start_time: started + SignedDuration::from_secs(60),
        tags: ReadTags::read(&own, tags.iter().map(|(key, value)| (*key, value.as_str()))),
        lock: None,
        description: "".into(),
        database: None,
        id: own,
    }
}

fn vault(copies: Vec<DescribedCopy>) -> Vault {
    let mut reading = Reading::default();
    copies.into_iter().for_each(|copy| reading.add(copy));
    with_keys(reading)
}

fn with_keys(reading: Reading) -> Vault {
    let mut vault = reading.close();
    let unread = CallError { code: "AccessDeniedException".to_owned(), message: String::new(), request_id: None };
    vault.copies.note_keys(BTreeMap::from([
        (KEY.into(), KeyFact::Usable),
        (LOST.into(), KeyFact::Unusable(KeyProblem::PendingDeletion)),
        (DISABLED.into(), KeyFact::Unusable(KeyProblem::AccessDenied(unread))),
    ]));
    vault
}

fn facts(regions: Vec<(&str, Vec<DescribedCopy>)>) -> Facts {
    let regions = regions.into_iter().map(|(name, copies)| (region(name), vault(copies)));
    Facts { account: AccountId::parse(ACCOUNT).unwrap(), now: now(), regions: regions.collect() }
}

fn ireland(copies: Vec<DescribedCopy>) -> Facts {
    facts(vec![("eu-west-1", copies)])
}

fn wanted() -> Wanted {
    Wanted { policies: [PolicyName::parse("nightly").unwrap()].into(), ..Wanted::default() }
}

fn lines(recovery: &Recovery<'_>) -> Vec<String> {
    let point = |point: &snapferry_core::recovery::Point<'_>| {
        format!("{} {} {} +{}", point.volume, point.region, point.copy.id, point.older)
    };
    let without = recovery.without.iter().map(|without| {
        let each: Vec<String> =
            without.passed.iter().map(|(reason, count)| format!("{} {count}", reason.as_str())).collect();
        format!("{} none: {}", without.volume, each.join(", "))
    });
    recovery.points.iter().map(point).chain(without).collect()
}

#[test]
fn the_newest_of_each_volume_in_each_region_expired_or_not() {
    let near =
        vec![copy(1, 1, ago(30), &[]), copy(2, 1, ago(20), &[]), copy(3, 1, ago(40), &[]), copy(4, 2, ago(9), &[])];
    let facts = facts(vec![("eu-west-1", near), ("us-east-1", vec![copy(5, 1, ago(50), &[])])]);
    let wanted = wanted();
    let recovery = recover(&wanted, &facts);
    assert_eq!(
        lines(&recovery),
        [
            "vol-00000001 eu-west-1 snap-c0000002 +2",
            "vol-00000001 us-east-1 snap-c0000005 +0",
            "vol-00000002 eu-west-1 snap-c0000004 +0"
        ]
    );
    assert_eq!((recovery.older, recovery.volumes(), recovery.regions().len()), (2, 2, 2));
    assert!(!recovery.has_findings() && recovery.passed.is_empty());
    assert_eq!(recovery.at, now());
}

#[test]
fn before_a_time_means_started_before_it() {
    let facts = ireland(vec![copy(1, 1, ago(30), &[]), copy(2, 1, ago(20), &[]), copy(3, 2, ago(10), &[])]);
    for (before, expected) in [
        (ago(5), vec!["vol-00000001 eu-west-1 snap-c0000002 +1", "vol-00000002 eu-west-1 snap-c0000003 +0"]),
        (ago(19), vec!["vol-00000001 eu-west-1 snap-c0000002 +1", "vol-00000002 none: too-new 1"]),
        (ago(20), vec!["vol-00000001 eu-west-1 snap-c0000001 +0", "vol-00000002 none: too-new 1"]),
        (ago(30), vec!["vol-00000001 none: too-new 2", "vol-00000002 none: too-new 1"]),
    ] {
        let wanted = Wanted { before: Some(before), ..wanted() };
        let recovery = recover(&wanted, &facts);
        assert_eq!((lines(&recovery), recovery.at), (expected.iter().map(ToString::to_string).collect(), before));
    }
}

/// Each reason by the one thing that is wrong with the copy.
fn spoiled(reason: Passed) -> DescribedCopy {
    let good = |changed: &[(&str, &str)]| copy(1, 1, ago(HOUR), changed);
    match reason {
        Passed::MalformedTags => good(&[(tags::SOURCE_SIZE_GIB, "")]),
        Passed::ForeignOwner => DescribedCopy { owner: AccountId::parse(OTHER).ok(), ..good(&[]) },
        Passed::PolicyNotNamed => good(&[(tags::POLICY, "weekly")]),
        // The reading is what is wrong with it.
        Passed::NotDescribed => good(&[]),
        Passed::Failed => DescribedCopy { state: State::Error, ..good(&[(tags::STATUS, "failed")]) },
        Passed::Rejected => good(&[(tags::STATUS, "rejected")]),
        Passed::InFlight => good(&[(tags::STATUS, "copying")]),
        Passed::NotCompleted => DescribedCopy { state: State::Other, ..good(&[]) },
        Passed::VerdictNotBound => good(&[(tags::COPY, "")]),
        Passed::KeyDoomed => DescribedCopy { kms_key: Some(LOST.to_owned()), ..good(&[]) },
        Passed::KeyInDoubt => DescribedCopy { kms_key: Some(DISABLED.to_owned()), ..good(&[]) },
        Passed::VolumeUnknown => good(&[(tags::SOURCE_VOLUME, "vol-ffffffff")]),
        Passed::TooNew => copy(1, 1, now(), &[]),
    }
}

/// Takes down a copy with that wrong with it.
fn take_down(reading: &mut Reading, copy: DescribedCopy, reason: Option<Passed>) {
    match reason {
        Some(Passed::NotDescribed) => reading.add_in_doubt(copy, "no start time".to_owned()),
        _ => reading.add(copy),
    }
}

/// A vault with that copy, read as EC2 describes it, and others.
fn with_spoiled(reason: Passed, others: Vec<DescribedCopy>) -> Facts {
    let mut reading = Reading::default();
    others.into_iter().for_each(|copy| reading.add(copy));
    take_down(&mut reading, spoiled(reason), Some(reason));
    let regions = [(region("eu-west-1"), with_keys(reading))].into();
    Facts { regions, ..ireland(vec![]) }
}

#[test]
fn what_is_no_point_is_counted_by_its_reason() {
    for reason in Passed::ALL {
        let facts = with_spoiled(reason, vec![]);
        let wanted = Wanted { before: Some(now()), ..wanted() };
        let recovery = recover(&wanted, &facts);
        assert_eq!(recovery.points, [], "{reason:?}");
        let (region, copy) = (region("eu-west-1"), id(1));
        assert_eq!(recovery.passed, BTreeMap::from([(reason, vec![(&region, &copy)])]), "{reason:?}");
        assert!(recovery.has_findings(), "{reason:?}");
        // Neither another document's volume nor one that nobody named can be missed.
        let is_missed = !matches!(reason, Passed::PolicyNotNamed | Passed::VolumeUnknown);
        assert_eq!(recovery.without.len(), usize::from(is_missed), "{reason:?}");
    }
    let names: BTreeSet<&str> = Passed::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names.len(), Passed::ALL.len());
}

#[test]
fn a_bad_copy_does_not_hide_an_older_good_one() {
    for reason in Passed::ALL {
        let facts = with_spoiled(reason, vec![copy(2, 1, ago(2 * HOUR), &[])]);
        let wanted = Wanted { before: Some(now()), ..wanted() };
        assert_eq!(lines(&recover(&wanted, &facts)), ["vol-00000001 eu-west-1 snap-c0000002 +0"], "{reason:?}");
    }
}

#[test]
fn a_key_that_nobody_asked_about_and_tags_of_another_prove_nothing() {
    let unasked = DescribedCopy { kms_key: Some(UNASKED.to_owned()), ..copy(1, 1, ago(9), &[]) };
    let plain = DescribedCopy { kms_key: None, encrypted: false, ..copy(2, 2, ago(9), &[]) };
    let facts = ireland(vec![
        unasked,
        plain,
        copy(3, 3, ago(9), &[(tags::COPY, "snap-00000009")]),
        copy(4, 4, ago(9), &[(tags::POLICY, "")]),
    ]);
    let wanted = wanted();
    let recovery = recover(&wanted, &facts);
    assert_eq!(lines(&recovery), ["vol-00000002 eu-west-1 snap-c0000002 +0", "vol-00000001 none: key-in-doubt 1"]);
    // Of what is not named as anything's copy, the volume is not known.
    assert_eq!(recovery.passed[&Passed::MalformedTags].len(), 2);
}

#[test]
fn only_what_is_asked_for() {
    let of_other = [(tags::SOURCE_ACCOUNT, OTHER)];
    let facts = ireland(vec![copy(1, 1, ago(9), &[]), copy(2, 2, ago(9), &[]), copy(3, 3, ago(9), &of_other)]);
    let accounts = |accounts: &[&str]| accounts.iter().map(|id| AccountId::parse(id).unwrap()).collect();
    for (chosen, expected) in [
        (Wanted { accounts: accounts(&[OTHER]), ..wanted() }, vec!["vol-00000003 eu-west-1 snap-c0000003 +0"]),
        (Wanted { volumes: [volume(2)].into(), ..wanted() }, vec!["vol-00000002 eu-west-1 snap-c0000002 +0"]),
        (
            Wanted { volumes: [volume(2), volume(9)].into(), ..wanted() },
            vec!["vol-00000002 eu-west-1 snap-c0000002 +0", "vol-00000009 none: "],
        ),
        (Wanted { volumes: [volume(2)].into(), accounts: accounts(&[OTHER]), ..wanted() }, vec!["vol-00000002 none: "]),
        (
            Wanted { policies: BTreeSet::new(), volumes: [volume(2)].into(), ..wanted() },
            vec!["vol-00000002 none: policy-not-named 1"],
        ),
    ] {
        assert_eq!(lines(&recover(&chosen, &facts)), expected);
    }
}

#[test]
fn each_volume_of_the_inventory_must_have_a_point() {
    let facts = ireland(vec![copy(1, 1, ago(9), &[]), copy(2, 2, ago(9), &[])]);
    let attachments = BTreeMap::from([(volume(1), Attachment::default()), (volume(7), Attachment::default())]);
    let mut wanted = Wanted { attachments, ..wanted() };
    let all =
        ["vol-00000001 eu-west-1 snap-c0000001 +0", "vol-00000002 eu-west-1 snap-c0000002 +0", "vol-00000007 none: "];
    assert_eq!(lines(&recover(&wanted, &facts)), all);
    wanted.volumes = [volume(1)].into();
    assert_eq!(lines(&recover(&wanted, &facts)), all[..1]);
}

#[test]
fn of_one_source_the_proven_copy_is_the_point() {
    let at = ago(9);
    let proven = [(tags::PROOF, "sampled 2026-11-22T11:00:00Z"), (tags::SOURCE_SNAPSHOT, "snap-00000001")];
    let structure = [(tags::PROOF, "structure 2026-11-22T11:00:00Z"), (tags::SOURCE_SNAPSHOT, "snap-00000001")];
    let broken = [(tags::PROOF, "yes"), (tags::SOURCE_SNAPSHOT, "snap-00000001")];
    let facts = ireland(vec![copy(1, 1, at, &proven), copy(2, 1, at, &structure), copy(3, 1, at, &broken)]);
    let wanted = wanted();
    let recovery = recover(&wanted, &facts);
    assert_eq!(lines(&recovery), ["vol-00000001 eu-west-1 snap-c0000001 +2"]);
    assert_eq!(
        recovery.points[0].detail.proof.as_ref().map(ToString::to_string).as_deref(),
        Some("sampled 2026-11-22T11:00:00Z")
    );
    assert_eq!(recovery.points[0].detail.size_gib, 8);
    assert!(recovery.passed.is_empty());
}

#[test]
fn volumes_that_were_taken_together_are_a_set() {
    let of_other = [(tags::SOURCE_ACCOUNT, OTHER)];
    let facts = ireland(vec![
        copy(1, 1, ago(100), &[]),
        copy(2, 2, ago(97), &[]),
        copy(3, 3, ago(95), &[]),
        copy(4, 4, ago(94), &[]),
        copy(5, 5, ago(100), &of_other),
    ]);
    let wanted = wanted();
    let recovery = recover(&wanted, &facts);
    let sets: Vec<_> = recovery.points.iter().map(|point| point.set).collect();
    assert_eq!(sets, [Some(0), Some(0), Some(0), None, None]);
    assert_eq!(recovery.sets.len(), 1);
    assert_eq!((recovery.sets[0].volumes, recovery.sets[0].started), (3, ago(100)));
}

fn any_copy() -> impl Strategy<Value = (bool, Option<Passed>, u32, i64)> {
    let spoiled = prop::option::weighted(0.3, prop::sample::select(Passed::ALL.to_vec()));
    (any::<bool>(), spoiled, 1_u32..5, 1_i64..40)
}

proptest! {
    #[test]
    fn laws(copies in prop::collection::vec(any_copy(), 0..24), before in prop::option::of(0_i64..40)) {
        let mut regions = BTreeMap::from([("eu-west-1", Reading::default()), ("us-east-1", Reading::default())]);
        let mut good: BTreeMap<(VolumeId, &str), Vec<Timestamp>> = BTreeMap::new();
        let before = before.map(ago);
        for (number, (is_near, reason, of, age)) in (1..).zip(copies.iter().copied()) {
            let name = if is_near { "eu-west-1" } else { "us-east-1" };
            let reason = reason.filter(|reason| *reason != Passed::TooNew);
            let mut made = copy(number, of, ago(age), &[]);
            if let Some(reason) = reason {
                let wrong = spoiled(reason);
                made = DescribedCopy { id: made.id, ..wrong };
                // Its verdict is another's.
                made.tags.copy = made.tags.copy.map(|_| made.id.clone());
            } else if before.is_none_or(|before| ago(age) < before) {
                good.entry((volume(of), name)).or_default().push(ago(age));
            }
            take_down(regions.get_mut(name).unwrap(), made, reason);
        }
        let regions = regions.into_iter().map(|(name, reading)| (region(name), with_keys(reading))).collect();
        let facts = Facts { regions, ..ireland(vec![]) };
        let wanted = Wanted { before, ..wanted() };
        let recovery = recover(&wanted, &facts);
        // A point is the newest good copy; each volume's good ones are the point and the older ones.
        let found: BTreeMap<(VolumeId, &str), (Timestamp, usize)> = recovery.points.iter().map(|point| {
            ((point.volume.clone(), point.region.as_str()), (point.started, point.older + 1))
        }).collect();
        let expected = good.iter().map(|(place, starts)| (place.clone(), (*starts.iter().max().unwrap(), starts.len())));
        prop_assert_eq!(&found, &expected.collect());
        prop_assert_eq!(recovery.points.len(), found.len());
        // Nothing is lost from the account: point, older, or passed over.
        let passed: usize = recovery.passed.values().map(Vec::len).sum();
        prop_assert_eq!(recovery.points.len() + recovery.older + passed, copies.len());
        // A volume is among those with a point or among those without, never both.
        let with: BTreeSet<&VolumeId> = recovery.points.iter().map(|point| point.volume).collect();
        prop_assert!(recovery.without.iter().all(|without| !with.contains(without.volume)));
        for (number, set) in recovery.sets.iter().enumerate() {
            let of: Vec<_> = recovery.points.iter().filter(|point| point.set == Some(number)).collect();
            prop_assert!(of.len() == set.volumes && set.volumes > 1);
            prop_assert!(of.iter().all(|point| point.region == set.region && point.started.duration_since(set.started) <= TOGETHER));
        }
    }
}
