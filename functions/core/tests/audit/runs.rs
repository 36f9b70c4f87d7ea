//! What the verifier, the prover and the expirer say at the end of a run.

use serde_json::{Value, json};
use snapferry_core::audit::{
    CopyDeferred, CopyExpired, CopyFailed, CopyKept, CopyLocked, CopyNamed, CopyProved, CopyRefused, CopyRejected,
    CopySkipped, CopyStalled, CopyVerified, Ran, Reason, Record, Told,
};
use snapferry_core::{expiring, proving, verifying};

use crate::world::*;

/// Runs that looked at everything and found nothing to do, and runs that could not read a Region.
pub(crate) fn records() -> Vec<Record> {
    let unread = || Ran { unread: [region()].into(), ..ran() };
    let stays = told(&[(CopyKept::RegionUnread.into(), 1), (CopyRefused::MassExpiry.into(), 299)]);
    let left = told(&[(CopyDeferred::RegionUnread.into(), 1)]);
    let doomed = || Ran { doomed_keys: [KEY.to_owned()].into(), ..ran() };
    let waits = told(&[(CopyDeferred::KeyDoomed.into(), 40)]);
    vec![
        verify("nothing", &Told::default(), &ran()),
        verify("unread", &left, &unread()),
        verify("doomed", &waits, &doomed()),
        prove("nothing", &Told::default(), &Ran { settled: 3, ..ran() }),
        prove("unread", &left, &unread()),
        prove(
            "waiting",
            &told(&[(CopyProved::Full.into(), 1)]),
            &Ran { settled: 1, under_way: 1, blocks: 65_536, ..ran() },
        ),
        expiry("nothing", &Told::default(), &ran()),
        expiry("unread", &stays, &unread()),
        expiry("dropped", &Told::default(), &Ran { dropped_volumes: Some(2), ..ran() }),
    ]
}

fn ran() -> Ran {
    Ran { copies: 3, duration_ms: 1200, calls: 7, ..Ran::default() }
}

fn told(reasons: &[(Reason, u64)]) -> Told {
    let mut told = Told::default();
    reasons.iter().for_each(|(reason, count)| told.add(*reason, *count));
    told
}

fn verify(id: &str, told: &Told, ran: &Ran) -> Record {
    verifying::completed(told, ran, now()).scheduled(Some(id))
}

fn prove(id: &str, told: &Told, ran: &Ran) -> Record {
    proving::completed(told, ran, now()).scheduled(Some(id))
}

fn expiry(id: &str, told: &Told, ran: &Ran) -> Record {
    expiring::completed(told, ran, now()).scheduled(Some(id))
}

fn line(record: &Record) -> Value {
    serde_json::from_str(&record.to_line()).unwrap()
}

#[test]
fn a_run_that_finds_nothing_says_zeros() {
    let line = line(&verify("1", &Told::default(), &Ran::default()));
    assert_eq!((&line["event"], &line["reason"]), (&json!("verify.completed"), &json!("complete")));
    let zeros = json!({"copies": 0, "verified": 0, "rejected": 0, "failed": 0, "stalled": 0, "locked": 0, "named": 0, "locksFailed": 0,
        "deferred": {}, "unreadRegions": [], "doomedKeys": [], "durationMs": 0, "calls": 0});
    assert_eq!(line["verification"], zeros);
    assert_eq!((&line["VerifyRunsCompleted"], &line["VerdictsDeferred"]), (&json!(1), &json!(0)));
    let line = self::line(&prove("1", &Told::default(), &Ran::default()));
    assert_eq!((&line["event"], &line["reason"]), (&json!("prove.completed"), &json!("complete")));
    let zeros = json!({"copies": 0, "proved": {}, "rejected": 0, "unread": 0, "underWay": 0, "waiting": 0, "deferred": {},
        "unreadRegions": [], "blocks": 0, "durationMs": 0, "calls": 0});
    assert_eq!(line["proofs"], zeros);
    assert_eq!((&line["ProveRunsCompleted"], &line["ProofsWaiting"]), (&json!(1), &json!(0)));
    let line = self::line(&expiry("1", &Told::default(), &Ran::default()));
    assert_eq!((&line["event"], &line["reason"]), (&json!("expiry.completed"), &json!("complete")));
    let zeros = json!({"copies": 0, "deleted": 0, "gone": 0, "kept": {}, "refused": {}, "unreadRegions": [], "endangeredKeys": [],
        "durationMs": 0, "calls": 0});
    assert_eq!(line["expiry"], zeros);
    assert_eq!((&line["ExpiryRunsCompleted"], &line["DeletionsWaiting"]), (&json!(1), &json!(0)));
    assert_eq!(line["CopiesKeysEndangered"], json!(0));
    let endangered = Ran { endangered_keys: [KEY.to_owned()].into(), ..Ran::default() };
    let line = self::line(&expiry("1", &Told::default(), &endangered));
    assert_eq!((&line["expiry"]["endangeredKeys"], &line["CopiesKeysEndangered"]), (&json!([KEY]), &json!(1)));
    assert_eq!(line.get("VolumesDroppedOut"), None, "nothing is known");
    for volumes in [0, 7] {
        let line =
            self::line(&expiry("1", &Told::default(), &Ran { dropped_volumes: Some(volumes), ..Ran::default() }));
        assert_eq!((&line["expiry"]["droppedVolumes"], &line["VolumesDroppedOut"]), (&json!(volumes), &json!(volumes)));
    }
}

#[test]
fn all_that_a_run_said_is_counted() {
    let reasons = [
        (CopyVerified::AsConfigured.into(), 1),
        (CopyRejected::WrongKey.into(), 2),
        (CopyRejected::WrongSize.into(), 3),
        (CopyFailed::SourceGone.into(), 4),
        (CopyFailed::UnknownCause.into(), 5),
        (CopyStalled::PendingOverADay.into(), 6),
        (CopyLocked::Locked.into(), 7),
        (CopyLocked::AlreadyLocked.into(), 8),
        (CopyLocked::LockFailed.into(), 9),
        (CopyLocked::LockRuleGone.into(), 10),
        (CopyNamed::FromDescription.into(), 13),
        (CopyDeferred::VerdictNotWritten.into(), 11),
        (CopyDeferred::LockNotNoted.into(), 12),
    ];
    let run = line(&verify("1", &told(&reasons), &ran()));
    let expected = json!({"copies": 3, "verified": 1, "rejected": 5, "failed": 9, "stalled": 6, "locked": 15, "named": 13,
        "locksFailed": 19, "deferred": {"verdict-not-written": 11, "lock-not-noted": 12}, "unreadRegions": [],
        "doomedKeys": [], "durationMs": 1200, "calls": 7});
    assert_eq!((&run["verification"], &run["VerdictsDeferred"]), (&expected, &json!(23)));
    let reasons = [
        (CopyProved::Sampled.into(), 1),
        (CopyProved::CopyOnly.into(), 2),
        (CopyRejected::ContentDiffers.into(), 3),
        (CopyDeferred::NotProved.into(), 4),
        (CopyDeferred::ProofNotWritten.into(), 1),
    ];
    let ran = Ran { copies: 40, settled: 5, under_way: 1, blocks: 918, ..ran() };
    let run = line(&prove("1", &told(&reasons), &ran));
    let expected = json!({"copies": 40, "proved": {"copy-only": 2, "sampled": 1}, "rejected": 3, "unread": 4, "underWay": 1,
        "waiting": 35, "deferred": {"not-proved": 4, "proof-not-written": 1}, "unreadRegions": [], "blocks": 918,
        "durationMs": 1200, "calls": 7});
    assert_eq!((&run["proofs"], &run["ProofsWaiting"]), (&expected, &json!(35)));
    let ran = self::ran();
    let reasons = [
        (CopyExpired::Expired.into(), 1),
        (CopyExpired::Failed.into(), 2),
        (CopyExpired::Rejected.into(), 3),
        (CopyExpired::AlreadyGone.into(), 4),
        (CopySkipped::AlreadyGone.into(), 5),
        (CopyKept::Locked.into(), 6),
        (CopyKept::RunLimit.into(), 7),
        (CopyRefused::MassExpiry.into(), 8),
    ];
    let run = line(&expiry("1", &told(&reasons), &ran));
    let expected = json!({"copies": 3, "deleted": 6, "gone": 9, "kept": {"locked": 6, "run-limit": 7},
        "refused": {"mass-expiry": 8}, "unreadRegions": [], "endangeredKeys": [], "durationMs": 1200, "calls": 7});
    assert_eq!((&run["expiry"], &run["DeletionsWaiting"]), (&expected, &json!(7)));
}

/// The alarms on missing runs count complete ones.
#[test]
fn a_run_that_left_something_unseen_does_not_count_as_one() {
    let unread = Ran { unread: [region()].into(), ..ran() };
    for (what, reasons, ran, is_complete) in [
        ("a Region was not read", None, &unread, false),
        ("no time for three", Some((CopyDeferred::OutOfTime.into(), 3)), &ran(), false),
        ("EC2 took no tag", Some((CopyDeferred::VerdictNotWritten.into(), 3)), &ran(), true),
    ] {
        let run = line(&verify("1", &told(reasons.as_slice()), ran));
        assert_eq!(run["reason"], if is_complete { "complete" } else { "incomplete" }, "{what}");
        assert_eq!(run["VerifyRunsCompleted"], u64::from(is_complete), "{what}");
    }
    let refused = |copies| Some((CopyDeferred::NotProved.into(), copies));
    for (what, reasons, ran, is_complete) in [
        ("a Region was not read", None, unread.clone(), false),
        ("no copy could be read", refused(3), ran(), false),
        ("one could", refused(2), Ran { settled: 1, ..ran() }, true),
        ("one could, and goes on", refused(2), Ran { under_way: 1, ..ran() }, true),
        ("there was no time", None, ran(), true),
    ] {
        let run = line(&prove("1", &told(reasons.as_slice()), &ran));
        assert_eq!(run["reason"], if is_complete { "complete" } else { "incomplete" }, "{what}");
        assert_eq!(run["ProveRunsCompleted"], u64::from(is_complete), "{what}");
    }
    for (what, reasons, ran, is_complete) in [
        ("a Region was not read", None, &unread, false),
        ("no time for three", Some((CopyKept::OutOfTime.into(), 3)), &ran(), false),
        ("no answers for three", Some((CopyKept::RegionClosed.into(), 3)), &ran(), false),
        ("as many as it may", Some((CopyKept::RunLimit.into(), 3)), &ran(), true),
        ("the guard refused", Some((CopyRefused::MassExpiry.into(), 3)), &ran(), true),
    ] {
        let run = line(&expiry("1", &told(reasons.as_slice()), ran));
        assert_eq!(run["reason"], if is_complete { "complete" } else { "incomplete" }, "{what}");
        assert_eq!(run["ExpiryRunsCompleted"], u64::from(is_complete), "{what}");
    }
    assert_eq!(line(&verify("1", &Told::default(), &unread))["verification"]["unreadRegions"], json!(["eu-west-1"]));
    assert_eq!(line(&expiry("1", &Told::default(), &unread))["expiry"]["unreadRegions"], json!(["eu-west-1"]));
}
