//! Laws over random accounts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{self, Outcome, Scope, Skip, Verdict, decide};
use snapferry_core::coverage::{Counts, Facts, Standing, cover};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, Copy, KeyFact, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::policy::RetainRule;
use snapferry_core::retention::{Interval, IntervalUnit};
use snapferry_core::tags::{Lock, Status};

use crate::world::*;

/// A source or copy by numbers that proptest chooses.
fn any_source() -> impl Strategy<Value = SourceSnapshot> {
    (1..12u32, 0..4u8, any::<bool>(), any::<bool>(), 0..9i64).prop_map(|(number, owner, nightly, completed, days)| {
        SourceSnapshot {
            owner: AccountId::parse(match owner {
                0 => OTHER,
                1 => ACCOUNT,
                _ => OWNER,
            })
            .unwrap(),
            description: if nightly { "nightly" } else { "weekly" }.into(),
            state: if completed { State::Completed } else { State::Pending },
            start_time: ago(days * DAY),
            ..source(number)
        }
    })
}

fn any_copy() -> impl Strategy<Value = Copy> {
    let status = prop_oneof![
        Just(None),
        Just(Some(Status::Copying)),
        Just(Some(Status::Verified)),
        Just(Some(Status::Failed)),
        Just(Some(Status::Rejected)),
    ];
    let state = prop_oneof![Just(State::Pending), Just(State::Completed), Just(State::Error), Just(State::Other)];
    (1..99u32, 1..14u32, 0..3u8, state, status, any::<bool>()).prop_map(
        |(number, of, policy, state, status, locked)| {
            let mut made = copy(number, of);
            of_policy(&mut made, ["nightly", "second", "of-yesterday"][usize::from(policy)]);
            (made.state, made.status, made.lock) = (state, status, (!locked).then_some(Lock::Pending));
            made
        },
    )
}

fn unique<T>(items: Vec<T>, id: impl Fn(&T) -> SnapshotId) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(id(item))).collect()
}

proptest! {
    /// The rows of shared snapshots are exactly the identities for which the copier would copy, or has copied.
    #[test]
    fn coverage_and_copier_agree(
        snapshots in proptest::collection::vec(any_source(), 0..10),
        ireland in proptest::collection::vec(any_copy(), 0..20),
        ohio in proptest::collection::vec(any_copy(), 0..20),
        since in proptest::option::of(0..9i64),
        retain in proptest::option::of((1..6u32, 0..2u32)),
    ) {
        let mut policies = policies(&[nightly("nightly", &[IRELAND, OHIO]), nightly("second", &[OHIO])]);
        for target in policies.iter_mut().flat_map(|policy| &mut policy.targets) {
            let interval = |count| Interval { count, unit: IntervalUnit::Days };
            target.retain = retain.map(|(days, keep_at_least)| RetainRule { interval: interval(days), keep_at_least });
        }
        let (ireland, ohio) = (unique(ireland, |copy| copy.id.clone()), unique(ohio, |copy| copy.id.clone()));
        let snapshots = unique(snapshots, |snapshot| snapshot.id.clone());
        let since = since.map(|days| ago(days * DAY));
        let named = snapshots.iter().map(|snapshot| event(&snapshot.id)).collect();
        let asked = copying::Facts {
            account: AccountId::parse(ACCOUNT).ok(),
            home: Region::parse("eu-central-1").unwrap(),
            scope: Scope::Sweep { since },
            named,
            snapshots: Ok(snapshots.clone()),
            regions: BTreeMap::from([
                (Region::parse(IRELAND).unwrap(), Ok(read(&ireland))),
                (Region::parse(OHIO).unwrap(), Ok(read(&ohio))),
            ]),
            retired_policies: Default::default(),
            keys: BTreeMap::<_, KeyFact>::new(),
            obligations: BTreeMap::new(),
            noticed: HashSet::new(),
        };
        let plan = decide(&policies, &asked, now());
        let mut facts = Facts { since, ..facts(snapshots, ireland) };
        facts.regions.insert(Region::parse(OHIO).unwrap(), read(&ohio));
        let coverage = cover(&policies, &facts);
        let rows: BTreeMap<(String, String, String), bool> = coverage
            .rows
            .iter()
            .filter(|row| row.is_shared())
            .map(|row| {
                let identity = (row.policy.to_string(), row.snapshot().to_owned(), row.region.to_string());
                (identity, row.is_finding())
            })
            .collect();
        let mut decided = BTreeMap::new();
        for decision in &plan.decisions {
            let (Some(policy), copying::Subject::Seen(source), Some(region)) =
                (decision.policy, decision.subject, decision.region)
            else {
                continue;
            };
            // Events name what `since` leaves out; coverage looks as the sweep does.
            if since.is_some_and(|since| source.start_time < since) {
                continue;
            }
            let live = matches!(decision.verdict, Verdict::Skip(Skip::AlreadyCopied(_) | Skip::Duplicate(_)));
            decided.insert((policy.to_string(), source.id.to_string(), region.to_string()), !live);
        }
        // What an event names is wanted whatever its age.
        prop_assert!(retain.is_some() || rows == decided, "{:?} {:?}", rows, decided);

        // A sweep's counts are the same account: what would be copied is missing where EC2 refuses to.
        let asked = copying::Facts { named: Vec::new(), ..asked };
        let mut plan = decide(&policies, &asked, now());
        plan.settle(&asked);
        prop_assert_eq!(plan.tally.over_retention, u64::try_from(coverage.over_retention).unwrap());
        let mut tally = plan.tally;
        for decision in &plan.decisions {
            tally.add(decision, &if matches!(decision.verdict, Verdict::Copy(_)) { refused() } else { Outcome::Stands });
        }
        for (region, told) in &tally.regions {
            let counts = coverage.counts.iter().filter(|((.., there), _)| *there == region).map(|(_, counts)| counts);
            let add = |(protected, in_flight, missing), counts: &Counts| {
                (protected + counts.protected, in_flight + counts.in_flight, missing + counts.findings())
            };
            let counted = counts.fold((0, 0, 0), add);
            let told = [told.protected, told.in_flight, told.missing].map(|count| usize::try_from(count).unwrap());
            prop_assert_eq!((told[0], told[1], told[2]), counted, "{}", region);
        }

        // Each copy of a known policy is spoken of by exactly one row's identity, and nothing is counted twice.
        let identities: BTreeSet<_> = coverage.rows.iter().map(|row| (row.policy, row.snapshot(), row.region)).collect();
        prop_assert_eq!(identities.len(), coverage.rows.len());
        let summed: usize = coverage.counts.values().map(|c| c.shared() + c.history + c.lost).sum();
        prop_assert_eq!(summed, coverage.rows.len());
        let protected = coverage.rows.iter().filter(|row| row.standing == Standing::Protected);
        prop_assert!(protected.into_iter().all(|row| row.copy.is_some_and(|copy| copy.is_protection())));
    }
}

fn refused() -> Outcome {
    Outcome::Failed { reason: CopyFailed::CallRefused, remedy: "", error: CallError::not_read() }
}

fn event(id: &SnapshotId) -> ShareEvent {
    ShareEvent::naming("an event", id.clone())
}
