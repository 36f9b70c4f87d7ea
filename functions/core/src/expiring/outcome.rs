//! What became of a decision, and the record that joins both.

use jiff::Timestamp;

use super::guard::Alarm;
use super::plan::{Deletion, Kept};
use super::reasons::{Cause, Change, Keep, Refusal};
use crate::audit::{Copy, CopyExpired, CopyKept, Record, Source};
use crate::facts::{self, CallError};
use crate::ids::Region;

/// What became of a copy that was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// EC2 said that it is deleted.
    Deleted,
    /// EC2 said that there is no such snapshot, right after it had shown it: most likely an attempt whose answer was
    /// lost has deleted it.
    Gone(CallError),
    /// The second look found it changed: it was left alone.
    Changed(Change),
    /// EC2 refused.
    Refused(Refusal, CallError),
    /// EC2 did not say whether it is deleted, and shows it still or says nothing.
    Unanswered(CallError),
    /// The second look was not possible: it was left alone.
    Unread(CallError),
}

/// Why copies were not even tried, although their time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rest {
    /// The run has deleted as many as it may, or tried as many in vain.
    RunLimit,
    /// The time of the invocation is over.
    OutOfTime,
    /// EC2 stopped answering in that Region.
    RegionClosed,
}

impl Outcome {
    /// Whether certainly nothing was deleted.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::Refused(..) | Self::Unread(_))
    }

    /// Whether the Region is best left alone for the rest of the run.
    #[must_use]
    pub fn closes_region(&self) -> bool {
        match self {
            Self::Unanswered(_) | Self::Unread(_) => true,
            Self::Refused(refusal, _) => *refusal == Refusal::Throttled,
            Self::Deleted | Self::Gone(_) | Self::Changed(_) => false,
        }
    }
}

impl Deletion<'_> {
    /// For what is said once a day and not at every run: a text that names the fact.
    #[must_use]
    pub fn notice(&self, outcome: &Outcome) -> Option<String> {
        match outcome {
            Outcome::Refused(refusal, _) => Some(format!("{} {} {}", refusal.reason(), self.region, self.copy.id)),
            _ => None,
        }
    }
}

impl Kept<'_> {
    /// How many copies it tells of; 1 of a Region that could not be read.
    #[must_use]
    pub fn copies(&self) -> u64 {
        match self.keep {
            Keep::PolicyNotNamed { copies, .. } => u64::try_from(copies).unwrap_or(u64::MAX),
            _ => 1,
        }
    }

    /// For what is said once a day and not at every run: a text that names the fact.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let what = match &self.keep {
            Keep::MalformedTags(copy) => copy.id.as_str(),
            Keep::PolicyNotNamed { policy, .. } => policy.as_str(),
            keep => keep.copy()?.id.as_str(),
        };
        Some(format!("{} {} {what}", self.keep.reason(), self.region))
    }
}

/// The audit record of a deletion and what became of it.
#[must_use]
pub fn record(deletion: &Deletion<'_>, outcome: &Outcome, now: Timestamp) -> Record {
    let record = match outcome {
        Outcome::Deleted => Record::new(deletion.cause.reason(), now).message(why(deletion)),
        Outcome::Gone(error) => Record::new(CopyExpired::AlreadyGone, now)
            .message(
                "It was to be deleted, and EC2 does not know it any more: an attempt whose answer was lost has deleted it, \
                 or somebody else did at the same moment."
                    .to_owned(),
            )
            .error(Some(error)),
        Outcome::Changed(change) => Record::new(change.reason(), now).message(change.to_string()),
        Outcome::Refused(refusal, error) => {
            Record::new(refusal.reason(), now).message(refusal.to_string()).error(Some(error))
        }
        Outcome::Unanswered(error) => Record::new(CopyKept::AnswerLost, now)
            .message(
                "Its time is over, but EC2 did not say whether it is deleted. If the next run still sees it, it tries again."
                    .to_owned(),
            )
            .error(Some(error)),
        Outcome::Unread(error) => Record::new(CopyKept::NotReadAgain, now)
            .message(
                "Its time is over, but it could not be looked at once more before deleting it. The next run tries again."
                    .to_owned(),
            )
            .error(Some(error)),
    };
    about(record, deletion.region, deletion.copy)
}

/// The audit record of a copy that stays.
#[must_use]
pub fn kept(kept: &Kept<'_>, now: Timestamp) -> Record {
    let mut record = Record::new(kept.keep.reason(), now).message(kept.keep.to_string());
    record.copy = Some(Copy { region: Some(kept.region.to_string()), ..Copy::default() });
    match &kept.keep {
        Keep::RegionUnread(error) => record.error(Some(error)),
        Keep::MalformedTags(copy) => {
            record.copy = record.copy.map(|described| Copy { snapshot: Some(copy.id.to_string()), ..described });
            record
        }
        Keep::PolicyNotNamed { policy, .. } => {
            record.policy = Some(policy.to_string());
            record.count = Some(kept.copies());
            record
        }
        keep => {
            let mut record = match keep.copy() {
                Some(copy) => about(record, kept.region, copy),
                None => record,
            };
            if let (Keep::Contested { others, .. }, Some(copy)) = (keep, &mut record.copy) {
                copy.others = others.iter().map(ToString::to_string).collect();
            }
            record
        }
    }
}

/// The one record of a run that deletes nothing.
#[must_use]
pub fn refused(alarm: &Alarm, now: Timestamp) -> Record {
    let mut record = Record::new(alarm.reason(), now).message(alarm.to_string());
    record.count = u64::try_from(alarm.deletions()).ok();
    record
}

/// The one record of a run about all copies that stay because nobody knows of which lineage they are.
#[must_use]
pub fn lineage_unknown(count: usize, now: Timestamp) -> Record {
    let mut record = Record::new(CopyKept::LineageUnknown, now).message(
        "Their time is over, but EC2 named no volume or database for their sources, most likely copies themselves, so each may be \
         its last copy. To let such copies of volumes go, name the volume in the sources' descriptions and capture it with a group \
         (?<volume>vol-...) in DescriptionRegex, which then also names those of earlier copies whose own description quotes it \
         whole; or, of databases too, set KeepAtLeast to 0, which deletes by age alone."
            .to_owned(),
    );
    record.count = u64::try_from(count).ok();
    record
}

/// The one record of a run about all copies that stay because their keys are lost or in doubt.
#[must_use]
pub fn key_in_doubt(count: usize, now: Timestamp) -> Record {
    let mut record = Record::new(CopyKept::KeyInDoubt, now).message(
        "Their time is over, but their keys are gone, about to be deleted, disabled, or not described by KMS, so they let \
         nothing go, and they stay themselves until as many newer copies can be restored in their place as KeepAtLeast asks \
         for. The copier's copy.refused records name the keys."
            .to_owned(),
    );
    record.count = u64::try_from(count).ok();
    record
}

/// One record for all copies that were not even tried, for one reason; `region` where it holds for one only.
#[must_use]
pub fn rest(rest: Rest, region: Option<&Region>, count: usize, now: Timestamp) -> Record {
    let (reason, message) = match rest {
        Rest::RunLimit => (
            CopyKept::RunLimit,
            "Their time is over, but one run deletes no more (SNAPFERRY_MAX_DELETES_PER_RUN, the stack's MaxDeletesPerRun), \
             and gives up after 200 that it could not delete. The next run goes on.",
        ),
        Rest::OutOfTime => (
            CopyKept::OutOfTime,
            "Their time is over, but too little of the invocation's remained. The next run goes on.",
        ),
        Rest::RegionClosed => (
            CopyKept::RegionClosed,
            "Their time is over, but EC2 stopped answering in their Region. The next run goes on.",
        ),
    };
    let mut record = Record::new(reason, now).message(message.to_owned());
    record.count = u64::try_from(count).ok();
    record.copy = region.map(|region| Copy { region: Some(region.to_string()), ..Copy::default() });
    record
}

fn why(deletion: &Deletion<'_>) -> String {
    match deletion.cause {
        Cause::Expired => match deletion.survivor {
            Some(survivor) => format!("Its time was over since {}; {} is newer and stays.", deletion.due, survivor.id),
            None => {
                format!("Its time was over since {}, and the policy keeps no last copy (KeepAtLeast 0).", deletion.due)
            }
        },
        Cause::Failed => "EC2 had given up on it more than a day ago; it held no data.".to_owned(),
        Cause::Rejected => match deletion.survivor {
            Some(survivor) if survivor.source == deletion.copy.source => {
                format!("It was rejected more than a day ago; {} is of the same source and stays.", survivor.id)
            }
            Some(survivor) => format!(
                "It was rejected more than a day ago, and its policy is retired; {} is of the same volume or database, newer, \
                 verified, and stays.",
                survivor.id
            ),
            None => "It was rejected more than a day ago.".to_owned(),
        },
        Cause::Unjudged => format!(
            "Its time was over for a week, since {}, and no verdict could be written to it in all that time; {} is newer, \
             verified, and stays.",
            deletion.due,
            deletion.survivor.map_or("a copy", |survivor| survivor.id.as_str())
        ),
    }
}

fn about(mut record: Record, region: &Region, copy: &facts::Copy) -> Record {
    let origin = &copy.origin;
    record.policy = Some(origin.policy.to_string());
    record.source = Some(Source {
        snapshot: copy.source.to_string(),
        account: origin.account.as_ref().map(ToString::to_string),
        region: origin.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        volume: copy.lineage.as_ref().map(ToString::to_string),
        start_time: copy.source_start_time.get(),
        ..Source::default()
    });
    record.copy = Some(Copy {
        snapshot: Some(copy.id.to_string()),
        region: Some(region.to_string()),
        expire_after: copy.expire_after.get(),
        status: copy.status,
        lock: copy.lock,
        ..Copy::default()
    });
    record
}
