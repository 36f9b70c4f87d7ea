//! The policy document: Data Lifecycle Manager's cross-account copy event policy, taken unchanged.
//!
//! A document has one of three forms, told apart by its shape: a bare `PolicyDetails`, the answer of
//! `aws dlm get-lifecycle-policy` (`{"Policy": {…}}`), or an array of such answers. It is read in two steps: `raw`
//! holds what stands there, letter for letter, and `checked` turns it into [`Policy`] or names the first member that
//! is wrong, with its path. Limits are those of the DLM API (model 2018-01-12) unless a comment says that Snapferry
//! lifts one.

mod accounts;
mod across;
mod checked;
mod databases;
mod description;
mod document;
mod error;
mod hours;
mod kinds;
mod locate;
mod lock_days;
mod path;
mod proof;
mod raw;
mod regions;
mod silence;
mod suggest;
mod target;

use std::ops::Range;

pub use crate::kind::SourceType;

pub use self::databases::{DatabaseFilter, NameFilter, is_untried};
pub use self::description::DescriptionFilter;
pub use self::document::{Parsed, Policy, PolicyState, of_databases, of_kind};
pub use self::error::{PolicyError, Warning};
pub use self::lock_days::max_lock_days;
pub use self::proof::{Extent, MAX_SAMPLE, ProofRule};
pub use self::raw::MAX_DOCUMENT_BYTES;
pub use self::silence::{has_to_share, silent_after};
pub use self::suggest::nearest;
pub use self::target::{Encryption, LockMode, LockRule, MAX_TAGS_TO_ADD, RetainRule, Tag, Target};

/// The JSON Schema of a policy document.
pub const SCHEMA: &str = include_str!("../../policy.schema.json");

/// Reads a policy document.
///
/// # Errors
/// [`PolicyError`] for the first thing that is wrong, with the path of the member.
pub fn parse(document: &str) -> Result<Parsed, PolicyError> {
    let document = without_mark(document);
    let checked = raw::read(document).and_then(checked::check);
    checked.map_err(|problem| locate::located(problem, document))
}

/// Where the value at `path` stands in `document`: its line and column as in [`PolicyError`]. A path is written as in
/// [`Warning::path`]; for a value that is absent it is the place of the innermost value around it that is there.
#[must_use]
pub fn place_of(document: &str, path: &str) -> Option<(usize, usize)> {
    let document = without_mark(document);
    let offset = locate::offset_of(document, &path::Path::read(path).0)?;
    Some(locate::line_and_column(document, offset))
}

/// Which bytes of `document` the value at `path` has, to be replaced by another one; none where it is absent. A path is written as
/// in [`Warning::path`].
#[must_use]
pub fn bytes_of(document: &str, path: &str) -> Option<Range<usize>> {
    let bare = without_mark(document);
    let mark = document.len() - bare.len();
    let Range { start, end } = locate::bytes_of(bare, &path::Path::read(path).0)?;
    Some(mark + start..mark + end)
}

/// Windows PowerShell writes a byte order mark when it redirects the AWS CLI's output into a file.
fn without_mark(document: &str) -> &str {
    document.strip_prefix('\u{feff}').unwrap_or(document)
}
