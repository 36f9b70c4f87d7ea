//! The second look, just before a deletion, over arbitrary vaults: whatever it finds otherwise forbids.

use jiff::SignedDuration;
use proptest::prelude::*;
use snapferry_core::expiring::{Change, Deletion, decide, recheck};
use snapferry_core::facts::{Copy, State};

use crate::databases::Database;
use crate::laws::{any_vault, lifted};
use crate::world::*;

/// The same copy as somebody, EC2 or RDS has changed it meanwhile; nothing where it is gone.
fn changed(copy: &Shown) -> Vec<Option<Shown>> {
    let in_state = |state, status| {
        let database = copy.database.map(|database| Database { status, ..database });
        Some(Shown { state, database, ..copy.clone() })
    };
    // A database's copy that is made again has the same name.
    let again = Shown {
        start: copy.start + SignedDuration::from_secs(1),
        database: copy.database.map(|database| Database { is_dated: true, ..database }),
        ..copy.clone()
    };
    let edits = match copy.database {
        None => vec![("snapferry:source-volume", "vol-00000009"), ("snapferry:source-snapshot", "snap-50000009")],
        Some(_) => vec![
            ("snapferry:source-resource", "db-Z"),
            ("snapferry:source-snapshot", "nightly-9"),
            ("snapferry:source-start-time", "2026-11-22T11:00:00Z"),
            ("snapferry:attempt", "9"),
        ],
    };
    let others = [("snapferry:policy", "another"), ("snapferry:source-account", "555555555555")];
    let edits = edits.into_iter().chain(others).chain([("snapferry:source-region", "ap-south-1")]);
    let edited = edits.map(|(key, value)| Some(copy.clone().tag(key, value)));
    let owned = Shown { owner: "999999999999".to_owned(), ..copy.clone() };
    let states = [in_state(State::Pending, "copying"), in_state(State::Other, "deleting")];
    states.into_iter().chain([None, Some(again), Some(owned)]).chain(edited).collect()
}

/// What comes of it where these two are what is found of the copy and of what it goes for.
fn look(deletion: &Deletion<'_>, copy: Option<Shown>, survivor: Option<Shown>) -> Result<(), Change> {
    let found: Vec<Shown> = copy.into_iter().chain(survivor).collect();
    recheck(deletion, &vault(&found), now())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_second_look_that_differs_forbids(shown in any_vault(), keep in 0_usize..3) {
        let (policies, facts) = (keeping(keep), facts(&shown));
        let plan = decide(&policies, &facts, lifted(1000), now());
        let found = |copy: &Copy| shown.iter().find(|shown| shown.id == copy.id.as_str()).cloned();
        for deletion in &plan.deletions {
            let (copy, survivor) = (found(deletion.copy), deletion.survivor.and_then(found));
            prop_assert_eq!(look(deletion, copy.clone(), survivor.clone()), Ok(()));
            for other in changed(copy.as_ref().unwrap()) {
                prop_assert!(look(deletion, other.clone(), survivor.clone()).is_err(), "{:?} {:?}", copy, other);
            }
            for other in survivor.iter().flat_map(changed) {
                let looked = look(deletion, copy.clone(), other.clone());
                prop_assert_eq!(looked, Err(Change::SurvivorGone), "{:?} {:?}", survivor, other);
            }
        }
    }
}
