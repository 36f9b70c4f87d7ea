//! `ProofRule`: how much of a verified copy's content is read and compared.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::{Path, Problem, quoted, shown};
use super::raw;

/// The most blocks of a sample. 4,603 find damage to one block in a thousand with 99 %.
pub const MAX_SAMPLE: u32 = 10_000;

const ALLOWED: &str = "0 to 10000, or \"ALL\"";

/// How the content of copies is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofRule {
    /// `Blocks`.
    pub extent: Extent,
    /// `Compare`: whether the copy is compared with its source while that is shared and may be read; true when absent.
    pub compare: bool,
}

/// How many blocks of 512 KiB are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// As many, drawn at random; 0 compares only which blocks there are. At most [`MAX_SAMPLE`].
    Sample(u32),
    /// Every one.
    All,
}

/// Checks the rule at `path`.
pub(super) fn check(rule: &raw::ProofRule, path: &Path) -> Result<ProofRule, Problem> {
    let blocks = path.required(rule.blocks.as_ref(), "Blocks", ALLOWED)?;
    let at = path.member("Blocks");
    let extent = match blocks {
        Value::String(text) if text == "ALL" => Extent::All,
        Value::Number(number) => {
            let blocks = number.as_u64().and_then(|blocks| u32::try_from(blocks).ok());
            let blocks = blocks.filter(|blocks| *blocks <= MAX_SAMPLE);
            Extent::Sample(blocks.ok_or_else(|| at.wrong(number.to_string(), ALLOWED))?)
        }
        Value::String(text) => return Err(at.wrong(quoted(text), ALLOWED)),
        other => return Err(at.wrong(format!("found {}", shown(other)), ALLOWED)),
    };
    Ok(ProofRule { extent, compare: rule.compare.unwrap_or(true) })
}
