//! A proof's steps: lists and reads blocks as core asks for them, until it is done or the time is.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join_all, try_join};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Extent;
use snapferry_core::proving::{Finding, Listed, Progress, Read, Step, is_refusal};
use tokio::time::Instant;

use super::blocks::{Blocks, FEWEST, Page};
use crate::deadline::{Deadline, RESERVE};

/// Blocks of each snapshot that are read at the same time: 16 MiB of copy and source together.
const AT_ONCE: usize = 16;

/// So long reading these takes at least: at most 200 blocks a second of each snapshot, of the 1,000 that EBS allows an account
/// (EBS User Guide, quotas).
const PACE: Duration = Duration::from_millis(80);

/// Blocks on a page of the lists, where they are only listed.
const PAGE: i32 = 10_000;

/// A block that differed in one reading alone.
const UNSTABLE: &str = "UnstableRead";

/// So often the place is kept: what a process has read since is read again when it dies.
pub const KEPT_EVERY: Duration = Duration::from_secs(30);

/// A copy's blocks and its source's.
#[derive(Debug)]
pub struct Sides {
    /// The copy's.
    pub copy: Blocks,
    /// The source's, where it can be compared.
    pub source: Option<Blocks>,
}

/// Whose a proof is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It goes on here.
    Here,
    /// Another run keeps its place.
    Elsewhere,
}

/// Tokens of blocks that were listed and not read yet.
type Tokens = BTreeMap<u32, String>;

/// Whether EBS itself says that the copy is its source.
pub async fn is_unchanged(sides: &Sides, source: &SnapshotId) -> bool {
    sides.source.is_some() && sides.copy.is_unchanged_since(source).await
}

/// Goes on with a proof; nothing when the time is over before it is done, or when `keep`, which is given its place every
/// [`KEPT_EVERY`], says that somebody else goes on with it.
///
/// # Errors
/// When the copy could not be read, or the source for another reason than that it may not be.
pub async fn go_on(
    sides: &Sides,
    progress: &mut Progress,
    deadline: Deadline,
    mut keep: impl AsyncFnMut(&Progress) -> Goes,
) -> Result<Option<Finding>, CallError> {
    let (mut ours, mut theirs, mut kept) = (Tokens::new(), Tokens::new(), Instant::now());
    loop {
        if deadline.left() < RESERVE.saturating_mul(3) {
            return Ok(None);
        }
        if kept.elapsed() >= KEPT_EVERY {
            if keep(progress).await == Goes::Elsewhere {
                return Ok(None);
            }
            kept = Instant::now();
        }
        match progress.step(AT_ONCE) {
            Step::Done(level) => {
                return match progress.suspect {
                    None => Ok(Some(Finding::Proved(level, progress.clone()))),
                    Some(index) => Err(unconfirmed(index, "its source cannot be read any more")),
                };
            }
            Step::List(from) => {
                let (copy, source) = list(sides, progress, from).await?;
                if progress.rule.extent == Extent::All {
                    (ours, theirs) = (copy.blocks.into_iter().collect(), source.blocks.into_iter().collect());
                }
            }
            Step::Read(indexes) => {
                let begun = Instant::now();
                let source = sides.source.as_ref().filter(|_| progress.is_comparing());
                let reads = indexes.iter();
                let reads = reads.map(|index| read(&sides.copy, source, *index, ours.get(index), theirs.get(index)));
                let reads: Result<Vec<_>, Failed> = join_all(reads).await.into_iter().collect();
                match reads {
                    Ok(reads) => {
                        let mut next = progress.clone();
                        if let Err(differing) = next.note(&reads) {
                            // Not confirmed, it is read again in the next run: the proof stays where it was.
                            progress.suspect = Some(differing.index);
                            let confirmed = confirm(sides, differing.index).await;
                            if confirmed.as_ref().is_err_and(|error| error.code == UNSTABLE) {
                                progress.suspect = None;
                            }
                            confirmed?;
                            return Ok(Some(Finding::Differs(differing, next)));
                        }
                        *progress = next;
                    }
                    Err(Failed::Copy(error)) => return Err(error),
                    Err(Failed::Source(error)) => leave(progress, error)?,
                }
                tokio::time::sleep_until(begun + PACE).await;
            }
        }
    }
}

/// Whose blocks could not be read.
enum Failed {
    Copy(CallError),
    Source(CallError),
}

/// Lists the next page of both, and takes it into the proof.
async fn list(sides: &Sides, progress: &mut Progress, from: u32) -> Result<(Page, Page), CallError> {
    let most = if progress.rule.extent == Extent::All { FEWEST } else { PAGE };
    let source = sides.source.as_ref().filter(|_| progress.is_comparing());
    let theirs = async {
        match source {
            Some(source) => source.list(from, most).await,
            None => Ok(Page::default()),
        }
    };
    let (copy, source) = futures_util::future::join(sides.copy.list(from, most), theirs).await;
    let copy = copy?;
    let source = match source {
        Ok(source) => source,
        Err(error) => {
            leave(progress, error)?;
            Page::default()
        }
    };
    let indexes = |page: &Page| page.blocks.iter().map(|(index, _)| *index).collect();
    let until = [copy.until, source.until].into_iter().flatten().min();
    progress.list(&Listed { copy: indexes(&copy), source: indexes(&source), until });
    Ok((copy, source))
}

/// From now on the copy is read alone, because its source may not be read.
///
/// # Errors
/// The error, if it says nothing of the kind.
fn leave(progress: &mut Progress, error: CallError) -> Result<(), CallError> {
    if !is_refusal(&error.code) {
        return Err(error);
    }
    progress.leave_source(&format!("the source may not be read: {}: {}", error.code, error.message));
    Ok(())
}

async fn read(
    copy: &Blocks,
    source: Option<&Blocks>,
    index: u32,
    ours: Option<&String>,
    theirs: Option<&String>,
) -> Result<Read, Failed> {
    let copy = async {
        let found = sha_256(copy, index, ours).await.map_err(Failed::Copy)?;
        found.ok_or_else(|| {
            let message = format!("block {index}, which the copy had, is not listed any more");
            Failed::Copy(CallError { code: "BlockGone".to_owned(), message, request_id: None })
        })
    };
    let source = async {
        match source {
            Some(source) => sha_256(source, index, theirs).await.map_err(Failed::Source),
            None => Ok(None),
        }
    };
    let (copy, source) = try_join(copy, source).await?;
    Ok(Read { index, copy, source })
}

/// The digest of a block, read with the token that is at hand or a new one; nothing where the snapshot does not have it.
async fn sha_256(blocks: &Blocks, index: u32, token: Option<&String>) -> Result<Option<[u8; 32]>, CallError> {
    let token = match token {
        Some(token) => Some(token.clone()),
        None => blocks.token(index).await?,
    };
    match token {
        Some(token) => blocks.sha_256(index, &token).await.map(Some),
        None => Ok(None),
    }
}

/// Reads a block that differs once more.
///
/// # Errors
/// When it does not differ this time, or could not be read: then nothing is proven.
async fn confirm(sides: &Sides, index: u32) -> Result<(), CallError> {
    let again = read(&sides.copy, sides.source.as_ref(), index, None, None).await.map_err(|failed| match failed {
        Failed::Copy(error) | Failed::Source(error) => {
            CallError { message: unconfirmed(index, &error.message).message, ..error }
        }
    })?;
    if again.source.is_some_and(|source| source != again.copy) {
        return Ok(());
    }
    let message = format!("block {index} differed from the source's in one reading and not in the next");
    Err(CallError { code: UNSTABLE.to_owned(), message, request_id: None })
}

/// A block was seen to differ, and not once more: that is no proof, and no rejection.
fn unconfirmed(index: u32, why: &str) -> CallError {
    let message = format!("block {index} differed from the source's, and could not be read once more: {why}");
    CallError { code: "Unconfirmed".to_owned(), message, request_id: None }
}
