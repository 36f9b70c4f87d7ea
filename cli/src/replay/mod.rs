//! `snapferry replay`: puts back what came in and was not acted on.

mod dead_letters;
mod logs;

use std::io::Write as _;

use clap::ArgGroup;
use serde::Serialize;

use crate::aws::{Connection, block_on};
use crate::exit::{self, Exit};
use crate::queue::Queue;

/// Put invalid or dead-lettered events back into the copier's queue
///
/// From exported logs or a log group: for each event.invalid record whose body names a snapshot, the copier is asked to look
/// at that snapshot. From a dead-letter queue: each message that the copier can read is put back, and deleted from the
/// dead-letter queue only once the copier's queue has it. What cannot be put back is named and stays where it is.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
#[command(group = ArgGroup::new("source").required(true))]
pub(crate) struct Args {
    /// A file of exported log lines (- is standard input), or log-group:NAME
    #[arg(long, value_name = "LOGS", group = "source")]
    from: Option<String>,
    /// The URL of a dead-letter queue
    #[arg(long, value_name = "QUEUE_URL", group = "source")]
    dead_letter: Option<String>,
    /// Put back no more than this many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max: usize,
    /// Show what would be put back
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

/// What became of one message or record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    /// The message's ID, or the record's time.
    id: String,
    /// What it asks for, when that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// Whether it is in the copier's queue now (or would be, in a dry run).
    replayed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    block_on(async {
        let account = args.connection.open().await?;
        let url = args.queue.url(&account.config).await?;
        let sqs = aws_sdk_sqs::Client::new(&account.config);
        let mut report = Report { json: args.json, dry_run: args.dry_run, replayed: 0, left: 0 };
        match (&args.dead_letter, &args.from) {
            (Some(from), _) => dead_letters::replay(&sqs, from, &url, args.max, &mut report).await?,
            (None, Some(from)) => {
                let records = logs::read(from, &account.config).await?;
                logs::replay(&sqs, &records, &url, args.max, &mut report).await?;
            }
            (None, None) => anyhow::bail!("give --from or --dead-letter"),
        }
        Ok(report.end())
    })
}

/// What is said as it happens, and counted for the end.
struct Report {
    json: bool,
    dry_run: bool,
    replayed: usize,
    left: usize,
}

impl Report {
    fn say(&mut self, what: &Replayed) -> anyhow::Result<()> {
        if what.replayed {
            self.replayed += 1
        } else {
            self.left += 1
        }
        let mut output = anstream::stdout().lock();
        if self.json {
            return Ok(writeln!(output, "{}", serde_json::to_string(what)?)?);
        }
        let about = what.about.as_deref().unwrap_or("unreadable");
        match (&what.problem, self.dry_run) {
            (Some(problem), _) => writeln!(output, "left      {} {about}: {problem}", what.id)?,
            (None, true) => writeln!(output, "would put {} {about}", what.id)?,
            (None, false) => writeln!(output, "put back  {} {about}", what.id)?,
        }
        Ok(())
    }

    fn end(&self) -> Exit {
        let done = if self.dry_run { "would be put back" } else { "put back" };
        // Without a standard error there is nobody left to tell.
        let _ = writeln!(anstream::stderr(), "snapferry: {} {done}, {} left", self.replayed, self.left);
        if self.left == 0 { Exit::Fine } else { Exit::Findings }
    }
}
