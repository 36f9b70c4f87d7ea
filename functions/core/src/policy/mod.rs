//! The policy document: Data Lifecycle Manager's cross-account copy event policy, taken unchanged.
//!
//! A document has one of three forms, told apart by its shape: a bare `PolicyDetails`, the answer of
//! `aws dlm get-lifecycle-policy` (`{"Policy": {…}}`), or an array of such answers. It is read in two steps: `raw`
//! holds what stands there, letter for letter, and `checked` turns it into [`Policy`] or names the first member that
//! is wrong, with its path. Limits are those of the DLM API (model 2018-01-12) unless a comment says that Snapferry
//! lifts one.

mod checked;
mod description;
mod error;
mod locate;
mod path;
mod raw;
mod regions;
mod suggest;
mod target;

use std::collections::BTreeSet;

pub use self::description::DescriptionFilter;
pub use self::error::{PolicyError, Warning};
pub use self::target::{Encryption, LockMode, LockRule, MAX_TAGS_TO_ADD, RetainRule, Tag, Target};
use crate::ids::{AccountId, PolicyName, Region};

/// The longest document that is read, in bytes. Thousands of times a real policy, and still read in milliseconds.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The JSON Schema of a policy document.
pub const SCHEMA: &str = include_str!("../../policy.schema.json");

/// Reads a policy document.
///
/// # Errors
/// [`PolicyError`] for the first thing that is wrong, with the path of the member.
pub fn parse(document: &str) -> Result<Parsed, PolicyError> {
    let document = without_mark(document);
    raw::read(document).and_then(checked::check).map_err(|problem| problem.locate(document))
}

/// Where the value at `path` stands in `document`: its line and column as in [`PolicyError`]. A path is written as in
/// [`Warning::path`]; for a value that is absent it is the place of the innermost value around it that is there.
#[must_use]
pub fn place_of(document: &str, path: &str) -> Option<(usize, usize)> {
    let document = without_mark(document);
    let offset = locate::offset_of(document, &path::Path::read(path).0)?;
    Some(locate::line_and_column(document, offset))
}

/// Windows PowerShell writes a byte order mark when it redirects the AWS CLI's output into a file.
fn without_mark(document: &str) -> &str {
    document.strip_prefix('\u{feff}').unwrap_or(document)
}

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The policies, in the document's order, with distinct names; at least one.
    pub policies: Vec<Policy>,
    /// What is accepted and deserves a look.
    pub warnings: Vec<Warning>,
}

/// One policy: whose snapshots are copied, and to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The `PolicyId`, or `default` where the document has none. Part of every copy's identity.
    pub name: PolicyName,
    /// Whether the policy copies.
    pub state: State,
    /// `SnapshotOwner`: the source accounts. Empty: nothing is copied.
    pub owners: BTreeSet<AccountId>,
    /// `DescriptionRegex`: which of their snapshots.
    pub description: DescriptionFilter,
    /// The `CrossRegionCopy` entries of all `Actions`; each Region stands at most once.
    pub targets: Vec<Target>,
}

impl Policy {
    /// The policy's target in `region`.
    #[must_use]
    pub fn target(&self, region: &Region) -> Option<&Target> {
        self.targets.iter().find(|target| target.region == *region)
    }
}

/// The `State` of a policy (DLM API reference, `LifecyclePolicy`).
///
/// DLM's third state, `ERROR`, says that DLM could not run the policy. Snapferry runs under roles of its own, so it
/// reads `ERROR` as `ENABLED` and warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The policy copies. A document without a `State` is enabled.
    Enabled,
    /// The policy copies nothing; its copies are still verified and expired.
    Disabled,
}
