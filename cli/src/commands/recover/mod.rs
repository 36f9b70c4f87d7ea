//! `snapferry recover`: from which copies each volume and database can be restored.
//!
//! `gather` reads, core's `recovery` finds the points, `table`, `json` and `csv` say them, `emit` and `share` print what others run, and
//! `restoring` and `volumes` make the volumes themselves, when told to.

mod csv;
mod emit;
mod existing;
mod expected;
mod gather;
mod inventory;
mod json;
mod line;
mod made;
mod restoring;
mod script;
mod share;
mod table;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use snapferry_core::ids::{AccountId, PolicyName, Region, VolumeId};
use snapferry_core::policy::Policy;
use snapferry_core::recovery::emit::share::Share;
use snapferry_core::recovery::{Facts, Recovery, Wanted, recover};

use self::restoring::Restoring;
use crate::account::connection::{Connection, block_on};
use crate::terminal::exit::Exit;
use crate::terminal::{file, input};

/// Show from which copies each volume and database can be restored, and which cannot be
///
/// Reads the copies in the target Regions, of all homes, and names the newest point of each volume and database in each Region: a copy that is
/// verified by a verdict of its own, whose key is alive and whose tags are whole, expired or not. Copies that are no points
/// are counted by reason. What the source accounts share is not looked at: what never had a copy is known only by
/// --volume or --inventory, and to `snapferry coverage`.
///
/// Changes nothing without --execute or --remove. Needs ec2:DescribeSnapshots, of databases rds:DescribeDBSnapshots and
/// rds:DescribeDBClusterSnapshots, and kms:DescribeKey on the keys that copies are under; --execute and --remove need ec2:DescribeVolumes, and ec2:CreateVolume with ec2:CreateTags, or ec2:DeleteVolume.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    policy: PathBuf,
    /// Only volumes and databases of this source account (may be repeated)
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    account: Vec<AccountId>,
    /// Only this volume, or database by its resource ID, which must have a point (may be repeated)
    #[arg(long, value_name = "ID", value_parser = volume)]
    volume: Vec<VolumeId>,
    /// Only points whose source was started before (RFC 3339, or a date): before the intrusion
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    before: Option<Timestamp>,
    /// Only points in this target Region (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    target: Vec<Region>,
    /// What the volumes were attached to (CSV: volume, instance, device, name); each of them must have a point
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
    /// A Region that is no target any more: look there, too (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_region: Vec<Region>,
    /// A policy that is not in the document any more: its copies count (may be repeated)
    #[arg(long, value_name = "NAME", value_parser = PolicyName::parse)]
    retired_policy: Vec<PolicyName>,
    /// Write a line for each point, and for each volume or database without one; - is standard output
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print what restores the points, instead of the points
    #[arg(long, value_name = "FORM", conflicts_with_all = ["json", "share"])]
    emit: Option<emit::Form>,
    /// With --emit cloudformation: write the templates into this directory, which volumes of several stacks need
    #[arg(long, value_name = "DIRECTORY", requires = "emit")]
    into: Option<PathBuf>,
    /// Print what this account needs to restore from the points: the copies' shares, and the statements of their keys
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    share: Option<AccountId>,
    #[command(flatten)]
    restoring: Restoring,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Exit codes: 0 each volume or database that is known or named has a point, 1 one has none, or there is none at all, 2 wrong usage, or not \
everything could be read: then no report is printed. With --share also 1: a copy cannot be shared. With --execute also 1: a volume is not available, or a point is of a database, of which none is made; with --remove 1: one was kept";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let csv_to_stdout = args.csv.as_deref().is_some_and(file::is_stdout);
    for (name, is_given) in [("--json", args.json), ("--emit", args.emit.is_some()), ("--share", args.share.is_some())]
    {
        anyhow::ensure!(!(is_given && csv_to_stdout), "{name} and --csv - both want standard output");
    }
    let policies = input::policies(&args.policy)?;
    let regions = args.regions(&policies)?;
    let mut wanted = args.wanted(&policies)?;
    let option = args.restoring.option().or_else(|| args.emit.map(|_| "--emit prints what restores them"));
    let region = option.map(|option| one_region(&regions, option)).transpose()?.cloned();
    block_on(async {
        if let Some((name, region)) = args.restoring.removes().zip(region.as_ref()) {
            return restoring::remove(&args.connection.open().await?, region, name, args.json).await;
        }
        let how = region.as_ref().filter(|_| args.restoring.option().is_some());
        let how = how.map(|region| args.restoring.how(region)).transpose()?;
        let account = args.connection.open().await?;
        let facts = gather::gather(&account, &policies, &args.retired_policy, regions).await?;
        expected::narrow(&mut wanted, &facts);
        let recovery = recover(&wanted, &facts);
        if let Some(how) = how {
            table::warn(&recovery, &args.none())?;
            return restoring::execute(&account, &how, &wanted, &facts, &recovery, args.json).await;
        }
        let said = say(args, &wanted, &facts, &recovery)?;
        Ok(if recovery.has_findings() { Exit::Findings } else { said })
    })
}

impl Args {
    /// The Regions to look at.
    fn regions(&self, policies: &[Policy]) -> anyhow::Result<BTreeSet<Region>> {
        let targets = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region);
        let known: BTreeSet<Region> = targets.chain(&self.retired_region).cloned().collect();
        if let Some(unknown) = self.target.iter().find(|region| !known.contains(*region)) {
            let known: Vec<&str> = known.iter().map(Region::as_str).collect();
            let known = known.join(", ");
            anyhow::bail!(
                "{unknown} is no Target of the policy ({known}): correct --target, or give --retired-region, too"
            );
        }
        Ok(if self.target.is_empty() { known } else { self.target.iter().cloned().collect() })
    }

    /// What is said of a volume or database without a copy.
    fn none(&self) -> String {
        expected::none(&self.account, &self.target)
    }

    fn wanted(&self, policies: &[Policy]) -> anyhow::Result<Wanted> {
        let named = policies.iter().map(|policy| &policy.name).chain(&self.retired_policy);
        let attachments = self.inventory.as_deref().map(inventory::read).transpose()?;
        Ok(Wanted {
            policies: named.cloned().collect(),
            accounts: self.account.iter().cloned().collect(),
            volumes: self.volume.iter().cloned().collect(),
            before: self.before,
            attachments: attachments.unwrap_or_else(BTreeMap::new),
        })
    }
}

/// Prints what was asked for; a finding is what that has no place for, beside those of the search.
fn say(args: &Args, wanted: &Wanted, facts: &Facts, recovery: &Recovery<'_>) -> anyhow::Result<Exit> {
    if let Some(path) = &args.csv {
        file::write(path, |out| csv::write(out, wanted, recovery))?;
    }
    if let Some(with) = &args.share {
        table::warn(recovery, &args.none())?;
        let share = Share::of(with, facts, &recovery.points);
        share::warn(&share)?;
        file::write(Path::new(input::STDIN), |out| share::write(out, &share, args.json))?;
        if !share.not_shareable.is_empty() {
            return Ok(Exit::Findings);
        }
    } else if let Some(form) = args.emit {
        table::warn(recovery, &args.none())?;
        emit::write(form, args.into.as_deref(), wanted, recovery)?;
    } else if args.json {
        file::write(Path::new(input::STDIN), |out| json::write(out, wanted, facts, recovery))?;
    } else if !args.csv.as_deref().is_some_and(file::is_stdout) {
        table::print(wanted, recovery, &args.none())?;
    }
    Ok(Exit::Fine)
}

/// The one Region in which something is made or deleted: what has points in two would be made twice.
fn one_region<'r>(regions: &'r BTreeSet<Region>, option: &str) -> anyhow::Result<&'r Region> {
    let mut each = regions.iter();
    let only = each.next().filter(|_| each.next().is_none());
    only.with_context(|| format!("{option} in one Region: name it with --target"))
}

/// Reads a volume's ID from the command line. A filler names no volume.
fn volume(text: &str) -> Result<VolumeId, String> {
    let volume = VolumeId::of_any_kind(text).map_err(|_| {
        "a volume's ID such as vol-0123456789abcdef0 expected, or a database's resource ID (DbiResourceId, DbClusterResourceId) such as \
         db-ABCDEFGHIJKLMNOPQRSTUVWXYZ, as recover lists them; a database's name is none"
            .to_owned()
    })?;
    if volume.is_filler() {
        return Err(format!("{volume} is what EC2 says where it knows no volume"));
    }
    Ok(volume)
}
