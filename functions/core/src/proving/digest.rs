//! One value for the blocks that were read: made block by block, so that a proof that goes on in another run needs no more than
//! the value so far.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The chain of (index, SHA-256) over blocks in the order of their indexes: each link is the SHA-256 of the link before it (the
/// first: 32 zeros), the index in four bytes, the greatest first, and the block's own SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The chain with one block more.
    #[must_use]
    pub fn then(self, index: u32, block: &[u8; 32]) -> Self {
        let link = Sha256::new().chain_update(self.0).chain_update(index.to_be_bytes()).chain_update(block);
        Self(link.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(value: Digest) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err("a digest is 64 hexadecimal digits");
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).map_err(|_| "a digest is 64 hexadecimal digits")?;
        }
        Ok(Self(bytes))
    }
}
