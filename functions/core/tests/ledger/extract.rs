//! What is told of the ledger to those who only look.

use jiff::{SignedDuration, Timestamp};
use snapferry_core::ids::{PolicyName, Region, SnapshotId};
use snapferry_core::ledger::{End, Entry, Extract, HOLD, Identity, Obligation, Owed, State, Wait};

use crate::world::{HOUR, MINUTE, at, id, owed, region, with};

fn ended(why: End) -> Obligation {
    with(State::Ended { at: at(0), why, copy: None })
}

fn told(obligation: &Obligation) -> Owed {
    Owed::new(obligation, at(HOUR)).unwrap()
}

/// A database's snapshot has its ARN for a name, and RDS is who is waited for.
#[test]
fn a_database_is_told_of_by_what_rds_calls_it() {
    let arn = "arn:aws:rds:us-east-1:111111111111:snapshot:nightly";
    let of = |state| told(&Obligation { arn: Some(arn.into()), ..with(state) });
    let asked = of(State::Asked { at: at(0) });
    assert_eq!((asked.name(), told(&owed()).name()), (arn, owed().identity.source.as_str()));
    assert_eq!(
        asked.to_string(),
        "It was asked for at 2026-11-22T12:00:00Z; without RDS's answer its copy is looked for until 2026-11-22T12:10:00Z."
    );
    let copying = of(State::Copying { copy: id(9), at: at(0) });
    assert_eq!(copying.to_string(), "It is being copied since 2026-11-22T12:00:00Z, without a verdict yet.");
}

#[test]
fn each_state_says_what_it_waits_for_and_until_when() {
    let delayed = |refused, failed| Obligation { refused, failed, ..with(State::Delayed { since: at(0) }) };
    for (obligation, name, until, copy, said) in [
        (owed(), "in-line", None, None, "It stands in the Region's line and waits for its turn."),
        (
            delayed(8, 0),
            "delayed",
            Some(at(HOUR)),
            None,
            "EC2 refused its copy, or its key cannot encrypt: it is asked for again after 2026-11-22T13:00:00Z, behind those that were not refused and did not \
             fail.",
        ),
        (
            delayed(0, 2),
            "delayed",
            Some(at(15 * MINUTE)),
            None,
            "Its copy failed: it is asked for again after 2026-11-22T12:15:00Z, behind those that were not refused and did not \
             fail.",
        ),
        (
            delayed(1, 3),
            "delayed",
            Some(at(HOUR)),
            None,
            "Its copy failed, and another was refused since: it is asked for again after 2026-11-22T13:00:00Z, behind those that were not refused and did not \
             fail.",
        ),
        (
            Obligation { put_off: 2, ..delayed(1, 3) },
            "delayed",
            Some(at(HOUR)),
            None,
            "EC2 did not show the snapshot, or as not completed, or KMS did not answer for its key: it is asked for again after \
             2026-11-22T13:00:00Z, behind those that were not refused and did not fail.",
        ),
        (
            with(State::Asked { at: at(0) }),
            "asked",
            Some(at(0) + HOLD),
            None,
            "It was asked for at 2026-11-22T12:00:00Z; without EC2's answer its copy is looked for until 2026-11-22T12:10:00Z.",
        ),
        (
            with(State::Copying { copy: id(9), at: at(0) }),
            "copying",
            None,
            Some(id(9)),
            "It is being copied as snap-00000009 since 2026-11-22T12:00:00Z, without a verdict yet.",
        ),
        (
            ended(End::Missed),
            "missed",
            None,
            None,
            "Two sweeps did not see the snapshot, which was told at 2026-11-22T12:00:00Z: it went before there was a good copy.",
        ),
    ] {
        let told = told(&obligation);
        assert_eq!((told.wait.as_str(), told.wait.until(), told.wait.copy()), (name, until, copy.as_ref()));
        assert_eq!(told.to_string(), said);
        assert_eq!((told.since, told.start), (obligation.wanted, obligation.start));
        assert_eq!((told.refused, told.failed), (obligation.refused, obligation.failed));
        assert_eq!(told.is_missed(), name == "missed");
    }
}

#[test]
fn what_the_last_sweep_did_not_see_says_so_until_it_is_missed() {
    let gone = |obligation| told(&Obligation { gone: Some("round".to_owned()), ..obligation }).to_string();
    assert!(
        gone(owed()).ends_with(" The last sweep did not see the snapshot; if the next does not either, it is missed.")
    );
    assert!(!gone(ended(End::Missed)).contains("the next"));
}

#[test]
fn edited_times_are_told_as_now_and_in_whole_seconds() {
    let now = at(0) + SignedDuration::from_millis(1500);
    let never = Timestamp::MAX;
    for state in [State::Owed, State::Delayed { since: never }, State::Asked { at: never }] {
        let told = Owed::new(&Obligation { wanted: never, start: never, refused: 1, ..with(state) }, now).unwrap();
        assert_eq!((told.since, told.start), (at(1), at(1)));
        let until = match told.wait {
            Wait::InLine => None,
            Wait::Delayed { .. } => Some(at(1 + MINUTE)),
            _ => Some(at(1) + HOLD),
        };
        assert_eq!(told.wait.until(), until);
    }
}

#[test]
fn an_extract_finds_each_identity_in_whatever_order_it_came() {
    let (policies, regions) = (["nightly", "weekly"], [region(), Region::parse("us-east-2").unwrap()]);
    let identity = |policy: &str, region: &Region, source: SnapshotId| Identity {
        policy: PolicyName::parse(policy).unwrap(),
        source,
        region: region.clone(),
    };
    let mut extract = Extract::default();
    for number in (0..20).rev() {
        for policy in policies {
            let of = |obligation| Obligation { identity: identity(policy, &regions[0], id(number)), ..obligation };
            let wanted = at(-i64::from(number));
            let obligation = match number % 4 {
                0 => of(owed()),
                1 => of(ended(End::Protected)),
                2 => of(ended(End::Missed)),
                _ => of(ended(End::Withdrawn)),
            };
            extract.add(&Obligation { wanted, ..obligation }, at(HOUR));
        }
    }
    let extract = extract.close();
    for policy in policies {
        for number in 0..20 {
            let policy = PolicyName::parse(policy).unwrap();
            let found = extract.of(&policy, &regions[0], id(number).as_str());
            match (number % 4, found) {
                (0 | 2, Some(Entry::Owed(owed))) => assert_eq!(owed.source, id(number)),
                (1, Some(Entry::Protected(_))) | (3, None) => {}
                other => panic!("{other:?}"),
            }
            assert!(found.is_none_or(|found| found.wanted() == at(-i64::from(number))));
            assert_eq!(extract.of(&policy, &regions[1], id(number).as_str()), None);
        }
    }
    let all: Vec<_> = extract.owed().map(|(policy, _, owed)| (policy.as_str(), owed.source.clone())).collect();
    let expected = policies.iter().flat_map(|policy| (0..20).step_by(2).map(move |number| (*policy, id(number))));
    assert_eq!(all, expected.collect::<Vec<_>>());
}
