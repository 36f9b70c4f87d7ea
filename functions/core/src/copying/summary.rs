//! What a sweep says at its end. Zeros are said too: an alarm recovers by them, and a sweep that says nothing is missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{RegionCounts, Tally};
use crate::audit::{Coverage, Owner, Record, Sweep, SweepCompleted, SweepOwner, SweepRegion};
use crate::ids::{AccountId, PolicyName, Region};
use crate::kind::SourceType;
use crate::policy::{Policy, has_to_share, silent_after};

/// One sweep as it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran<'a> {
    /// The ID of its tick.
    pub id: &'a str,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2 and KMS, retries not counted.
    pub calls: u64,
    /// Whose owners may be silent for how long.
    pub policies: &'a [Policy],
    /// The hours for owners of which no policy says it; 0 is never.
    pub silent_after_hours: u32,
    /// The other kinds of snapshots of which nothing was ever seen, of owners of which nothing of this kind was.
    pub unheard: &'a BTreeMap<AccountId, BTreeSet<SourceType>>,
    /// The enabled policies that name databases where nothing copies them.
    pub unserved: &'a [PolicyName],
}

/// A record for each target Region, one for each owner, and `sweep.completed` as the last.
#[must_use]
pub fn summary(tally: &Tally, ran: Ran<'_>, now: Timestamp) -> Vec<Record> {
    let regions = tally.regions.iter().map(|(region, counts)| coverage(region, counts, now));
    let owners: Vec<Owner> =
        tally.last_heard().into_iter().map(|(account, newest)| owner(account, newest, ran, now)).collect();
    let silent = owners.iter().filter(|owner| owner.is_silent).map(|owner| owner.account.clone()).collect();
    let mut records: Vec<Record> = regions.chain(owners.into_iter().map(|owner| heard(owner, now))).collect();
    records.push(completed(tally, silent, ran, now));
    for record in &mut records {
        record.trigger = Some("sweep");
        record.trigger_id = Some(ran.id.to_owned());
    }
    records
}

fn coverage(region: &Region, counts: &RegionCounts, now: Timestamp) -> Record {
    let mut record = Record::new(SweepRegion::Counted, now);
    record.coverage = Some(Coverage {
        region: region.to_string(),
        protected: counts.protected,
        in_flight: counts.in_flight,
        missing: counts.missing,
        unknown: counts.unknown,
        unprotected: counts.unprotected(),
        oldest_unprotected_seconds: counts.unprotected_since.map(|since| age(since, now)),
    });
    record
}

fn owner(account: &AccountId, newest: Option<Timestamp>, ran: Ran<'_>, now: Timestamp) -> Owner {
    let seconds_since_newest = newest.map(|newest| age(newest, now));
    let silent_after_hours = silent_after(ran.policies, account, ran.silent_after_hours);
    let is_silent = silent_after_hours.is_some_and(|hours| match seconds_since_newest {
        Some(seconds) => seconds > i64::from(hours) * 3600,
        None => has_to_share(ran.policies, account, ran.unheard.get(account).unwrap_or(&BTreeSet::new())),
    });
    Owner { account: account.to_string(), kind: None, newest, seconds_since_newest, is_silent, silent_after_hours }
}

fn heard(owner: Owner, now: Timestamp) -> Record {
    let mut record = Record::new(if owner.newest.is_some() { SweepOwner::Seen } else { SweepOwner::NeverSeen }, now);
    record.owner = Some(owner);
    record
}

fn completed(tally: &Tally, silent_owners: Vec<String>, ran: Ran<'_>, now: Timestamp) -> Record {
    let total = tally.total();
    let heard = tally.last_heard();
    let seen = heard.values().flatten();
    let never_seen = heard.values().filter(|newest| newest.is_none()).count();
    let mut record = Record::new(SweepCompleted::Swept, now);
    record.sweep = Some(Sweep {
        id: ran.id.to_owned(),
        shared: tally.shared,
        matching: tally.matching,
        before_since: tally.before_since,
        over_retention: tally.over_retention,
        protected: total.protected,
        in_flight: total.in_flight,
        started: tally.started,
        missing: total.missing,
        unknown: total.unknown,
        unprotected: total.unprotected(),
        deferred: tally.deferred.clone(),
        refused: tally.refused.clone(),
        failed: tally.failed,
        unusable_keys: tally.unusable_keys.iter().map(|(key, reason)| (key.to_string(), *reason)).collect(),
        oldest_missing_seconds: tally.oldest_missing.map(|oldest| age(oldest, now)),
        oldest_unprotected_seconds: total.unprotected_since.map(|since| age(since, now)),
        most_silent_owner_seconds: seen.min().filter(|_| never_seen == 0).map(|newest| age(*newest, now)),
        silent_owners,
        unserved_policies: ran.unserved.iter().map(ToString::to_string).collect(),
        owners_never_seen: count(never_seen),
        owners: count(tally.owners.len()),
        duration_ms: ran.duration_ms,
        calls: ran.calls,
    });
    record
}

/// EC2's clock and this one may differ by seconds: nothing is younger than now.
fn age(since: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(since).as_secs().max(0)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
