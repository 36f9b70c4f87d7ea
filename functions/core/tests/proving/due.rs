use jiff::Timestamp;
use snapferry_core::facts::{DescribedCopy, SourceSnapshot, State, Storage};
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::policy::{self, Extent, Policy, ProofRule};
use snapferry_core::proving::{Incomparable, comparable, due};
use snapferry_core::tags::ReadTags;

const COPY: &str = "snap-0000c001";
const STARTED: &str = "2026-11-29T03:00:00.25Z";

fn policies(rule: &str) -> Vec<Policy> {
    let document = format!(
        "{{\"PolicyType\": \"EVENT_BASED_POLICY\", \"EventSource\": {{\"Type\": \"MANAGED_CWE\", \"Parameters\": \
         {{\"EventType\": \"shareSnapshot\", \"SnapshotOwner\": [\"111111111111\"]}}}}, \"Actions\": [{{\"Name\": \"copy\", \
         \"CrossRegionCopy\": [{{\"Target\": \"eu-west-1\", \"EncryptionConfiguration\": {{\"Encrypted\": true}}{rule}}}]}}]}}"
    );
    policy::parse(&document).unwrap().policies
}

/// A verified copy, with some tags otherwise; an empty value leaves one out.
fn copy(changes: &[(&'static str, &'static str)]) -> DescribedCopy {
    let mut tags = vec![
        ("snapferry:policy", "default"),
        ("snapferry:source-snapshot", "snap-00000001"),
        ("snapferry:source-account", "111111111111"),
        ("snapferry:source-region", "us-east-1"),
        ("snapferry:source-volume", "vol-00000001"),
        ("snapferry:source-size-gib", "8"),
        ("snapferry:source-start-time", STARTED),
        ("snapferry:status", "verified"),
        ("snapferry:copy", COPY),
    ];
    for (key, value) in changes {
        tags.retain(|(known, _)| known != key);
        tags.extend(Some((*key, *value)).filter(|(_, value)| !value.is_empty()));
    }
    let id = SnapshotId::parse(COPY).unwrap();
    DescribedCopy {
        owner: AccountId::parse("222222222222").ok(),
        state: State::Completed,
        state_message: String::new(),
        encrypted: true,
        kms_key: None,
        size_gib: 8,
        start_time: "2026-11-29T04:00:00Z".parse().unwrap(),
        tags: ReadTags::read(&id, tags),
        lock: None,
        description: Box::default(),
        database: None,
        id,
    }
}

fn region(code: &str) -> Region {
    Region::parse(code).unwrap()
}

fn is_due(rule: &str, place: &str, copy: &DescribedCopy) -> Option<ProofRule> {
    let ours = AccountId::parse("222222222222").ok();
    due(&policies(rule), &[region("us-east-1")].into(), ours.as_ref(), &region(place), copy)
}

const RULE: &str = ", \"ProofRule\": {\"Blocks\": 459}";

#[test]
fn what_is_proven() {
    let found = is_due(RULE, "eu-west-1", &copy(&[]));
    assert_eq!(found, Some(ProofRule { extent: Extent::Sample(459), compare: true }));
    let strangers = DescribedCopy { owner: AccountId::parse("333333333333").ok(), ..copy(&[]) };
    let pending = DescribedCopy { state: State::Pending, ..copy(&[]) };
    for (what, rule, place, copy) in [
        ("no rule", "", "eu-west-1", copy(&[])),
        ("no such target", RULE, "eu-west-2", copy(&[])),
        ("another's", RULE, "eu-west-1", strangers),
        ("pending", RULE, "eu-west-1", pending),
        ("not judged", RULE, "eu-west-1", copy(&[("snapferry:status", "copying")])),
        ("rejected", RULE, "eu-west-1", copy(&[("snapferry:status", "rejected")])),
        ("not bound", RULE, "eu-west-1", copy(&[("snapferry:copy", "")])),
        ("another copy's tags", RULE, "eu-west-1", copy(&[("snapferry:copy", "snap-0000c002")])),
        ("another home's", RULE, "eu-west-1", copy(&[("snapferry:source-region", "us-east-2")])),
        ("another policy's", RULE, "eu-west-1", copy(&[("snapferry:policy", "weekly")])),
        ("an edited tag", RULE, "eu-west-1", copy(&[("snapferry:source-size-gib", "eight")])),
        ("proven", RULE, "eu-west-1", copy(&[("snapferry:proof", "sampled 2026-11-29T10:00:00Z")])),
    ] {
        assert_eq!(is_due(rule, place, &copy), None, "{what}");
    }
    assert!(is_due(RULE, "eu-west-1", &copy(&[("snapferry:proof", "?")])).is_some(), "what proves nothing");
}

fn source() -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: SnapshotId::parse("snap-00000001").unwrap(),
        owner: AccountId::parse("111111111111").unwrap(),
        volume: VolumeId::parse("vol-00000001").unwrap(),
        size_gib: 8,
        state: State::Completed,
        storage: Storage::Standard,
        start_time: STARTED.parse().unwrap(),
        encrypted: false,
        description: Box::default(),
    }
}

#[test]
fn only_the_source_itself_is_compared() {
    let (home, at_another_time) = (region("us-east-1"), Timestamp::UNIX_EPOCH);
    assert_eq!(comparable(&home, &copy(&[]), Some(&source())), Ok(()));
    let another = SourceSnapshot { owner: AccountId::parse("333333333333").unwrap(), ..source() };
    for (source, is_not) in [
        (None, Incomparable::Gone),
        (Some(another), Incomparable::Owner),
        (Some(SourceSnapshot { id: SnapshotId::parse("snap-00000002").unwrap(), ..source() }), Incomparable::Owner),
        (Some(SourceSnapshot { size_gib: 9, ..source() }), Incomparable::Size),
        (Some(SourceSnapshot { start_time: at_another_time, ..source() }), Incomparable::StartTime),
    ] {
        assert_eq!(comparable(&home, &copy(&[]), source.as_ref()), Err(is_not));
    }
    assert_eq!(comparable(&region("us-east-2"), &copy(&[]), Some(&source())), Err(Incomparable::Region));
}
