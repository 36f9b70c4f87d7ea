//! What RDS does not copy with a snapshot: its option group, and without one in the request what is under TDE.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::facts::{Database, SourceKind, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::policy::Policy;

use crate::commands::doctor::check::Check;

/// The snapshots that something is true of, and the Regions that they are to be copied to.
#[derive(Default)]
struct Found<'f> {
    sources: BTreeSet<&'f SnapshotId>,
    example: &'f str,
    regions: BTreeSet<&'f str>,
}

impl<'f> Found<'f> {
    fn add(&mut self, source: &'f SourceSnapshot, database: &'f Database, region: &'f Region) {
        self.sources.insert(&source.id);
        self.example = &database.arn;
        self.regions.insert(region.as_str());
    }

    fn regions(&self) -> String {
        self.regions.iter().copied().collect::<Vec<_>>().join(", ")
    }

    /// By the name of one of them.
    fn named(&self) -> String {
        match self.sources.len() {
            0 | 1 => self.example.to_owned(),
            count => format!("{count} snapshots that are wanted, such as {}", self.example),
        }
    }
}

/// The checks of what policies want of instances; clusters have neither.
pub(super) fn checks<'f>(home: &Region, wanted: impl Iterator<Item = (&'f Policy, &'f SourceSnapshot)>) -> Vec<Check> {
    let (mut are_looked_at, mut tde) = (false, Found::default());
    let mut groups: BTreeMap<(&AccountId, &str), Found<'_>> = BTreeMap::new();
    for (policy, source) in wanted {
        let SourceKind::Instance(database) = &source.kind else { continue };
        are_looked_at = true;
        for region in policy.targets.iter().map(|target| &target.region) {
            match &database.option_group {
                _ if database.has_tde && region != home => tde.add(source, database, region),
                Some(group) => groups.entry((&source.owner, group)).or_default().add(source, database, region),
                None => {}
            }
        }
    }
    if !are_looked_at {
        return Vec::new();
    }
    let mut checks = Vec::new();
    checks.extend((!tde.sources.is_empty()).then(|| encrypted_by_the_engine(&tde)));
    checks.extend(groups.iter().map(|((owner, group), found)| left_behind(home, owner, group, found)));
    if checks.is_empty() {
        checks.push(Check::pass(
            "database-options",
            home,
            "no instance's snapshot that is wanted has TDE or an option group of its own",
        ));
    }
    checks
}

/// RDS API reference, CopyDBSnapshot, `OptionGroupName`.
fn encrypted_by_the_engine(found: &Found<'_>) -> Check {
    let message = format!(
        "{} has TDE: RDS copies that to another Region only with an option group that the request names, and Snapferry names none, \
         so RDS refuses the copy to {}",
        found.named(),
        found.regions()
    );
    Check::fail("database-tde", "", message).remedy(
        "Share snapshots of an instance without TDE, whose storage is encrypted under a KMS key: SQL Server's TDE can be taken off, \
         Oracle's cannot, so its data has to be moved to a new instance. Until then copy it by hand (aws rds copy-db-snapshot \
         --option-group-name, with a group of the target Region that has TDE); Snapferry neither verifies nor deletes that copy.",
    )
}

/// RDS User Guide, "Copying a DB snapshot", option group considerations.
fn left_behind(home: &Region, owner: &AccountId, group: &str, found: &Found<'_>) -> Check {
    let message = format!(
        "the option group of {}: RDS does not copy it, so what is restored from the copies in {} gets the engine's default group, \
         without these options",
        found.named(),
        found.regions()
    );
    Check::unknown("database-options", format!("{owner} {group}"), message).remedy(format!(
        "Make an option group with the same options in this account, in each of these Regions, before the day of a restore, and \
         restore with --option-group-name; in account {owner} `aws rds describe-option-groups --option-group-name {group} --region \
         {home}` lists the options."
    ))
}
