//! What a warm environment remembers from one invocation to the next.

use jiff::{SignedDuration, Timestamp};
use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{Deferral, Memory, Outcome, UsableKeys, Verdict, decide};
use snapferry_core::facts::{KeyFact, KeyProblem};

use crate::world::{IRELAND, KEY, World, copy, copy_id, error, event, now, source};

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// One invocation, so many seconds from now, in which each copy asked for in Ireland ends in this way; tells whether one was.
fn invoke(memory: &mut Memory, world: &mut World, seconds: i64, ends: &Outcome) -> bool {
    (world.facts.recent, world.facts.noticed) = memory.recall(after(seconds));
    let plan = decide(&world.policies, &world.facts, after(seconds));
    let asked = plan.decisions.iter().filter(|decision| {
        matches!(decision.verdict, Verdict::Copy(_)) && decision.region.is_some_and(|region| region.as_str() == IRELAND)
    });
    asked.inspect(|decision| memory.note(decision, ends, after(seconds))).count() > 0
}

/// DescribeSnapshots is eventually consistent: what one page showed the next one may not. To believe EC2 from the first
/// time on that it showed the copy would make a second one here.
#[test]
fn a_copy_seen_once_and_then_hidden_again_is_not_asked_for_twice() {
    let (mut memory, mut world) = (Memory::default(), event());
    world.shows([source(1)]);
    let started = Outcome::Started { copy: copy_id(1), at: now() };
    assert!(invoke(&mut memory, &mut world, 0, &started));
    world.has(IRELAND, [copy(1, 1)]);
    assert!(!invoke(&mut memory, &mut world, 60, &started), "EC2 shows it");
    world.region(IRELAND).copies.clear();
    assert!(!invoke(&mut memory, &mut world, 120, &started), "EC2 does not show it any more");
    assert!(!invoke(&mut memory, &mut world, 599, &started));
    assert!(invoke(&mut memory, &mut world, 600, &started), "it is gone");
}

#[test]
fn a_lost_answer_is_remembered_and_a_refusal_is_not() {
    let lost = Outcome::Deferred(Deferral::AnswerLost(error("Timeout")));
    let refused = Outcome::Failed { reason: CopyFailed::CallRefused, remedy: "", error: error("Code") };
    for (outcome, again) in [(lost, [false, true]), (refused, [true, true])] {
        let (mut memory, mut world) = (Memory::default(), event());
        world.shows([source(1)]);
        assert!(invoke(&mut memory, &mut world, 0, &outcome));
        assert_eq!([29, 60].map(|seconds| invoke(&mut memory, &mut world, seconds, &outcome)), again);
    }
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
