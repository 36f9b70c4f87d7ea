//! What is to become of a point: a volume, and the tags that say where it comes from.

use super::point::Point;
use super::wanted::Attachment;
use crate::ids::{AccountId, Region, SnapshotId, VolumeId};

/// `snapferry-restore:snapshot`: the copy that the volume was made of. None of these tags begins with `snapferry:`, which only
/// copies have, and nobody but Snapferry may write in an account with the guardrails: a snapshot of a restored volume that takes over
/// the volume's tags is no copy.
pub const SNAPSHOT: &str = "snapferry-restore:snapshot";
/// `snapferry-restore:volume`: the source volume.
pub const VOLUME: &str = "snapferry-restore:volume";
/// `snapferry-restore:account`: the source account.
pub const ACCOUNT: &str = "snapferry-restore:account";
/// `snapferry-restore:started`: the moment whose content the volume has, RFC 3339.
pub const STARTED: &str = "snapferry-restore:started";
/// `snapferry-restore:instance`: what the source volume was attached to, where that is known.
pub const INSTANCE: &str = "snapferry-restore:instance";
/// `snapferry-restore:device`: as what.
pub const DEVICE: &str = "snapferry-restore:device";
/// `snapferry-restore:name`: the name of the restore that the command itself made the volume for.
pub const RESTORE: &str = "snapferry-restore:name";

/// The longest value of a tag, in characters (EC2 User Guide, "Tag restrictions").
pub(super) const LONGEST: usize = 256;

/// A volume to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore<'f> {
    /// The copy that it is made of.
    pub snapshot: &'f SnapshotId,
    /// Where that is.
    pub region: &'f Region,
    /// The source account.
    pub account: &'f AccountId,
    /// The source volume.
    pub volume: &'f VolumeId,
    /// Its size in GiB.
    pub size_gib: u32,
    /// Its tags; `Name` and the attachment's only where something is known of them.
    pub tags: Vec<(&'static str, String)>,
}

impl<'f> Restore<'f> {
    /// Of a point.
    #[must_use]
    pub fn of(point: &Point<'f>, attachment: Option<&Attachment>) -> Self {
        let mut tags = vec![
            (SNAPSHOT, point.copy.id.to_string()),
            (VOLUME, point.volume.to_string()),
            (ACCOUNT, point.account.to_string()),
            (STARTED, point.started.to_string()),
        ];
        let known =
            attachment.map(|known| [("Name", &known.name), (INSTANCE, &known.instance), (DEVICE, &known.device)]);
        let known = known.into_iter().flatten().filter(|(_, value)| !value.is_empty());
        tags.extend(known.map(|(key, value)| (key, value.chars().take(LONGEST).collect())));
        Self {
            snapshot: &point.copy.id,
            region: point.region,
            account: point.account,
            volume: point.volume,
            size_gib: point.detail.size_gib,
            tags,
        }
    }
}
