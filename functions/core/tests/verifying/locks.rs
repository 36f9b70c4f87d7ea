//! Which lock a verified copy gets, and when it has it already.

use jiff::SignedDuration;
use snapferry_core::facts::{DescribedCopy, HeldLock};
use snapferry_core::policy::LockMode;
use snapferry_core::verifying::{LockRequest, Locking, Outcome, Verdict, decide, record};

use crate::world::*;

#[test]
fn the_lock_is_todays_rule_in_days_of_the_calendar() {
    let pending = || copy(&with("snapferry:lock", "pending"));
    let governance = LockRequest { mode: LockMode::Governance, days: 28, cool_off_hours: None };
    let compliance = LockRequest { mode: LockMode::Compliance, days: 10, cool_off_hours: Some(3) };
    assert_eq!(locking(&under_key(GOVERNANCE), pending()), Locking::Lock(governance));
    assert_eq!(locking(&under_key(COMPLIANCE), pending()), Locking::Lock(compliance));
    assert_eq!(locking(&under_key(""), pending()), Locking::RuleGone);
    assert_eq!(locking(&[], pending()), Locking::RuleGone);
    assert_eq!(locking(&under_key(GOVERNANCE), copy(&tags())), Locking::None);
    assert_eq!(locking(&under_key(GOVERNANCE), copy(&with("snapferry:lock", "locked"))), Locking::None);
    let rejected = DescribedCopy { size_gib: 1, ..pending() };
    assert_eq!(locking(&under_key(GOVERNANCE), rejected), Locking::None);
}

#[test]
fn a_lock_that_is_held_already_is_recognised() {
    use LockMode::{Compliance, Governance};
    let tags = waiting_for_its_lock();
    let since = now() - SignedDuration::from_hours(24);
    let held = |mode, days| DescribedCopy {
        lock: Some(HeldLock { mode, days: Some(days), since: Some(since), until: None }),
        ..copy(&tags)
    };
    // Set with an expiration date: no duration, and perhaps not since when.
    let dated = |since: Option<jiff::Timestamp>, days: i64| DescribedCopy {
        lock: Some(HeldLock {
            mode: Compliance,
            days: None,
            since,
            until: Some(now() + SignedDuration::from_hours(24 * days)),
        }),
        ..copy(&tags)
    };
    let lock = |mode, days, cool_off_hours| Locking::Lock(LockRequest { mode, days, cool_off_hours });
    for (rule, held, expected) in [
        // A month from 30 January is 29 days, since the next one ends at the 28th.
        (GOVERNANCE, held(Governance, 29), Locking::Held(Governance)),
        (GOVERNANCE, held(Governance, 28), lock(Governance, 28, None)),
        (GOVERNANCE, held(Compliance, 29), Locking::Held(Compliance)),
        (COMPLIANCE, held(Governance, 36_500), lock(Compliance, 10, Some(3))),
        (COMPLIANCE, held(Compliance, 10), Locking::Held(Compliance)),
        (COMPLIANCE, dated(Some(since), 9), Locking::Held(Compliance)),
        (COMPLIANCE, dated(Some(since), 8), lock(Compliance, 10, Some(3))),
        (COMPLIANCE, dated(None, 10), Locking::Held(Compliance)),
        (COMPLIANCE, dated(None, 9), lock(Compliance, 10, Some(3))),
        (COMPLIANCE, copy(&tags), lock(Compliance, 10, Some(3))),
        ("", held(Governance, 29), Locking::RuleGone),
    ] {
        assert_eq!(locking(&under_key(rule), held), expected, "{rule}");
    }
}

#[test]
fn a_rule_that_is_gone_leaves_the_lock_pending_and_says_so() {
    let tags = waiting_for_its_lock();
    let facts = facts(vec![copy(&tags)]);
    let decisions = decide(&[], &facts, now());
    assert_eq!(decisions[0].verdict, Verdict::Lock(Locking::RuleGone));
    let record = record(&decisions[0], &Outcome::Stands, None, now());
    assert_eq!((record.reason.name(), record.error.unwrap().code.as_str()), ("lock-rule-gone", "LockRuleGone"));
    assert_eq!(decisions[0].notice(&Outcome::Stands).unwrap(), "lock-rule-gone eu-west-1 snap-0000c001");
}
