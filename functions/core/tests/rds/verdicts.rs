//! The law of verdicts on copies of databases: what rejects one, what is only noted, and what the audit says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use snapferry_core::audit::Record;
use snapferry_core::facts::{DescribedCopy, KeyFact};
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{By, Identity, Obligation, State};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{ATTEMPT, Own};
use snapferry_core::tags::{COPY, SOURCE_START_TIME};
use snapferry_core::verifying::{Facts, Outcome, decide, record};

use crate::facts::{asked, shown};
use crate::{Change, SOURCE, encrypted, key, own, policy, shared};

fn facts(policy: &Policy, copy: DescribedCopy) -> Facts {
    let keys = copy.kms_key.iter().map(|key| (key.clone().into_boxed_str(), KeyFact::Usable)).collect();
    Facts {
        account: AccountId::parse("444455556666").ok(),
        homes: [shared().source.arn.region].into(),
        retired_policies: BTreeSet::new(),
        regions: [(policy.targets[0].region.clone(), Ok(vec![copy]))].into(),
        keys,
        obligations: BTreeMap::new(),
    }
}

/// What the audit says of a copy that is to be judged, so long after it was asked for; nothing where that is not said.
fn settled(policy: &Policy, shown: &Own, after: SignedDuration, obligation: Option<&Obligation>) -> Option<Record> {
    let mut facts = facts(policy, shown.fact().unwrap());
    let read = obligation.filter(|owed| facts.to_be_judged().contains(&owed.identity));
    facts.obligations.extend(read.map(|owed| (owed.identity.clone(), owed.clone())));
    let decisions = decide(std::slice::from_ref(policy), &facts, asked() + after);
    let decision = decisions.first()?;
    let outcome = if decision.settlement().is_some() { Outcome::Judged } else { Outcome::Stands };
    Some(record(decision, &outcome, facts.account.as_ref(), asked() + after))
}

fn judged(change: Change<Own>) -> Option<Record> {
    let policy = policy("", &encrypted());
    let mut shown = shown(&policy, &shared(), 0, "available", "copying");
    change(&mut shown);
    settled(&policy, &shown, SignedDuration::from_hours(1), None)
}

#[test]
fn a_copy_is_compared_with_what_its_tags_say_of_its_source() {
    let under = |key| format!("under {key}");
    let changes: [(&str, &[&str], Change<Own>); 14] = [
        ("as-configured", &[], |_| {}),
        ("wrong-owner", &["owned by 999999999999, not by 444455556666"], |o| {
            o.arn.account = AccountId::parse("999999999999").unwrap();
        }),
        ("not-encrypted", &[&format!("not encrypted, instead of {}", under(key(1)))], |o| {
            (o.encrypted, o.key) = (false, None);
        }),
        ("wrong-key", &[&format!("encrypted {}, not {}", under(key(2)), under(key(1)))], |o| o.key = Some(key(2))),
        ("wrong-key", &[&format!("encrypted under no key that AWS names, not {}", under(key(1)))], |o| o.key = None),
        ("wrong-source", &[&format!("a copy of {SOURCE}-2, not of {SOURCE}")], |o| {
            o.source_arn = Some(format!("{SOURCE}-2"));
        }),
        ("wrong-source", &[&format!("a copy of nothing that RDS names, not of {SOURCE}")], |o| o.source_arn = None),
        ("wrong-engine", &["mysql, not postgres as the source"], |o| o.engine = Some("mysql".to_owned())),
        ("wrong-engine", &["no engine that RDS names, not postgres as the source"], |o| o.engine = None),
        ("wrong-size", &["19 GiB, not 20 GiB as the source"], |o| o.allocated_storage = Some(19)),
        ("wrong-size", &["0 GiB, not 20 GiB as the source"], |o| o.allocated_storage = None),
        ("malformed-tags", &["tag snapferry:attempt is missing"], |o| o.tags.retain(|(key, _)| key != ATTEMPT)),
        // Without its time there is no telling which source it was.
        ("malformed-tags", &["tag snapferry:source-start-time is missing"], |o| {
            (o.source_arn, o.resource_id) = (None, None);
            o.tags.retain(|(key, _)| key != SOURCE_START_TIME);
        }),
        (
            "wrong-source",
            &[
                &format!("a copy of nothing that RDS names, not of {SOURCE}"),
                "mysql, not postgres as the source",
                "19 GiB, not 20 GiB as the source",
            ],
            |o| (o.source_arn, o.engine, o.allocated_storage) = (None, Some("mysql".to_owned()), Some(19)),
        ),
    ];
    for (reason, differences, change) in changes {
        let record = judged(change).unwrap();
        assert_eq!(
            (record.reason.name(), record.differences),
            (reason, differences.iter().map(|d| (*d).to_owned()).collect())
        );
    }
}

#[test]
fn what_else_differs_is_noted_and_rejects_nothing() {
    let later = "RDS says that its data was taken at 2026-11-22T03:01:01.123Z, after its source was made at 2026-11-22T03:00:00.123Z: \
                 its owner may have made another snapshot under the source's name meanwhile, and then this is a copy of that one";
    let changes: [(&[&str], Change<Own>); 7] = [
        (&[later], |o| o.original = Some("2026-11-22T03:01:01.123Z".parse().unwrap())),
        (&[], |o| o.original = Some("2026-11-22T03:01:00.123Z".parse().unwrap())),
        // A source that is itself a copy.
        (&[], |o| o.original = Some("2026-10-22T03:00:00.123Z".parse().unwrap())),
        (&["RDS names db-OTHER as its resource, where its source's was db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"], |o| {
            o.resource_id = Some("db-OTHER".to_owned());
        }),
        (&["RDS names nothing as its resource, where its source's was db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"], |o| {
            o.resource_id = None;
        }),
        (&["the tag snapferry:source-start-time is later than the copy's own start time"], |o| {
            o.created = Some(asked() - SignedDuration::from_hours(24));
        }),
        (&[], |o| o.engine_version = Some("17.1".to_owned())),
    ];
    for (warnings, change) in changes {
        let record = judged(change).unwrap();
        assert_eq!(
            (record.reason.name(), record.warnings),
            ("as-configured", warnings.iter().map(|w| (*w).to_owned()).collect())
        );
    }
}

#[test]
fn a_copy_that_was_asked_for_in_the_clear_may_be_encrypted_all_the_same() {
    let mut plain = shared();
    plain.encrypted = false;
    let policy = policy("", r#"{"Encrypted": false}"#);
    for (encrypted, key) in [(false, None), (true, Some(key(1)))] {
        let shown = Own { encrypted, key, ..shown(&policy, &plain, 0, "available", "copying") };
        let record = settled(&policy, &shown, SignedDuration::from_hours(1), None).unwrap();
        assert_eq!(record.reason.name(), "as-configured");
    }
}

#[test]
fn what_rds_gave_up_on_is_told_with_what_is_known_to_make_it_do_so() {
    let record = judged(|o| (o.status, o.created, o.key, o.engine) = ("failed".to_owned(), None, None, None)).unwrap();
    assert_eq!((record.reason.event().name(), record.reason.name()), ("copy.failed", "unknown-cause"));
    let (message, error) = (record.message.unwrap(), record.error.unwrap());
    for word in ["source account 111122223333", "target account 444455556666", "key", "option group", "TDE", "quotas"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!((error.code.as_str(), error.message.as_str()), ("error", "failed"));
    // Nobody says when it was begun.
    assert_eq!(record.copy.unwrap().seconds_since_start, None);
}

/// What the ledger has of the copy, asked for so long after [`asked`].
fn owed(policy: &Policy, own: &Own, after: SignedDuration) -> Obligation {
    let source = shared().fact();
    let identity =
        Identity { policy: policy.name.clone(), source: source.id.clone(), region: policy.targets[0].region.clone() };
    let state = State::Copying { copy: own.copy_name().unwrap().id(), at: asked() + after };
    Obligation { state, ..Obligation::new(identity, &source, source.volume.clone(), By::Sweep, asked()) }
}

/// RDS does not date what it is copying: the ledger says since when, and without it nobody does.
#[test]
fn what_is_being_copied_is_never_judged_and_told_after_a_day() {
    let policy = policy("", &encrypted());
    let hours = SignedDuration::from_hours;
    for status in ["copying", "creating", "deleting", "restoring", ""] {
        let mut undated = shown(&policy, &shared(), 0, status, "copying");
        (undated.created, undated.encrypted, undated.key, undated.engine) = (None, false, None, None);
        let dated = Own { created: Some(asked()), ..undated.clone() };
        let owed = owed(&policy, &undated, hours(2));
        for (shown, after, owed, is_told) in [
            (&dated, hours(24), None, false),
            (&dated, hours(25), None, true),
            (&undated, hours(400), None, false),
            (&undated, hours(26), Some(&owed), false),
            (&undated, hours(27), Some(&owed), true),
        ] {
            let told = settled(&policy, shown, after, owed);
            let expected = is_told.then_some(("pending-over-a-day", true));
            let found = told.as_ref().map(|record| {
                let message = record.message.as_deref().unwrap_or_default();
                (record.reason.name(), message.contains(&format!("RDS says: {status}.")))
            });
            assert_eq!(found, expected, "{status} {after:?}");
        }
        let mut others = owed;
        others.state = State::Copying { copy: shared().source.id(), at: asked() };
        assert_eq!(settled(&policy, &undated, hours(400), Some(&others)), None);
    }
}

/// A verdict is one on the snapshot that its tags tell of.
#[test]
fn tags_of_another_copy_get_no_verdict() {
    let record = judged(|o| {
        let name = format!("snapferry-{}", "0".repeat(52));
        o.tags.push((COPY.to_owned(), name));
    });
    assert_eq!(record, None);
    let unnamed = Own { arn: own().arn, ..shown(&policy("", &encrypted()), &shared(), 0, "available", "copying") };
    assert_eq!(unnamed.fact(), None);
}

#[test]
fn a_verdict_names_what_is_copied() {
    let record = judged(|_| {}).unwrap();
    let (source, copy) = (record.source.unwrap(), record.copy.unwrap());
    assert_eq!(source.volume.as_deref(), Some("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    assert_eq!((source.snapshot.as_str(), source.arn.as_deref()), (shared().source.id().as_str(), Some(SOURCE)));
    assert_eq!(copy.seconds_since_start, Some(3600));
    let since = asked() + SignedDuration::from_hours(1) - shared().source.created;
    assert_eq!(copy.seconds_since_source, Some(since.get_seconds()));
    assert!(record.time > Timestamp::UNIX_EPOCH);
}
