//! What the search stands on.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::facts::{Copies, DescribedCopy, Inventory};
use crate::ids::{AccountId, Region, SnapshotId};
use crate::tags::Proof;
use crate::text::printable;

/// Longer than any name of a database (RDS API reference, `DBInstanceIdentifier`: 63 characters).
const LONGEST_NAME: usize = 255;

/// All that was read. A Region that could not be read has no place here: without it nothing is said.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: AccountId,
    /// When this was read.
    pub now: Timestamp,
    /// What is kept in each Region that is looked at.
    pub regions: BTreeMap<Region, Vault>,
}

/// The copies in one Region, of all homes.
#[derive(Debug, Default)]
pub struct Vault {
    /// The copies, and what KMS says of their keys.
    pub copies: Copies,
    details: HashMap<SnapshotId, Detail>,
    /// Those that EC2 did not describe in full.
    in_doubt: HashSet<SnapshotId>,
}

/// What a restore needs to know of a copy and nobody else asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// Its size in GiB.
    pub size_gib: u32,
    /// What was proven of its content.
    pub proof: Option<Proof>,
    /// What its content is.
    pub content: Content,
    /// The name of the database that it is of; empty for a volume. Text of somebody else.
    pub database: String,
}

/// What is restored from a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Content {
    /// A volume.
    #[default]
    Volume,
    /// An RDS instance.
    Instance,
    /// A cluster, Aurora's or a Multi-AZ one.
    Cluster {
        /// Its engine, without which RDS restores none.
        engine: String,
        /// The engine's version, empty where RDS does not say it: without it RDS restores to a version of its choice.
        version: String,
    },
}

/// Takes a Region's copies down one after the other.
#[derive(Debug, Default)]
pub struct Reading {
    inventory: Inventory,
    details: HashMap<SnapshotId, Detail>,
    in_doubt: HashSet<SnapshotId>,
}

impl Reading {
    /// Takes down one snapshot.
    pub fn add(&mut self, copy: DescribedCopy) {
        self.add_with(copy, Content::Volume, "");
    }

    /// Takes down one of a database of that name.
    pub fn add_with(&mut self, copy: DescribedCopy, content: Content, database: &str) {
        let database = printable(database, LONGEST_NAME);
        let detail = Detail { size_gib: copy.size_gib, proof: copy.tags.proof.clone(), content, database };
        self.details.insert(copy.id.clone(), detail);
        self.inventory.add(copy);
    }

    /// Takes down one that EC2 did not describe in full, and what is missing.
    pub fn add_in_doubt(&mut self, copy: DescribedCopy, problem: String) {
        self.in_doubt.insert(copy.id.clone());
        self.inventory.add_in_doubt(copy, problem);
    }

    /// What was taken down. Of the keys nothing is known until [`Copies::note_keys`].
    #[must_use]
    pub fn close(self) -> Vault {
        Vault { copies: self.inventory.close(), details: self.details, in_doubt: self.in_doubt }
    }
}

impl Vault {
    /// Whether EC2 did not describe a copy in full.
    pub(super) fn is_in_doubt(&self, id: &SnapshotId) -> bool {
        self.in_doubt.contains(id)
    }

    pub(super) fn detail(&self, id: &SnapshotId) -> Detail {
        self.details.get(id).cloned().unwrap_or_default()
    }
}
