//! Items that somebody edited: any member to any value, or taken from its place.

use jiff::Timestamp;
use proptest::prelude::*;
use snapferry_core::facts::Copy;
use snapferry_core::ledger::{By, End, HOLD, LAST_REVISION, Obligation, Place, State, place};

use crate::world::{Do, HOUR, MINUTE, Wish, account, at, copy, id, owed, source, volume};

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::UNIX_EPOCH),
        Just("2099-01-01T00:00:00Z".parse::<Timestamp>().unwrap()),
        Just(Timestamp::MAX),
        (-48 * HOUR..48 * HOUR).prop_map(at),
    ]
}

fn any_state() -> impl Strategy<Value = State> {
    let why = prop_oneof![Just(End::Protected), Just(End::Missed), Just(End::Withdrawn)];
    let copy = prop::option::of((1u32..20).prop_map(id));
    prop_oneof![
        Just(State::Owed),
        any_time().prop_map(|since| State::Delayed { since }),
        any_time().prop_map(|at| State::Asked { at }),
        (1u32..20, any_time()).prop_map(|(copy, at)| State::Copying { copy: id(copy), at }),
        (any_time(), why, copy).prop_map(|(at, why, copy)| State::Ended { at, why, copy }),
    ]
}

fn any_item() -> impl Strategy<Value = Obligation> {
    let count = || prop_oneof![0u32..9, Just(u32::MAX)];
    let who = (1u32..4, 1u32..4, any_time(), any_time(), any::<bool>());
    let counts = (count(), count(), count(), prop_oneof![0u64..9, Just(LAST_REVISION)]);
    (who, any_state(), counts, prop::option::of("[a-z]{1,3}")).prop_map(
        |((owner, lineage, start, wanted, is_event), state, (generation, refused, failed, revision), gone)| {
            Obligation {
                account: account(owner),
                lineage: volume(lineage),
                start,
                by: if is_event { By::Event } else { By::Sweep },
                wanted,
                generation,
                state,
                refused,
                failed,
                gone,
                revision,
                ..owed()
            }
        },
    )
}

/// What a sweep makes of the item of a source that it sees, whose place it puts back: what it does not know is owed, what is over
/// is wanted again, a copy that is nowhere is asked for again.
fn swept(item: Obligation, copies: &[Copy], now: Timestamp) -> Obligation {
    let mut item = item.repaired_by(&source(), &volume(1), now).unwrap_or(item);
    item = item.seen().unwrap_or(item);
    let is_hidden = |copy: &Copy| item.copy() == Some(&copy.id);
    if !copies.iter().any(is_hidden) {
        item = item.vanished(now).unwrap_or(item);
    }
    let is_old = matches!(item.state, State::Ended { at, .. } if at.checked_add(HOLD).unwrap_or(at) <= now);
    if is_old && copies.is_empty() { item.wanted_again(By::Sweep, now).unwrap_or(item) } else { item }
}

/// Whether the line shows it as due: in the fresh line of the account that owns the source, or in front of what is due.
fn is_shown(item: &Obligation, now: Timestamp) -> bool {
    let Some(Place { line, order }) = place(item) else { return false };
    let (region, policy) = (&item.identity.region, &item.identity.policy);
    let delayed = [Place::delayed(region, &source().owner, policy), Place::asked(region)];
    line == Place::fresh(region, &source().owner, policy) || (delayed.contains(&line) && order < Place::due_at(now))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_edited_item_delays_its_copy_by_more_than_a_day(item in any_item()) {
        let (wish, mut item, mut now) = (Wish::new(), item, 0);
        loop {
            prop_assert!(now <= 24 * HOUR, "not asked for within a day: {item:?}");
            if now % (15 * MINUTE) == 0 {
                item = swept(item, &[], at(now));
            }
            if is_shown(&item, at(now)) && wish.judge(&[], Some(&item), at(now)) == Do::Ask && item.asked(at(now)).is_some() {
                break;
            }
            now += MINUTE;
        }
    }

    #[test]
    fn no_edited_item_makes_a_second_copy(item in any_item(), status_known in any::<bool>()) {
        let wish = Wish::new();
        let mut copies = [copy(9)];
        if status_known {
            copies[0].state = snapferry_core::facts::State::Completed;
            copies[0].status = Some(snapferry_core::tags::Status::Verified);
        }
        let mut item = item;
        for minutes in 0..3 * 60 {
            if minutes % 15 == 0 {
                item = swept(item, &copies, at(minutes * MINUTE));
            }
            prop_assert_eq!(wish.judge(&copies, Some(&item), at(minutes * MINUTE)), Do::Believe(id(9)));
        }
    }

    #[test]
    fn what_is_repaired_needs_no_repair_and_is_the_next_revision(item in any_item()) {
        let now = at(0);
        if let Some(repaired) = item.repaired_by(&source(), &volume(1), now) {
            prop_assert_eq!(repaired.revision, item.revision + 1);
            prop_assert_eq!(&repaired.identity, &item.identity);
            prop_assert_eq!(repaired.repaired_by(&source(), &volume(1), now), None);
            prop_assert!(repaired.wanted <= at(5 * MINUTE) && repaired.wanted >= source().start_time);
        }
        prop_assert!(item.repaired(now).is_none_or(|repaired| repaired.repaired(now).is_none()));
    }
}

#[test]
fn what_nobody_edited_needs_no_repair() {
    let ahead = State::Asked { at: at(5 * MINUTE) };
    for state in [State::Owed, State::Delayed { since: at(0) }, ahead, State::Copying { copy: id(9), at: at(-HOUR) }] {
        let obligation = Obligation { state, ..owed() };
        assert_eq!(obligation.repaired_by(&source(), &volume(1), at(0)), None, "{obligation:?}");
    }
}
