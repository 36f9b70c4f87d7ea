//! What a proof of a copy's content leaves in the audit.

use jiff::Timestamp;
use serde::Serialize;

/// What was read and compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// How far the content is proven; absent where it is proven to differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<&'static str>,
    /// Which blocks were drawn: 16 hexadecimal digits; absent where none were to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// Blocks that the copy has.
    pub listed: u64,
    /// Blocks of the copy that were read.
    pub read: u64,
    /// Blocks that were compared with the source's, byte by byte.
    pub compared: u64,
    /// Blocks that only the copy or only its source has.
    pub unpaired: u64,
    /// How much of the copy was read, in bytes.
    pub bytes: u64,
    /// Over the index and the SHA-256 of each block that was read; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The first block whose bytes differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<u32>,
    /// Why the copy was read alone, escaped and bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<String>,
    /// When the proof began.
    pub began: Timestamp,
}
