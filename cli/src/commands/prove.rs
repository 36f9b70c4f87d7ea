//! `snapferry prove`: the digest of a snapshot's content, computed anew.

use std::io::Write as _;
use std::time::Duration;

use anyhow::ensure;
use jiff::Timestamp;
use serde_json::json;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::proving::{Blocks, Goes, Sides, go_on};
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::{Extent, MAX_SAMPLE, ProofRule};
use snapferry_core::proving::{BLOCK_BYTES, Digest, Finding, Progress, Seed};

use crate::account::connection::{Connection, block_on, words};
use crate::commands::plan;
use crate::terminal::exit::Exit;

/// Longer than reading any volume takes.
const TIME: Duration = Duration::from_hours(1000);

/// How many blocks are drawn where nothing is said: they find damage to 1 % of the blocks with 99 %.
const SAMPLE: Extent = Extent::Sample(459);

/// Read a snapshot's blocks and compute their digest
///
/// Reads the blocks that a seed draws, or all, through the EBS direct APIs, and prints the digest that a copy.proved record has of
/// them in proof.digest: of the same snapshot, seed and number of blocks always the same. Reading costs what AWS charges for
/// GetSnapshotBlock, and needs the snapshot's key.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The snapshot, in the Region that --region or the environment names
    #[arg(long, value_name = "ID", value_parser = plan::snapshot)]
    snapshot: SnapshotId,
    /// Which blocks are drawn, as a record has it in proof.seed; without it they are drawn anew
    #[arg(long, value_name = "SEED", value_parser = seed)]
    seed: Option<Seed>,
    /// How many blocks are drawn, at most 10000, or "all" [default: 459]
    #[arg(long, value_name = "NUMBER", value_parser = blocks)]
    blocks: Option<Extent>,
    /// The digest that it should be; needs the --seed of the same record, unless all blocks are read
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<Digest>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

const HELP: &str = "\
Exit codes: 0 the digest is printed, and is the one that was given, 1 it is another, 2 wrong usage or cannot run";

fn seed(text: &str) -> Result<Seed, &'static str> {
    text.parse()
}

fn digest(text: &str) -> Result<Digest, &'static str> {
    // What reads numbers takes a sign for a digit's place.
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { text.parse() } else { Err("a digest is 64 hexadecimal digits") }
}

fn blocks(text: &str) -> Result<Extent, &'static str> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Extent::All);
    }
    let blocks = text.parse().ok().filter(|blocks| (1..=MAX_SAMPLE).contains(blocks));
    blocks.map(Extent::Sample).ok_or("1 to 10000, or all")
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let is_drawn_anew = args.seed.is_none() && args.blocks != Some(Extent::All);
    ensure!(
        !(is_drawn_anew && args.digest.is_some()),
        "--digest is of blocks that a seed drew: without that --seed others are read, and their digest is another; give the seed and \
         the blocks of the record (proof.seed, and --blocks), or --blocks all"
    );
    block_on(async {
        let account = args.connection.open().await?;
        let client = account.clients([]).ebs(&account.home);
        let rule = ProofRule { extent: args.blocks.unwrap_or(SAMPLE), compare: false };
        let seed = args.seed.unwrap_or_else(|| Seed(fastrand::u64(..)));
        let mut progress = Progress::new(rule, seed, Timestamp::now());
        let sides = Sides { copy: Blocks::new(client, args.snapshot.clone()), source: None };
        // It is read in one go: no place is kept.
        let found = go_on(&sides, &mut progress, Deadline::after(TIME), async |_: &Progress| Goes::Here).await;
        let found = found.map_err(|error| {
            anyhow::anyhow!("{} in {}: its blocks cannot be read: {}", args.snapshot, account.home, words(&error))
        })?;
        let Some(Finding::Proved(_, progress)) = found else {
            anyhow::bail!("{}: reading its blocks did not come to an end", args.snapshot);
        };
        print(args, &progress)?;
        let is_another = args.digest.is_some_and(|expected| expected != progress.digest);
        Ok(if is_another { Exit::Findings } else { Exit::Fine })
    })
}

fn print(args: &Args, progress: &Progress) -> anyhow::Result<()> {
    let Progress { seed, listed, read, digest, .. } = progress;
    let is_drawn = progress.rule.extent != Extent::All;
    let bytes = read.saturating_mul(BLOCK_BYTES);
    let mut out = anstream::stdout();
    if args.json {
        let seed = is_drawn.then(|| seed.to_string());
        let line = json!({
            "snapshot": args.snapshot.as_str(), "seed": seed, "listed": listed, "read": read, "bytes": bytes,
            "digest": digest.to_string(), "equal": args.digest.map(|expected| expected == *digest),
        });
        return Ok(writeln!(out, "{line}")?);
    }
    let by = if is_drawn { format!(", drawn by the seed {seed}") } else { String::new() };
    writeln!(out, "{}: {read} of {listed} blocks read{by}", args.snapshot)?;
    writeln!(out, "digest {digest}")?;
    match args.digest {
        Some(expected) if expected == *digest => writeln!(out, "which is the one that was given")?,
        Some(expected) => writeln!(out, "which is another than the one that was given, {expected}")?,
        None => {}
    }
    Ok(())
}
