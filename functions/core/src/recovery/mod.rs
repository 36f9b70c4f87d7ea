//! What can be restored: the newest good point of each volume in each Region, and why the other copies are none.
//!
//! A copy is a point by the law that lets expiry count one as a survivor: verified by a verdict that names the copy itself, under
//! a key that is alive, its tags whole. Whether it has expired does not matter while it is there.

pub mod emit;
mod facts;
pub mod made;
mod passed;
mod point;
pub mod restore;
mod sets;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use self::facts::{Content, Detail, Facts, Reading, Vault};
pub use self::passed::Passed;
pub use self::point::{Point, Unrecoverable};
pub use self::sets::{Set, TOGETHER};
pub use self::wanted::{Attachment, Wanted};
use crate::facts::Copy;
use crate::ids::{AccountId, Region, SnapshotId, VolumeId};

/// What can be restored, and what cannot.
#[derive(Debug)]
pub struct Recovery<'f> {
    /// The time that is wanted back: `before`, else now. Ages count to it.
    pub at: Timestamp,
    /// The newest point of each volume in each Region: by account, volume and Region.
    pub points: Vec<Point<'f>>,
    /// The volumes without a point in any of the Regions.
    pub without: Vec<Unrecoverable<'f>>,
    /// The copies that are no points, and why.
    pub passed: BTreeMap<Passed, Vec<(&'f Region, &'f SnapshotId)>>,
    /// How many good points are older than their volume's newest in the Region.
    pub older: usize,
    /// Points that were likely taken together.
    pub sets: Vec<Set<'f>>,
}

impl Recovery<'_> {
    /// Whether something that is wanted cannot be restored, or nothing at all can be.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        !self.without.is_empty() || self.points.is_empty()
    }

    /// How many volumes have a point, in however many Regions.
    #[must_use]
    pub fn volumes(&self) -> usize {
        self.points.iter().map(Point::lineage).collect::<BTreeSet<_>>().len()
    }

    /// The Regions in which there are points.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<&Region> {
        self.points.iter().map(|point| point.region).collect()
    }
}

/// A volume, and its account where a copy names one.
type Lineage<'f> = (Option<&'f AccountId>, &'f VolumeId);

/// Finds the points.
#[must_use]
pub fn recover<'f>(wanted: &'f Wanted, facts: &'f Facts) -> Recovery<'f> {
    let mut search = Search::default();
    for (region, vault) in &facts.regions {
        for copy in vault.copies.copies.iter().filter(|copy| wanted.includes(copy)) {
            search.see(wanted, facts, region, vault, copy);
        }
        search.nameless(region, vault);
    }
    search.expect(wanted);
    search.end(wanted.before.unwrap_or(facts.now))
}

/// What was found so far.
#[derive(Default)]
struct Search<'f> {
    newest: BTreeMap<(Lineage<'f>, &'f Region), Point<'f>>,
    /// Each volume that is wanted, and why copies of it are no points.
    volumes: BTreeMap<Lineage<'f>, BTreeMap<Passed, usize>>,
    passed: BTreeMap<Passed, Vec<(&'f Region, &'f SnapshotId)>>,
    older: usize,
}

impl<'f> Search<'f> {
    fn see(&mut self, wanted: &Wanted, facts: &'f Facts, region: &'f Region, vault: &'f Vault, copy: &'f Copy) {
        let judged = point::judge(wanted, facts, region, vault, copy);
        if let Err(passed) = &judged {
            self.passed.entry(*passed).or_default().push((region, &copy.id));
        }
        let Some(volume) = copy.lineage.as_ref().filter(|volume| !volume.is_filler()) else { return };
        // Another document's volumes are another's to miss.
        if judged != Err(Passed::PolicyNotNamed) || wanted.names(volume) {
            let reasons = self.volumes.entry((copy.origin.account.as_ref(), volume)).or_default();
            if let Err(passed) = &judged {
                *reasons.entry(*passed).or_default() += 1;
            }
        }
        if let Ok(point) = judged {
            self.keep(point);
        }
    }

    fn keep(&mut self, point: Point<'f>) {
        let place = ((Some(point.account), point.volume), point.region);
        let Some(known) = self.newest.get_mut(&place) else {
            self.newest.insert(place, point);
            return;
        };
        self.older += 1;
        let older = known.older + 1;
        if point.rank() > known.rank() {
            *known = point;
        }
        known.older = older;
    }

    /// What has some of Snapferry's tags and not those that name it: of which volume it is, nobody knows.
    fn nameless(&mut self, region: &'f Region, vault: &'f Vault) {
        let is_named = |id: &SnapshotId| vault.copies.copies.binary_search_by(|copy| copy.id.cmp(id)).is_ok();
        let nameless = vault.copies.tampered.iter().filter(|copy| !is_named(&copy.id));
        let nameless: Vec<_> = nameless.map(|copy| (region, &copy.id)).collect();
        if !nameless.is_empty() {
            self.passed.entry(Passed::MalformedTags).or_default().extend(nameless);
        }
    }

    /// Volumes that were named, and of which there is no copy at all.
    fn expect(&mut self, wanted: &'f Wanted) {
        let known: BTreeSet<&VolumeId> = self.volumes.keys().map(|(_, volume)| *volume).collect();
        let is_chosen = |volume: &&VolumeId| wanted.volumes.is_empty() || wanted.volumes.contains(*volume);
        let named = wanted.volumes.iter().chain(wanted.attachments.keys().filter(is_chosen));
        let missing: Vec<_> = named.filter(|volume| !known.contains(*volume)).collect();
        self.volumes.extend(missing.into_iter().map(|volume| ((None, volume), BTreeMap::new())));
    }

    fn end(self, at: Timestamp) -> Recovery<'f> {
        let mut points: Vec<Point<'f>> = self.newest.into_values().collect();
        let found: BTreeSet<Lineage<'f>> = points.iter().map(|point| (Some(point.account), point.volume)).collect();
        let without = self.volumes.into_iter().filter(|(lineage, _)| !found.contains(lineage));
        let without = without.map(|((account, volume), passed)| Unrecoverable { account, volume, passed }).collect();
        let sets = sets::find(&mut points);
        Recovery { at, points, without, passed: self.passed, older: self.older, sets }
    }
}
