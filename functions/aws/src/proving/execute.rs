//! Writes what a proof found to the copy's tags. It chooses nothing.

use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::proving::Finding;

use super::gather::Candidate;
use crate::clients::Clients;
use crate::writes;

/// What EC2 said to the tags.
pub type Outcome = Result<(), CallError>;

/// Writes a finding's tags, all in one call; none where it has none.
///
/// # Errors
/// When EC2 refused, or did not say that they are set.
pub async fn settle(clients: &Clients, candidate: &Candidate, finding: &Finding) -> Outcome {
    let tags = finding.tags(&candidate.copy, Timestamp::now());
    if tags.is_empty() {
        return Ok(());
    }
    writes::tag(clients, &candidate.region, &candidate.copy.id, &tags).await
}
