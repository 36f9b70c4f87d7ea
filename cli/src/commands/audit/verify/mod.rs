//! `snapferry audit verify`: whether exported log lines are what the functions wrote.

mod report;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use snapferry_core::audit::{Added, Lives, Position};

use self::report::{File, VerifyReport};
use crate::terminal::audit_lines::{self, Order};
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// Verify exported audit lines, offline
///
/// Every audit line vouches for the one before it, through a hash. Takes log lines as they are or with something in
/// front of them, as CloudWatch Logs exports them to S3, the output of `aws logs filter-log-events`, `get-log-events`
/// or `get-query-results`, a subscription's deliveries, the console's downloads (JSON, CSV), and any of these
/// compressed with gzip. Several files may overlap and come in any order.
///
/// It cannot show that lines are missing at the end of an environment's life, that an environment is missing as a whole,
/// or that somebody with write access to the log group made up all of it.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The exported logs; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The logs were exported from this time on (RFC 3339, or a date): what environments older than that wrote first may be missing
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    since: Option<Timestamp>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit codes: 0 all lines are proven, but for the last of each environment; 1 lines are missing, altered or out of place; 2 \
wrong usage, or a file that cannot be read, or no audit line in any of them";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let stdin = args.files.iter().filter(|path| path.as_os_str() == input::STDIN);
    anyhow::ensure!(stdin.count() < 2, "standard input can be read only once");
    let mut lives = Lives::default();
    let mut unlinked = Vec::new();
    let files = args.files.iter().enumerate();
    let files = files.map(|(number, path)| read(number, path, &mut lives, &mut unlinked)).collect();
    let report = VerifyReport::new(files, unlinked, lives.judge(args.since));
    if args.json {
        report.print_json()?;
    } else {
        report.print_text()?;
    }
    Ok(report.exit())
}

fn read(number: usize, path: &Path, lives: &mut Lives, unlinked: &mut Vec<Position>) -> File {
    let mut file = File::new(path);
    let each = |line: u64, text: &str| {
        let position = Position { file: number, line };
        match lives.add(text, position) {
            Added::Line => file.lines += 1,
            Added::Unlinked => {
                file.lines += 1;
                unlinked.push(position);
            }
            Added::Other => {}
        }
    };
    let done = input::open(path).map_err(anyhow::Error::from).and_then(|input| audit_lines::read(input, each));
    match done {
        Ok(Order::OfLog) => {}
        Ok(Order::OfRows) => lives.is_of_a_query(number),
        Err(error) => file.error = Some(format!("{error:#}")),
    }
    file
}
