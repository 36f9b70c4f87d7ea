//! What is shared of databases, whether RDS can copy it as the policy wants it, and whether there is room for the copies.

use std::collections::BTreeMap;

use snapferry_core::copying::{CopyRequest, Obstacle, not_for, obstacle};
use snapferry_core::facts::{CallError, SourceSnapshot};
use snapferry_core::ids::Region;
use snapferry_core::policy::{Policy, SourceType};
use snapferry_core::rds::{Kind, Usage};

use super::rds_options;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Facts, Rds, Room};

/// From this part of the quota on there is little room: nine of ten.
const LITTLE_ROOM: (u64, u64) = (9, 10);

/// The checks of the databases; none where no policy names any.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let Some(rds) = &facts.rds else { return Vec::new() };
    let mut checks = vec![shared(facts, policies, rds)];
    checks.extend(refused(facts, policies, rds));
    checks.extend(rds_options::checks(&facts.home, wanted(policies, rds)));
    checks.extend(rds.rooms.iter().map(|((region, kind), room)| quota(facts, policies, rds, (region, *kind), room)));
    checks.push(beyond());
    checks
}

/// What each policy wants of what is shared.
fn wanted<'f>(policies: &'f [Policy], rds: &'f Rds) -> impl Iterator<Item = (&'f Policy, &'f SourceSnapshot)> {
    let shared = || rds.shared.iter().flatten();
    policies.iter().flat_map(move |policy| {
        shared().filter(|source| not_for(policy, source).is_none()).map(move |source| (policy, source))
    })
}

fn shared(facts: &Facts, policies: &[Policy], rds: &Rds) -> Check {
    let (check, home) = ("database-share", &facts.home);
    match &rds.shared {
        Err(error) => Check::unread(check, home, error),
        Ok(shared) if shared.is_empty() => Check::unknown(check, home, "no owner of an enabled policy shares a snapshot of a database here")
            .remedy(format!(
                "In a source account: share a manual snapshot with {} (aws rds modify-db-snapshot-attribute --attribute-name \
                 restore); RDS shares neither automated ones nor those under aws/rds, nor those with TDE or persistent options.",
                facts.account
            )),
        Ok(shared) if wanted(policies, rds).next().is_none() => {
            let message = format!("shared by the policy's owners: {}; none is wanted", shared.len());
            Check::unknown(check, home, message).remedy(
                "Compare the policy's SourceTypes and DatabaseFilter with what is shared: aws rds describe-db-snapshots (or \
                 describe-db-cluster-snapshots) --snapshot-type shared shows names and engines.",
            )
        }
        Ok(shared) => {
            let message = format!("shared by the policy's owners: {}; wanted: {}", shared.len(), wanted(policies, rds).count());
            Check::pass(check, home, message)
        }
    }
}

/// What RDS cannot copy as the policy wants it: a check for each obstacle and Region, with an example.
fn refused(facts: &Facts, policies: &[Policy], rds: &Rds) -> Vec<Check> {
    let mut found: BTreeMap<(&Region, &'static str), (Obstacle, usize, &str)> = BTreeMap::new();
    for (policy, source) in wanted(policies, rds) {
        for target in &policy.targets {
            let (name, filter, home) = (&policy.name, &policy.description, &facts.home);
            let Some(obstacle) = obstacle(&CopyRequest { policy: name, filter, source, home, target }) else {
                continue;
            };
            let example = (obstacle, 0, source.arn().unwrap_or_default());
            found.entry((&target.region, obstacle.reason().name())).or_insert(example).1 += 1;
        }
    }
    let check = |((region, _), (obstacle, count, example)): ((&Region, _), (Obstacle, usize, &str))| {
        Check::fail(
            "database-copyable",
            region,
            format!("RDS cannot copy {count} as the policy wants it, such as {example}"),
        )
        .remedy(obstacle.problem())
    };
    found.into_iter().map(check).collect()
}

/// RDS says of a quota that is used up what it says of a Region that is busy: better to be told before.
fn quota(
    facts: &Facts,
    policies: &[Policy],
    rds: &Rds,
    (region, kind): (&Region, Kind),
    room: &Result<Room, CallError>,
) -> Check {
    let (check, what) = ("database-quota", name(kind));
    let subject = format!("{region} {what}");
    let Room { usage: Usage { used, max }, copied } = match room {
        Ok(room) => room,
        Err(error) => return Check::unread(check, subject, error),
    };
    // Of what is older than its copies are kept a sweep copies no more than the newest.
    let is_due = |policy: &Policy, source: &SourceSnapshot| {
        policy.target(region).is_some_and(|target| {
            let (name, filter) = (&policy.name, &policy.description);
            let request = CopyRequest { policy: name, filter, source, home: &facts.home, target };
            !request.is_over_retention(facts.now)
        })
    };
    let missing = wanted(policies, rds).filter(|(policy, source)| {
        is_of(source, kind) && is_due(policy, source) && !copied.contains(&(policy.name.clone(), source.id.clone()))
    });
    let missing = u64::try_from(missing.count()).unwrap_or(u64::MAX);
    let message = format!("manual snapshots: {used} of {max}; to be copied: {missing}");
    let remedy = format!(
        "Ask for a higher quota of manual {what} in {region} (Service Quotas, Amazon RDS), or delete some that are not Snapferry's."
    );
    if used.saturating_add(missing) > *max {
        Check::fail(check, subject, message).remedy(remedy)
    } else if used.saturating_mul(LITTLE_ROOM.1) >= max.saturating_mul(LITTLE_ROOM.0) {
        Check::unknown(check, subject, message).remedy(remedy)
    } else {
        Check::pass(check, subject, message)
    }
}

fn is_of(source: &SourceSnapshot, kind: Kind) -> bool {
    source.source_type() == kind.source_type()
}

fn name(kind: Kind) -> &'static str {
    match kind.source_type() {
        SourceType::DbClusterSnapshot => "DB cluster snapshots",
        SourceType::DbSnapshot | SourceType::EbsSnapshot => "DB snapshots",
    }
}

/// What nobody sees from here.
fn beyond() -> Check {
    Check::unknown(
        "database-copy",
        "",
        "RDS has no DryRun: whether the role, both keys and the service control policies allow a copy shows with the first one",
    )
    .remedy(
        "RDS calls the home Region for the role, so whatever denies Regions (aws:RequestedRegion) has to allow it and the \
         target.",
    )
}
