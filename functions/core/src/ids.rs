//! The names of AWS things, checked once where they enter.
//!
//! Each is kept inline (`CompactString` holds 24 bytes without an allocation): a sweep keeps hundreds of thousands.

use std::borrow::Borrow;
use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected} expected, found {found:?}")]
pub struct InvalidId {
    /// What would have been right, in words.
    pub expected: &'static str,
    /// What was found, cut to 80 characters.
    pub found: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:path $(, $normal:path)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// Checks `text` and keeps it.
            ///
            /// # Errors
            /// [`InvalidId`] when `text` has another form.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if $valid(text) {
                    let name = CompactString::new(text);
                    $(let name = $normal(name);)?
                    Ok(Self(name))
                } else {
                    Err(InvalidId { expected: $expected, found: text.chars().take(80).collect() })
                }
            }

            /// The name as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = CompactString::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// An AWS account: twelve digits.
    AccountId, "an account ID of 12 digits", is_account
);
id!(
    /// A Region's code, such as `eu-central-1`.
    Region, "a Region code such as eu-central-1", is_region
);
id!(
    /// An EBS snapshot: `snap-` and 8 to 17 hexadecimal digits (EC2 API reference). What stands for a database's: see `rds::facts`.
    SnapshotId, "a snapshot ID such as snap-0123456789abcdef0", is_snapshot
);
id!(
    /// An EBS volume as a snapshot names it. See [`VolumeId::is_filler`].
    VolumeId, "a volume ID such as vol-0123456789abcdef0", is_volume
);
id!(
    /// The name of a policy: its `PolicyId`, or `default` for a bare `PolicyDetails`. Part of every copy's identity,
    /// and a tag's value: 1 to 64 letters, digits, `-`, `_` and `.`.
    PolicyName, "a PolicyId of 1 to 64 letters, digits, '-', '_' and '.'", is_policy_name
);
id!(
    /// A namespace of CloudWatch's metrics ("Metrics concepts" in the CloudWatch User Guide), not one of AWS's own.
    MetricNamespace, "a namespace of 1 to 255 letters, digits and . - _ / # : that does not begin with : or AWS/", is_namespace
);
id!(
    /// The ARN of a KMS key, never of an alias: `arn:aws:kms:REGION:ACCOUNT:key/ID` (DLM API reference, `CmkArn`). KMS takes
    /// the ID in any case, and answers it, as EC2 does, in small letters: so it is kept.
    KeyArn, "a key ARN such as arn:aws:kms:eu-central-1:111122223333:key/ID (no alias)", is_key_arn, in_small_letters
);

impl AccountId {
    /// The account in an ARN, such as that of the invoked function.
    #[must_use]
    pub fn of_arn(arn: &str) -> Option<Self> {
        arn.split(':').nth(4).and_then(|account| Self::parse(account).ok())
    }

    /// The account whose leading zeros `digits` has lost, as spreadsheets and JSON's numbers lose them: 1 to 11 digits.
    #[must_use]
    pub fn with_lost_zeros(digits: &str) -> Option<Self> {
        let is_short = (1..12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_short.then(|| Self::parse(&format!("{digits:0>12}")).ok()).flatten()
    }
}

impl Region {
    /// The partition that the Region is in, as ARNs name it (botocore 1.43, partitions.json).
    #[must_use]
    pub fn partition(&self) -> &'static str {
        let partitions = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
        ];
        partitions.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
    }
}

impl SnapshotId {
    /// Reads what stands for a snapshot of any kind, as the ledger keeps it.
    ///
    /// # Errors
    /// [`InvalidId`] when `text` has no form of one.
    pub fn of_any_kind(text: &str) -> Result<Self, InvalidId> {
        let is_of_databases = ["db-", "snapferry-"].iter().any(|prefix| {
            let digits = text.strip_prefix(prefix).unwrap_or_default();
            digits.len() == 52 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        });
        if is_of_databases { Ok(Self(CompactString::new(text))) } else { Self::parse(text) }
    }

    /// Whether it stands for a database's snapshot or a copy of one.
    #[must_use]
    pub fn is_of_database(&self) -> bool {
        !self.0.starts_with("snap-")
    }

    /// What stands for a database's snapshot that is shared: `db-` and the hexadecimal digits of a hash.
    #[must_use]
    pub(crate) fn of_source(hash: impl IntoIterator<Item = u8>) -> Self {
        let digits: String = hash.into_iter().map(|byte| format!("{byte:02x}")).collect();
        Self(CompactString::from(format!("db-{digits}")))
    }

    /// What stands for a copy of a database's snapshot: the name that Snapferry gave it.
    #[must_use]
    pub(crate) fn of_copy(name: &str) -> Self {
        Self(CompactString::new(name))
    }
}

impl VolumeId {
    /// Reads what stands for a volume, an instance or a cluster, as the ledger keeps it.
    ///
    /// # Errors
    /// [`InvalidId`] when `text` has no form of one.
    pub fn of_any_kind(text: &str) -> Result<Self, InvalidId> {
        if is_resource_id(text) { Ok(Self(CompactString::new(text))) } else { Self::parse(text) }
    }

    /// What stands for an instance or a cluster: its `DbiResourceId` or `DbClusterResourceId`, and a filler for what is none.
    #[must_use]
    pub fn of_database(resource_id: &str) -> Self {
        Self(CompactString::new(if is_resource_id(resource_id) { resource_id } else { "vol-ffffffff" }))
    }

    /// Whether it is an RDS instance's `DbiResourceId`.
    #[must_use]
    pub fn is_of_instance(&self) -> bool {
        self.0.starts_with("db-")
    }

    /// Whether EC2 names no volume: of a copy, or of what was written through EBS's direct APIs, it names a filler of nothing but `f`.
    #[must_use]
    pub fn is_filler(&self) -> bool {
        self.0.strip_prefix("vol-").is_some_and(|digits| digits.bytes().all(|digit| digit == b'f'))
    }

    /// All fillers there can be, as a tag's value has them.
    pub fn fillers() -> impl Iterator<Item = String> {
        (8..=17).map(|digits| format!("vol-{}", "f".repeat(digits)))
    }
}

impl KeyArn {
    /// The partition that the ARN names.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// The Region that the key is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }

    /// The account that owns the key.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Lower-case words and one digit group at the end, joined by hyphens: `us-gov-west-1`, `ap-southeast-7`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    text.len() <= 32
        && words.len() >= 2
        && words.iter().all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
        && matches!(number.len(), 1 | 2)
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_snapshot(text: &str) -> bool {
    is_resource(text, "snap-")
}

fn is_volume(text: &str) -> bool {
    is_resource(text, "vol-")
}

/// RDS documents no form; botocore's examples and the guides show capital letters and digits.
fn is_resource_id(text: &str) -> bool {
    ["db-", "cluster-"].iter().any(|prefix| {
        let id = text.strip_prefix(prefix).unwrap_or_default();
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

fn is_resource(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|id| {
        (8..=17).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn is_policy_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_namespace(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_/#:".contains(&b);
    (1..=255).contains(&text.len())
        && text.bytes().all(is_allowed)
        && !text.starts_with(':')
        && !text.starts_with("AWS/")
}

fn is_key_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, key] => {
            (*partition == "aws" || partition.starts_with("aws-"))
                && is_region(region)
                && is_account(account)
                && key.strip_prefix("key/").is_some_and(|id| {
                    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                })
        }
        _ => false,
    }
}

/// All else in a key's ARN is in small letters already.
fn in_small_letters(mut key: CompactString) -> CompactString {
    key.make_ascii_lowercase();
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for (ok, text) in [
            (true, "111122223333"),
            (false, "11112222333"),
            (false, "11112222333x"),
            (false, "１１１１２２２２３３３３"),
        ] {
            assert_eq!(AccountId::parse(text).is_ok(), ok, "{text}");
        }
        for (ok, text) in [
            (true, "us-east-1"),
            (true, "us-gov-west-1"),
            (true, "eu-isoe-west-1"),
            (false, "us-east"),
            (false, "US-EAST-1"),
            (false, "us--1"),
            (false, ""),
            (false, "us-east-1a"),
        ] {
            assert_eq!(Region::parse(text).is_ok(), ok, "{text}");
        }
        for (ok, text) in [(true, "Snapferry/vault-1"), (false, "AWS/EC2"), (false, ":a"), (false, "a b"), (false, "")]
        {
            assert_eq!(MetricNamespace::parse(text).is_ok(), ok, "{text}");
        }
        for (ok, text) in [
            (true, "snap-01234567"),
            (true, "snap-0123456789abcdef0"),
            (false, "snap-0123"),
            (false, "snap-0123456789ABCDEF0"),
            (false, "vol-01234567"),
        ] {
            assert_eq!(SnapshotId::parse(text).is_ok(), ok, "{text}");
        }
        for (ok, text) in [
            (true, "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
            (true, "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"),
            (false, "arn:aws:kms:us-east-1:111122223333:alias/backup"),
            (false, "arn:aws:kms:us-east-1:111122223333:key/"),
            (false, "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ] {
            assert_eq!(KeyArn::parse(text).is_ok(), ok, "{text}");
        }
        // As the console of another tool wrote it, and as EC2 answers it.
        let [typed, answered] = ["1234ABCD-12AB-34CD-56EF-1234567890AB", "1234abcd-12ab-34cd-56ef-1234567890ab"]
            .map(|id| KeyArn::parse(&format!("arn:aws:kms:us-east-1:111122223333:key/{id}")).unwrap());
        assert_eq!(typed, answered);
    }

    #[test]
    fn what_the_ledger_keeps_is_of_any_kind() {
        let digits = "0123456789abcdef".repeat(4)[..52].to_owned();
        for (ok, text) in [
            (true, "snap-01234567".to_owned()),
            (true, format!("db-{digits}")),
            (true, format!("snapferry-{digits}")),
            (false, format!("db-{}", digits.to_uppercase())),
            (false, format!("db-{}", &digits[1..])),
            (false, format!("snap-{digits}")),
            (false, digits),
        ] {
            let read = SnapshotId::of_any_kind(&text);
            assert_eq!(read.is_ok(), ok, "{text}");
            // Where EC2's IDs are read there are no others.
            assert_eq!(SnapshotId::parse(&text).is_ok(), ok && text.starts_with("snap-"), "{text}");
        }
        for (ok, text) in [
            (true, "vol-01234567"),
            (true, "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            (true, "cluster-ABCDEFGHIJKLMNOPQRSTUVWXY2"),
            (false, "db-abc"),
            (false, "cluster-"),
            (false, ""),
        ] {
            assert_eq!(VolumeId::of_any_kind(text).is_ok(), ok, "{text}");
            assert_eq!(VolumeId::parse(text).is_ok(), ok && text.starts_with("vol-"), "{text}");
        }
    }

    #[test]
    fn regions_are_in_partitions() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("us-iso-east-1", "aws-iso"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Region::parse(region).unwrap().partition(), partition);
        }
    }

    #[test]
    fn long_text_is_cut_in_the_error() {
        let error = AccountId::parse(&"9".repeat(1000)).unwrap_err();
        assert_eq!(error.found.len(), 80);
    }
}
