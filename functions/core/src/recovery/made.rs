//! The volumes that a restore made: which are still to be made, and which may be taken back.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::restore::{RESTORE, Restore, SNAPSHOT, VOLUME};
use crate::ids::{SnapshotId, VolumeId};

/// The name of one restore, by which what it made is found again: 1 to 64 letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Box<str>);

/// The state of a volume (EC2 API reference, `Volume.State`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeState {
    /// Being made.
    Creating,
    /// Made, attached to nothing.
    Available,
    /// Attached.
    InUse,
    /// Going, or gone.
    Deleting,
    /// EC2 could not make it, or a state that did not exist when this was written.
    Error,
}

/// A volume as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its ID.
    pub id: VolumeId,
    /// Its state.
    pub state: VolumeState,
    /// Its Availability Zone.
    pub zone: String,
    /// The snapshot that EC2 made it of.
    pub snapshot: Option<SnapshotId>,
    /// Its size in GiB.
    pub size_gib: u32,
    /// Whether anything is attached to it, or being attached.
    pub is_attached: bool,
    /// All its tags.
    pub tags: Vec<(String, String)>,
}

/// How a volume is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct How {
    /// The restore.
    pub name: Name,
    /// The Availability Zone.
    pub zone: String,
    /// Its type, such as `gp3`.
    pub volume_type: String,
    /// The key that encrypts it; EC2 chooses without one.
    pub key: Option<String>,
}

/// Why a volume with a restore's name is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is attached to an instance.
    Attached,
    /// Its tags do not fit what EC2 says of it: somebody copied them onto another volume, or edited them.
    NotOurs,
    /// It is being made.
    NotReady,
}

impl Name {
    /// Checks a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        ((1..=64).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Volume {
    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// Whether its tags name this restore.
    #[must_use]
    pub fn is_named(&self, name: &Name) -> bool {
        self.tag(RESTORE) == Some(name.as_str())
    }

    /// Whether it is what its tags say: made of the snapshot that they name.
    fn is_as_tagged(&self) -> bool {
        let of = self.snapshot.as_ref().map(SnapshotId::as_str);
        of.is_some() && self.tag(SNAPSHOT) == of && self.tag(VOLUME).is_some()
    }
}

impl How {
    /// The tags of a volume.
    #[must_use]
    pub fn tags(&self, restore: &Restore<'_>) -> Vec<(&'static str, String)> {
        let mut tags = restore.tags.clone();
        tags.push((RESTORE, self.name.to_string()));
        tags
    }

    /// What makes it safe to ask for a volume again: the same for the same restore, point and zone (EC2 takes 64 characters).
    #[must_use]
    pub fn token(&self, restore: &Restore<'_>) -> String {
        let mut hash = Sha256::new();
        for part in [self.name.as_str(), restore.snapshot.as_str(), &self.zone] {
            hash.update(part);
            hash.update([0]);
        }
        let digits: String = hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("snapferry-{digits}")
    }

    /// The volume that this restore has made of the point already, if any.
    #[must_use]
    pub fn made<'v>(&self, restore: &Restore<'_>, found: &'v [Volume]) -> Option<&'v Volume> {
        let is_it = |volume: &&Volume| {
            let is_live = !matches!(volume.state, VolumeState::Deleting | VolumeState::Error);
            let is_of_point = volume.snapshot.as_ref() == Some(restore.snapshot) && volume.is_as_tagged();
            is_live && is_of_point && volume.is_named(&self.name) && volume.zone == self.zone
        };
        found.iter().find(is_it)
    }
}

/// Whether a volume that names the restore may be deleted; nothing where it names another, or is going already.
#[must_use]
pub fn may_go(name: &Name, volume: &Volume) -> Option<Result<(), Kept>> {
    if !volume.is_named(name) || volume.state == VolumeState::Deleting {
        return None;
    }
    Some(match volume.state {
        _ if !volume.is_as_tagged() => Err(Kept::NotOurs),
        _ if volume.is_attached => Err(Kept::Attached),
        VolumeState::Available | VolumeState::Error => Ok(()),
        VolumeState::InUse => Err(Kept::Attached),
        VolumeState::Creating | VolumeState::Deleting => Err(Kept::NotReady),
    })
}

impl Kept {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attached => "attached: it is in use, and is not deleted",
            Self::NotOurs => {
                "its tags name another snapshot than it was made of: delete it by hand, if it is not wanted"
            }
            Self::NotReady => "still being made: ask again in a minute",
        }
    }
}
