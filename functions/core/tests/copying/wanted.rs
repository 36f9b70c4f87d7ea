//! Since when what is not protected is so: since it is wanted, where the ledger says so.

use jiff::Timestamp;
use snapferry_core::copying::decide;
use snapferry_core::facts::{Copy, State};
use snapferry_core::ledger::{self, End, Obligation};
use snapferry_core::tags::Status;

use crate::world::{HOUR, IRELAND, OHIO, ago, asked, copy, copying, now, owed, source, sweep};

/// Since when snapshot 1 is not protected in Ireland, with what the ledger says, and the copies there.
fn since(obligation: Option<Obligation>, copies: impl IntoIterator<Item = Copy>) -> Option<Timestamp> {
    let mut world = sweep();
    world.shows([source(1)]).has(OHIO, [copy(9, 1)]).has(IRELAND, copies);
    if let Some(obligation) = obligation {
        world.owes(obligation);
    }
    decide(&world.policies, &world.facts, now()).counted().total().unprotected_since.or_else(|| {
        let plan = decide(&world.policies, &world.facts, now());
        plan.decisions.iter().find_map(|decision| decision.stands).map(|stands| stands.since)
    })
}

#[test]
fn what_is_not_protected_is_so_since_it_is_wanted() {
    let pending = || Copy { state: State::Pending, status: Some(Status::Copying), start_time: ago(60), ..copy(1, 1) };
    let failed = || Copy { state: State::Error, ..copy(2, 1) };
    let wanted = Some(ago(HOUR / 2));
    let over = |why| Obligation { state: ledger::State::Ended { at: ago(HOUR / 4), why, copy: None }, ..owed(1) };
    assert_eq!(since(None, []), Some(ago(HOUR)), "nobody knows: since the source was started");
    assert_eq!(since(None, [pending()]), Some(ago(60)), "nobody knows: since its first copy was started");
    for (what, obligation, copies, expected) in [
        ("owed", owed(1), vec![], wanted),
        ("its copy failed", owed(1), vec![failed()], wanted),
        ("asked for", asked(1, 5), vec![], wanted),
        ("under way and not shown", copying(1, 1, 5), vec![], wanted),
        ("under way", copying(1, 1, 60), vec![pending()], wanted),
        ("under way once more", copying(1, 1, 60), vec![pending(), failed()], wanted),
        ("over, and its copy lost", over(End::Protected), vec![failed()], Some(ago(HOUR / 4))),
        ("withdrawn, and wanted again", over(End::Withdrawn), vec![], Some(ago(HOUR / 4))),
    ] {
        assert_eq!(since(Some(obligation), copies), expected, "{what}");
    }
    let tomorrow = Obligation { wanted: now() + jiff::SignedDuration::from_hours(24), ..owed(1) };
    assert_eq!(since(Some(tomorrow), []), Some(now()), "a time in the future counts as now");
}
