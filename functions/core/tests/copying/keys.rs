//! Copies whose key is lost or in doubt.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;
use snapferry_core::copying::{Outcome, Subject, Verdict, decide, record};
use snapferry_core::facts::{CallError, Copy, KeyFact, KeyLife, KeyProblem, Origin, State};
use snapferry_core::tags::Status;

use crate::world::*;

const OLD: &str = "arn:aws:kms:eu-west-1:222222222222:key/old";

fn not_found() -> CallError {
    CallError { code: "NotFoundException".to_owned(), message: String::new(), request_id: None }
}

/// A verified copy under the old key.
fn old(number: u32, of: u32) -> Copy {
    let copy = copy(number, of);
    Copy { origin: Arc::new(Origin { key: Some(OLD.into()), ..(*copy.origin).clone() }), ..copy }
}

/// The same under the policy's key.
fn new(number: u32, of: u32) -> Copy {
    let copy = copy(number, of);
    Copy { origin: Arc::new(Origin { key: Some(KEY.into()), ..(*copy.origin).clone() }), ..copy }
}

/// A sweep that finds snapshot 1 with these copies in Ireland, the old key in this state, and a good copy in Ohio.
fn found(fact: KeyFact, copies: impl IntoIterator<Item = Copy>) -> World {
    let mut world = sweep();
    world.shows([source(1)]).has(OHIO, [copy(9, 1)]).has(IRELAND, copies);
    let facts = [(OLD.into(), fact), (KEY.into(), KeyFact::Usable)];
    world.region(IRELAND).note_keys(facts.into());
    world
}

#[test]
fn under_a_doomed_key_nothing_is_protected_and_all_that_is_shared_is_copied_again() {
    for problem in [KeyProblem::PendingDeletion, KeyProblem::NotFound(not_found())] {
        let world = found(KeyFact::Unusable(problem), [old(1, 1)]);
        let lines = [
            "copy nightly snap-00000001 -> eu-west-1",
            "refuse * * -> eu-west-1: copies-key-doomed 1 of arn:aws:kms:eu-west-1:222222222222:key/old",
            "= 1 shared, 1 matching, 1 protected, 1 in flight, 1 started",
        ];
        assert_eq!(world.plan(), lines.join("\n"));
    }
}

#[test]
fn one_copy_more_and_never_one_for_each_sweep() {
    let doomed = || KeyFact::Unusable(KeyProblem::PendingDeletion);
    let pending = Copy { state: State::Pending, status: Some(Status::Copying), ..new(2, 1) };
    for second in [pending, new(2, 1)] {
        let plan = found(doomed(), [old(1, 1), second]).plan();
        assert!(plan.contains("refuse * *") && !plan.contains("copy nightly"), "{plan}");
        assert!(!plan.contains("duplicate"), "{plan}");
    }
    // While the policy names a key that cannot be used, nothing is asked for at all.
    let mut world = found(doomed(), [old(1, 1)]);
    world.key(KeyFact::Unusable(KeyProblem::PendingDeletion));
    assert!(world.plan().contains("refuse nightly snap-00000001 -> eu-west-1: key-pending-deletion"));
    // Where the policy names none, EC2 may choose the doomed one each time: five attempts a day, as with any failure.
    let mut world = sweep();
    world.shows([source(1)]).has(IRELAND, [new(9, 1)]).has(OHIO, (1..=5).map(|number| old(number, 1)));
    world.region(OHIO).note_keys([(OLD.into(), doomed())].into());
    assert!(world.plan().contains("refuse nightly snap-00000001 -> us-east-2: attempts-exhausted 5"));
}

#[test]
fn under_a_key_in_doubt_a_copy_is_one_and_somebody_is_told() {
    let unread = CallError { code: "ThrottlingException".to_owned(), ..not_found() };
    let denied = CallError { code: "AccessDeniedException".to_owned(), ..not_found() };
    for fact in [
        KeyFact::Unusable(KeyProblem::Disabled),
        KeyFact::Unusable(KeyProblem::NotReady("Unavailable".to_owned())),
        KeyFact::Unusable(KeyProblem::AccessDenied(denied)),
        KeyFact::Unusable(KeyProblem::NotFound(CallError { code: "InvalidArnException".to_owned(), ..not_found() })),
        KeyFact::Unread(unread),
    ] {
        let told = "refuse * * -> eu-west-1: copies-key-in-doubt 1 of arn:aws:kms:eu-west-1:222222222222:key/old";
        assert_eq!(found(fact, [old(1, 1)]).plan(), format!("{told}\n= 1 shared, 1 matching, 2 protected"));
    }
    for fact in [KeyFact::Usable, KeyFact::Unusable(KeyProblem::AwsManaged)] {
        assert_eq!(found(fact, [old(1, 1)]).plan(), "= 1 shared, 1 matching, 2 protected");
    }
}

#[test]
fn a_lost_key_is_told_once_a_day_and_counted_at_each_sweep() {
    let mut world = found(KeyFact::Unusable(KeyProblem::Disabled), [old(1, 1), old(2, 7)]);
    let plan = decide(&world.policies, &world.facts, now());
    let [decision] = plan.decisions.as_slice() else { panic!("one decision expected, not {:?}", plan.decisions) };
    let told = record(decision, &Outcome::Stands, &region("eu-central-1"), now());
    assert_eq!((told.count, told.copy.unwrap().kms_key.as_deref()), (Some(2), Some(OLD)));
    let notice = decision.notice().unwrap();
    assert_eq!(notice, format!("copies-key-in-doubt eu-west-1 {OLD}"));
    world.facts.noticed.insert(notice);
    let plan = decide(&world.policies, &world.facts, now());
    assert!(plan.decisions.is_empty());
    assert_eq!(plan.tally.refused.values().sum::<u64>(), 1);
}

#[test]
fn an_event_copies_again_too_and_tells_nothing_of_keys() {
    let mut world = event();
    world.shows([source(1)]).has(OHIO, [copy(9, 1)]).has(IRELAND, [old(1, 1)]);
    world.region(IRELAND).note_keys([(OLD.into(), KeyFact::Unusable(KeyProblem::PendingDeletion))].into());
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    skip nightly snap-00000001 -> us-east-2: already-copied snap-c0000009
    ");
}

/// What KMS says of the old key at one sweep, and whether the policy names a key that can be used by then.
#[derive(Debug, Clone)]
struct Tick {
    old: KeyFact,
    is_replaced: bool,
    /// Whether what was asked for earlier is completed and verified by then.
    settles: bool,
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let old = prop_oneof![
        Just(KeyFact::Usable),
        Just(KeyFact::Unusable(KeyProblem::Disabled)),
        Just(KeyFact::Unread(CallError { code: "ThrottlingException".to_owned(), ..not_found() })),
        Just(KeyFact::Unusable(KeyProblem::PendingDeletion)),
        Just(KeyFact::Unusable(KeyProblem::NotFound(not_found()))),
    ];
    let tick = (old, any::<bool>(), any::<bool>());
    let tick = tick.prop_map(|(old, is_replaced, settles)| Tick { old, is_replaced, settles });
    prop::collection::vec(tick, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The key dies, is not described, comes back and dies again; the policy's own is replaced some time, or not.
    #[test]
    fn after_a_key_is_lost_and_replaced_each_copy_is_asked_for_again_exactly_once(
        lost in prop::collection::vec(any::<bool>(), 1..5), ticks in ticks()
    ) {
        let numbers = || (1..).zip(&lost);
        let mut copies: Vec<Copy> = numbers().map(|(of, lost)| if *lost { old(of, of) } else { new(of, of) }).collect();
        let (mut asked, mut expected) = (BTreeMap::<_, u32>::new(), BTreeMap::new());
        for tick in ticks {
            for copy in copies.iter_mut().filter(|copy| tick.settles && copy.status == Some(Status::Copying)) {
                (copy.state, copy.status) = (State::Completed, Some(Status::Verified));
            }
            let mut world = sweep();
            world.shows(numbers().map(|(of, _)| source(of))).has(IRELAND, copies.clone());
            world.has(OHIO, numbers().map(|(of, _)| copy(100 + of, of)));
            let usable = if tick.is_replaced { KeyFact::Usable } else { KeyFact::Unusable(KeyProblem::Disabled) };
            world.region(IRELAND).note_keys([(OLD.into(), tick.old.clone()), (KEY.into(), KeyFact::Usable)].into());
            world.key(usable);
            if tick.is_replaced && tick.old.life() == KeyLife::Doomed {
                expected.extend(numbers().filter(|(_, lost)| **lost).map(|(of, _)| (id(of), 1)));
            }
            for decision in decide(&world.policies, &world.facts, now()).decisions {
                let (Verdict::Copy(_), Subject::Seen(source)) = (&decision.verdict, decision.subject) else { continue };
                *asked.entry(source.id.clone()).or_default() += 1;
                let number = 50 + u32::try_from(copies.len()).unwrap();
                let started = Copy { state: State::Pending, status: Some(Status::Copying), ..new(number, 0) };
                copies.push(Copy { source: source.id.clone(), ..started });
            }
        }
        prop_assert_eq!(asked, expected);
    }
}
