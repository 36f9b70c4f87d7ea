//! `snapferry plan`: what the copier would do now, and why, without doing it.

mod listing;
mod owed;
mod rows;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use snapferry_aws::clients::Clients;
use snapferry_core::copying::{Decision, Facts, Plan, Scope, decide};
use snapferry_core::ebs::reads::after_unread;
use snapferry_core::event::{self, Message, ShareEvent};
use snapferry_core::facts::{SourceKind, SourceSnapshot};
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::Obligation;
use snapferry_core::policy::{Policy, is_untried};
use snapferry_core::rds::SnapshotArn;

use self::listing::{LISTED, table};
use self::rows::{Action, Row};
use crate::account::connection::{Account, Connection, block_on, not_enabled, words};
use crate::account::databases::Databases;
use crate::account::ledger::{Ledger, Of, Reading};
use crate::account::look;
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// The largest event: what EventBridge and SQS carry, 256 KiB, and more.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// Show what would be copied, skipped and deferred now, and why
///
/// Reads what the copier reads and decides as it does, for a sweep over everything that is shared, or for one event or
/// snapshot; with the stack's ledger also what is owed, since when, and why it waits. Changes nothing. Without the ledger it
/// is not known what was asked for in the last minutes. To read it takes dynamodb:Query on its table, and
/// cloudformation:DescribeStacks with --stack.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// Decide for this event, as EventBridge delivers it
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    event: Option<PathBuf>,
    /// Decide for this snapshot, as if an event named it; a database's by its ARN
    #[arg(long, value_name = "ID", value_parser = Named::parse)]
    snapshot: Option<Named>,
    /// Ignore snapshots started before this time (RFC 3339, or a date), as SNAPFERRY_SWEEP_SINCE does
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with_all = ["event", "snapshot"])]
    since: Option<Timestamp>,
    /// Print one JSON object a line: every decision, and a summary as the last
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ledger: Ledger,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Exit codes: 0 what is wanted is copied or would be, 1 something is refused, deferred, copied twice, or named and not there, \
2 wrong usage or cannot run";

/// One snapshot.
#[derive(Debug, Clone)]
pub(crate) enum Named {
    /// Of a volume.
    Volume(SnapshotId),
    /// Of a database, which no event names.
    Database(SnapshotArn),
}

impl Named {
    /// Reads an ID or an ARN from the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match SnapshotArn::parse(text) {
            Ok(arn) => Ok(Self::Database(arn)),
            Err(_) => SnapshotId::parse(text).map(Self::Volume).map_err(|_| {
                "a snapshot's ID such as snap-0123456789abcdef0 expected, or of a database's snapshot its ARN such as \
                 arn:aws:rds:eu-west-1:111122223333:snapshot:nightly"
                    .to_owned()
            }),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(snapshot) => snapshot.fmt(f),
            Self::Database(arn) => arn.fmt(f),
        }
    }
}

/// Reads a snapshot's ID from the command line.
pub(crate) fn snapshot(text: &str) -> Result<SnapshotId, String> {
    SnapshotId::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = input::policies(&args.document)?;
    let (scope, named) = asked(args)?;
    let (facts, reading, now) = block_on(async {
        let account = args.connection.open().await?;
        let clients = look::clients(&account, &policies);
        let now = Timestamp::now();
        let (mut facts, reading, now) = read(args, &account, &clients, &policies, (scope, named), now).await;
        if let Scope::Sweep { .. } = scope {
            let databases = Databases::new(&account, &policies);
            look::add_databases(&databases, &clients, &policies, &mut facts).await;
        }
        if let Some(Named::Database(arn)) = &args.snapshot {
            look::name_database(arn, &mut facts)?;
        }
        Ok((facts, reading, now))
    })?;
    if let (Reading::Failed(_), Some(note)) = (&reading, reading.note()) {
        writeln!(anstream::stderr(), "snapferry: {note}")?;
    }
    let mut plan = decided(&policies, &facts, now)?;
    owed::put_off(&mut plan, &facts.obligations, now);
    print(&plan, &facts, Some(&reading), now, args.json)?;
    Ok(exit(&plan))
}

/// Reads what the copier reads, and the ledger.
async fn read(
    args: &Args,
    account: &Account,
    clients: &Clients,
    policies: &[Policy],
    (scope, named): (Scope, Vec<ShareEvent>),
    now: Timestamp,
) -> (Facts, Reading, Timestamp) {
    let sources: Vec<SnapshotId> = named.iter().map(|event| event.snapshot.clone()).collect();
    let of = if scope == Scope::Events { Of::These(&sources) } else { Of::All };
    let mut obligations = BTreeMap::new();
    let see = |obligation: &Obligation| {
        if owed::matters(obligation, now) {
            obligations.insert(obligation.identity.clone(), obligation.clone());
        }
    };
    let (facts, reading) = tokio::join!(
        look::facts(account, clients, policies, scope, named),
        args.ledger.read(account, policies, of, now, see)
    );
    (Facts { obligations, ..facts }, reading, now)
}

/// What is asked for.
fn asked(args: &Args) -> anyhow::Result<(Scope, Vec<ShareEvent>)> {
    let sweep = Scope::Sweep { since: args.since };
    match (&args.event, &args.snapshot) {
        (_, Some(Named::Volume(snapshot))) => Ok((Scope::Events, vec![look::event(snapshot.clone())])),
        (None, None) | (_, Some(Named::Database(_))) => Ok((sweep, Vec::new())),
        (Some(path), None) => match read_event(path)? {
            Message::Share(share) => Ok((Scope::Events, vec![share])),
            // All that these make the copier do beyond the sweep's work is to begin with what waits.
            Message::Sweep { .. } | Message::Serve { .. } | Message::Copy(_) => Ok((sweep, Vec::new())),
            Message::Other(other) => {
                anyhow::bail!(
                    "{}: the copier skips this event ({}): {}",
                    input::shown(path),
                    other.reason,
                    other.problem
                )
            }
        },
    }
}

fn read_event(path: &Path) -> anyhow::Result<Message> {
    let shown = input::shown(path);
    let text = input::text(path, MAX_EVENT_BYTES)?;
    event::parse(&text).map_err(|invalid| {
        anyhow::anyhow!("{shown}: the copier cannot read this event ({}): {}", invalid.reason, invalid.problem)
    })
}

/// Decides as the copier does.
///
/// # Errors
/// When the shared snapshots could not be read.
pub(crate) fn decided<'f>(policies: &'f [Policy], facts: &'f Facts, now: Timestamp) -> anyhow::Result<Plan<'f>> {
    if let Err(error) = &facts.snapshots {
        let next = not_enabled(error, "--region").unwrap_or_else(|| after_unread(&error.code).to_owned());
        anyhow::bail!("the shared snapshots in {} cannot be read: {}\n        {next}", facts.home, words(error));
    }
    let mut plan = decide(policies, facts, now);
    plan.settle(facts);
    Ok(plan)
}

/// Prints the decisions, and what is owed where that was looked for.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print(
    plan: &Plan<'_>,
    facts: &Facts,
    ledger: Option<&Reading>,
    now: Timestamp,
    as_json: bool,
) -> anyhow::Result<()> {
    let output = BufWriter::new(anstream::stdout().lock());
    if as_json { print_json(plan, facts, ledger, now, output) } else { print_text(plan, facts, ledger, now, output) }
}

/// Whether somebody has to look at a decision.
pub(crate) fn exit(plan: &Plan<'_>) -> Exit {
    if plan.decisions.iter().any(rows::is_finding) { Exit::Findings } else { Exit::Fine }
}

fn print_json(
    plan: &Plan<'_>,
    facts: &Facts,
    ledger: Option<&Reading>,
    now: Timestamp,
    mut output: impl Write,
) -> anyhow::Result<()> {
    for decision in &plan.decisions {
        serde_json::to_writer(&mut output, &Row::new(decision, now))?;
        writeln!(output)?;
    }
    if let Some(reading) = ledger {
        owed::print_json(reading, now, &mut output)?;
    }
    let tally = plan.counted();
    let regions: serde_json::Map<_, _> = tally
        .regions
        .iter()
        .map(|(region, counts)| {
            (region.to_string(), json!({"protected": counts.protected, "inFlight": counts.in_flight}))
        })
        .collect();
    let counts = counts(plan, now);
    let count = |action| counts.iter().filter(|((each, ..), _)| *each == action).map(|(_, count)| count).sum::<usize>();
    let mut summary = json!({"summary": {
        "copy": count(Action::Copy), "skip": count(Action::Skip), "defer": count(Action::Defer),
        "refuse": count(Action::Refuse), "untriedEngines": untried(facts), "regions": regions,
    }});
    if let (Some(reading), Some(members)) = (ledger, summary.pointer_mut("/summary").and_then(Value::as_object_mut)) {
        members.insert("ledger".to_owned(), owed::summary(reading));
    }
    writeln!(output, "{summary}")?;
    output.flush()?;
    Ok(())
}

fn print_text(
    plan: &Plan<'_>,
    facts: &Facts,
    ledger: Option<&Reading>,
    now: Timestamp,
    mut output: impl Write,
) -> anyhow::Result<()> {
    if plan.decisions.is_empty() {
        writeln!(output, "Nothing to do.")?;
    } else if plan.decisions.len() <= LISTED {
        let mut table = table(&["", "snapshot", "to", "policy", "why"]);
        for decision in &plan.decisions {
            let row = Row::new(decision, now);
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            table.add_row([
                word(row.action).to_owned(),
                text(row.name()),
                text(&row.region),
                text(&row.policy),
                format!("{}: {}", row.reason, row.message),
            ]);
        }
        writeln!(output, "{table}")?;
    } else {
        let mut table = table(&["", "why", "to", "decisions", "for example"]);
        for ((action, reason, region), count) in counts(plan, now) {
            let example = plan.decisions.iter().map(|decision| Row::new(decision, now)).find(|row| {
                row.action == action && row.reason == reason && row.region.as_deref().unwrap_or_default() == region
            });
            let example = example.and_then(|row| row.name().clone()).unwrap_or_default();
            table.add_row([word(action).to_owned(), reason.to_owned(), region, count.to_string(), example]);
        }
        writeln!(output, "{table}\n--json lists every decision.")?;
    }
    for (about, error) in errors(plan) {
        writeln!(output, "{about}: {error}")?;
    }
    match untried(facts) {
        0 => {}
        1 => {
            writeln!(output, "1 shared snapshot of Neptune or DocumentDB is left out: nobody has tried to copy those.")?
        }
        more => {
            writeln!(
                output,
                "{more} shared snapshots of Neptune or DocumentDB are left out: nobody has tried to copy those."
            )?;
        }
    }
    if matches!(facts.scope, Scope::Sweep { .. }) {
        for (region, counts) in &plan.counted().regions {
            writeln!(output, "{region}: {} protected, {} in flight", counts.protected, counts.in_flight)?;
        }
    }
    if let Some(reading) = ledger {
        owed::print_text(reading, now, &mut output)?;
    }
    output.flush()?;
    Ok(())
}

/// How many of those that are shared are left out for their engine.
fn untried(facts: &Facts) -> usize {
    let is_untried = |snapshot: &&SourceSnapshot| match &snapshot.kind {
        SourceKind::Volume => false,
        SourceKind::Instance(it) | SourceKind::Cluster(it) => is_untried(&it.engine),
    };
    facts.snapshots.iter().flatten().filter(is_untried).count()
}

/// What the services said, once for each reason and Region.
fn errors(plan: &Plan<'_>) -> BTreeMap<String, String> {
    let said = plan.decisions.iter().filter_map(|decision| {
        let (error, row) = (rows::error(&decision.verdict)?, Row::new(decision, Timestamp::UNIX_EPOCH));
        let region = row.region.map(|region| format!(" {region}")).unwrap_or_default();
        Some((format!("{}{region}", row.reason), words(error)))
    });
    said.collect()
}

fn counts(plan: &Plan<'_>, now: Timestamp) -> BTreeMap<(Action, &'static str, String), usize> {
    let mut counts = BTreeMap::new();
    for decision in &plan.decisions {
        let row = Row::new(decision, now);
        *counts.entry((row.action, row.reason, row.region.unwrap_or_default())).or_default() += 1;
    }
    counts
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Copy => "copy",
        Action::Skip => "skip",
        Action::Defer => "defer",
        Action::Refuse => "refuse",
    }
}

/// Whether there is anything to copy.
pub(crate) fn would_copy(decision: &Decision<'_>) -> bool {
    Row::new(decision, Timestamp::UNIX_EPOCH).action == Action::Copy
}

#[cfg(test)]
mod tests;
