//! What is protected: every shared snapshot that a policy wants, in each of its targets.
//!
//! It says how things stand and decides nothing. Which snapshots a policy wants ([`copying::not_for`]) and how an identity
//! stands by its copies ([`weigh`]) is the copier's own judgement, so that the two cannot differ.

mod facts;
mod left;
mod proofs;
mod row;
mod spread;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

pub use self::facts::{Facts, Home};
use self::left::Left;
pub use self::proofs::{Proofs, proofs};
pub use self::row::{Counts, Row};
pub use self::spread::{Bucket, expiries, time_to_protect};
use crate::copying::{self, Skip};
use crate::dropouts::{Dropout, dropouts};
use crate::facts::{Copies, Copy, Endangered, SourceSnapshot};
use crate::homes::{is_anothers, is_named};
use crate::ids::{PolicyName, Region};
use crate::ledger::{Entry, Extract};
use crate::policy::{Policy, Target};
pub use crate::standing::Standing;

/// The whole account.
#[derive(Debug)]
pub struct Coverage<'f> {
    /// All identities: findings first, the oldest source first among what stands the same.
    pub rows: Vec<Row<'f>>,
    /// Counts of each home, policy and target Region.
    pub counts: BTreeMap<(&'f Region, &'f PolicyName, &'f Region), Counts>,
    /// How many snapshots are shared, those that no policy wants included.
    pub shared: usize,
    /// How many snapshots at least one policy wants.
    pub matching: usize,
    /// How many that a policy wants are not completed yet: the copier waits for them.
    pub not_completed: usize,
    /// How many were started before `since`.
    pub before_since: usize,
    /// How many copies are not wanted because their source is older than its retention, as sweeps have it.
    pub over_retention: usize,
    /// How many copies have edited or missing tags.
    pub tampered: usize,
    /// How many copies of these homes belong to each policy that the document does not have and that is not retired.
    pub not_named: BTreeMap<&'f PolicyName, usize>,
    /// How many copies that the ledger owes, or says that were missed, are of each such policy.
    pub not_named_owed: BTreeMap<&'f PolicyName, usize>,
    /// How many copies are of each other home: their own stacks account for them.
    pub other_homes: BTreeMap<&'f Region, usize>,
    /// How many copies expire only by hand, because nobody named their lineage and their policy keeps last ones.
    pub lineage_unknown: usize,
    /// The keys that are not alive and under which there are copies, other homes' included, in each Region.
    pub endangered: Vec<(&'f Region, Endangered<'f>)>,
    /// The volumes that dropped out of their accounts' backups.
    pub dropouts: Vec<Dropout<'f>>,
    /// What stands in the ledgers; nothing unless that of each home was read.
    pub ledgers: Option<Vec<&'f Extract>>,
}

impl Coverage<'_> {
    /// The counts of all together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.rows.iter().for_each(|row| total.add(row));
        total
    }

    /// Since when that of the shared snapshots is to be protected which waits the longest; nothing when all are protected.
    #[must_use]
    pub fn oldest_unprotected(&self) -> Option<Timestamp> {
        let open = self.rows.iter().filter(|row| row.is_shared() && row.standing != Standing::Protected);
        open.filter_map(Row::since).min()
    }
}

/// Takes account.
#[must_use]
pub fn cover<'f>(policies: &'f [Policy], facts: &'f Facts) -> Coverage<'f> {
    let all: BTreeSet<Region> = facts.homes.iter().flat_map(Home::own).collect();
    let mut coverage = Coverage {
        rows: Vec::new(),
        counts: BTreeMap::new(),
        shared: 0,
        matching: 0,
        not_completed: 0,
        before_since: 0,
        over_retention: 0,
        tampered: facts.regions.values().map(|copies| tampered(copies, &all)).sum(),
        not_named: BTreeMap::new(),
        not_named_owed: BTreeMap::new(),
        other_homes: BTreeMap::new(),
        lineage_unknown: lineages_unknown(policies, facts, &all),
        endangered: facts.regions.iter().flat_map(endangered).collect(),
        // Whoever reads Snapferry's tags on a copy owns it.
        dropouts: dropouts(policies, None, &all, facts.regions.values().flat_map(|region| &region.copies), facts.now),
        ledgers: facts.homes.iter().map(|home| home.ledger.as_ref()).collect(),
    };
    for home in &facts.homes {
        let targets = policies.iter().flat_map(|policy| policy.targets.iter().map(move |target| (policy, target)));
        let key = |(policy, target): (&'f Policy, &'f Target)| (&home.region, &policy.name, &target.region);
        coverage.counts.extend(targets.map(|target| (key(target), Counts::default())));
    }
    for copy in facts.regions.values().flat_map(|copies| &copies.copies) {
        if let Some(home) = copy.origin.region.as_ref().filter(|home| is_anothers(&all, Some(home))) {
            *coverage.other_homes.entry(home).or_default() += 1;
        }
    }
    let copies: Vec<Regions<'_>> = facts.homes.iter().map(|home| regions(facts, home)).collect();
    for (home, copies) in facts.homes.iter().zip(&copies) {
        coverage.of_home(policies, facts, home, copies);
    }
    for (home, copies) in facts.homes.iter().zip(&copies) {
        coverage.history(policies, facts, home, copies);
    }
    for (home, ledger) in facts.homes.iter().filter_map(|home| Some((home, home.ledger.as_ref()?))) {
        coverage.owed(policies, facts, home, ledger);
    }
    for row in &mut coverage.rows {
        let held = |copy: &Copy| facts.locks.get(&(row.region.clone(), copy.id.clone())).copied();
        row.lock = row.copy.and_then(held);
        row.proof = row.copy.and_then(|copy| facts.proofs.get(&(row.region.clone(), copy.id.clone())));
    }
    coverage.rows.sort_by_cached_key(urgency);
    for row in &coverage.rows {
        coverage.counts.entry((row.home, row.policy, row.region)).or_default().add(row);
    }
    coverage
}

fn endangered<'f>((region, copies): (&'f Region, &'f Copies)) -> impl Iterator<Item = (&'f Region, Endangered<'f>)> {
    copies.endangered().map(move |endangered| (region, endangered))
}

fn lineages_unknown(policies: &[Policy], facts: &Facts, homes: &BTreeSet<Region>) -> usize {
    let of_policy = |policy: &Policy| {
        let of_region = |(region, copies)| lineage_unknown(policy, homes, region, copies);
        facts.regions.iter().map(of_region).sum::<usize>()
    };
    policies.iter().map(of_policy).sum()
}

/// Copies in a Region, of these homes and this policy, that are kept because nobody named their lineage.
#[must_use]
pub fn lineage_unknown(policy: &Policy, homes: &BTreeSet<Region>, region: &Region, copies: &Copies) -> usize {
    if policy.keep_at_least(region) == 0 {
        return 0;
    }
    let is_ours = |copy: &&Copy| copy.origin.policy == policy.name && !is_anothers(homes, copy.origin.region.as_ref());
    let ours = copies.copies.iter().filter(is_ours);
    ours.filter(|copy| !copy.is_tampered && copy.is_lineage_unknown()).count()
}

/// A home's copies in each Region in the order in which they are looked up.
type Regions<'f> = BTreeMap<&'f Region, Vec<&'f Copy>>;

fn regions<'f>(facts: &'f Facts, home: &Home) -> Regions<'f> {
    let own = home.own();
    facts.regions.iter().map(|(region, copies)| (region, by_identity(copies, &own))).collect()
}

/// How many copies that are not another home's have edited or missing tags.
fn tampered(copies: &Copies, homes: &BTreeSet<Region>) -> usize {
    copies.tampered.iter().filter(|copy| !is_anothers(homes, copy.source_region.as_ref())).count()
}

fn by_identity<'f>(copies: &'f Copies, homes: &BTreeSet<Region>) -> Vec<&'f Copy> {
    let ours = copies.copies.iter().filter(|copy| !is_anothers(homes, copy.origin.region.as_ref()));
    let mut copies: Vec<&Copy> = ours.collect();
    copies.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id)));
    copies
}

fn key(copy: &Copy) -> (&str, &str) {
    (copy.source.as_str(), copy.origin.policy.as_str())
}

/// The copies of one identity.
fn of<'c, 'f>(copies: &'c [&'f Copy], source: &str, policy: &PolicyName) -> &'c [&'f Copy] {
    let wanted = (source, policy.as_str());
    let first = copies.partition_point(|copy| key(copy) < wanted);
    let rest = copies.get(first..).unwrap_or_default();
    let count = rest.iter().take_while(|copy| key(copy) == wanted).count();
    rest.get(..count).unwrap_or_default()
}

/// What the rows are sorted by; only what is inline, as there may be several hundred thousand.
fn urgency(row: &Row<'_>) -> (bool, Standing, bool, Option<Timestamp>) {
    (!row.is_shared() && !row.is_missed(), row.standing, row.is_missed(), row.started())
}

impl<'f> Coverage<'f> {
    /// What is shared in a home.
    fn of_home(&mut self, policies: &'f [Policy], facts: &'f Facts, home: &'f Home, regions: &Regions<'f>) {
        let live = regions.iter().flat_map(|(region, copies)| copying::copied(region, copies.iter().copied()));
        let mut left = Left::new(facts.now, &home.region, home.ledger.as_ref(), live);
        for snapshot in &home.snapshots {
            self.snapshot(policies, facts, home, regions, snapshot, &mut left);
        }
        self.over_retention += left.settle(&mut self.rows);
    }

    fn snapshot(
        &mut self,
        policies: &'f [Policy],
        facts: &'f Facts,
        home: &'f Home,
        regions: &Regions<'f>,
        snapshot: &'f SourceSnapshot,
        left: &mut Left<'f>,
    ) {
        if facts.since.is_some_and(|since| snapshot.start_time < since) {
            self.before_since += 1;
            return;
        }
        self.shared += 1;
        if snapshot.owner == facts.account {
            return;
        }
        let (mut matching, mut waiting) = (false, false);
        for policy in policies {
            match copying::not_for(policy, snapshot) {
                None => matching = true,
                Some(skip) => {
                    waiting |= skip == Skip::NotCompleted;
                    continue;
                }
            }
            for target in &policy.targets {
                let found = regions.get(&target.region).map(Vec::as_slice).unwrap_or_default();
                let copies = of(found, snapshot.id.as_str(), &policy.name);
                let row = Row { source: Some(snapshot), ..Row::of(&home.region, &policy.name, &target.region, copies) };
                self.rows.extend(left.wanted(policy, target, snapshot, copies, row));
            }
        }
        self.matching += usize::from(matching);
        self.not_completed += usize::from(waiting);
    }

    /// The copies that no row speaks of yet: their sources are no longer shared, or no longer wanted.
    fn history(&mut self, policies: &'f [Policy], facts: &'f Facts, home: &'f Home, regions: &Regions<'f>) {
        let spoken: HashSet<&str> = self.rows.iter().filter_map(|row| row.copy).map(|copy| copy.id.as_str()).collect();
        let mut rows = Vec::new();
        for (region, found) in regions {
            for copies in found.chunk_by(|a, b| key(a) == key(b)) {
                let Some(first) = copies.first() else { continue };
                if copies.iter().any(|copy| spoken.contains(copy.id.as_str())) {
                    continue;
                }
                if !is_named(policies, &facts.retired_policies, &first.origin.policy) {
                    *self.not_named.entry(&first.origin.policy).or_default() += copies.len();
                    continue;
                }
                let row = Row::of(&home.region, &first.origin.policy, region, copies);
                if row.started().is_none_or(|started| facts.since.is_none_or(|since| started >= since)) {
                    rows.push(row);
                }
            }
        }
        self.rows.extend(rows);
    }

    /// What the ledger says of each row, and a row for what it owes and no row speaks of yet: its source is not among what is shared
    /// and wanted.
    fn owed(&mut self, policies: &'f [Policy], facts: &Facts, home: &'f Home, ledger: &'f Extract) {
        let mut spoken: HashSet<(&PolicyName, &Region, &str)> = HashSet::new();
        for row in self.rows.iter_mut().filter(|row| *row.home == home.region) {
            row.entry = ledger.of(row.policy, row.region, row.snapshot());
            if let Some(owed) = row.owed() {
                spoken.insert((row.policy, row.region, owed.source.as_str()));
            }
        }
        let mut rows = Vec::new();
        for (policy, region, owed) in ledger.owed() {
            // What an event asked for is owed all the same.
            let is_left_out = owed.is_missed() && facts.since.is_some_and(|since| owed.start < since);
            if is_left_out || spoken.contains(&(policy, region, owed.source.as_str())) {
                continue;
            }
            if is_named(policies, &facts.retired_policies, policy) {
                rows.push(Row { entry: Some(Entry::Owed(owed)), ..Row::of(&home.region, policy, region, &[]) });
            } else {
                *self.not_named_owed.entry(policy).or_default() += 1;
            }
        }
        self.rows.extend(rows);
    }
}
