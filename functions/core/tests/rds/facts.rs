//! Snapshots of databases in the facts of the laws, and the laws on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use snapferry_core::expiring::{self, Limits};
use snapferry_core::facts::{Copies, Copy, DescribedCopy, Inventory, KeyFact, KeyProblem, SourceKind, State};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{ATTEMPT, CopyRequest, Own, Shared, SnapshotArn};
use snapferry_core::standing::{Standing, weigh};
use snapferry_core::tags::{COPY, SETTLED_AT, SOURCE_REGION, SOURCE_START_TIME, STATUS, TagProblem};

use crate::{Change, encrypted, key, own, policy, shared};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When copies are asked for in these tests; they expire a month later.
pub(crate) fn asked() -> Timestamp {
    at("2026-11-22T04:00:00Z")
}

/// A snapshot of the same instance so many days later.
fn later(days: i64) -> Shared {
    let mut source = shared();
    source.source.created += SignedDuration::from_hours(24 * days);
    source.source.arn.name = format!("nightly-{days}");
    source
}

/// What RDS shows of the copy that is asked for, so many days behind [`asked`], with a verdict.
pub(crate) fn shown(policy: &Policy, source: &Shared, days: i64, status: &str, verdict: &str) -> Own {
    let request = CopyRequest { policy: &policy.name, source, target: &policy.targets[0], attempt: 1 };
    let (name, time) = (request.name(), asked() + SignedDuration::from_hours(24 * days));
    let mut tags = request.tags(time);
    tags.iter_mut().filter(|(key, _)| key == STATUS).for_each(|tag| tag.1 = verdict.to_owned());
    if verdict != "copying" {
        tags.extend([(SETTLED_AT.to_owned(), time.to_string()), (COPY.to_owned(), name.to_string())]);
    }
    Own {
        arn: SnapshotArn::parse(&format!("arn:aws:rds:eu-central-1:444455556666:snapshot:{name}")).unwrap(),
        status: status.to_owned(),
        tags,
        source_arn: Some(source.source.arn.to_string()),
        encrypted: true,
        key: Some(key(1)),
        engine: Some(source.engine.clone()),
        allocated_storage: Some(20),
        resource_id: Some(source.source.resource_id.clone()),
        created: Some(time),
        ..own()
    }
}

fn fact(own: &Own) -> DescribedCopy {
    own.fact().unwrap()
}

fn copies(shown: &[Own], key_fact: &KeyFact) -> Copies {
    let mut inventory = Inventory::default();
    shown.iter().for_each(|own| inventory.add(fact(own)));
    let mut copies = inventory.close();
    copies.note_keys(BTreeMap::from([(key(1).to_string().into_boxed_str(), key_fact.clone())]));
    copies
}

/// What stands in a ledger under this name would be another thing in the next version.
#[test]
fn what_stands_for_a_source_is_the_same_in_every_version() {
    assert_eq!(shared().source.id().as_str(), ID);
    let others: [Change<Shared>; 6] = [
        |s| s.source.arn.name.push('2'),
        |s| s.source.arn.account = AccountId::parse("111122223334").unwrap(),
        |s| s.source.arn.kind = snapferry_core::rds::Kind::Cluster,
        |s| s.source.created += SignedDuration::from_millis(1),
        |s| s.source.resource_id.push('2'),
        |s| s.source.resource_id.clear(),
    ];
    let mut ids: BTreeSet<_> = [shared().source.id()].into();
    for change in others {
        let mut other = shared();
        change(&mut other);
        ids.insert(other.source.id());
    }
    assert_eq!(ids.len(), others.len() + 1);
}

const ID: &str = "db-cee5cb7e67e85e7d4d738aede912497417746329c5b287b9ed63";

#[test]
fn a_source_is_what_rds_says_of_it() {
    let fact = shared().fact();
    assert_eq!((fact.volume.as_str(), fact.size_gib), ("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ", 20));
    assert_eq!((fact.owner.as_str(), fact.start_time), ("111122223333", at("2026-11-22T03:00:00.123Z")));
    for (status, state) in [
        ("available", State::Completed),
        ("copying", State::Pending),
        ("creating", State::Pending),
        ("failed", State::Error),
        ("deleting", State::Other),
        ("", State::Other),
    ] {
        assert_eq!(Shared { status: status.to_owned(), ..shared() }.fact().state, state, "{status}");
    }
}

#[test]
fn an_option_group_is_one_that_somebody_made() {
    let named = |group: &str| {
        let fact = Shared { option_group: Some(group.to_owned()), has_tde: true, ..shared() }.fact();
        let SourceKind::Instance(database) = fact.kind else { panic!("{:?}", fact.kind) };
        assert!(database.has_tde);
        database.option_group
    };
    assert_eq!(named("default:oracle-ee-19"), None);
    assert_eq!(named(""), None);
    assert_eq!(named("default-of-ours").as_deref(), Some("default-of-ours"));
}

/// Where RDS names no instance nobody knows which snapshots are of one: then nothing is deleted for another's sake.
#[test]
fn without_a_resource_id_the_lineage_is_unknown() {
    for (resource_id, is_known) in [
        ("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ", true),
        ("cluster-ABCDEFGHIJKLMNOPQRSTUVWXY2", true),
        ("db-A", true),
        ("", false),
        ("db-", false),
        ("db-ffffffff", false),
        ("vol-0123456789abcdef0", false),
        ("db-A\u{1b}", false),
    ] {
        let mut source = shared();
        source.source.resource_id = resource_id.to_owned();
        assert_eq!(!source.fact().volume.is_filler(), is_known, "{resource_id:?}");
    }
}

#[test]
fn a_copy_is_its_sources_by_its_tags() {
    let (policy, source) = (policy("", &encrypted()), shared());
    let shown = shown(&policy, &source, 0, "available", "verified");
    let copy = fact(&shown);
    assert_eq!(copy.tags.problems, []);
    assert_eq!(copy.id.as_str(), shown.arn.name);
    assert_eq!(copy.tags.source_snapshot, Some(source.source.id()));
    assert_eq!(copy.tags.source_volume, Some(source.fact().volume));
    assert_eq!((copy.tags.policy, copy.tags.copy), (Some(policy.name), Some(copy.id)));
    assert_eq!((copy.kms_key, copy.size_gib), (Some(key(1).to_string()), 20));
    // RDS may never date what it gave up on; that failed no earlier than today, however old its source is.
    let mut undated = Own { created: None, ..shown.clone() };
    assert_eq!(fact(&undated).start_time, at("2026-11-22T04:00:00Z"), "its snapferry:settled-at");
    // Nor does it date what it has just begun to copy.
    undated.tags.retain(|(key, _)| key != "snapferry:settled-at");
    assert_eq!(fact(&undated).start_time, source.source.created);
    undated.tags.clear();
    assert_eq!(fact(&undated).start_time, Timestamp::UNIX_EPOCH);
    let anothers = Own { arn: own().arn, ..shown };
    assert_eq!(anothers.fact(), None);
}

/// Neither a copy whose tags somebody edited to name another source, nor one that somebody took with its tags to another Region,
/// stands for what they name.
#[test]
fn a_copy_whose_tags_its_name_was_not_made_of_is_nobodys() {
    let policy = policy("", &encrypted());
    let one = shown(&policy, &later(0), 0, "available", "verified");
    assert_eq!(copies(std::slice::from_ref(&one), &KeyFact::Usable).copies.len(), 1);
    let mut edited = one.clone();
    let another = shown(&policy, &later(1), 0, "available", "verified");
    for tag in edited.tags.iter_mut().filter(|(key, _)| key != COPY) {
        tag.1.clone_from(&another.tags.iter().find(|(key, _)| *key == tag.0).unwrap().1);
    }
    let away = one.arn.to_string().replace("eu-central-1", "eu-west-2");
    let taken_away = Own { arn: SnapshotArn::parse(&away).unwrap(), ..one };
    for wrong in [edited, taken_away] {
        let found = copies(&[wrong], &KeyFact::Usable);
        assert_eq!(found.copies, []);
        assert!(found.tampered[0].problems[0].to_string().contains("its name was made of other tags"));
    }
}

/// RDS says of which home it is: an edited tag hides it from no stack. Of one whose name was made of its tags these say it.
#[test]
fn an_edited_home_hides_no_copy() {
    let one = shown(&policy("", &encrypted()), &shared(), 0, "available", "verified");
    let home = shared().source.arn.region;
    let elsewhere = Region::parse("ap-southeast-2").unwrap();
    let mut edited = one.clone();
    edited.tags.iter_mut().find(|(key, _)| key == SOURCE_REGION).unwrap().1 = elsewhere.to_string();
    let found = fact(&edited).tags;
    assert_eq!((found.source_region.as_ref(), found.problems.len()), (Some(&home), 1));
    let unsaid = Own { source_arn: None, ..edited };
    assert_eq!(fact(&unsaid).tags.source_region, Some(elsewhere.clone()));
    let other = one.source_arn.as_ref().unwrap().replace(home.as_str(), elsewhere.as_str());
    let wrong = Own { source_arn: Some(other), ..one };
    assert_eq!((fact(&wrong).tags.source_region, fact(&wrong).tags.problems), (Some(home), Vec::new()));
}

#[test]
fn a_copy_whose_source_cannot_be_read_is_told_and_is_nobodys() {
    let mut shown = shown(&policy("", &encrypted()), &shared(), 0, "available", "verified");
    shown.tags.retain(|(key, _)| key != SOURCE_START_TIME);
    let copies = copies(&[shown], &KeyFact::Usable);
    assert_eq!(copies.copies, []);
    assert_eq!(copies.tampered[0].problems, [TagProblem { key: SOURCE_START_TIME, found: None }]);
}

#[test]
fn an_identity_stands_as_that_of_a_volume_does() {
    let (policy, source) = (policy("", &encrypted()), shared());
    let doomed = KeyFact::Unusable(KeyProblem::PendingDeletion);
    for (status, verdict, key, standing) in [
        ("copying", "copying", &KeyFact::Usable, Standing::InFlight),
        ("available", "copying", &KeyFact::Usable, Standing::InFlight),
        ("available", "verified", &KeyFact::Usable, Standing::Protected),
        ("available", "verified", &doomed, Standing::Failed),
        ("available", "rejected", &KeyFact::Usable, Standing::Failed),
        ("failed", "copying", &KeyFact::Usable, Standing::Failed),
        ("failed", "failed", &KeyFact::Usable, Standing::Failed),
        // Whatever becomes of it, it is no protection now, and not asked for a second time.
        ("deleting", "verified", &KeyFact::Usable, Standing::InFlight),
    ] {
        let copies = copies(&[shown(&policy, &source, 0, status, verdict)], key);
        let of_source = |copy: &&Copy| copy.source == source.source.id();
        let weighed = weigh(copies.copies.iter().filter(of_source));
        assert_eq!(weighed.standing, standing, "{status} {verdict}");
    }
}

/// What RDS shows, as the expirer sees it.
fn vault(policy: &Policy, shown: &[Own]) -> expiring::Facts {
    expiring::Facts {
        account: AccountId::parse("444455556666").ok(),
        homes: [shared().source.arn.region].into(),
        retired_policies: BTreeSet::new(),
        regions: [(policy.targets[0].region.clone(), Ok(copies(shown, &KeyFact::Usable)))].into(),
    }
}

const LIMITS: Limits = Limits { max_deletes: 100, allow_mass_expiry: true };

/// The names of the copies that expire at a time, of these that RDS shows.
fn expired(policy: &Policy, shown: &[Own], now: &str) -> Vec<String> {
    let facts = vault(policy, shown);
    let plan = expiring::decide(std::slice::from_ref(policy), &facts, LIMITS, at(now));
    plan.deletions.iter().map(|deletion| deletion.copy.id.to_string()).collect()
}

#[test]
fn the_last_verified_copy_of_an_instance_outlives_its_time() {
    let policy = policy("", &encrypted());
    let old = shown(&policy, &later(0), 0, "available", "verified");
    let new = shown(&policy, &later(1), 1, "available", "verified");
    let all = [old.clone(), new];
    assert_eq!(expired(&policy, &all, "2026-12-20T00:00:00Z"), [""; 0]);
    assert_eq!(expired(&policy, &all, "2027-12-20T00:00:00Z"), [old.arn.name.as_str()]);
    let mut of_another = later(1);
    of_another.source.resource_id = "db-2".to_owned();
    let of_another = shown(&policy, &of_another, 1, "available", "verified");
    assert_eq!(expired(&policy, &[old, of_another], "2027-12-20T00:00:00Z"), [""; 0]);
}

/// A snapshot that another's tags were copied to is none of ours, as with volumes.
#[test]
fn what_names_another_copy_is_told_and_is_nobodys() {
    let policy = policy("", &encrypted());
    let one = shown(&policy, &later(1), 0, "available", "verified");
    let mut other = shown(&policy, &later(2), 0, "available", "verified");
    other.tags.clone_from(&one.tags);
    let found = copies(&[one.clone(), other.clone()], &KeyFact::Usable);
    let ids: Vec<&str> = found.copies.iter().map(|copy| copy.id.as_str()).collect();
    assert_eq!(ids, [one.arn.name.as_str()]);
    assert_eq!(found.tampered[0].id.as_str(), other.arn.name);
    assert!(found.tampered[0].problems[0].is_of_another());
}

/// To delete what is being copied would cancel the copy, whatever somebody wrote into its tags.
#[test]
fn what_is_being_copied_never_expires() {
    let policy = policy("", &encrypted());
    let new = shown(&policy, &later(1), 400, "available", "verified");
    for (status, verdict, goes) in [
        ("copying", "copying", false),
        ("copying", "verified", false),
        ("copying", "rejected", false),
        ("copying", "failed", false),
        ("creating", "verified", false),
        ("available", "verified", true),
        // The only one of its source, bad as it is, goes by hand alone.
        ("available", "rejected", false),
        ("failed", "failed", true),
    ] {
        let old = shown(&policy, &later(0), 0, status, verdict);
        let expected: Vec<String> = goes.then(|| old.arn.name.clone()).into_iter().collect();
        assert_eq!(expired(&policy, &[old, new.clone()], "2028-01-02T00:00:00Z"), expected, "{status} {verdict}");
    }
}

/// A second copy of the same source is good, so the bad one may go, unless RDS is at work on it.
#[test]
fn a_rejected_copy_goes_only_where_it_is_whole() {
    let policy = policy("", &encrypted());
    let source = later(0);
    let mut good = shown(&policy, &source, 0, "available", "verified");
    let name = CopyRequest { policy: &policy.name, source: &source, target: &policy.targets[0], attempt: 2 }.name();
    good.arn = SnapshotArn::parse(&format!("arn:aws:rds:eu-central-1:444455556666:snapshot:{name}")).unwrap();
    good.tags.iter_mut().filter(|(key, _)| key == COPY).for_each(|tag| tag.1 = name.to_string());
    good.tags.iter_mut().filter(|(key, _)| key == ATTEMPT).for_each(|tag| tag.1 = "2".to_owned());
    for (status, goes) in [("available", true), ("copying", false), ("deleting", false), ("failed", true)] {
        let bad = shown(&policy, &source, 0, status, "rejected");
        let expected: Vec<String> = goes.then(|| bad.arn.name.clone()).into_iter().collect();
        assert_eq!(expired(&policy, &[bad, good.clone()], "2026-11-25T00:00:00Z"), expected, "{status}");
    }
    let now = at("2026-11-25T00:00:00Z");
    let planned = [shown(&policy, &source, 0, "available", "rejected"), good.clone()];
    let facts = vault(&policy, &planned);
    let plan = expiring::decide(std::slice::from_ref(&policy), &facts, LIMITS, now);
    for (status, goes) in [("available", true), ("copying", false), ("deleting", false), ("failed", true)] {
        let shown = [shown(&policy, &source, 0, status, "rejected"), good.clone()];
        let found = expiring::recheck(&plan.deletions[0], &copies(&shown, &KeyFact::Usable), now);
        assert_eq!(found.is_ok(), goes, "{status}");
    }
}

/// A copy's name is made of what it is a copy of, and nobody can change it: a tag that says otherwise is edited, and neither lets
/// another copy go nor has this one deleted.
#[test]
fn a_copy_whose_tags_its_name_was_not_made_of_lets_no_other_go() {
    let policy = policy("", &encrypted());
    let old = shown(&policy, &later(0), 0, "available", "verified");
    for (key, value) in [
        ("snapferry:source-resource", "db-ANOTHER"),
        ("snapferry:source-snapshot", "another"),
        ("snapferry:source-start-time", "2026-11-23T03:00:00Z"),
        ("snapferry:policy", "another"),
        ("snapferry:attempt", "7"),
    ] {
        let mut new = shown(&policy, &later(1), 400, "available", "verified");
        let at = new.tags.iter().position(|(each, _)| each == key).unwrap();
        new.tags[at].1 = value.to_owned();
        assert_eq!(new.fact().unwrap().tags.problems.len(), 1, "{key}");
        assert_eq!(expired(&policy, &[old.clone(), new.clone()], "2028-01-02T00:00:00Z"), [""; 0], "{key}");
        // Nor where no tag says which attempt it is.
        let mut uncounted = new.clone();
        uncounted.tags.retain(|(each, _)| each != ATTEMPT);
        if key != ATTEMPT {
            assert_eq!(uncounted.fact().unwrap().tags.problems.len(), 2, "{key}");
            assert_eq!(expired(&policy, &[old.clone(), uncounted], "2028-01-02T00:00:00Z"), [""; 0], "{key}");
        }
        // The same where it is taken away.
        if key == "snapferry:source-resource" {
            new.tags.remove(at);
            assert_eq!(expired(&policy, &[old.clone(), new], "2028-01-02T00:00:00Z"), [""; 0]);
        }
    }
}
