//! What a warm environment remembers from one invocation to the next.

use jiff::{SignedDuration, Timestamp};
use snapferry_core::copying::{Memory, UsableKeys, decide};
use snapferry_core::facts::{KeyFact, KeyProblem};

use snapferry_core::ids::{PolicyName, Region};
use snapferry_core::ledger::{By, Identity, Obligation};

use crate::world::{DAY, IRELAND, KEY, OHIO, copy, error, now, source, sweep};

fn identity() -> Identity {
    let (policy, region) = (PolicyName::parse("nightly").unwrap(), Region::parse(IRELAND).unwrap());
    Identity { policy, source: source(1).id, region }
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

#[test]
fn what_was_told_is_remembered_for_a_day() {
    let (mut memory, mut world) = (Memory::default(), sweep());
    world.shows([source(1)]).has(IRELAND, [copy(1, 1), copy(2, 1)]).has(OHIO, [copy(3, 1)]);
    for (seconds, told) in [(0, 1), (DAY - 1, 0), (DAY, 1)] {
        world.facts.noticed = memory.recall(after(seconds));
        let plan = decide(&world.policies, &world.facts, after(seconds));
        assert_eq!(plan.decisions.len(), told, "{seconds} s");
        plan.decisions.iter().for_each(|decision| _ = memory.note(decision, after(seconds)));
    }
}

#[test]
fn a_request_is_remembered_for_its_hold_unless_its_copy_failed() {
    let mut memory = Memory::default();
    let owed = || Obligation::new(identity(), &source(1), source(1).volume, By::Sweep, now());
    let asked = owed().asked(now()).unwrap();
    memory.note_request(&asked, now());
    assert_eq!([0, 599, 600].map(|seconds| memory.requested(&owed(), after(seconds)).is_some()), [true, true, false]);
    let failed = asked.copying(source(9).id, now()).unwrap().failed(&source(9).id, now()).unwrap();
    assert_eq!(memory.requested(&failed, now()), None);
    memory.note_request(&failed.asked(now()).unwrap(), now());
    assert_eq!(memory.requested(&failed, now()), Some(now()));
    memory.forget_request(&identity());
    assert_eq!(memory.requested(&owed(), now()), None);
}

#[test]
fn only_good_news_of_a_key_is_kept_and_for_five_minutes() {
    let mut keys = UsableKeys::default();
    for fact in [KeyFact::Unusable(KeyProblem::Disabled), KeyFact::Unread(error("Timeout"))] {
        keys.note(KEY, &fact, now());
        assert!(!keys.contains(KEY, now()));
    }
    keys.note(KEY, &KeyFact::Usable, now());
    assert_eq!([0, 299, 300].map(|seconds| keys.contains(KEY, after(seconds))), [true, true, false]);
}
