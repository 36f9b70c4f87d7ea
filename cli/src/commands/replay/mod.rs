//! `snapferry replay`: puts back what came in and was not acted on.

mod dead_letters;
mod logs;
mod report;

use std::path::Path;

use clap::ArgGroup;
use jiff::Timestamp;

use self::dead_letters::Letters;
use self::logs::Export;
use self::report::ReplayReport;
use crate::account::connection::{Connection, block_on};
use crate::account::queue::{self, Queue};
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// What tells a log group from a file.
const LOG_GROUP: &str = "log-group:";

/// Put invalid or dead-lettered events back into the copier's queue
///
/// From exported logs or a log group: for each event.invalid record whose body names a snapshot, the copier is asked to look
/// at that snapshot. From a dead-letter queue: each message that the copier can read is put back, and deleted from the
/// dead-letter queue only once the copier's queue has it. What cannot be put back is named and stays where it is; behind ten
/// such messages a FIFO queue gives no others, unless --all puts back everything.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
#[command(group = ArgGroup::new("source").required(true))]
pub(crate) struct Args {
    /// A file of exported log lines, in any form that `audit verify` takes (- is standard input), or log-group:NAME
    #[arg(long, value_name = "LOGS", group = "source")]
    from: Option<String>,
    /// The URL of a dead-letter queue
    #[arg(long, value_name = "QUEUE_URL", group = "source")]
    dead_letter: Option<String>,
    /// With --dead-letter: put back also messages that the copier cannot read. The copier records each as event.invalid,
    /// with its body, and the message leaves the dead-letter queue
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// With --from: leave out what was logged before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "dead_letter")]
    since: Option<Timestamp>,
    /// Put back no more than this many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max: usize,
    /// Show what would be put back
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object a line, and a summary as the last
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Exit codes: 0 all is put back (or with --dry-run would be), 1 something stays where it is or could not be looked at, 2 wrong \
usage or cannot run, as with logs that have no line of the audit";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut report = ReplayReport::new(Box::new(anstream::stdout()), args.json, args.dry_run);
    let done = match (&args.dead_letter, &args.from) {
        (Some(from), _) => block_on(from_dead_letters(args, from, &mut report)),
        (None, Some(from)) => block_on(from_logs(args, from, &mut report)),
        (None, None) => anyhow::bail!("give --from or --dead-letter"),
    };
    match done {
        Err(error) if report.is_empty() => Err(error),
        done => {
            let exit = report.end();
            done.and(exit)
        }
    }
}

async fn from_dead_letters(args: &Args, from: &str, report: &mut ReplayReport) -> anyhow::Result<()> {
    let account = args.connection.open().await?;
    let to = args.queue.url(&account.config).await?;
    anyhow::ensure!(!queue::is_same(from, &to), "{from} is the copier's own queue, and no dead-letter queue");
    let sqs = aws_sdk_sqs::Client::new(&account.config);
    Letters::new(&sqs, from, &to, args.all).replay(args.max, report).await
}

async fn from_logs(args: &Args, from: &str, report: &mut ReplayReport) -> anyhow::Result<()> {
    let group = from.strip_prefix(LOG_GROUP);
    // A file is read before anybody is asked for anything, and a dry run of one asks nobody.
    let mut export = match group {
        Some(_) => Export::default(),
        None => logs::file(Path::new(from), args.since)?,
    };
    if group.is_none() && (args.dry_run || export.records.is_empty()) {
        return logs::replay(None, &export, args.max, report).await;
    }
    let account = args.connection.open().await?;
    if let Some(group) = group {
        export = logs::log_group(group, args.since, &account.config).await?;
    }
    let sqs = aws_sdk_sqs::Client::new(&account.config);
    let url = if args.dry_run { None } else { Some(args.queue.url(&account.config).await?) };
    logs::replay(url.as_deref().map(|url| (&sqs, url)), &export, args.max, report).await
}
