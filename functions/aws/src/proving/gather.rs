//! Finds the verified copies of which nothing is proven yet, and the sources that they may be compared with.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::policy::{Policy, ProofRule};
use snapferry_core::proving::{Incomparable, comparable, due};
use snapferry_core::tags::{self, Status};

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::reads::{by_id, filter, for_each_own_copy, with_timeout};

/// How many copies a Region keeps in mind: more than a run can prove, in few megabytes.
const MOST: usize = 1000;

/// A copy that is to be proven.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its Region.
    pub region: Region,
    /// The copy.
    pub copy: DescribedCopy,
    /// What its policy asks for.
    pub rule: ProofRule,
}

/// What is looked for, where.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'s> {
    /// The policies.
    pub policies: &'s [Policy],
    /// The Regions whose copies are proven.
    pub regions: &'s BTreeSet<Region>,
    /// This account.
    pub account: Option<&'s AccountId>,
}

/// The copies that are to be proven, the newest first: their sources are the likeliest to be shared still. Besides, the Regions
/// that could not be read.
pub async fn gather(
    clients: &Clients,
    sought: Sought<'_>,
    deadline: Deadline,
) -> (Vec<Candidate>, Vec<(Region, CallError)>) {
    let time = deadline.reading_time();
    let reads =
        sought.regions.iter().map(async |region| (region, with_timeout(time, read(clients, sought, region)).await));
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for (region, read) in join_all(reads).await {
        match read {
            Ok(candidates) => found.extend(candidates),
            Err(error) => unread.push((region.clone(), error)),
        }
    }
    found.sort_by(newest_first);
    (found, unread)
}

async fn read(clients: &Clients, sought: Sought<'_>, region: &Region) -> Result<Vec<Candidate>, CallError> {
    let verified = vec![filter(&format!("tag:{}", tags::STATUS), [Status::Verified.as_str()])];
    let mut found = Vec::new();
    let keep = |copy: DescribedCopy| {
        if let Some(rule) = due(sought.policies, &clients.homes, sought.account, region, &copy) {
            found.push(Candidate { region: region.clone(), copy, rule });
            if found.len() >= 2 * MOST {
                found.sort_by(newest_first);
                found.truncate(MOST);
            }
        }
    };
    for_each_own_copy(clients, region, verified, keep).await?;
    Ok(found)
}

fn newest_first(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    (b.copy.start_time, &a.copy.id).cmp(&(a.copy.start_time, &b.copy.id))
}

/// Whether a copy's source is there to be compared with.
///
/// # Errors
/// When EC2 did not answer.
pub async fn source_of(clients: &Clients, copy: &DescribedCopy) -> Result<Result<(), Incomparable>, CallError> {
    if copy.tags.source_region.as_ref() != Some(&clients.home) {
        return Ok(Err(Incomparable::Region));
    }
    let ids: Vec<_> = copy.tags.source_snapshot.iter().cloned().collect();
    let shown = by_id(clients, &ids).await?;
    Ok(comparable(&clients.home, copy, shown.snapshots.first()))
}
