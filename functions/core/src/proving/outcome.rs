//! What a proof found, what that makes of the copy's tags, and the record that says so.

use jiff::{SignedDuration, Timestamp};

use super::BLOCK_BYTES;
use super::level::Level;
use super::progress::{Differing, Progress};
use crate::audit::{self, CopyDeferred, CopyRejected, Record, Source};
use crate::ebs::errors::is_tag_limit;
use crate::facts::{CallError, DescribedCopy};
use crate::ids::Region;
use crate::policy::Extent;
use crate::tags::{self, Proof, Status};
use crate::text::printable;

/// How many copies a run rejects at most: where more differ, something else may be wrong than they.
pub const MOST_REJECTED: u32 = 3;

/// A proof that goes on for longer is said to be stuck. All of a volume of 16 TiB, read at 200
/// blocks a second for a quarter of each hour, takes less.
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What a proof found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// So much is proven.
    Proved(Level, Progress),
    /// The bytes of a block differ from the source's: the copy is rejected.
    Differs(Differing, Progress),
    /// The copy could not be read, so nothing is proven.
    Unread(CallError),
}

impl Finding {
    /// What the finding makes of a copy's tags, all of them in one call.
    #[must_use]
    pub fn tags(&self, copy: &DescribedCopy, now: Timestamp) -> Vec<(&'static str, String)> {
        match self {
            Self::Proved(level, _) => {
                vec![(tags::PROOF, Proof { level: level.as_str().into(), at: now }.to_string())]
            }
            Self::Differs(..) => vec![
                (tags::STATUS, Status::Rejected.as_str().to_owned()),
                (tags::SETTLED_AT, now.to_string()),
                (tags::COPY, copy.id.to_string()),
            ],
            Self::Unread(_) => Vec::new(),
        }
    }

    /// For what is said once a day and not at every run: a text that names the fact. What a service answered is repeated daily.
    #[must_use]
    pub fn notice(&self, region: &Region, copy: &DescribedCopy) -> Option<String> {
        match self {
            Self::Unread(error) if error.request_id.is_some() => {
                Some(format!("not-proved {} {region} {}", error.code, copy.id))
            }
            _ => None,
        }
    }
}

/// The audit record of a finding. `refused` is what EC2 said when it did not take the tags.
#[must_use]
pub fn record(
    region: &Region,
    copy: &DescribedCopy,
    finding: &Finding,
    refused: Option<&CallError>,
    now: Timestamp,
) -> Record {
    let mut record = match (finding, refused) {
        (Finding::Unread(error), _) => Record::new(CopyDeferred::NotProved, now)
            .message(
                "Blocks of the copy, or of its source, could not be read, so nothing is proven of its content; its verdict stands. The next run tries \
                 again. Check that the role prove-copies may read the snapshot's blocks and decrypt with the copy's key."
                    .to_owned(),
            )
            .error(Some(error)),
        (_, Some(error)) => not_written(finding, error, now),
        (Finding::Proved(level, progress), None) => Record::new(level.reason(), now).message(proved(*level, progress)),
        (Finding::Differs(block, _), None) => differs(*block, now),
    };
    record.proof = proof(finding);
    record.policy = copy.tags.policy.as_ref().map(ToString::to_string);
    record.source = Source::of_tags(&copy.tags);
    let mut described = audit::Copy::of_tags(&copy.id, region, &copy.tags);
    if matches!((finding, refused), (Finding::Differs(..), None)) {
        described.status = Some(Status::Rejected);
    }
    record.copy = Some(described);
    record
}

/// The audit record of a proof that is not over though it began long ago, with the notice by which it is said once a day; nothing
/// where it began lately.
#[must_use]
pub fn stuck(region: &Region, copy: &DescribedCopy, progress: &Progress, now: Timestamp) -> Option<(Record, String)> {
    if now.duration_since(progress.began) <= STUCK_AFTER {
        return None;
    }
    let mut record = Record::new(CopyDeferred::ProofStuck, now).message(format!(
        "The proof of this copy's content began more than eight days ago and is not over: {} blocks are read. A run of \
         prove-copies reads 200 blocks a second at most, for a quarter of an hour: let it run more often, or have the \
         ProofRule read fewer blocks. Where its audit says not-proved of the copy, that is why.",
        progress.read
    ));
    record.proof = Some(of(progress, None, None));
    record.policy = copy.tags.policy.as_ref().map(ToString::to_string);
    record.source = Source::of_tags(&copy.tags);
    record.copy = Some(audit::Copy::of_tags(&copy.id, region, &copy.tags));
    Some((record, format!("proof-stuck {region} {}", copy.id)))
}

/// The audit record of a Region whose copies could not be read, so that none is proven.
#[must_use]
pub fn region_unread(region: &Region, error: &CallError, now: Timestamp) -> Record {
    let mut record = Record::new(CopyDeferred::RegionUnread, now)
        .message(
            "The copies in this Region could not be read, so none was proven. The next run looks again.".to_owned(),
        )
        .error(Some(error));
    record.copy = Some(audit::Copy { region: Some(region.to_string()), ..audit::Copy::default() });
    record
}

fn proof(finding: &Finding) -> Option<audit::Proof> {
    match finding {
        Finding::Proved(level, progress) => Some(of(progress, Some(*level), None)),
        Finding::Differs(differing, progress) => Some(of(progress, None, Some(differing.index))),
        Finding::Unread(_) => None,
    }
}

fn of(progress: &Progress, level: Option<Level>, block: Option<u32>) -> audit::Proof {
    let is_drawn = matches!(progress.rule.extent, Extent::Sample(size) if size > 0) && progress.listed > 0;
    audit::Proof {
        level: level.map(Level::as_str),
        seed: is_drawn.then(|| progress.seed.to_string()),
        listed: progress.listed,
        read: progress.read,
        compared: progress.compared,
        unpaired: progress.unpaired,
        bytes: progress.read.saturating_mul(BLOCK_BYTES),
        digest: (progress.read > 0).then(|| progress.digest.to_string()),
        block,
        alone: progress.alone.as_ref().map(|why| printable(why, 512)),
        began: progress.began,
    }
}

fn proved(level: Level, progress: &Progress) -> String {
    let Progress { listed, read, compared, unpaired, .. } = progress;
    match level {
        Level::Full => format!("All {listed} blocks have the same bytes as the source's."),
        Level::Sampled => {
            format!("{compared} of {listed} blocks, drawn at random, have the same bytes as the source's.")
        }
        Level::Structure => format!("Copy and source have the same {listed} blocks; their bytes were not compared."),
        Level::Unchanged => "EBS says that no block has changed between source and copy.".to_owned(),
        Level::CopyOnly => format!(
            "{read} of the copy's {listed} blocks were read as EBS gives their digests, and not compared with the source's; \
             proof.alone says why."
        ),
        Level::StructureDiffers => format!(
            "{unpaired} blocks are in the copy or in the source alone. The {compared} that were compared have the same bytes, so the \
             copy is not rejected: EBS may keep a block of zeros or none. Compare a volume made from each, and ask AWS Support if \
             they differ."
        ),
    }
}

fn differs(block: Differing, now: Timestamp) -> Record {
    let difference = format!("block {} has other bytes than the source's", block.index);
    let mut record = Record::new(CopyRejected::ContentDiffers, now).message(format!(
        "The copy's content is not its source's: {difference}, in two readings. The copy does not count and its source is copied \
         again while it is shared; it is deleted a day after this verdict, once there is another copy of its source. Keep what \
         AWS Support may ask for: the IDs of both snapshots and the block."
    ));
    record.differences = vec![difference];
    record
}

fn not_written(finding: &Finding, error: &CallError, now: Timestamp) -> Record {
    let mut record = match finding {
        Finding::Differs(block, _) => {
            let differing = differs(*block, now);
            let words = differing.message.unwrap_or_default();
            let mut record = Record::new(CopyDeferred::VerdictNotWritten, now).message(format!(
                "The verdict rejected ({}) could not be written to the copy's tags, or EC2 did not say that it was: until it is, \
                 the copy counts as before. The next run reads it again. {words}",
                differing.reason.name()
            ));
            record.differences = differing.differences;
            record
        }
        _ => Record::new(CopyDeferred::ProofNotWritten, now).message(
            "The copy's content was proven, but its tag snapferry:proof could not be set, or EC2 did not say that it was. The next \
             run proves it again."
                .to_owned(),
        ),
    };
    if is_tag_limit(&error.code) {
        let words = record.message.take().unwrap_or_default();
        record.message =
            Some(format!("{words} The copy has 50 tags, as many as EC2 allows: remove one that is not Snapferry's."));
    }
    record.error(Some(error))
}
