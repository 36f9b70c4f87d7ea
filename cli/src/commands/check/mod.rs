//! `snapferry check`: what a policy document says, and what is wrong with it or remarkable, without asking AWS.

mod advice;
mod databases;
mod filter;
mod finding;
mod normal;
mod outline;
mod previous;
mod render;
mod report;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use snapferry_core::policy::{self, MAX_DOCUMENT_BYTES, Parsed, Policy};

use self::finding::{Finding, Level};
use self::report::{Description, DocumentReport};
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// Check policy documents, offline
///
/// Takes what the functions take: PolicyDetails of an event-based policy, the answer of `aws dlm
/// get-lifecycle-policy`, or an array of such answers. Prints the normalized policies to standard output, and what is
/// wrong or remarkable to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The documents; - is standard input
    #[arg(value_name = "POLICY", required_unless_present = "schema")]
    documents: Vec<PathBuf>,
    /// Tell whether each filter matches this description (may be repeated)
    #[arg(long, value_name = "TEXT")]
    description: Vec<String>,
    /// What is deployed until now: warn of what an edit renames, leaves behind or encrypts under another key
    #[arg(long, value_name = "POLICY")]
    previous: Option<PathBuf>,
    /// Treat warnings as errors: exit with 1 when there are any
    #[arg(long)]
    strict: bool,
    /// Do not print the normalized policies
    #[arg(short, long)]
    quiet: bool,
    /// Print everything to standard output as one JSON object
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of the policy document, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
}

const HELP: &str = "\
Exit codes: 0 every document is valid, 1 one is not (or, with --strict, has warnings), 2 wrong usage or a document that \
cannot be read";

/// The name of what is wrong with a document that cannot be read at all.
const UNREADABLE: &str = "unreadable";

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.schema {
        std::io::stdout().write_all(policy::SCHEMA.as_bytes())?;
        return Ok(Exit::Fine);
    }
    let stdin = args.documents.iter().chain(&args.previous).filter(|path| path.as_os_str() == input::STDIN);
    anyhow::ensure!(stdin.count() < 2, "standard input can be read only once");
    let previous = args.previous.as_deref().map(input::policies).transpose().context("--previous")?.unwrap_or_default();
    let reports: Vec<DocumentReport> = args.documents.iter().map(|path| check(path, args, &previous)).collect();
    if args.json {
        report::print_json(&reports)?;
    } else {
        for report in &reports {
            report::print_text(report, args.quiet)?;
        }
    }
    Ok(reports.iter().map(|report| report.exit(args.strict)).max().unwrap_or(Exit::Fine))
}

fn check(path: &Path, args: &Args, previous: &[Policy]) -> DocumentReport {
    let mut report = DocumentReport::new(path);
    match input::read_at_most(path, MAX_DOCUMENT_BYTES) {
        Ok(bytes) => match text(bytes) {
            Ok(document) => {
                report.document = document;
                judge(&mut report, args, previous);
            }
            Err(error) => report.findings.push(*error),
        },
        Err(error) if error.kind() == ErrorKind::InvalidData => report.findings.push(not_text(error.to_string())),
        Err(error) => {
            report.is_unreadable = true;
            report.findings.push(Finding::error(UNREADABLE, format!("cannot be read: {error}"), None));
        }
    }
    report.valid = report.findings.iter().all(|finding| finding.level != Level::Error);
    report
}

fn text(bytes: Vec<u8>) -> Result<String, Box<Finding>> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let allowed = format!("at most {MAX_DOCUMENT_BYTES} bytes");
        return Err(Box::new(Finding::error("policy-invalid", "larger than any policy".to_owned(), Some(allowed))));
    }
    // A second mark, as of files that were joined: the parser passes one over, and what is printed must not differ from what it took.
    let without_mark = |text: String| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    String::from_utf8(bytes)
        .map(without_mark)
        .map_err(|error| Box::new(not_text(format!("not UTF-8 after {} bytes", error.utf8_error().valid_up_to()))))
}

fn not_text(problem: String) -> Finding {
    Finding::error("policy-invalid", problem, Some("JSON in UTF-8, or in UTF-16 with a byte order mark".to_owned()))
}

fn judge(report: &mut DocumentReport, args: &Args, previous: &[Policy]) {
    let document = &report.document;
    let parsed = policy::parse(document).map_err(Finding::from);
    // What the parser took is JSON.
    let value = serde_json::from_str::<Value>(document).unwrap_or_default();
    let Parsed { policies, warnings } = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return report.findings.push(error),
    };
    let mut findings: Vec<Finding> = warnings.into_iter().map(Finding::from).collect();
    let outlines = outline::outline(&value);
    findings.extend(previous::compare(&policies, &outlines, previous));
    for (policy, outline) in policies.iter().zip(&outlines) {
        findings.extend(advice::advise(policy, outline));
        findings.extend(databases::advise(policy, outline));
        for description in &args.description {
            findings.extend(advice::full_match(policy, outline, description));
            report.descriptions.push(Description {
                policy: policy.name.to_string(),
                description: description.clone(),
                matches: policy.description.matches(description),
            });
        }
        report.policies.push(normal::normalize(policy, outline));
    }
    findings = findings.into_iter().map(|finding| finding.placed(document)).collect();
    findings.sort_by_key(|finding| (finding.line, finding.column));
    report.findings = findings;
}
