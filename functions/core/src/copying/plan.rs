//! All decisions of an invocation.

use super::{Decision, Outcome, Tally};

/// The decisions in the order in which they are to be carried out, and the counts of all others.
#[derive(Debug, Default)]
pub struct Plan<'f> {
    /// Within a target Region the copies stand in fair order.
    pub decisions: Vec<Decision<'f>>,
    /// What is counted without a decision. Each of the decisions is added with what became of it.
    pub tally: Tally,
}

impl Plan<'_> {
    /// The counts while nothing is carried out yet: what is to be copied counts as nothing.
    #[must_use]
    pub fn counted(&self) -> Tally {
        let mut tally = self.tally.clone();
        self.decisions.iter().for_each(|decision| tally.add(decision, &Outcome::Stands));
        tally
    }
}
