//! Why EC2 gave up on a copy, and what somebody does about it, where.

use crate::audit::CopyFailed;
use crate::facts::DescribedCopy;
use crate::ids::{AccountId, Region};
use crate::tags::ReadTags;

/// The cause of a copy's failure, as far as EC2's words tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The source snapshot's key cannot be used from here: its policy does not name this account, or the role may not use
    /// it.
    SourceKeyInaccessible,
    /// EC2 could not be given the use of a key for the time of the copy.
    GrantMissing,
    /// A key is disabled or about to be deleted.
    KeyDisabled,
    /// EC2 names a default key. It cannot mean that of the source, because EC2 shares nothing under `aws/ebs`: the role may
    /// not use the source's key, or not this account's own default.
    DefaultKeyNotShareable,
    /// The source snapshot is deleted or no longer shared.
    SourceGone,
    /// EC2 does not copy a snapshot of this kind or size between these Regions.
    SizeOrRegionUnsupported,
    /// EC2 itself failed.
    InternalError,
    /// EC2's words are not known to this version.
    Unknown,
    /// RDS gave up on a database's copy. It never says why.
    Unsaid,
}

/// The causes by the words that give them away, all in lower case: each of the alternatives needs all its words. The
/// first line that fits counts. EC2 documents none of these texts, so the words are as few as tell causes apart; seen on
/// AWS are "Given key ID is not accessible", the same followed by "You must have DescribeKey permissions on the default
/// CMK", "Source snapshot is not found" and "Source snapshot ID is not valid".
const TELLTALES: [(Cause, &[&[&str]]); 10] = [
    (Cause::DefaultKeyNotShareable, &[&["default", "cmk"], &["default", "key"], &["aws/ebs"]]),
    (Cause::GrantMissing, &[&["grant"]]),
    (Cause::KeyDisabled, &[&["key", "disabled"], &["key", "pending deletion"], &["key", "pendingdeletion"]]),
    (Cause::SourceKeyInaccessible, &[&["key"], &["kms"], &["cmk"]]),
    (Cause::SizeOrRegionUnsupported, &[&["unsupported"], &["not supported"], &["not support"]]),
    (Cause::SourceGone, &[&["snapshot", "not found"], &["snapshot", "not exist"], &["snapshot", "not valid"]]),
    (Cause::SourceGone, &[&["snapshot", "deleted"], &["snapshot", "not shared"], &["snapshot", "no longer"]]),
    (Cause::SourceGone, &[&["snapshot", "permission"], &["snapshot", "not authorized"], &["snapshot", "access"]]),
    (Cause::SizeOrRegionUnsupported, &[&["size"], &["too large"], &["region"]]),
    (Cause::InternalError, &[&["internal"], &["try again"], &["unavailable"]]),
];

impl Cause {
    /// The cause of a copy's failure, as far as it is told.
    #[must_use]
    pub fn of(copy: &DescribedCopy) -> Self {
        if copy.database.is_some() { Self::Unsaid } else { Self::told(&copy.state_message) }
    }

    /// The cause that a copy's `StateMessage` tells of (EC2 API reference, `Snapshot.StateMessage`).
    fn told(state_message: &str) -> Self {
        let message = state_message.to_lowercase();
        let fits =
            |alternatives: &[&[&str]]| alternatives.iter().any(|words| words.iter().all(|word| message.contains(word)));
        TELLTALES.iter().find(|(_, alternatives)| fits(alternatives)).map_or(Self::Unknown, |(cause, _)| *cause)
    }

    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> CopyFailed {
        match self {
            Self::SourceKeyInaccessible => CopyFailed::SourceKeyInaccessible,
            Self::GrantMissing => CopyFailed::GrantMissing,
            Self::KeyDisabled => CopyFailed::KeyDisabled,
            Self::DefaultKeyNotShareable => CopyFailed::DefaultKeyNotShareable,
            Self::SourceGone => CopyFailed::SourceGone,
            Self::SizeOrRegionUnsupported => CopyFailed::SizeOrRegionUnsupported,
            Self::InternalError => CopyFailed::InternalError,
            Self::Unknown | Self::Unsaid => CopyFailed::UnknownCause,
        }
    }

    /// What to do, and in which account: `account` is this one, `region` the copy's.
    #[must_use]
    pub fn remedy(self, tags: &ReadTags, account: Option<&AccountId>, region: &Region) -> String {
        let there = named("source account", tags.source_account.as_ref());
        let here = named("target account", account);
        match self {
            Self::SourceKeyInaccessible => format!(
                "EC2 could not use a key, most likely the one that the source snapshot is encrypted under. In the {there}: \
                 check that this key is enabled, and that its policy lets the {here} use it and create grants on it. In the \
                 {here}: check that the stack's SourceKeyArns names it, or is empty, which means the keys of {THEIRS}. {AGAIN}"
            ),
            Self::GrantMissing => format!(
                "EC2 was not allowed to create a grant on a key. In the {there}: the policy of the source snapshot's key \
                 must allow kms:CreateGrant to the {here}. In the {here}: the copier's role must have kms:CreateGrant on \
                 that key and on the copy's (SourceKeyArns, which when empty means the keys of {THEIRS}, and \
                 TargetKeyArns of the stack). {AGAIN}"
            ),
            Self::KeyDisabled => format!(
                "A key is disabled or about to be deleted: the source snapshot's in the {there}, or the copy's in the {here}. \
                 Cancel its deletion if need be, and enable it. {AGAIN}"
            ),
            Self::DefaultKeyNotShareable => format!(
                "EC2 names a default key and may mean either of two keys. The one that the source snapshot is encrypted \
                 under: in the {there}, its policy must let the {here} use it and create grants on it, and the stack's \
                 SourceKeyArns must name it, or be empty, which means the keys of {THEIRS}. Or, where the policy names no CmkArn for {region}, the {here}'s own default key \
                 there, which the copier's role may not use: name a key in CmkArn. {AGAIN}"
            ),
            Self::SourceGone => format!(
                "EC2 does not find the source snapshot: it was deleted, or is no longer shared. In the {there}: share it \
                 again with the {here}, if it still exists. {AGAIN}"
            ),
            Self::SizeOrRegionUnsupported => format!(
                "EC2 does not copy this snapshot to {region}, because of its kind, its size or the Region. In the {here}: \
                 choose another Target in the policy, or ask AWS Support with EC2's words in error."
            ),
            Self::InternalError => format!("EC2 itself failed; there is nothing to repair. {AGAIN}"),
            Self::Unknown => format!(
                "EC2 gave up on the copy; its own words are in error. Look at the events of {region} around that time in \
                 the CloudTrail of the {here}, above all at those of KMS. {AGAIN}"
            ),
            Self::Unsaid => format!(
                "RDS gave up on the copy and does not say why. In the {there}: check that the source snapshot still exists and is \
                 shared with the {here}, that its key's policy lets the {here} use the key and create grants on it, and that it has \
                 no option of an option group, such as TDE, that RDS does not take along. In the {here}: check that the copy's key \
                 is enabled, and that the quotas of snapshots and storage in {region} are not used up. Look at RDS's events in \
                 {region} (aws rds describe-events), and at those of KMS in CloudTrail, around that time. {AGAIN}"
            ),
        }
    }
}

/// What happens without anybody's doing.
const AGAIN: &str = "It is copied again, at most 5 times in 24 hours.";

/// Whose keys the copier may use where none are named.
const THEIRS: &str = "SourceAccounts in the stack's Region";

fn named(role: &str, account: Option<&AccountId>) -> String {
    account.map_or_else(|| role.to_owned(), |account| format!("{role} {account}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_the_cause_away() {
        for (cause, message) in [
            (Cause::SourceKeyInaccessible, "Given key ID is not accessible"),
            (Cause::SourceKeyInaccessible, "Given key Id is not accessible."),
            (
                Cause::SourceKeyInaccessible,
                "The source snapshot KMS key does not exist, is not enabled or you do not have permissions to access it",
            ),
            (Cause::SourceKeyInaccessible, "Access denied to KMS"),
            (
                Cause::DefaultKeyNotShareable,
                "Given key ID is not accessible. You must have DescribeKey permissions on the default CMK.",
            ),
            (
                Cause::DefaultKeyNotShareable,
                "Snapshots encrypted with the AWS Managed CMK alias/aws/ebs can't be shared",
            ),
            (Cause::GrantMissing, "Not authorized to perform kms:CreateGrant on key 1234abcd"),
            (Cause::KeyDisabled, "The key arn:aws:kms:eu-west-1:111111111111:key/a is disabled"),
            (Cause::KeyDisabled, "KMS key is pending deletion."),
            (Cause::SourceGone, "Source snapshot is not found"),
            (Cause::SourceGone, "Source snapshot ID is not valid"),
            (Cause::SourceGone, "You do not have permission to access the snapshot"),
            (Cause::SizeOrRegionUnsupported, "Copying snapshots of this type is not supported"),
            (Cause::SizeOrRegionUnsupported, "The size exceeds the limit in this Region"),
            (Cause::InternalError, "An internal error has occurred"),
            (Cause::Unknown, ""),
            (Cause::Unknown, "Metadata not updated"),
        ] {
            assert_eq!(Cause::told(message), cause, "{message:?}");
        }
    }

    #[test]
    fn remedies_say_where() {
        let tags = ReadTags { source_account: AccountId::parse("111111111111").ok(), ..ReadTags::default() };
        let here = AccountId::parse("222222222222").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        for cause in [
            Cause::SourceKeyInaccessible,
            Cause::GrantMissing,
            Cause::KeyDisabled,
            Cause::DefaultKeyNotShareable,
            Cause::SourceGone,
            Cause::Unsaid,
        ] {
            let remedy = cause.remedy(&tags, Some(&here), &region);
            assert!(remedy.contains("source account 111111111111"), "{remedy}");
            assert!(remedy.contains("target account 222222222222"), "{remedy}");
        }
        let remedy = Cause::DefaultKeyNotShareable.remedy(&tags, Some(&here), &region);
        assert!(
            remedy.contains("SourceKeyArns") && remedy.contains("CmkArn") && !remedy.contains("aws/ebs"),
            "{remedy}"
        );
        let remedy = Cause::Unknown.remedy(&ReadTags::default(), None, &region);
        assert!(remedy.contains("of the target account,"), "{remedy}");
    }
}
