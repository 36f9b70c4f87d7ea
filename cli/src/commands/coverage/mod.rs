//! `snapferry coverage`: what is protected, and what is not.
//!
//! `gather` reads, core's `coverage` takes account, `table`, `json`, `csv` and `html` say it.

mod csv;
mod data;
mod gather;
mod html;
mod json;
mod line;
mod scene;
mod table;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use snapferry_core::coverage::{Coverage, cover};

use self::scene::Scene;
use crate::account::connection::{Account, Connections, block_on};
use crate::account::ledger::{Ledger, Reading};
use crate::terminal::exit::Exit;
use crate::terminal::lineages::Lineages;
use crate::terminal::{file, input};

/// Show what is protected: each shared snapshot in each target Region
///
/// Reads the snapshots that the policies' owners share and the copies of them, and matches as the copier does. A
/// snapshot is protected in a Region when a copy of it is completed, verified, and locked if the policy says so. Copies of
/// snapshots that are no longer shared are listed as history. With the stack's ledger it also says since when each copy is
/// owed and why it waits, and what was missed within a week.
///
/// Changes nothing. Needs ec2:DescribeSnapshots, ec2:DescribeLockedSnapshots where copies are locked, of databases
/// rds:DescribeDBSnapshots and rds:DescribeDBClusterSnapshots, and kms:DescribeKey on the keys that copies are under, to tell those that are lost; and for what is owed and was missed dynamodb:Query on the ledger's
/// table, and cloudformation:DescribeStacks with --stack.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    policy: PathBuf,
    /// Leave out snapshots that were started before (RFC 3339, or a date), as SNAPFERRY_SWEEP_SINCE does
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    since: Option<Timestamp>,
    /// Write a report for browsers: one file that needs nothing else; - is standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a line for each snapshot and Region; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "html")]
    csv: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    retired: gather::Retired,
    #[command(flatten)]
    ledger: Ledger,
    #[command(flatten)]
    connection: Connections,
}

const HELP: &str = "\
Exit codes: 0 everything that is shared and wanted is protected or in flight, 1 something is missing, failed or missed, 2 wrong \
usage, or not everything could be read: without a Region no report is printed, without a ledger that was named it is";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    for (name, path) in [("--csv", &args.csv), ("--html", &args.html)] {
        let stdout_twice = args.json && path.as_deref().is_some_and(file::is_stdout);
        anyhow::ensure!(!stdout_twice, "--json and {name} - both want standard output");
    }
    let policies = input::policies(&args.policy)?;
    let now = Timestamp::now();
    let (mut facts, accounts, ledgers) = block_on(async {
        let accounts = args.connection.open().await?;
        let gathered = gather::gather(&accounts, &policies, args.since, &args.retired);
        let (facts, ledgers) = tokio::join!(gathered, args.ledger.read_all(&accounts, &policies, now));
        Ok((facts?, accounts, ledgers?))
    })?;
    let notes = notes(&accounts, &ledgers)?;
    let is_unread = ledgers.iter().any(|ledger| matches!(ledger, Reading::Failed(_)));
    for (home, ledger) in facts.homes.iter_mut().zip(ledgers) {
        home.ledger = ledger.into_extract();
    }
    let coverage = cover(&policies, &facts);
    let homes = facts.homes.iter().map(|home| &home.region).collect();
    let lineages = Lineages::of_policies(&policies);
    let scene = Scene { now, account: &facts.account, homes, since: args.since, lineages, notes };
    say(args, &scene, &coverage)?;
    Ok(match coverage.total().findings() {
        // What was missed is not known then, so whoever looks at the exit code alone must not take it for fine.
        _ if is_unread => Exit::CannotRun,
        0 => Exit::Fine,
        _ => Exit::Findings,
    })
}

/// What there is to say of the reading of each home's ledger, each thing once; what failed goes to standard error, too.
fn notes(accounts: &[Account], ledgers: &[Reading]) -> anyhow::Result<Vec<String>> {
    let mut notes: Vec<String> = Vec::new();
    for (account, ledger) in accounts.iter().zip(ledgers) {
        let Some(note) = ledger.note() else { continue };
        let is_of_home = accounts.len() > 1 && !matches!(ledger, Reading::NotNamed);
        let note = if is_of_home { format!("{}: {note}", account.home) } else { note };
        if matches!(ledger, Reading::Failed(_)) {
            writeln!(anstream::stderr(), "snapferry: {note}")?;
        }
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Ok(notes)
}

fn say(args: &Args, scene: &Scene<'_>, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    if let Some(path) = &args.html {
        file::write(path, |out| html::write(out, scene, coverage))?;
    }
    if let Some(path) = &args.csv {
        file::write(path, |out| csv::write(out, coverage))?;
    }
    if args.json {
        file::write(Path::new(input::STDIN), |out| json::write(out, scene, coverage))
    } else if [&args.csv, &args.html].into_iter().flatten().any(|path| file::is_stdout(path)) {
        Ok(())
    } else {
        table::print(scene, coverage)
    }
}
