//! Proofs under way as items: `P#<region>` / the copy's ID.

use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::proving::Progress;
use snapferry_flow::Written;

use super::attributes::{Attributes, Key, n, names, revision, s, text};
use super::table::Table;

/// For how long the place of a proof that nobody goes on with is kept, in seconds: thirty days.
const KEPT: i64 = 30 * 86_400;

/// The attribute that holds the place, which this program alone reads.
const PROGRESS: &str = "progress";

/// A proof under way, as it was read.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// How far it is; none where none is under way, or it cannot be read: then it begins anew.
    pub progress: Option<Progress>,
    /// The item's revision; none where there is no item.
    revision: Option<u64>,
}

fn key(region: &Region, copy: &SnapshotId) -> Key {
    Key { pk: format!("P#{region}"), sk: copy.to_string() }
}

impl Table {
    /// How far the proof of a copy is.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn proof(&self, region: &Region, copy: &SnapshotId) -> Result<Place, CallError> {
        let Some(item) = self.get(key(region, copy)).await? else { return Ok(Place::default()) };
        let progress = text(&item, PROGRESS).and_then(|text| serde_json::from_str(text).ok());
        Ok(Place { progress, revision: revision(&item).ok() })
    }

    /// The copies of a Region whose proofs are under way.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn proofs(&self, region: &Region) -> Result<Vec<SnapshotId>, CallError> {
        let mut found = Vec::new();
        let take = |items: Vec<Attributes>| {
            found.extend(items.iter().filter_map(|item| SnapshotId::parse(text(item, names::SK)?).ok()));
            true
        };
        self.query(&format!("P#{region}"), "", None, take).await?;
        Ok(found)
    }

    /// Keeps how far a proof is, if nobody else did since it was read or written here.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn write_proof(
        &self,
        region: &Region,
        copy: &SnapshotId,
        place: &mut Place,
        progress: &Progress,
    ) -> Result<Written, CallError> {
        let revision = place.revision.map_or(0, |revision| revision.saturating_add(1));
        let mut item = key(region, copy).attributes();
        let mut put = |name: &str, value| _ = item.insert(name.to_owned(), value);
        put(PROGRESS, s(serde_json::to_string(progress).unwrap_or_default()));
        put(names::REVISION, n(revision));
        put(names::TTL, n(Timestamp::now().as_second().saturating_add(KEPT)));
        let written = self.write_other(revision, item).await?;
        if written == Written::Done {
            place.revision = Some(revision);
        }
        Ok(written)
    }

    /// Forgets a proof that is over.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn remove_proof(&self, region: &Region, copy: &SnapshotId, place: &Place) -> Result<(), CallError> {
        match place.revision {
            Some(revision) => self.delete(key(region, copy), revision).await.map(|_| ()),
            None => Ok(()),
        }
    }
}
