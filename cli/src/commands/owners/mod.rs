//! `snapferry owners`: the accounts of an organization as a policy's `SnapshotOwner`.

mod accounts;
mod change;
mod document;
mod live;
mod report;
mod units;

use std::path::PathBuf;

use snapferry_core::ids::AccountId;
use snapferry_core::policy::MAX_DOCUMENT_BYTES;

use self::accounts::Listed;
use self::change::{Change, Wish};
use self::document::Owners;
use self::units::Unit;
use crate::account::connection::{Connection, block_on};
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// Turn the accounts of an organization into a policy's SnapshotOwner
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, long_about = ABOUT)]
pub(crate) struct Args {
    /// What `aws organizations list-accounts` answered, in one file or page after page; - is standard input
    #[arg(value_name = "ACCOUNTS", required_unless_present = "live", conflicts_with = "live")]
    accounts: Vec<PathBuf>,
    /// Ask AWS Organizations, with credentials of the management account or of a delegated administrator
    #[arg(long)]
    live: bool,
    /// The policy document whose SnapshotOwner is meant; - is standard input
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The PolicyId of the policy that is meant, in a document with several
    #[arg(long, value_name = "ID")]
    policy_id: Option<String>,
    /// The target account, which copies, and is never an owner
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    target: AccountId,
    /// Only accounts in this organizational unit and below it: its path (o-…/r-…/ou-…/) or its ID (may be repeated)
    #[arg(long = "ou", value_name = "PATH", value_parser = Unit::parse)]
    units: Vec<Unit>,
    /// Leave this account out (may be repeated)
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    exclude: Vec<AccountId>,
    /// Keep this owner although the list does not have it, or would leave it out (may be repeated)
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    keep: Vec<AccountId>,
    /// Leave the management account out
    #[arg(long)]
    exclude_management: bool,
    /// The largest share of the owners until now that may be removed, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    most_removed: u8,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

const ABOUT: &str = "\
Turn the accounts of an organization into a policy's SnapshotOwner

Prints the policy document with the new owners, and nothing else in it changed, to standard output; who is added, removed \
and left out, to standard error. Owners are all accounts whose state is ACTIVE, but the target account and those that the \
options leave out:

  aws organizations list-accounts > accounts.json
  snapferry owners accounts.json --policy policy.json --target 444455556666 --ou ou-ab12-11112222 > new.json

Nothing is printed when more owners would be removed than --most-removed allows, or all, or when the list is not whole (a \
NextToken is left, or the management account is not in it, as in the list of one organizational unit). An owner from outside the organization is removed, and listed so, unless --keep names it. The snapshots of an account that is no owner any more are not copied any more; its copies expire as \
before.";

const HELP: &str = "\
Exit codes: 0 fine, 1 too many owners would be removed, 2 wrong usage, or something that cannot be read";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let stdin = args.accounts.iter().chain([&args.policy]).filter(|path| path.as_os_str() == input::STDIN);
    anyhow::ensure!(stdin.count() < 2, "standard input can be read only once");
    let text = input::text(&args.policy, MAX_DOCUMENT_BYTES)?;
    let owners = Owners::find(&text, &args.policy, args.policy_id.as_deref())?;
    let accounts = listed(args)?;
    let wish = Wish {
        target: &args.target,
        units: &args.units,
        exclude: &args.exclude,
        exclude_management: args.exclude_management,
        keep: &args.keep,
    };
    let change = Change::new(&owners.until_now, &accounts, &wish)?;
    let refused = change.refused(args.most_removed);
    let document = match refused {
        None => Some(owners.replaced_by(&change.owners)?),
        Some(_) => None,
    };
    let report = report::Report { policy: &owners.name, change: &change, refused, document };
    if args.json {
        report.print_json()?
    } else {
        report.print_text()?
    }
    Ok(report.exit())
}

fn listed(args: &Args) -> anyhow::Result<Vec<Listed>> {
    if !args.live {
        return accounts::of_files(&args.accounts);
    }
    accounts::of_pages(block_on(live::pages(&args.connection))?)
}
