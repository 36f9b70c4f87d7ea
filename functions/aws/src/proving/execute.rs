//! Writes what a proof found to the copy's tags, and to the ledger where another copy is wanted. It chooses nothing.

use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::Obligation;
use snapferry_core::proving::Finding;
use snapferry_core::verifying::Facts;

use super::gather::Candidate;
use crate::clients::Clients;
use crate::ledger::Table;
use crate::writes;

/// What a service said to a write.
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

/// Puts the source of a copy that was rejected back in line, so that the next tick asks for another one. What the ledger does not
/// know of, the next sweep finds.
///
/// # Errors
/// When the ledger did not answer.
pub async fn owe_again(ledger: &Table, candidate: &Candidate) -> Outcome {
    let Some(identity) = Facts::identity_of(&candidate.region, &candidate.copy) else { return Ok(()) };
    let Some(item) = ledger.obligation(&identity).await? else { return Ok(()) };
    let becomes = |stands: &Obligation| stands.disproved(&candidate.copy.id, Timestamp::now());
    ledger.step(&item.obligation, becomes).await
}
