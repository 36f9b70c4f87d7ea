//! Which attempt the next copy is, and what a taken name leads to.

use std::collections::BTreeMap;

use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::facts::{CallError, Inventory, KeyFact, KeyProblem};
use snapferry_core::ids::PolicyName;
use snapferry_core::ledger::{By, Identity, Obligation};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{Attempts, CopyRequest, Own, Shared, SnapshotArn, name_taken};

use crate::{encrypted, own, policy, shared};

fn request<'f>(policy: &'f Policy, source: &'f Shared, attempt: u32) -> CopyRequest<'f> {
    CopyRequest { policy: &policy.name, source, target: &policy.targets[0], attempt }
}

/// What RDS shows of the copy that `request` asked for.
fn made(request: &CopyRequest<'_>, status: &str) -> Own {
    Own {
        arn: SnapshotArn::parse(&format!("arn:aws:rds:eu-central-1:444455556666:snapshot:{}", request.name())).unwrap(),
        status: status.to_owned(),
        tags: request.tags("2026-11-22T04:00:00Z".parse().unwrap()),
        source_arn: Some(request.source.source.arn.to_string()),
        encrypted: true,
        key: request.key().cloned(),
        ..own()
    }
}

/// The attempt behind these copies, under a key that is lost or not.
fn next(copies: &[Own], is_key_lost: bool) -> u32 {
    let (policy, source) = (policy("", &encrypted()), shared());
    let (mut inventory, mut attempt_of, mut attempts) = (Inventory::default(), BTreeMap::new(), Attempts::default());
    for own in copies {
        if own.came_to_nothing() {
            attempts.note_dead(&own.copy_name().unwrap());
        }
        let copy = own.fact().unwrap();
        attempt_of.extend(own.attempt().map(|attempt| (copy.id.clone(), attempt)));
        inventory.add(copy);
    }
    let mut copies = inventory.close();
    let fact = if is_key_lost { KeyFact::Unusable(KeyProblem::PendingDeletion) } else { KeyFact::Usable };
    let keys = copies.keys_named().into_iter().map(|key| (key.into(), fact.clone())).collect();
    copies.note_keys(keys);
    let region = policy.targets[0].region.clone();
    attempts.note(&region, &copies, &attempt_of);
    let identity = Identity { policy: policy.name.clone(), source: source.source.id(), region };
    let of_another = Identity { policy: PolicyName::parse("another").unwrap(), ..identity.clone() };
    let name = |attempt| request(&policy, &source, attempt).name();
    assert_eq!(attempts.next(&of_another, |attempt| request(&policy, &source, 1000 + attempt % 9).name()), 1);
    attempts.next(&identity, name)
}

/// A name that a bad copy has is not asked for again, also when others of its identity were deleted since.
#[test]
fn the_next_attempt_has_a_name_of_its_own() {
    let (policy, source) = (policy("", &encrypted()), shared());
    let failed = |attempt| made(&request(&policy, &source, attempt), "failed");
    let rejected = |attempt| {
        let mut copy = made(&request(&policy, &source, attempt), "available");
        copy.tags.iter_mut().filter(|(key, _)| key == "snapferry:status").for_each(|tag| tag.1 = "rejected".to_owned());
        copy
    };
    let fine = made(&request(&policy, &source, 7), "available");
    for (copies, expected) in [
        (vec![], 1),
        (vec![failed(1)], 2),
        (vec![failed(3), failed(2)], 4),
        (vec![failed(1), rejected(2)], 3),
        (vec![failed(2), fine.clone()], 3),
        (vec![failed(u32::MAX)], 100_001),
    ] {
        assert_eq!(next(&copies, false), expected, "{copies:?}");
    }
    assert_eq!(next(&[fine], true), 8, "a copy under a lost key came to nothing");
    // What failed and was deleted since stands in the ledger.
    let source = source.fact();
    let region = policy.targets[0].region.clone();
    let identity = Identity { policy: policy.name.clone(), source: source.id.clone(), region };
    let owed = Obligation::new(identity.clone(), &source, source.volume.clone(), By::Sweep, source.start_time);
    let mut attempts = Attempts::default();
    for (failed, expected) in [(0, 1), (2, 3), (1, 3), (u32::MAX, 100_001)] {
        attempts.note_intent(&Obligation { failed, ..owed.clone() });
        assert_eq!(
            attempts.next(&identity, |attempt| request(&policy, &shared(), attempt).name()),
            expected,
            "{failed}"
        );
    }
}

/// Whoever edits a bad copy's tags, or takes one away, cannot take its name from it.
#[test]
fn a_name_that_an_edited_copy_has_is_not_asked_for_again() {
    let (policy, source) = (policy("", &encrypted()), shared());
    let keys: Vec<String> =
        made(&request(&policy, &source, 1), "failed").tags.into_iter().map(|(key, _)| key).collect();
    for key in keys {
        let mut edited = made(&request(&policy, &source, 1), "failed");
        edited.tags.iter_mut().filter(|(each, _)| *each == key).for_each(|tag| tag.1 = "0".to_owned());
        assert_eq!(next(&[edited.clone()], false), 2, "{key}");
        edited.tags.retain(|(each, _)| *each != key);
        assert_eq!(next(&[edited.clone()], false), 2, "without {key}");
        if key != "snapferry:status" {
            edited.status = "available".to_owned();
            edited
                .tags
                .iter_mut()
                .filter(|(each, _)| each == "snapferry:status")
                .for_each(|tag| tag.1 = "rejected".to_owned());
            assert_eq!(next(&[edited], false), 2, "rejected, without {key}");
        }
    }
}

/// RDS answered, whoever has the name: one copy in doubt must not close its Region, which silence does.
#[test]
fn a_taken_name_is_success_for_the_copy_itself_alone_and_closes_nothing() {
    let (policy, source) = (policy("", &encrypted()), shared());
    let request = request(&policy, &source, 2);
    let said = || CallError { request_id: Some("r-1".to_owned()), ..CallError::not_read() };
    let answer = |holder| name_taken(&request, said(), holder);
    for status in ["copying", "available"] {
        assert_eq!(answer(Ok(Some(made(&request, status)))), Ok(request.name().id()), "{status}");
    }
    let failed = |holder| answer(holder).unwrap_err();
    let ambiguous = [failed(Ok(Some(made(&request, "failed")))), failed(Ok(None))];
    for CopyError { failure, error } in ambiguous {
        assert_eq!((failure, error.request_id.as_deref()), (CopyFailure::Ambiguous, Some("r-1")), "{}", error.message);
    }
    let stranger = failed(Ok(Some(own())));
    assert!(matches!(stranger.failure, CopyFailure::Refused { reason: CopyFailed::NameTaken, .. }), "{stranger:?}");
    let unread = failed(Err(CallError::not_read()));
    assert_eq!((unread.failure, unread.error), (CopyFailure::Ambiguous, CallError::not_read()));
}
