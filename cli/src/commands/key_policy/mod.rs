//! `snapferry key-policy`: what a source account's key has to allow the target account, alone or in a key policy that is
//! there already.

mod denials;
mod merge;
mod principals;
mod statements;
mod unique;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use snapferry_core::ids::AccountId;
use snapferry_core::policy::{Encryption, Policy};

use self::merge::{Change, Done, Merged};
use crate::template::Statement;
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-key-policy/1";
/// The longest key policy (KMS Developer Guide, "Resource quotas": 32 KB).
const MAX_KEY_POLICY_BYTES: usize = 32 * 1024;
/// The longest file that is read: a key policy within JSON within another shell's line ends.
const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Print the statements that a source account's KMS key needs, offline
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, long_about = ABOUT)]
pub(crate) struct Args {
    /// The policy document of the target account; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// The target account, which copies
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    target: AccountId,
    /// The one role in the target account that may use the key (the stack's output CopySharedSnapshotsRoleArn), whether or
    /// not it exists yet; without it those under /snapferry/, the template's RolePath, may
    #[arg(long, value_name = "ARN")]
    target_role: Option<String>,
    /// The account that the key belongs to: warn when the policy does not copy from it
    #[arg(long, value_name = "ACCOUNT", value_parser = input::account)]
    source: Option<AccountId>,
    /// Add the statements to this key policy, as `aws kms get-key-policy` prints it in text or JSON
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const ABOUT: &str = "\
Print the statements that a source account's KMS key needs, offline

They are those of infra/sam/source-account.yaml. With --merge, they are added to the key policy that FILE holds, and the \
rest of it stays letter by letter:

  aws kms get-key-policy --key-id KEY --policy-name default --query Policy --output text > key-policy.json
  snapferry key-policy policy.json --target 444455556666 --merge key-policy.json > merged.json
  aws kms put-key-policy --key-id KEY --policy-name default --policy file://merged.json

To merge twice is to merge once. A statement of Snapferry's that says something else of the target account is replaced; \
those of other target accounts stay.";

const HELP: &str = "\
Exit codes: 0 fine, 1 there are warnings, 2 wrong usage, or a document that cannot be read or is no key policy";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'s> {
    format: &'static str,
    statements: &'s [Statement],
    /// The key policy with the statements, as text; with `--merge` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
    warnings: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let files = args.merge.iter().chain([&args.document]);
    let stdin = files.filter(|path| path.as_os_str() == input::STDIN).count();
    anyhow::ensure!(stdin < 2, "standard input can be read only once");
    let policies = input::policies(&args.document)?;
    let partition = partition(args, &policies);
    let role = role(args, partition)?;
    let ours = statements::statements(partition, &args.target, role)?;
    let merged = args.merge.as_deref().map(|file| merged(file, &ours, &args.target)).transpose()?;
    let mut warnings = doubts(args, &policies);
    if let Some(merged) = &merged {
        warnings.extend(consequences(merged));
        let ours = denials::Ours { statements: &ours, target: &args.target, role, partition };
        warnings.extend(denials::warnings(&merged.document, &ours));
    }
    let exit = if warnings.is_empty() { Exit::Fine } else { Exit::Findings };
    let mut out = std::io::stdout().lock();
    if args.json {
        let (merged, changes) = merged.map(|merged| (merged.document, merged.changes)).unzip();
        let changes = changes.unwrap_or_default();
        let answer = Answer { format: FORMAT, statements: &ours, merged, changes, warnings };
        writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
    } else {
        let mut err = anstream::stderr().lock();
        for warning in &warnings {
            writeln!(err, "warning: {warning}")?;
        }
        match &merged {
            Some(merged) => {
                for Change { sid, done, .. } in &merged.changes {
                    writeln!(err, "{sid}: {}", word(*done))?;
                }
                writeln!(out, "{}", merged.document.trim_end())?;
            }
            None => writeln!(out, "{}", serde_json::to_string_pretty(&ours)?)?,
        }
    }
    Ok(out.flush().map(|()| exit)?)
}

fn merged(file: &Path, ours: &[Statement], target: &AccountId) -> anyhow::Result<Merged> {
    let printed = input::text(file, MAX_FILE_BYTES)?;
    let merge = || merge::merge(&merge::unwrapped(&printed)?, ours, target.as_str());
    merge().with_context(|| format!("{} is not merged", input::shown(file)))
}

/// That of the policy's Regions, all of which are in one, or else that of the role.
fn partition<'a>(args: &'a Args, policies: &'a [Policy]) -> &'a str {
    let of_target = policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.partition()).next();
    let of_role = || args.target_role.as_deref()?.strip_prefix("arn:")?.split(':').next();
    of_target.or_else(of_role).unwrap_or("aws")
}

/// The one role, which has to be the target account's, in the partition of the policy's Targets.
fn role<'a>(args: &'a Args, partition: &str) -> anyhow::Result<Option<&'a str>> {
    let Some(role) = args.target_role.as_deref() else { return Ok(None) };
    let expected = format!("arn:{partition}:iam::{}:role/", args.target);
    let is_role = role.strip_prefix(&expected).is_some_and(|name| !name.is_empty());
    anyhow::ensure!(
        is_role,
        "--target-role: {role:?} is no role of the target account in the partition {partition} ({expected}…)"
    );
    anyhow::ensure!(
        !role.contains(['*', '?']),
        "--target-role: {role:?} is a pattern, and would open the key to every role that it fits; name one role, or leave it out for \
         the roles under /snapferry/"
    );
    Ok(Some(role))
}

/// What in the policy speaks against these accounts.
fn doubts(args: &Args, policies: &[Policy]) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(source) = &args.source
        && !policies.iter().any(|policy| policy.owners.contains(source))
    {
        doubts.push(format!("{source} is no SnapshotOwner of the policy, so nothing is copied from it"));
    }
    if policies.iter().any(|policy| policy.owners.contains(&args.target)) {
        let target = &args.target;
        doubts.push(format!("{target} is a SnapshotOwner of the policy, so it is a source account and not the target"));
    }
    let targets = policies.iter().flat_map(|policy| &policy.targets);
    for key in targets.filter_map(|target| match &target.encryption {
        Encryption::Key(key) => Some(key),
        Encryption::AsSource | Encryption::DefaultKey => None,
    }) {
        if key.account() != args.target.as_str() {
            let (account, target) = (key.account(), &args.target);
            doubts.push(format!(
                "{key}, which encrypts copies, belongs to {account} and not to the target account {target}"
            ));
        }
    }
    doubts
}

/// What the operator should know before putting a merged key policy.
fn consequences(merged: &Merged) -> Vec<String> {
    let lost = merged.changes.iter().filter(|change| !change.no_longer_named.is_empty()).map(|change| {
        let names = change.no_longer_named.join(", ");
        format!("{} named {names}, which the merged key policy does not allow there any more", change.sid)
    });
    let length = merged.document.trim_end().len();
    let too_long = (length > MAX_KEY_POLICY_BYTES).then(|| {
        format!("the merged key policy has {length} bytes; KMS takes at most {MAX_KEY_POLICY_BYTES} (32 KiB)")
    });
    lost.chain(too_long).collect()
}

fn word(done: Done) -> &'static str {
    match done {
        Done::Added => "added",
        Done::Replaced => "replaced",
        Done::Kept => "is there already",
    }
}
