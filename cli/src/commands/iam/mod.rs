//! `snapferry iam`: what the functions' roles have to allow for a policy document, and nothing more.

mod roles;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use snapferry_core::ids::{KeyArn, Region};

use self::roles::{CopyOwner, Proof, Retired, Role, Scope};
use crate::template::Document;
use crate::terminal::exit::{self, Exit};
use crate::terminal::input;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-iam/1";

/// Print the IAM policies of the functions' roles for a policy, offline
///
/// They are those of infra/sam/template.yaml, with the policy's accounts, Regions and keys. What only a deployed stack
/// knows stays as the template names it, such as ${CopierQueue.Arn}.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Args {
    /// The policy document; - is standard input
    #[arg(value_name = "POLICY")]
    document: PathBuf,
    /// The Region of the stack, whose snapshots are shared [default: AWS_REGION or AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    region: Option<Region>,
    /// A key under which a source account encrypts what it shares (may be repeated) [default: any key of the owners in the
    /// Region]
    #[arg(long, value_name = "ARN", value_parser = KeyArn::parse)]
    source_key: Vec<KeyArn>,
    /// Do not limit the copier by ec2:Owner, as the template's CopyAnyOwner says
    #[arg(long)]
    copy_any_owner: bool,
    /// A Region that is no target any more and whose copies shall still expire (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_region: Vec<Region>,
    /// A Region whose stack is gone and whose copies this one goes on with (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_home: Vec<Region>,
    /// The prover's role, too, which the template has with a ProofSchedule
    #[arg(long)]
    proof: bool,
    /// Let the prover decrypt the sources, as the template's ProofDecryptsSources says
    #[arg(long, requires = "proof")]
    proof_decrypts_sources: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer<'r> {
    format: &'static str,
    region: &'r Region,
    roles: Vec<RoleAnswer<'r>>,
}

#[derive(Debug, Serialize)]
struct RoleAnswer<'r> {
    role: &'r str,
    function: &'r str,
    policies: Vec<PolicyAnswer<'r>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyAnswer<'r> {
    name: &'r str,
    document: &'r Document,
    /// What each statement is for, by its Sid.
    why: BTreeMap<&'r str, &'r str>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = input::policies(&args.document)?;
    let home = args.region.clone().map_or_else(region_of_environment, Ok)?;
    let retired = Retired { regions: args.retired_region.clone(), homes: args.retired_home.clone() };
    let owner = if args.copy_any_owner { CopyOwner::Any } else { CopyOwner::Listed };
    let proof = match (args.proof, args.proof_decrypts_sources) {
        (false, _) => Proof::None,
        (true, false) => Proof::WithoutSourceKeys,
        (true, true) => Proof::WithSourceKeys,
    };
    let scope = Scope { proof, ..Scope::new(&policies, home, args.source_key.clone(), owner, retired) };
    anyhow::ensure!(!scope.owners.is_empty(), "the policy names no SnapshotOwner, so there is nothing to allow");
    anyhow::ensure!(!scope.targets.is_empty(), "the policy names no Target, so there is nothing to allow");
    one_partition(&scope)?;
    let roles = roles::roles(&scope)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&answer(&scope.home, &roles))?)?;
    } else {
        for role in &roles {
            write!(out, "{}", text(role)?)?;
        }
    }
    Ok(out.flush().map(|()| Exit::Fine)?)
}

fn region_of_environment() -> anyhow::Result<Region> {
    let set = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| std::env::var(name).ok());
    let name = set.context("no Region: give --region, or set AWS_REGION")?;
    Region::parse(&name).with_context(|| format!("{name:?} is no Region"))
}

/// A role of one partition of AWS can do nothing in another one, so that its statements would match nothing there. The
/// policy's Targets are in one, and tell which is meant.
fn one_partition(scope: &Scope) -> anyhow::Result<()> {
    let Some(target) = scope.targets.first() else { return Ok(()) };
    let partition = target.partition();
    let of_region = |option: &'static str, region: &Region| (option, region.to_string(), region.partition().to_owned());
    let of_key = |key: &KeyArn| ("--source-key", key.to_string(), key.partition().to_owned());
    let given = [of_region("the stack's Region (--region, AWS_REGION)", &scope.home)]
        .into_iter()
        .chain(scope.source_keys.iter().map(of_key))
        .chain(scope.retired.regions.iter().map(|region| of_region("--retired-region", region)))
        .chain(scope.retired.homes.iter().map(|region| of_region("--retired-home", region)));
    for (option, name, other) in given {
        anyhow::ensure!(
            other == partition,
            "{option}: {name} is in the partition {other}, but the policy's Target {target} is in the partition \
             {partition}, and no role works in both"
        );
    }
    Ok(())
}

fn answer<'r>(region: &'r Region, roles: &'r [Role]) -> Answer<'r> {
    let policy = |(name, document): &'r (String, Document)| {
        let why =
            document.statements().iter().map(|statement| (statement.sid.as_str(), statement.why.as_str())).collect();
        PolicyAnswer { name, document, why }
    };
    let role = |role: &'r Role| RoleAnswer {
        role: &role.name,
        function: &role.function,
        policies: role.policies.iter().map(policy).collect(),
    };
    Answer { format: FORMAT, region, roles: roles.iter().map(role).collect() }
}

/// Each policy as a document that IAM takes, and above it what it is for.
fn text(role: &Role) -> anyhow::Result<String> {
    let mut text = String::new();
    for (name, document) in &role.policies {
        text.push_str(&format!("# {}, the role of {}: policy {name}\n", role.name, role.function));
        for statement in document.statements() {
            text.push_str(&format!("#   {}: {}\n", statement.sid, statement.why));
        }
        text.push_str(&serde_json::to_string_pretty(document)?);
        text.push_str("\n\n");
    }
    Ok(text)
}
