//! What the members of a document say of each other, whichever policies they belong to: all are one stack's.

use super::document::Placed;
use super::error::{Warning, Warnings};
use super::path::{Path, Problem, quoted};
use super::target::{Encryption, Target};
use crate::audit::PolicyWarning;

/// Checks all policies of a document together.
pub(super) fn check(placed: &[Placed], warnings: &mut Vec<Warning>) -> Result<(), Problem> {
    one_partition(placed)?;
    keys_of_sources(placed, warnings);
    Ok(())
}

/// Copies are there for the day on which a source account is lost or hostile: it must not hold the key to them.
fn keys_of_sources(placed: &[Placed], all: &mut Vec<Warning>) {
    let is_source = |account: &str| placed.iter().any(|placed| placed.policy.owners.contains(account));
    for Placed { policy, places } in placed {
        let mut warnings = Warnings { policy: &policy.name, all };
        for (target, place) in policy.targets.iter().zip(places) {
            if let Encryption::Key(key) = &target.encryption
                && is_source(key.account())
            {
                let message = format!(
                    "a key of {}, which is a SnapshotOwner: that source account could disable or delete the key, and with it \
                     every copy; name a key of the target account",
                    key.account()
                );
                let path = place.member("EncryptionConfiguration").member("CmkArn");
                warnings.add(&path, PolicyWarning::KeyOfSource, message);
            }
        }
    }
}

/// Nothing can be copied from one partition of AWS to another, neither by a policy nor by a stack.
fn one_partition(placed: &[Placed]) -> Result<(), Problem> {
    let Some((first, _)) = targets(placed).next() else { return Ok(()) };
    let partition = first.region.partition();
    match targets(placed).find(|(target, _)| target.region.partition() != partition) {
        None => Ok(()),
        Some((target, place)) => {
            let message = format!(
                "{} is in the partition {}, but the first Target {} is in the partition {partition}, and no snapshot can \
                 be copied from one partition to another",
                quoted(target.region.as_str()),
                target.region.partition(),
                first.region
            );
            Err(place.member("Target").wrong(message, format!("Regions of the partition {partition}")))
        }
    }
}

fn targets(placed: &[Placed]) -> impl Iterator<Item = (&Target, &Path)> {
    placed.iter().flat_map(|Placed { policy, places }| policy.targets.iter().zip(places))
}
