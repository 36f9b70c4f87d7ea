//! The roles of the functions and what each may do: what infra/sam/template.yaml says, for one policy document.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::Value;
use snapferry_core::ids::{AccountId, KeyArn, Region};
use snapferry_core::policy::{Encryption, Policy, max_lock_days};

use crate::template::{self, Document, Template};

/// The functions, as the template calls them; each one's role is called so too, with `Role` behind.
const FUNCTIONS: [&str; 3] = ["CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies"];
/// The one that is there with a ProofSchedule only.
const PROVER: &str = "ProveCopies";
/// Those that are there with Databases only.
const OF_DATABASES: [&str; 3] = ["CopySharedDatabases", "VerifyCopiedDatabases", "DeleteExpiredDatabaseCopies"];

/// What the statements depend on.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The Region of the stack.
    pub(crate) home: Region,
    /// Every SnapshotOwner.
    pub(crate) owners: BTreeSet<AccountId>,
    /// Every Target, in the document's order.
    pub(crate) targets: Vec<Region>,
    /// Every CmkArn, in the document's order.
    pub(crate) target_keys: Vec<KeyArn>,
    /// The longest LockRule, in days; none is 0.
    pub(crate) max_lock_days: u32,
    /// The source accounts' keys.
    pub(crate) source_keys: Vec<KeyArn>,
    /// Whose snapshots the copier's role may copy.
    pub(crate) copy_owner: CopyOwner,
    /// What was left behind and is still handled.
    pub(crate) retired: Retired,
    /// Whether contents are proven.
    pub(crate) proof: Proof,
    /// Whether a policy is about databases.
    pub(crate) has_databases: bool,
}

/// What the prover's role may decrypt, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// There is none.
    None,
    /// Copies alone.
    WithoutSourceKeys,
    /// Sources, too.
    WithSourceKeys,
}

/// By whom the copier's role is limited in what it copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyOwner {
    /// By every SnapshotOwner.
    Listed,
    /// By nobody: the function alone keeps to the owners.
    Any,
}

/// What a stack goes on with. Policies that are no longer in the document need no permission of their own.
#[derive(Debug)]
pub(crate) struct Retired {
    /// Regions that are no targets any more.
    pub(crate) regions: Vec<Region>,
    /// Regions whose stack is gone.
    pub(crate) homes: Vec<Region>,
}

/// A role and its policies.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its logical ID in the template.
    pub(crate) name: String,
    /// The function that runs in it.
    pub(crate) function: String,
    /// Its policies: name and document.
    pub(crate) policies: Vec<(String, Document)>,
}

impl Scope {
    /// Gathers what the policies name.
    pub(crate) fn new(
        policies: &[Policy],
        home: Region,
        source_keys: Vec<KeyArn>,
        copy_owner: CopyOwner,
        retired: Retired,
    ) -> Self {
        let targets = || policies.iter().flat_map(|policy| &policy.targets);
        let keys = targets().filter_map(|target| match &target.encryption {
            Encryption::Key(key) => Some(key.clone()),
            Encryption::AsSource | Encryption::DefaultKey => None,
        });
        Self {
            home,
            owners: policies.iter().flat_map(|policy| policy.owners.iter().cloned()).collect(),
            targets: targets().map(|target| target.region.clone()).collect(),
            target_keys: keys.collect(),
            max_lock_days: max_lock_days(policies),
            source_keys,
            copy_owner,
            retired,
            proof: Proof::None,
            has_databases: policies.iter().flat_map(|policy| &policy.source_types).any(|kind| kind.is_of_databases()),
        }
    }

    /// The template with the parameters that the policies need.
    fn template(&self) -> anyhow::Result<Template> {
        Template::new(
            template::VAULT,
            [
                ("AWS::Partition", self.home.partition().to_owned()),
                ("AWS::Region", self.home.to_string()),
                ("Databases", self.has_databases.to_string()),
                ("SourceAccounts", joined(&self.owners)),
                ("TargetRegions", joined(&self.targets)),
                ("TargetKeyArns", joined(&self.target_keys)),
                ("SourceKeyArns", joined(&self.source_keys)),
                ("MaxLockDays", self.max_lock_days.to_string()),
                ("CopyAnyOwner", (self.copy_owner == CopyOwner::Any).to_string()),
                // Which schedule it is changes no role.
                ("ProofSchedule", if self.proof == Proof::None { "" } else { "rate(1 day)" }.to_owned()),
                ("ProofDecryptsSources", (self.proof == Proof::WithSourceKeys).to_string()),
                ("RetiredRegions", joined(&self.retired.regions)),
                ("RetiredHomes", joined(&self.retired.homes)),
            ],
        )
    }
}

/// The roles: three, the prover's where contents are proven, and three more where databases are copied.
///
/// # Errors
/// When the template is not as this version of the command reads it.
pub(crate) fn roles(scope: &Scope) -> anyhow::Result<Vec<Role>> {
    let template = scope.template()?;
    let role = |&function: &&str| {
        role(&template, function).with_context(|| format!("infra/sam/template.yaml, {function}Role"))
    };
    let prover = (scope.proof != Proof::None).then_some(&PROVER);
    let of_databases = OF_DATABASES.iter().filter(|_| scope.has_databases);
    FUNCTIONS.iter().chain(prover).chain(of_databases).map(role).collect()
}

fn role(template: &Template, function: &str) -> anyhow::Result<Role> {
    let name = format!("{function}Role");
    let mut policies = Vec::new();
    for policy in template.at(&name, "/Properties/Policies")?.as_array().context("Policies is no list")? {
        let called = policy.get("PolicyName").and_then(Value::as_str).context("a policy without a name")?;
        let document = policy.get("PolicyDocument").context("a policy without a document")?;
        let document = template.document(&name, document).with_context(|| called.to_owned())?;
        policies.push((called.to_owned(), document));
    }
    for attached in managed(template, &name)? {
        let document = template.at(&attached, "/Properties/PolicyDocument")?;
        let document = template.document(&attached, document).with_context(|| attached.clone())?;
        policies.push((hyphenated(&attached), document));
    }
    Ok(Role { name, function: hyphenated(function), policies })
}

/// The logical IDs of the managed policies that a role has with these parameters.
fn managed(template: &Template, role: &str) -> anyhow::Result<Vec<String>> {
    let Ok(written) = template.at(role, "/Properties/ManagedPolicyArns") else { return Ok(Vec::new()) };
    let reference = |found: Value| {
        let id = found.as_str().and_then(|text| text.strip_prefix("${")?.strip_suffix('}')).map(str::to_owned);
        id.with_context(|| format!("{found} is no policy of the template"))
    };
    template.list(written)?.into_iter().map(reference).collect()
}

fn joined<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|each| each.to_string()).collect::<Vec<_>>().join(",")
}

/// A logical ID as the functions and the inline policies are called.
fn hyphenated(id: &str) -> String {
    let mut name = String::new();
    for (index, letter) in id.char_indices() {
        let hyphen = if index > 0 && letter.is_uppercase() { "-" } else { "" };
        let _ = write!(name, "{hyphen}{}", letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests;
