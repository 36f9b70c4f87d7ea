//! `snapferry doctor`: whether everything that a copy needs is in place. It reads, and asks with DryRun; it changes
//! nothing.

mod check;
mod checks;
mod facts;
mod gather;
mod homes;
mod report;

use std::path::PathBuf;

use futures_util::future::join_all;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Policy;

use self::check::Check;
use crate::account::connection::{self, Account, Connections, NoWay};
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// Check whether everything that a copy needs is in place
///
/// Reads from AWS, sends DryRun requests, and changes nothing. Each check is printed as one line: pass, fail, or unknown
/// where these credentials or AWS's interfaces cannot show it; the line below says what to do. Use credentials of the
/// target account, best those of an operator who may read EC2, KMS, CloudFormation, DynamoDB, EventBridge, Lambda, CloudWatch
/// Logs, Scheduler, SNS and SQS.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// A snapshot that is shared with this account: look at its key and try its copies with DryRun, too
    #[arg(long, value_name = "ID", value_parser = SnapshotId::parse)]
    snapshot: Option<SnapshotId>,
    /// The deployed stack: look at its rules, queues, schedules, functions with their policy, ledger, logs and the alarms' topic, too
    #[arg(long, value_name = "NAME", value_parser = stack_name)]
    stack: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connections,
}

const HELP: &str = "\
Exit codes: 0 nothing fails (what is unknown is counted), 1 something fails, 2 wrong usage or cannot run, as without \
credentials";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = match input::policies(&args.document) {
        Ok(policies) => policies,
        Err(error) if args.json => {
            report::print_json(&[no_policy(args, &error)])?;
            return Ok(Exit::CannotRun);
        }
        Err(error) => return Err(error),
    };
    let checks = connection::block_on(async {
        let accounts = match args.connection.open().await {
            Ok(accounts) => accounts,
            Err(error) => return Ok(Err(no_credentials(error))),
        };
        let is_one = accounts.len() == 1;
        anyhow::ensure!(is_one || args.snapshot.is_none(), "--snapshot is shared in one Region: give one --region");
        let looks = accounts.iter().map(async |account| (account.home.clone(), look(args, account, &policies).await));
        Ok(Ok(homes::together(join_all(looks).await)))
    })?;
    let (checks, exit) = match checks {
        Ok(checks) => {
            let exit = report::exit(&checks);
            (checks, exit)
        }
        Err(check) => (vec![check], Exit::CannotRun),
    };
    if args.json {
        report::print_json(&checks)?;
    } else {
        report::print_text(&checks)?;
    }
    Ok(exit)
}

fn stack_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty; give the stack's name, as `aws cloudformation list-stacks` has it".to_owned());
    }
    Ok(text.to_owned())
}

/// The checks of one home.
async fn look(args: &Args, account: &Account, policies: &[Policy]) -> Vec<Check> {
    let facts = gather::gather(account, policies, args.snapshot.as_ref(), args.stack.as_deref()).await;
    checks::checks(&facts, policies)
}

fn no_policy(args: &Args, error: &anyhow::Error) -> Check {
    let message = format!("{error:#}; nothing was looked at");
    Check::fail("policy", input::shown(&args.document), message)
        .remedy("Correct it; `snapferry check` shows the place.")
}

fn no_credentials(error: NoWay) -> Check {
    let NoWay { problem, remedy } = error;
    Check::fail("credentials", "", format!("{problem}; nothing else was looked at")).remedy(remedy)
}
