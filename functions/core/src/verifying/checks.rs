//! Whether a finished copy is what was asked for.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::audit::CopyRejected;
use crate::facts::{Compared, DatabaseCopy, DescribedCopy, KeyLife};
use crate::ids::{AccountId, KeyArn, PolicyName, Region};
use crate::policy::{Encryption, Policy, Target};
use crate::tags::TagProblem;
use crate::text::printable;

/// What is wrong with a finished copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another account owns it.
    Owner {
        /// Who does, as EC2 says.
        found: Option<AccountId>,
        /// This account.
        expected: AccountId,
    },
    /// It is not encrypted, and should be.
    NotEncrypted {
        /// Under this key, if one was asked for.
        expected: Option<KeyArn>,
    },
    /// It is encrypted under another key than the one asked for.
    Key {
        /// The key as EC2 says.
        found: Option<String>,
        /// The key in its tag.
        expected: KeyArn,
    },
    /// It is a database's, and says that it is the copy of another snapshot, or of none.
    Source {
        /// The source's ARN as RDS says.
        found: Option<String>,
        /// The source's ARN by the copy's tags.
        expected: String,
    },
    /// It is a database's of another engine.
    Engine {
        /// Its engine.
        found: Option<String>,
        /// The source's.
        expected: String,
    },
    /// It is not of the source's size.
    Size {
        /// Its size in GiB.
        found: u32,
        /// The source's.
        expected: u32,
    },
    /// One of its tags cannot be read.
    Tag(TagProblem),
}

impl Difference {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyRejected {
        match self {
            Self::Owner { .. } => CopyRejected::WrongOwner,
            Self::NotEncrypted { .. } => CopyRejected::NotEncrypted,
            Self::Key { .. } => CopyRejected::WrongKey,
            Self::Source { .. } => CopyRejected::WrongSource,
            Self::Engine { .. } => CopyRejected::WrongEngine,
            Self::Size { .. } => CopyRejected::WrongSize,
            Self::Tag(_) => CopyRejected::MalformedTags,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner { found: Some(found), expected } => write!(f, "owned by {found}, not by {expected}"),
            Self::Owner { found: None, expected } => write!(f, "owned by nobody known, not by {expected}"),
            Self::NotEncrypted { expected: Some(key) } => write!(f, "not encrypted, instead of under {key}"),
            Self::NotEncrypted { expected: None } => f.write_str("not encrypted, although the policy demands it"),
            Self::Key { found, expected } => {
                let found = printable(found.as_deref().unwrap_or("no key that AWS names"), 256);
                write!(f, "encrypted under {found}, not under {expected}")
            }
            Self::Source { found, expected } => {
                let found = printable(found.as_deref().unwrap_or("nothing that RDS names"), 512);
                write!(f, "a copy of {found}, not of {}", printable(expected, 512))
            }
            Self::Engine { found, expected } => {
                let found = printable(found.as_deref().unwrap_or("no engine that RDS names"), 80);
                write!(f, "{found}, not {} as the source", printable(expected, 80))
            }
            Self::Size { found, expected } => write!(f, "{found} GiB, not {expected} GiB as the source"),
            Self::Tag(problem) => write!(f, "{problem}"),
        }
    }
}

/// What does not count against a copy and deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning<'f> {
    /// Today's document has no policy of that name.
    PolicyGone,
    /// Today's policy has no such target.
    TargetGone,
    /// Today's policy names another key for the target, or none.
    KeyMovedOn(&'f Encryption),
    /// The tag with the source's start time is later than the copy's: somebody edited it, and expiry does not believe it.
    SourceNewer,
    /// RDS names another instance or cluster, or none. What it names for a copy is not documented; the tag is what counts.
    OtherResource {
        /// As RDS says.
        found: Option<&'f str>,
        /// The source's, by the copy's tag.
        expected: &'f str,
    },
    /// RDS says that its data was taken later than its source was made: its owner may have made another snapshot under the source's
    /// name while the copy was asked for.
    TakenLater {
        /// When, as RDS says (`OriginalSnapshotCreateTime`).
        found: Timestamp,
        /// When its source was made, by the copy's tag.
        expected: Timestamp,
    },
    /// Its key is disabled, or KMS does not say what it is.
    KeyInDoubt,
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicyGone => f.write_str("the copy's policy is no longer in the document"),
            Self::TargetGone => f.write_str("the copy's policy no longer has this Region as a Target"),
            Self::KeyMovedOn(Encryption::Key(key)) => {
                write!(f, "the policy now names the key {key} for this Region")
            }
            Self::KeyMovedOn(Encryption::DefaultKey | Encryption::AsSource) => {
                f.write_str("the policy now names no CmkArn for this Region")
            }
            Self::SourceNewer => {
                f.write_str("the tag snapferry:source-start-time is later than the copy's own start time")
            }
            Self::OtherResource { found, expected } => {
                let found = printable(found.unwrap_or("nothing"), 80);
                write!(f, "RDS names {found} as its resource, where its source's was {}", printable(expected, 80))
            }
            Self::TakenLater { found, expected } => write!(
                f,
                "RDS says that its data was taken at {found}, after its source was made at {expected}: its owner may have made another \
                 snapshot under the source's name meanwhile, and then this is a copy of that one"
            ),
            Self::KeyInDoubt => f.write_str(
                "the copy's key is disabled, or KMS does not say what it is: until it is well again, the copy lets no other go",
            ),
        }
    }
}

/// What today's document says about a policy and Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Today<'f> {
    PolicyGone,
    TargetGone,
    Target(&'f Target),
}

impl<'f> Today<'f> {
    pub(super) fn of(policies: &'f [Policy], name: &PolicyName, region: &Region) -> Self {
        match policies.iter().find(|policy| policy.name == *name) {
            None => Self::PolicyGone,
            Some(policy) => policy.target(region).map_or(Self::TargetGone, Self::Target),
        }
    }

    pub(super) fn target(self) -> Option<&'f Target> {
        match self {
            Self::Target(target) => Some(target),
            Self::PolicyGone | Self::TargetGone => None,
        }
    }
}

/// Every difference of a completed copy, the gravest first.
pub(super) fn differences(copy: &DescribedCopy, account: Option<&AccountId>, today: Today<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(expected) = account.filter(|account| copy.owner.as_ref() != Some(*account)) {
        differences.push(Difference::Owner { found: copy.owner.clone(), expected: expected.clone() });
    }
    differences.extend(encryption(copy, today));
    if let Some(DatabaseCopy { source, engine, .. }) = copy.database.as_deref() {
        let other = |shown: &Compared| Some((shown.found.clone(), shown.missed()?.clone()));
        differences.extend(other(source).map(|(found, expected)| Difference::Source { found, expected }));
        differences.extend(other(engine).map(|(found, expected)| Difference::Engine { found, expected }));
    }
    // EC2 named no size of the source where the tag says 0.
    if let Some(expected) = copy.tags.source_size_gib.filter(|size| *size != 0 && *size != copy.size_gib) {
        differences.push(Difference::Size { found: copy.size_gib, expected });
    }
    differences.extend(copy.tags.problems.iter().cloned().map(Difference::Tag));
    differences
}

/// A copy that was asked for under a key must be under exactly that key. One that was asked for without a key is under
/// whatever key EC2 chose, if under any: it must be encrypted when today's target says `Encrypted: true`. When there is
/// no such target any more, nobody knows whether that was demanded, and a good copy is not thrown away for it.
fn encryption(copy: &DescribedCopy, today: Today<'_>) -> Option<Difference> {
    let expected = copy.tags.kms_key.as_ref();
    let demanded = match (expected, today.target().map(|target| &target.encryption)) {
        (Some(_), _) | (None, Some(Encryption::DefaultKey | Encryption::Key(_))) => true,
        (None, Some(Encryption::AsSource) | None) => false,
    };
    if demanded && !copy.encrypted {
        return Some(Difference::NotEncrypted { expected: expected.cloned() });
    }
    let expected = expected.filter(|key| copy.kms_key.as_deref() != Some(key.as_str()))?;
    Some(Difference::Key { found: copy.kms_key.clone(), expected: expected.clone() })
}

/// What is remarkable about a copy without being wrong: above all that the policy moved on since it was started.
pub(super) fn warnings<'f>(copy: &'f DescribedCopy, life: KeyLife, today: Today<'f>) -> Vec<Warning<'f>> {
    let policy = match today {
        Today::PolicyGone => Some(Warning::PolicyGone),
        Today::TargetGone => Some(Warning::TargetGone),
        Today::Target(target) => {
            let key = match &target.encryption {
                Encryption::Key(key) => Some(key),
                Encryption::AsSource | Encryption::DefaultKey => None,
            };
            (key != copy.tags.kms_key.as_ref()).then_some(Warning::KeyMovedOn(&target.encryption))
        }
    };
    let newer = copy.tags.source_start_time.is_some_and(|source| source > copy.start_time);
    let resource = copy.database.as_deref().map(|database| &database.resource);
    let other = resource.and_then(|resource| {
        Some(Warning::OtherResource { found: resource.found.as_deref(), expected: resource.missed()? })
    });
    // To the minute: RDS does not say that both times are the same for a snapshot that is no copy.
    let taken = copy.database.as_deref().and_then(|database| database.taken);
    let later = taken.zip(copy.tags.source_start_time).and_then(|(found, expected)| {
        (found.duration_since(expected) > SignedDuration::from_mins(1))
            .then_some(Warning::TakenLater { found, expected })
    });
    let in_doubt = (life == KeyLife::InDoubt).then_some(Warning::KeyInDoubt);
    policy.into_iter().chain(newer.then_some(Warning::SourceNewer)).chain(other).chain(later).chain(in_doubt).collect()
}
