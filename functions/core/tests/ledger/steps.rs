//! A law for each step, over every state.

use jiff::Timestamp;
use snapferry_core::ledger::{By, End, HOLD, Obligation, State, pause_after_failures, pause_after_refusals};

use crate::world::{HOUR, MINUTE, at, id, owed, with};

/// Every state, begun at `since`, by name.
fn states(since: Timestamp) -> [(&'static str, Obligation); 7] {
    let ended = |why| State::Ended { at: since, why, copy: None };
    [
        ("owed", with(State::Owed)),
        ("delayed", Obligation { refused: 3, ..with(State::Delayed { since }) }),
        ("asked", with(State::Asked { at: since })),
        ("copying", with(State::Copying { copy: id(9), at: since })),
        ("protected", with(ended(End::Protected))),
        ("missed", with(ended(End::Missed))),
        ("withdrawn", with(ended(End::Withdrawn))),
    ]
}

fn name(state: &State) -> &'static str {
    match state {
        State::Owed => "owed",
        State::Delayed { .. } => "delayed",
        State::Asked { .. } => "asked",
        State::Copying { .. } => "copying",
        State::Ended { why: End::Protected, .. } => "protected",
        State::Ended { why: End::Missed, .. } => "missed",
        State::Ended { why: End::Withdrawn, .. } => "withdrawn",
    }
}

/// What a step makes of each state begun at 0, in the order of [`states`]; `-` where it does not follow. Whatever it makes is the
/// next revision of the same identity.
fn all(step: impl Fn(&Obligation) -> Option<Obligation>) -> String {
    let after = states(at(0)).map(|(_, before)| match step(&before) {
        None => "-",
        Some(after) => {
            assert_eq!(after.revision, before.revision + 1);
            let same = |obligation: &Obligation| {
                let Obligation { identity, account, lineage, start, .. } = obligation.clone();
                (identity, account, lineage, start)
            };
            assert_eq!(same(&after), same(&before));
            name(&after.state)
        }
    });
    after.join(" ")
}

#[test]
fn a_copy_is_asked_for_when_it_is_due_and_not_before() {
    for (seconds, expected) in [
        (0, "asked - - - - - -"),
        // Refused three times: four minutes.
        (4 * MINUTE - 1, "asked - - - - - -"),
        (4 * MINUTE, "asked asked - - - - -"),
        (10 * MINUTE - 1, "asked asked - - - - -"),
        (10 * MINUTE, "asked asked asked - - - -"),
        (1000 * HOUR, "asked asked asked - - - -"),
    ] {
        assert_eq!(all(|obligation| obligation.asked(at(seconds))), expected, "{seconds} s");
    }
    assert!(matches!(owed().asked(at(7)).unwrap().state, State::Asked { at: asked } if asked == at(7)));
    // What is owed is due whatever its time says.
    assert!(Obligation { wanted: at(1000 * HOUR), ..owed() }.asked(at(0)).is_some());
}

#[test]
fn a_request_leaves_within_thirty_seconds_of_its_intent_or_after_a_new_one() {
    let asked = owed().asked(at(0)).unwrap();
    assert_eq!([-30, -29, 0, 29, 30].map(|seconds| asked.may_leave(at(seconds))), [false, true, true, true, false]);
    let again = asked.renewed(at(31)).unwrap();
    assert!(again.may_leave(at(60)) && !again.may_leave(at(61)));
    assert_eq!(all(|obligation| obligation.renewed(at(31))), "- - asked - - - -");
    assert!(states(at(0)).iter().all(|(name, each)| each.may_leave(at(0)) == (*name == "asked")));
}

#[test]
fn an_answer_makes_it_copying_or_sends_it_back() {
    assert_eq!(all(|obligation| obligation.copying(id(5), at(1))), "copying copying copying - - - -");
    let copying = Obligation { refused: 7, failed: 2, gone: Some("r".to_owned()), ..with(State::Asked { at: at(0) }) }
        .copying(id(5), at(1))
        .unwrap();
    assert_eq!((copying.copy(), copying.refused, copying.failed, &copying.gone), (Some(&id(5)), 0, 2, &None));

    assert_eq!(all(|obligation| obligation.refused(at(1))), "delayed delayed delayed - - - -");
    let refused = Obligation { refused: 7, ..with(State::Asked { at: at(0) }) }.refused(at(1)).unwrap();
    assert_eq!((refused.refused, refused.due()), (8, Some(at(1 + HOUR))));

    // A look that saw nothing is none, and is delayed as one.
    assert_eq!(all(|obligation| obligation.put_off(at(1))), "delayed delayed delayed - - - -");
    let put_off = Obligation { refused: 2, put_off: 7, ..with(State::Asked { at: at(0) }) }.put_off(at(1)).unwrap();
    assert_eq!((put_off.refused, put_off.put_off, put_off.due()), (2, 8, Some(at(1 + HOUR))));
    assert_eq!(put_off.refused(at(2)).map(|after| (after.refused, after.put_off)), Some((3, 0)));

    let (before, delayed) = (owed(), Obligation { refused: 3, ..with(State::Delayed { since: at(-5 * MINUTE) }) });
    assert_eq!(all(|obligation| obligation.not_now(&before)), "- - owed - - - -");
    let back = delayed.asked(at(0)).unwrap().not_now(&delayed).unwrap();
    assert_eq!(
        Obligation { revision: 0, ..back },
        Obligation { revision: 0, ..delayed },
        "its old place, nothing counted"
    );
}

/// A prover finds other bytes in a copy that was verified.
#[test]
fn what_was_protected_by_a_copy_of_other_bytes_is_wanted_anew_at_once() {
    assert_eq!(all(|obligation| obligation.disproved(&id(9), at(5))), "- - - delayed delayed - -");
    assert_eq!(all(|obligation| obligation.disproved(&id(8), at(5))), "- - - - delayed - -", "no copy is named there");
    let verified = |copy| State::Ended { at: at(1), why: End::Protected, copy };
    let before = Obligation { by: By::Event, generation: 2, refused: 3, ..with(verified(Some(id(9)))) };
    assert_eq!(before.disproved(&id(8), at(5)), None, "another copy protects it");
    let again = before.disproved(&id(9), at(5)).unwrap();
    let expected = (By::Event, 3, at(5), 0, 1, Some(at(5)));
    assert_eq!((again.by, again.generation, again.wanted, again.refused, again.failed, again.due()), expected);
    // Copies that come to nothing one after the other have their pauses.
    let more = Obligation { failed: 1, ..before }.disproved(&id(9), at(5)).unwrap();
    assert_eq!((more.failed, more.due()), (2, Some(at(5 + 15 * MINUTE))));
}

#[test]
fn only_the_copy_that_it_waits_for_can_fail() {
    assert_eq!(all(|obligation| obligation.failed(&id(9), at(1))), "- - - delayed - - -");
    assert_eq!(all(|obligation| obligation.failed(&id(8), at(1))), "- - - - - - -");
    let mut obligation = owed();
    // The first retry is immediate, then come pauses of 15 minutes, 1, 4 and 6 hours.
    for (n, pause) in [0, 15 * MINUTE, HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR].into_iter().enumerate() {
        obligation = obligation.asked(at(1000 * HOUR)).unwrap().copying(id(9), at(0)).unwrap();
        obligation = obligation.failed(&id(9), at(5)).unwrap();
        assert_eq!(obligation.due(), Some(at(5 + pause)), "after {} failures", n + 1);
    }
}

#[test]
fn a_copy_that_is_nowhere_is_owed_again_when_its_hold_is_over() {
    assert_eq!(all(|obligation| obligation.vanished(at(10 * MINUTE - 1))), "- - - - - - -");
    assert_eq!(all(|obligation| obligation.vanished(at(10 * MINUTE))), "- - - owed - - -");
}

#[test]
fn each_ends_once_and_what_was_asked_for_runs_to_its_verdict() {
    assert_eq!(
        all(|obligation| obligation.ended(End::Protected, at(1))),
        "protected protected protected protected - - -"
    );
    for (why, word) in [(End::Missed, "missed"), (End::Withdrawn, "withdrawn")] {
        let ended = |seconds| all(|obligation| obligation.ended(why, at(seconds)));
        assert_eq!(ended(10 * MINUTE - 1), format!("{word} {word} - - - - -"));
        assert_eq!(ended(10 * MINUTE), format!("{word} {word} {word} - - - -"));
    }
    // A copy that nobody waits for is given up after a week; one that EC2 would show, when it hides none any more.
    assert_eq!(
        all(|obligation| obligation.ended(End::Withdrawn, at(7 * 24 * HOUR))),
        "withdrawn withdrawn withdrawn withdrawn - - -"
    );
    let given_up = |is_read, seconds| {
        all(|obligation| {
            let given_up = obligation.is_given_up(is_read, at(seconds));
            if given_up { obligation.ended(End::Withdrawn, at(seconds)) } else { None }
        })
    };
    for (is_read, seconds, expected) in [
        (true, 10 * MINUTE - 1, "- - - - - - -"),
        (true, 10 * MINUTE, "- - withdrawn - - - -"),
        (false, 7 * 24 * HOUR - 1, "- - - - - - -"),
        (true, 7 * 24 * HOUR - 1, "- - withdrawn - - - -"),
        (false, 7 * 24 * HOUR, "- - withdrawn withdrawn - - -"),
    ] {
        assert_eq!(given_up(is_read, seconds), expected, "{is_read} {seconds}");
    }
    let protected = with(State::Copying { copy: id(9), at: at(0) }).ended(End::Protected, at(1)).unwrap();
    assert_eq!((protected.named(), protected.copy()), (Some(&id(9)), None));
    assert_eq!(owed().ended(End::Missed, at(1)).unwrap().named(), None);
}

/// A Region that cannot be read may show that it is good again.
#[test]
fn one_that_had_a_copy_has_no_end_while_its_region_cannot_be_read() {
    let back = Obligation { generation: 1, ..owed() };
    let lost_its_key = Obligation { failed: 1, ..owed() };
    let week = 7 * 24 * HOUR;
    for (obligation, is_read, seconds, expected) in [
        (&back, false, 0, true),
        (&back, false, week - 1, true),
        (&back, false, week, false),
        (&back, true, 0, false),
        (&lost_its_key, false, 0, true),
        (&owed(), false, 0, false),
    ] {
        assert_eq!(obligation.may_be_protected(is_read, at(seconds)), expected, "{is_read} {seconds}");
    }
}

#[test]
fn an_end_is_claimed_before_it_is_told_and_anew_when_its_claim_is_old() {
    assert_eq!(all(|obligation| obligation.ending(End::Missed, at(1))), "owed delayed - - - - -");
    let claimed = owed().ending(End::Missed, at(0)).unwrap();
    assert_eq!((claimed.ending, claimed.revision), (Some(at(0)), 1));
    assert_eq!(claimed.ending(End::Missed, at(10 * MINUTE - 1)), None, "another's");
    assert_eq!(claimed.ending(End::Withdrawn, at(10 * MINUTE)).unwrap().ending, Some(at(10 * MINUTE)));
    // A look that sees nothing leaves it; what shows that it goes on does not.
    assert_eq!(claimed.put_off(at(1)).unwrap().ending, claimed.ending);
    for after in [claimed.asked(at(1)), claimed.ended(End::Missed, at(1)), claimed.refused(at(1))] {
        assert_eq!(after.unwrap().ending, None);
    }
    let edited = Obligation { ending: Some(at(24 * HOUR)), ..owed() };
    assert_eq!(edited.repaired(at(0)).unwrap().ending, Some(at(0)));
}

#[test]
fn wanted_again_is_a_generation_of_its_own() {
    assert_eq!(all(|obligation| obligation.wanted_again(By::Event, at(9))), "- - - - owed owed owed");
    let ended = Obligation {
        refused: 9,
        failed: 9,
        generation: 3,
        ..with(State::Ended { at: at(0), why: End::Missed, copy: None })
    };
    let again = ended.wanted_again(By::Event, at(9)).unwrap();
    let Obligation { by, wanted, generation, refused, failed, gone, .. } = again;
    assert_eq!((by, wanted, generation, refused, failed, gone), (By::Event, at(9), 4, 0, 0, None));
}

#[test]
fn a_source_is_missed_after_two_rounds_that_did_not_see_it() {
    assert_eq!(all(|obligation| obligation.gone_in("first")?.ok()), "owed delayed - - - - -");
    let once = owed().gone_in("first").unwrap().unwrap();
    assert_eq!(once.gone_in("first"), None, "the same round once more");
    assert_eq!(once.gone_in("second"), Some(Err(())));
    let seen = once.seen().unwrap();
    assert_eq!((seen.gone.clone(), seen.revision, seen.seen()), (None, 2, None));
    assert!(matches!(seen.gone_in("second"), Some(Ok(_))));
}

#[test]
fn pauses_grow_to_an_hour_for_refusals_and_to_six_for_failures() {
    let minutes = |pause: jiff::SignedDuration| pause.as_mins();
    let refusals = [0, 1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|n| minutes(pause_after_refusals(n)));
    assert_eq!(refusals, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
    let failures = [0, 1, 2, 3, 4, 5, u32::MAX].map(|n| minutes(pause_after_failures(n)));
    assert_eq!(failures, [0, 0, 15, 60, 240, 360, 360]);
    assert_eq!(HOLD.as_mins(), 10);
    // The longer one counts.
    let both = Obligation { refused: 1, failed: 3, ..with(State::Delayed { since: at(0) }) };
    assert_eq!(both.due(), Some(at(HOUR)));
}
