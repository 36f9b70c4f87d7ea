//! How long an event's snapshot is looked for.

use snapferry_core::ledger::{Follow, Hint};

use crate::world::{HOUR, MINUTE, at, id};

fn hint() -> Hint {
    Hint { source: id(1), event: "e".to_owned(), wanted: at(0), since: at(0), looked: at(0), revision: 0 }
}

#[test]
fn it_is_looked_for_at_each_tick_for_an_hour_then_with_pauses_and_once_more_after_a_day() {
    let follow = |looked, now| Hint { looked: at(looked), ..hint() }.follow(at(now));
    for (looked, now, expected) in [
        (0, 0, Follow::Look),
        (HOUR - MINUTE, HOUR - 1, Follow::Look),
        (HOUR - MINUTE, HOUR, Follow::Wait),
        (HOUR, HOUR + 15 * MINUTE - 1, Follow::Wait),
        (HOUR, HOUR + 15 * MINUTE, Follow::Look),
        (24 * HOUR - MINUTE, 24 * HOUR - 1, Follow::Wait),
        (24 * HOUR - MINUTE, 24 * HOUR, Follow::Wait),
        (24 * HOUR - MINUTE, 25 * HOUR, Follow::Look),
        (48 * HOUR - MINUTE, 48 * HOUR, Follow::Wait),
        (0, 48 * HOUR, Follow::Forget),
        // Times in the future hold nothing up.
        (1000 * HOUR, 2 * HOUR, Follow::Look),
    ] {
        assert_eq!(follow(looked, now), expected, "looked at {looked}, at {now}");
    }
    assert!(!hint().is_over(at(24 * HOUR - 1)) && hint().is_over(at(24 * HOUR)));
}

#[test]
fn what_ec2_shows_as_not_completed_after_a_day_is_looked_for_for_another() {
    let on = hint().followed_on(at(24 * HOUR));
    assert_eq!((on.wanted, on.looked, on.revision), (at(0), at(24 * HOUR), 1));
    assert!(!on.is_over(at(48 * HOUR - 1)) && on.is_over(at(48 * HOUR)));
}

#[test]
fn a_hint_from_the_future_is_forgotten_a_day_after_it_was_looked_at() {
    let from_the_future = Hint { since: at(1000 * HOUR), ..hint() };
    assert_eq!(from_the_future.follow(at(0)), Follow::Look);
    let looked = from_the_future.looked(at(0));
    assert_eq!((looked.since, looked.looked, looked.revision), (at(0), at(0), 1));
    assert!(looked.is_over(at(24 * HOUR)));
    assert_eq!(looked.follow(at(48 * HOUR)), Follow::Forget);
}
