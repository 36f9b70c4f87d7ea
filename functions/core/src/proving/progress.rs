//! How far a proof is. It may take many runs: what is here is all that the next one needs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::level::Level;
use super::sample::{Sample, Seed};
use crate::policy::{Extent, ProofRule};

/// A proof under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When it began.
    pub began: Timestamp,
    /// Which blocks are drawn.
    pub seed: Seed,
    /// What the policy asked for when it began.
    pub rule: ProofRule,
    /// Why the copy is read alone; none as long as it is compared.
    pub alone: Option<String>,
    /// From which index on the lists are still to be walked; none once they are.
    pub walk: Option<u32>,
    /// Blocks of the copy so far.
    pub listed: u64,
    /// Blocks that only the copy or only the source has, so far.
    pub unpaired: u64,
    /// The blocks that are drawn so far, in the order of their indexes, without those that were read.
    pub drawn: Vec<u32>,
    /// Blocks of the copy that were read.
    pub read: u64,
    /// Blocks that were compared byte by byte.
    pub compared: u64,
    /// Over the blocks that were read.
    pub digest: Digest,
    /// A block that differed from the source's, and could not be read once more. Nothing is proven while it stands.
    #[serde(default)]
    pub suspect: Option<u32>,
}

/// What a proof needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The blocks of copy and source from an index on.
    List(u32),
    /// The bytes of these blocks.
    Read(Vec<u32>),
    /// Nothing: this is proven.
    Done(Level),
}

/// A page of the lists: all blocks from where the walk stood up to `until`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The copy's, in order.
    pub copy: Vec<u32>,
    /// The source's, in order; nothing where the copy is read alone.
    pub source: Vec<u32>,
    /// Where the next page begins, which is behind where this one does; none when there is none.
    pub until: Option<u32>,
}

/// A block that was read, with its SHA-256 in copy and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Its index.
    pub index: u32,
    /// The copy's.
    pub copy: [u8; 32],
    /// The source's, where the source has the block and is compared.
    pub source: Option<[u8; 32]>,
}

/// A block whose bytes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differing {
    /// Its index.
    pub index: u32,
}

impl Progress {
    /// A proof that begins.
    #[must_use]
    pub fn new(rule: ProofRule, seed: Seed, began: Timestamp) -> Self {
        Self {
            began,
            seed,
            rule,
            alone: (!rule.compare).then(|| "the policy's ProofRule says \"Compare\": false".to_owned()),
            walk: Some(0),
            listed: 0,
            unpaired: 0,
            drawn: Vec::new(),
            read: 0,
            compared: 0,
            digest: Digest::default(),
            suspect: None,
        }
    }

    /// From now on the copy is read alone. Of several reasons the first counts.
    pub fn leave_source(&mut self, why: &str) {
        self.alone.get_or_insert_with(|| why.to_owned());
    }

    /// Whether the copy is compared with its source.
    #[must_use]
    pub fn is_comparing(&self) -> bool {
        self.alone.is_none()
    }

    /// What is needed next; at most `most` blocks at once.
    #[must_use]
    pub fn step(&self, most: usize) -> Step {
        match (self.walk, self.drawn.as_slice()) {
            (_, drawn) if self.reads_now() && !drawn.is_empty() => {
                Step::Read(drawn.iter().take(most).copied().collect())
            }
            (Some(from), _) => Step::List(from),
            (None, _) => Step::Done(self.level()),
        }
    }

    /// Takes in a page. It must begin where the walk stands: whatever lies before is left out, so that nothing counts twice.
    pub fn list(&mut self, page: &Listed) {
        let Some(from) = self.walk else { return };
        let is_new = |index: &&u32| **index >= from && page.until.is_none_or(|until| **index < until);
        let copy: Vec<u32> = page.copy.iter().filter(is_new).copied().collect();
        self.listed = self.listed.saturating_add(count(copy.len()));
        if self.is_comparing() {
            let source: Vec<u32> = page.source.iter().filter(is_new).copied().collect();
            let paired = copy.iter().filter(|index| source.binary_search(index).is_ok()).count();
            let unpaired = (copy.len() + source.len()).saturating_sub(2 * paired);
            self.unpaired = self.unpaired.saturating_add(count(unpaired));
        }
        match self.rule.extent {
            Extent::All => self.drawn.extend(copy),
            Extent::Sample(size) => {
                let mut sample = Sample::new(self.seed, size);
                self.drawn.iter().chain(&copy).for_each(|index| sample.offer(*index));
                self.drawn = sample.indexes();
            }
        }
        self.walk = page.until;
    }

    /// Takes in blocks that were read, in the order in which they were asked for.
    ///
    /// # Errors
    /// The first block whose bytes differ: the proof is over.
    pub fn note(&mut self, blocks: &[Read]) -> Result<(), Differing> {
        for block in blocks {
            if self.drawn.first() != Some(&block.index) {
                continue;
            }
            self.drawn.remove(0);
            self.read = self.read.saturating_add(1);
            self.digest = self.digest.then(block.index, &block.copy);
            if let Some(source) = block.source.filter(|_| self.is_comparing()) {
                self.compared = self.compared.saturating_add(1);
                if source != block.copy {
                    return Err(Differing { index: block.index });
                }
                self.suspect = self.suspect.filter(|suspect| *suspect != block.index);
            }
        }
        Ok(())
    }

    /// A sample is drawn from all blocks, so it is read once all are listed.
    fn reads_now(&self) -> bool {
        self.walk.is_none() || self.rule.extent == Extent::All
    }

    fn level(&self) -> Level {
        match self.rule.extent {
            // Whatever kept the rest from being compared: this was seen.
            _ if self.unpaired > 0 => Level::StructureDiffers,
            _ if !self.is_comparing() => Level::CopyOnly,
            _ if self.listed == 0 => Level::Full,
            _ if self.compared == 0 => Level::Structure,
            Extent::Sample(_) => Level::Sampled,
            Extent::All => Level::Full,
        }
    }
}

fn count(blocks: usize) -> u64 {
    u64::try_from(blocks).unwrap_or(u64::MAX)
}
