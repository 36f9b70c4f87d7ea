//! What becomes of verdicts and locks under keys that are lost or in doubt.

use snapferry_core::facts::{CallError, DescribedCopy, HeldLock, KeyFact, KeyProblem, State};
use snapferry_core::policy::LockMode;
use snapferry_core::verifying::{Decision, Locking, Outcome, Verdict, decide, record};

use crate::world::*;

fn refused(code: &str) -> CallError {
    CallError { code: code.to_owned(), message: "no".to_owned(), request_id: None }
}

fn doomed() -> [KeyFact; 2] {
    [KeyProblem::PendingDeletion, KeyProblem::NotFound(refused("NotFoundException"))].map(KeyFact::Unusable)
}

/// What is done about a copy whose key KMS says this of; nobody asked where it is none.
fn judged<T>(copy: DescribedCopy, key: Option<KeyFact>, look: impl Fn(&Decision<'_>) -> T) -> Option<T> {
    let mut facts = facts(vec![copy]);
    facts.keys = key.map(|fact| (KEY.into(), fact)).into_iter().collect();
    decide(&under_key(GOVERNANCE), &facts, now()).first().map(look)
}

fn waiting() -> DescribedCopy {
    copy(&waiting_for_its_lock())
}

#[test]
fn under_a_doomed_key_nothing_is_verified_and_nothing_locked() {
    let unbound = copy(&with("snapferry:status", "verified"));
    for key in doomed() {
        for copy in [copy(&with("snapferry:lock", "pending")), copy(&tags()), unbound.clone(), waiting()] {
            let told = judged(copy, Some(key.clone()), |decision| {
                let record = record(decision, &Outcome::Stands, None, now());
                assert!(record.message.unwrap().contains(KEY));
                let code = record.error.map(|error| error.code);
                assert_eq!(code.as_deref(), key.error().map(|error| error.code.as_str()));
                let notice = decision.notice(&Outcome::Stands);
                assert_eq!(notice.as_deref(), Some("key-doomed eu-west-1 snap-0000c001"));
                let reason = format!("{} {}", record.reason.event().name(), record.reason.name());
                (decision.settlement(), decision.lock(), reason)
            });
            assert_eq!(told, Some((None, Locking::None, "copy.deferred key-doomed".to_owned())), "{key:?}");
        }
    }
}

#[test]
fn what_no_key_could_make_good_is_told_under_a_doomed_one_too() {
    let held = HeldLock { mode: LockMode::Compliance, days: Some(90), since: Some(now()), until: None };
    for key in doomed() {
        let verdict =
            |copy| judged(copy, Some(key.clone()), |decision| format!("{:?}", decision.verdict)).unwrap_or_default();
        assert!(verdict(DescribedCopy { size_gib: 1, ..copy(&tags()) }).starts_with("Reject"));
        assert!(verdict(DescribedCopy { state: State::Error, ..copy(&tags()) }).starts_with("Fail"));
        // EC2 holds the lock: the tag says what is.
        assert_eq!(verdict(DescribedCopy { lock: Some(held), ..waiting() }), "Lock(Held(Compliance))");
        // The key of a pending copy is not known for certain yet.
        assert_eq!(verdict(DescribedCopy { state: State::Pending, ..copy(&tags()) }), "");
    }
}

#[test]
fn under_a_key_in_doubt_all_goes_on_with_a_warning() {
    for (key, is_in_doubt) in [
        (Some(KeyFact::Unusable(KeyProblem::Disabled)), true),
        (Some(KeyFact::Unusable(KeyProblem::AccessDenied(refused("AccessDeniedException")))), true),
        (Some(KeyFact::Unread(refused("ThrottlingException"))), true),
        (None, true),
        (Some(KeyFact::Usable), false),
        (Some(KeyFact::Unusable(KeyProblem::AwsManaged)), false),
    ] {
        let warnings = judged(copy(&with("snapferry:lock", "pending")), key.clone(), |decision| {
            assert!(matches!(decision.lock(), Locking::Lock(_)));
            record(decision, &Outcome::Judged, None, now()).warnings
        });
        let warned = warnings.unwrap().iter().any(|warning| warning.starts_with("the copy's key is disabled, or KMS"));
        assert_eq!(warned, is_in_doubt, "{key:?}");
        let lock =
            judged(waiting(), key.clone(), |decision| matches!(decision.verdict, Verdict::Lock(Locking::Lock(_))));
        assert_eq!(lock, Some(true), "{key:?}");
    }
}

#[test]
fn what_is_not_encrypted_has_no_key_to_lose() {
    let plain = DescribedCopy { encrypted: false, kms_key: None, ..copy(&without("snapferry:kms-key")) };
    let as_source = policies("\"Encrypted\": false", "");
    let mut facts = facts(vec![plain]);
    facts.keys = [(KEY.into(), doomed()[0].clone())].into();
    let decisions = decide(&as_source, &facts, now());
    assert!(matches!(&decisions[0].verdict, Verdict::Verify { warnings, .. } if warnings.is_empty()));
    assert_eq!(facts.doomed_keys().collect::<Vec<_>>(), [KEY]);
}
