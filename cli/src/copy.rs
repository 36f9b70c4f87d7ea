//! `snapferry copy`: one deliberate copy.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use snapferry_aws::copying::execute;
use snapferry_aws::deadline::Deadline;
use snapferry_core::audit::Record;
use snapferry_core::copying::{Outcome, Scope, decide, record};
use snapferry_core::ids::SnapshotId;

use crate::aws::{Connection, block_on};
use crate::exit::{self, Exit};
use crate::queue::{self, Queue};
use crate::{look, plan};

/// How long the copies of one snapshot may take to be asked for.
const TIME: Duration = Duration::from_mins(5);

/// Copy one snapshot now
///
/// Shows what the copier would decide for the snapshot and then asks the deployed stack for it, through its queue, so that
/// there is still one writer: the stack's own policy decides, and its audit says what became of it. A snapshot that has
/// its copies is not copied again.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// The snapshot, shared with this account in the home Region
    #[arg(long, value_name = "ID", value_parser = plan::snapshot)]
    snapshot: SnapshotId,
    /// Show the decisions and ask for nothing
    #[arg(long)]
    dry_run: bool,
    /// Copy with these credentials, without a stack. Never beside a stack that works: two writers make duplicates
    #[arg(long)]
    direct: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = look::policies(&args.document)?;
    block_on(async {
        let account = args.connection.open().await?;
        let clients = look::clients(&account, &policies);
        let now = Timestamp::now();
        let named = vec![look::event(args.snapshot.clone())];
        let facts = look::facts(&account, &clients, &policies, Scope::Events, named).await;
        let shown = plan::show(&policies, &facts, now, args.json)?;
        let decided = decide(&policies, &facts, now);
        let wanted = decided.decisions.iter().filter(|decision| plan::would_copy(decision)).count();
        if args.dry_run {
            return Ok(shown);
        }
        if wanted == 0 {
            say(&format!("{}: nothing was asked for, for the reasons above", args.snapshot));
            return Ok(Exit::Findings);
        }
        if args.direct {
            say("copying without the queue: a stack that copies at the same time would make duplicates");
            let records = RefCell::new(Vec::new());
            let report = |decision: &_, outcome: Outcome| {
                let mut written = record(decision, &outcome, &clients.home, Timestamp::now());
                written.trigger = Some("event");
                written.trigger_id = Some("snapferry copy --direct".to_owned());
                records.borrow_mut().push((written, outcome));
            };
            execute(&clients, &decided.decisions, Deadline::after(TIME), report).await;
            return finish(&records.into_inner());
        }
        let url = args.queue.url(&account.config).await?;
        let id = format!("manual-{}-{}", args.snapshot, now.as_millisecond());
        let body = queue::share(args.snapshot.as_str(), &id);
        queue::send(&aws_sdk_sqs::Client::new(&account.config), &url, &body, &id).await?;
        say(&format!(
            "{}: the stack's copier was asked to look; its audit names this request as triggerId {id}",
            args.snapshot
        ));
        Ok(Exit::Fine)
    })
}

/// Prints the audit records of a direct copy.
fn finish(records: &[(Record, Outcome)]) -> anyhow::Result<Exit> {
    let mut output = anstream::stdout().lock();
    let mut exit = Exit::Fine;
    for (record, outcome) in records {
        writeln!(output, "{}", serde_json::to_string(record)?)?;
        if matches!(outcome, Outcome::Deferred(_) | Outcome::Failed { .. }) {
            exit = Exit::Findings;
        }
    }
    Ok(exit)
}

fn say(text: &str) {
    // Without a standard error there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "snapferry: {text}");
}
