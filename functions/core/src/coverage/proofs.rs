//! Of how many volumes the content of a copy was proven, and how long ago.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::row::Row;
use crate::standing::Standing;

/// Counts of volumes, in however many Regions and policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Volumes with a protecting copy, of those whose volume is known.
    pub lineages: usize,
    /// Those of which the content of one was proven.
    pub proved: usize,
    /// Of each of those, the newest proof; of these, the oldest.
    pub oldest: Option<Timestamp>,
}

/// Counts the protecting copies' proofs, history included. To have compared the list of blocks is no proof of content.
#[must_use]
pub fn proofs(rows: &[Row<'_>]) -> Proofs {
    let mut newest: BTreeMap<(Option<&str>, &str), Option<Timestamp>> = BTreeMap::new();
    // Nobody can read a database's blocks.
    let is_of_volume = |row: &&Row<'_>| row.lineage().is_some_and(|lineage| lineage.starts_with("vol-"));
    let protecting = rows.iter().filter(is_of_volume);
    let protecting = protecting.filter(|row| row.standing == Standing::Protected && !row.is_lineage_unknown());
    for (row, volume) in protecting.filter_map(|row| Some((row, row.lineage()?))) {
        let proved = row.proof.filter(|proof| proof.is_of_content()).map(|proof| proof.at);
        let known = newest.entry((row.account(), volume)).or_default();
        *known = (*known).max(proved);
    }
    let proved = || newest.values().flatten().copied();
    Proofs { lineages: newest.len(), proved: proved().count(), oldest: proved().min() }
}
