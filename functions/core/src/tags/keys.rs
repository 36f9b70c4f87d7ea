//! The tags' keys.

/// `snapferry:policy`: the policy's name.
pub const POLICY: &str = "snapferry:policy";
/// `snapferry:source-snapshot`: the snapshot that was copied.
pub const SOURCE_SNAPSHOT: &str = "snapferry:source-snapshot";
/// `snapferry:source-account`: its owner, as EC2 said.
pub const SOURCE_ACCOUNT: &str = "snapferry:source-account";
/// `snapferry:source-region`: the Region it was shared in.
pub const SOURCE_REGION: &str = "snapferry:source-region";
/// `snapferry:source-volume`: the volume it was made of.
pub const SOURCE_VOLUME: &str = "snapferry:source-volume";
/// `snapferry:source-size-gib`: its volume's size in GiB.
pub const SOURCE_SIZE_GIB: &str = "snapferry:source-size-gib";
/// `snapferry:source-start-time`: when it was started, RFC 3339.
pub const SOURCE_START_TIME: &str = "snapferry:source-start-time";
/// `snapferry:kms-key`: the configured `CmkArn`; absent when none.
pub const KMS_KEY: &str = "snapferry:kms-key";
/// `snapferry:expire-after`: when the copy may be deleted, RFC 3339 in UTC; absent without a RetainRule.
pub const EXPIRE_AFTER: &str = "snapferry:expire-after";
/// `snapferry:status`: see [`Status`](super::Status).
pub const STATUS: &str = "snapferry:status";
/// `snapferry:settled-at`: when the status left `copying`, RFC 3339.
pub const SETTLED_AT: &str = "snapferry:settled-at";
/// `snapferry:copy`: the copy's own ID, written with its verdict. Whatever copies all tags of a snapshot onto another copies
/// this one, too, and what names another snapshot has none of Snapferry's verdicts.
pub const COPY: &str = "snapferry:copy";
/// `snapferry:proof`: `<level> <RFC 3339 time>`, what was proven of the content. Absent while nothing but EC2's metadata was looked at.
pub const PROOF: &str = "snapferry:proof";
/// `snapferry:lock`: see [`Lock`](super::Lock); absent without a LockRule.
pub const LOCK: &str = "snapferry:lock";
