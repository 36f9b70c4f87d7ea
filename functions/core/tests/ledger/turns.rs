//! Whose turn it is.

use snapferry_core::ledger::Turn;

use crate::world::{MINUTE, account, at, owed};

#[test]
fn who_never_had_a_turn_comes_first_then_who_had_it_longest_ago() {
    let tried = |number, seconds: Option<i64>| Turn { tried: seconds.map(at), ..Turn::new(account(number), at(0)) };
    let mut turns = [
        tried(1, Some(-5)),
        tried(2, None),
        tried(3, Some(-50)),
        tried(4, Some(99)),
        tried(5, Some(0)),
        tried(6, None),
        tried(7, Some(1000 * MINUTE)),
    ];
    turns.sort_by(|a, b| a.order(at(0)).cmp(&b.order(at(0))));
    let order: Vec<&str> = turns.iter().map(|turn| turn.account.as_str()).collect();
    // The fourth's time is one of a clock that is a little ahead, the seventh's of none: as the last each time it would never have
    // its turn again.
    let expected = [2, 6, 7, 3, 1, 5, 4].map(|number| account(number).to_string());
    assert_eq!(order, expected);
}

#[test]
fn who_comes_stands_behind_those_who_wait() {
    let waits = Turn { tried: Some(at(-1)), ..Turn::new(account(1), at(-50)) };
    let comes = Turn::new(account(2), at(0));
    assert!(waits.order(at(0)) < comes.order(at(0)));
    // It does not fall behind by adding more, nor behind who had a turn since.
    let adds = comes.added(at(60)).unwrap();
    assert!(adds.order(at(90)) < waits.tried(None, at(61)).order(at(90)));
}

#[test]
fn a_try_is_a_turn_and_remembers_the_lineage() {
    let turn = Turn::new(account(1), at(0)).tried(Some(&owed()), at(5));
    assert_eq!((turn.tried, turn.lineage.as_deref(), turn.revision), (Some(at(5)), Some("vol-00000001"), 1));
    let nothing = turn.tried(None, at(9));
    assert_eq!((nothing.tried, nothing.lineage.as_deref()), (Some(at(9)), Some("vol-00000001")));
}

#[test]
fn an_addition_is_noted_once_in_half_a_minute_and_keeps_the_turn_for_a_minute() {
    let turn = Turn::new(account(1), at(0));
    assert_eq!([0, 29].map(|seconds| turn.added(at(seconds))), [None, None]);
    assert_eq!(turn.added(at(30)).map(|turn| (turn.added, turn.revision)), Some((at(30), 1)));
    assert_eq!([0, MINUTE, MINUTE + 1].map(|seconds| turn.may_go(at(seconds))), [false, false, true]);
    // A clock that was off holds nothing for long: what lies in the future is noted anew, and may go.
    let ahead = Turn::new(account(1), at(1000 * MINUTE));
    assert!(ahead.added(at(0)).is_some() && ahead.may_go(at(0)));
}
