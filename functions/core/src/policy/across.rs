//! What the members of a document say of each other, whichever policies they belong to: all are one stack's.

use super::checked::Placed;
use super::path::{Path, Problem, quoted};
use super::target::Target;

/// Checks all policies of a document together.
pub(super) fn check(placed: &[Placed]) -> Result<(), Problem> {
    one_partition(placed)
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
