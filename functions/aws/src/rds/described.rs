//! Snapshots as RDS describes them, in core's facts. Those of instances and of clusters have the same members under other names.

use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::ids::KeyArn;
use snapferry_core::rds::{AVAILABLE, Own, Shared, SnapshotArn, Source};

/// What is read of a snapshot of either kind.
pub(super) struct Described {
    arn: Option<String>,
    database: Option<String>,
    created: Option<DateTime>,
    original: Option<DateTime>,
    status: Option<String>,
    engine: Option<String>,
    engine_version: Option<String>,
    allocated_storage: Option<i32>,
    encrypted: Option<bool>,
    key: Option<String>,
    resource_id: Option<String>,
    source_arn: Option<String>,
    option_group: Option<String>,
    has_tde: bool,
    tags: Vec<Tag>,
}

impl From<DbSnapshot> for Described {
    fn from(snapshot: DbSnapshot) -> Self {
        Self {
            arn: snapshot.db_snapshot_arn,
            database: snapshot.db_instance_identifier,
            created: snapshot.snapshot_create_time,
            original: snapshot.original_snapshot_create_time,
            status: snapshot.status,
            engine: snapshot.engine,
            engine_version: snapshot.engine_version,
            allocated_storage: snapshot.allocated_storage,
            encrypted: snapshot.encrypted,
            key: snapshot.kms_key_id,
            resource_id: snapshot.dbi_resource_id,
            source_arn: snapshot.source_db_snapshot_identifier,
            option_group: snapshot.option_group_name,
            has_tde: snapshot.tde_credential_arn.is_some_and(|arn| !arn.is_empty()),
            tags: snapshot.tag_list.unwrap_or_default(),
        }
    }
}

impl From<DbClusterSnapshot> for Described {
    fn from(snapshot: DbClusterSnapshot) -> Self {
        Self {
            arn: snapshot.db_cluster_snapshot_arn,
            database: snapshot.db_cluster_identifier,
            created: snapshot.snapshot_create_time,
            original: None,
            status: snapshot.status,
            engine: snapshot.engine,
            engine_version: snapshot.engine_version,
            allocated_storage: snapshot.allocated_storage,
            encrypted: snapshot.storage_encrypted,
            key: snapshot.kms_key_id,
            resource_id: snapshot.db_cluster_resource_id,
            source_arn: snapshot.source_db_cluster_snapshot_arn,
            option_group: None,
            has_tde: false,
            tags: snapshot.tag_list.unwrap_or_default(),
        }
    }
}

impl Described {
    /// The facts of what another account shares.
    ///
    /// # Errors
    /// What cannot be read, and of which snapshot. Its creation time belongs to its identity, and whether it is encrypted decides
    /// how it is copied, so neither is guessed.
    pub(super) fn shared(self) -> Result<Shared, CallError> {
        let arn = self.arn()?;
        let missing = |what: &str| unreadable(format!("{arn} without {what}"));
        Ok(Shared {
            database: self.database.unwrap_or_default(),
            status: self.status.unwrap_or_default(),
            encrypted: self.encrypted.ok_or_else(|| missing("a word on its encryption"))?,
            engine: self.engine.ok_or_else(|| missing("an engine"))?,
            engine_version: self.engine_version,
            allocated_storage: self.allocated_storage.ok_or_else(|| missing("a size"))?,
            option_group: self.option_group,
            has_tde: self.has_tde,
            source: Source {
                created: timestamp(self.created).ok_or_else(|| missing("a creation time"))?,
                resource_id: self.resource_id.unwrap_or_default(),
                arn,
            },
        })
    }

    /// The facts of this account's own.
    ///
    /// # Errors
    /// What cannot be read, and of which snapshot. A verdict must not be one on what RDS did not say.
    pub(super) fn own(self) -> Result<Own, CallError> {
        let arn = self.arn()?;
        let status = self.status.unwrap_or_default();
        if status == AVAILABLE && self.encrypted.is_none() {
            return Err(unreadable(format!("{arn} without a word on its encryption")));
        }
        let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
        Ok(Own {
            arn,
            database: self.database,
            status,
            tags: self.tags.into_iter().filter_map(pair).collect(),
            source_arn: self.source_arn,
            encrypted: self.encrypted.unwrap_or_default(),
            key: self.key.and_then(|key| KeyArn::parse(&key).ok()),
            engine: self.engine,
            engine_version: self.engine_version,
            allocated_storage: self.allocated_storage,
            resource_id: self.resource_id,
            created: timestamp(self.created),
            original: timestamp(self.original),
        })
    }

    fn arn(&self) -> Result<SnapshotArn, CallError> {
        SnapshotArn::parse(self.arn.as_deref().unwrap_or_default()).map_err(|error| unreadable(error.to_string()))
    }
}

/// An answer of RDS's that cannot be read.
pub(super) fn unreadable(message: String) -> CallError {
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}

fn timestamp(time: Option<DateTime>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.secs(), time.subsec_nanos().cast_signed()).ok())
}
