//! Which blocks are read: those that a seed ranks first, so that whoever knows the seed finds the same ones again, in one pass
//! over any number of blocks and with no more memory than the sample's.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the random choice of blocks depends on. Drawn when a proof begins, so that nobody knows before which blocks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Seed(pub u64);

impl Seed {
    /// A block's place in the order in which this seed draws.
    fn rank(self, index: u32) -> u64 {
        mixed(self.0 ^ mixed(u64::from(index).wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Seed> for String {
    fn from(value: Seed) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for Seed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Seed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_seed = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let seed = is_seed.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        seed.map(Self).ok_or("a seed is 16 hexadecimal digits, as copy.proved has it in proof.seed")
    }
}

/// Each bit of the result depends on each of the input (the finalizer of SplitMix64: Steele, Lea and Flood, 2014).
fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The blocks that were drawn from those offered so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    seed: Seed,
    size: usize,
    drawn: BTreeSet<(u64, u32)>,
}

impl Sample {
    /// A sample of up to `size` blocks.
    #[must_use]
    pub fn new(seed: Seed, size: u32) -> Self {
        Self { seed, size: usize::try_from(size).unwrap_or(usize::MAX), drawn: BTreeSet::new() }
    }

    /// Offers a block.
    pub fn offer(&mut self, index: u32) {
        self.drawn.insert((self.seed.rank(index), index));
        if self.drawn.len() > self.size {
            self.drawn.pop_last();
        }
    }

    /// The blocks that were drawn, in the order of their indexes.
    #[must_use]
    pub fn indexes(&self) -> Vec<u32> {
        let mut indexes: Vec<u32> = self.drawn.iter().map(|(_, index)| *index).collect();
        indexes.sort_unstable();
        indexes
    }
}
