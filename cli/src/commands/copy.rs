//! `snapferry copy`: one deliberate copy.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::execute;
use snapferry_aws::deadline::Deadline;
use snapferry_core::copying::{Facts, Outcome, Plan, Scope, record};
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Policy;

use crate::account::connection::{Account, Connection, block_on};
use crate::account::databases::Databases;
use crate::account::look;
use crate::account::queue::{self, Queue};
use crate::commands::plan::{self, Named};
use crate::terminal::exit::{self, Exit};
use crate::terminal::input;

/// How long the copies of one snapshot may take to be asked for.
const TIME: Duration = Duration::from_mins(5);

/// Copy one snapshot now
///
/// Shows what the copier would decide for the snapshot and then asks the deployed stack for it, through its queue, so that
/// there is still one writer: the stack's own policy decides, and its audit says what became of it. A snapshot that has
/// its copies is not copied again.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// The snapshot, shared with this account in the home Region; a database's by its ARN
    #[arg(long, value_name = "ID", value_parser = Named::parse)]
    snapshot: Named,
    /// Show the decisions and ask for nothing
    #[arg(long)]
    dry_run: bool,
    /// Copy with these credentials, without a stack. Never beside a stack that works: two writers make duplicates
    #[arg(long, conflicts_with_all = ["stack", "queue"])]
    direct: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Exit codes: 0 the copies were asked for, 1 there is nothing to copy, or it is a database's, which a sweep copies, or with --direct something is deferred or fails; with \
--dry-run both as of plan; 2 wrong usage or cannot run";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = input::policies(&args.document)?;
    block_on(async {
        let account = args.connection.open().await?;
        let clients = look::clients(&account, &policies);
        let now = Timestamp::now();
        let facts = facts(args, &account, &clients, &policies).await?;
        let plan = plan::decided(&policies, &facts, now)?;
        // From here on what cannot be printed stops nothing: a reader who has gone must not leave a snapshot without its copy.
        let mut unsaid = plan::print(&plan, &facts, None, now, args.json).err();
        if args.dry_run {
            return exit::acted(plan::exit(&plan), unsaid);
        }
        if !plan.decisions.iter().any(plan::would_copy) {
            say(&format!("{}: nothing was asked for, for the reasons above", args.snapshot));
            return exit::acted(Exit::Findings, unsaid);
        }
        let snapshot = match &args.snapshot {
            Named::Volume(snapshot) => snapshot,
            Named::Database(arn) => {
                say(&format!("{arn}: {AT_THE_NEXT_SWEEP}"));
                return exit::acted(Exit::Findings, unsaid);
            }
        };
        let exit = if args.direct {
            let (exit, problem) = copy(&clients, &plan).await;
            unsaid = unsaid.or(problem);
            exit
        } else {
            let requested = ask(args, snapshot, &account, now).await?;
            unsaid = unsaid.or(args.json.then(|| print(&requested).err()).flatten());
            Exit::Fine
        };
        exit::acted(exit, unsaid)
    })
}

/// There is no queue to which a share could be told: databases are looked for.
const AT_THE_NEXT_SWEEP: &str = "nothing was asked for, because a stack sweeps for databases: its next sweep copies this one \
                                 (SweepSchedule), unless it is older than SweepSince. To have it sweep now, invoke the function that \
                                 the stack's output CopySharedDatabasesFunction names with {\"sweep\": \"manual\"}; a second copy \
                                 cannot come of it";

/// What the copier would see of the snapshot.
async fn facts(args: &Args, account: &Account, clients: &Clients, policies: &[Policy]) -> anyhow::Result<Facts> {
    match &args.snapshot {
        Named::Volume(snapshot) => {
            let named = vec![look::event(snapshot.clone())];
            Ok(look::facts(account, clients, policies, Scope::Events, named).await)
        }
        Named::Database(arn) => {
            anyhow::ensure!(
                !args.direct,
                "--direct copies snapshots of volumes; those of databases the stack alone copies"
            );
            let mut facts = look::facts(account, clients, policies, Scope::Sweep { since: None }, Vec::new()).await;
            look::add_databases(&Databases::new(account, policies), clients, policies, &mut facts).await;
            look::name_database(arn, &mut facts)?;
            Ok(facts)
        }
    }
}

/// Asks the deployed stack, through its queue.
async fn ask(
    args: &Args,
    snapshot: &SnapshotId,
    account: &Account,
    now: Timestamp,
) -> anyhow::Result<serde_json::Value> {
    let url = args.queue.url(&account.config).await;
    let url = url.map_err(|error| anyhow::anyhow!("{error:#}; --direct copies where there is no stack"))?;
    let id = format!("manual-{snapshot}-{}", now.as_millisecond());
    let body = queue::share(snapshot.as_str(), &id);
    queue::send(&aws_sdk_sqs::Client::new(&account.config), &url, &body, &id).await?;
    say(&format!("{snapshot}: the stack's copier was asked to look; its audit names this request as triggerId {id}"));
    Ok(json!({"requested": {"triggerId": id, "queue": url}}))
}

/// Copies, and prints an audit record as soon as it is known what became of a decision; also why one was not printed.
async fn copy(clients: &Clients, plan: &Plan<'_>) -> (Exit, Option<anyhow::Error>) {
    say("copying without the queue: a stack that copies at the same time would make duplicates");
    let ended = RefCell::new((Exit::Fine, None));
    let report = |decision: &_, outcome: Outcome| {
        let (exit, unsaid) = &mut *ended.borrow_mut();
        let mut written = record(decision, &outcome, &clients.home, Timestamp::now());
        written.trigger = Some("event");
        written.trigger_id = Some("snapferry copy --direct".to_owned());
        if matches!(outcome, Outcome::Deferred(_) | Outcome::Failed { .. }) {
            *exit = Exit::Findings;
        }
        if let Err(error) = print(&written) {
            unsaid.get_or_insert(error);
        }
    };
    execute(clients, &plan.decisions, Deadline::after(TIME), report).await;
    ended.into_inner()
}

fn print(line: &impl Serialize) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stdout(), "{}", serde_json::to_string(line)?)?)
}

fn say(text: &str) {
    // Without a standard error there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "snapferry: {text}");
}
