//! From what stands in the document to what it means, or to the first member that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::databases::{self, DatabaseFilter};
use super::description::DescriptionFilter;
use super::document::{Parsed, Placed, Policy, PolicyState};
use super::error::{Warning, Warnings};
use super::kinds;
use super::path::{Path, Problem, quoted, shown};
use super::raw::{self, Document};
use super::target::{self, Target};
use super::{accounts, across, silence};
use crate::audit::PolicyWarning;
use crate::ids::{AccountId, PolicyName};
use crate::kind::SourceType;

/// The name of a policy whose document has no `PolicyId`.
const DEFAULT_NAME: &str = "default";

/// The longest `Name` of an action (DLM API reference, `Action`).
const MAX_ACTION_NAME: usize = 120;

const EVENT_BASED: &str = "EVENT_BASED_POLICY";

/// Checks a document and gives its policies and warnings.
pub(super) fn check(document: Document) -> Result<Parsed, Problem> {
    let root = Path::default();
    let mut warnings = Vec::new();
    let placed = match document {
        Document::Bare(details) => {
            vec![policy(default_name(&root)?, PolicyState::Enabled, *details, &root, &mut warnings)?]
        }
        Document::Answer(answer) => vec![single(*answer, &root, &mut warnings)?],
        Document::Answers(answers) => several(answers, &root, &mut warnings)?,
    };
    across::check(&placed, &mut warnings)?;
    Ok(Parsed { policies: placed.into_iter().map(|placed| placed.policy).collect(), warnings })
}

/// One answer alone may do without a `PolicyId`: a hand-written document, or one stripped of what is not portable.
fn single(answer: raw::Answer, root: &Path, warnings: &mut Vec<Warning>) -> Result<Placed, Problem> {
    let path = root.member("Policy");
    let inner = root.required(answer.policy, "Policy", "an object")?;
    let name = match &inner.policy_id {
        Some(id) => named(id, &path)?,
        None => default_name(&path)?,
    };
    lifecycle_policy(name, inner, &path, warnings)
}

/// In an array every policy has an ID of its own: a name must not depend on the order.
fn several(answers: Vec<raw::Answer>, root: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<Placed>, Problem> {
    if answers.is_empty() {
        return Err(root.wrong("an empty array", "at least one policy"));
    }
    let mut policies: Vec<Placed> = Vec::new();
    for (index, answer) in answers.into_iter().enumerate() {
        let path = root.item(index).member("Policy");
        let inner = root.item(index).required(answer.policy, "Policy", "an object")?;
        let id =
            path.required(inner.policy_id.as_deref(), "PolicyId", "in an array, every policy has its own PolicyId")?;
        let name = named(id, &path)?;
        if let Some(first) = policies.iter().position(|other| other.policy.name == name) {
            let message = format!("{} is also that of [{first}]", quoted(name.as_str()));
            return Err(path.member("PolicyId").wrong(message, "in an array, every policy has its own PolicyId"));
        }
        policies.push(lifecycle_policy(name, inner, &path, warnings)?);
    }
    Ok(policies)
}

fn named(id: &str, policy: &Path) -> Result<PolicyName, Problem> {
    PolicyName::parse(id).map_err(|error| policy.member("PolicyId").wrong(quoted(id), error.expected))
}

fn default_name(path: &Path) -> Result<PolicyName, Problem> {
    PolicyName::parse(DEFAULT_NAME).map_err(|error| path.wrong(error.to_string(), error.expected))
}

fn lifecycle_policy(
    name: PolicyName,
    policy_raw: raw::LifecyclePolicy,
    path: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<Placed, Problem> {
    if policy_raw.default_policy == Some(true) {
        let message = "true, but a default policy creates snapshots and copies no shared ones";
        return Err(path.member("DefaultPolicy").wrong(message, "false or absent"));
    }
    let state = state(policy_raw.state.as_deref(), path, &mut Warnings { policy: &name, all: warnings })?;
    let details = path.required(policy_raw.policy_details, "PolicyDetails", "an object")?;
    policy(name, state, details, &path.member("PolicyDetails"), warnings)
}

fn state(state: Option<&str>, policy: &Path, warnings: &mut Warnings<'_>) -> Result<PolicyState, Problem> {
    match state {
        None | Some("ENABLED") => Ok(PolicyState::Enabled),
        Some("DISABLED") => Ok(PolicyState::Disabled),
        Some("ERROR") => {
            let message =
                "\"ERROR\" says that DLM could not run the policy; Snapferry has its own roles and reads it as ENABLED";
            warnings.add(&policy.member("State"), PolicyWarning::StateError, message);
            Ok(PolicyState::Enabled)
        }
        Some(other) => Err(policy.member("State").none_of(&["ENABLED", "DISABLED", "ERROR"], other)),
    }
}

fn policy(
    name: PolicyName,
    state: PolicyState,
    details: raw::PolicyDetails,
    path: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<Placed, Problem> {
    policy_type(details.policy_type.as_deref(), path)?;
    policy_language(details.policy_language.as_deref(), path)?;
    refuse_foreign(&details, path)?;
    let mut warnings = Warnings { policy: &name, all: warnings };
    let source =
        path.required(details.event_source, "EventSource", "{\"Type\": \"MANAGED_CWE\", \"Parameters\": {…}}")?;
    let Source { owners, silent_after_hours, source_types, description, databases } =
        event_source(source, &path.member("EventSource"), &mut warnings)?;
    let actions = path.required(details.actions, "Actions", "an array of at least one action")?;
    let placed = actions_targets(actions, &source_types, &path.member("Actions"), &mut warnings)?;
    if source_types.iter().any(|source_type| source_type.is_of_databases()) {
        databases::check_targets(&placed)?;
    }
    let (places, targets) = placed.into_iter().unzip();
    let policy = Policy { name, state, owners, silent_after_hours, source_types, description, databases, targets };
    Ok(Placed { policy, places })
}

fn policy_type(written: Option<&str>, details: &Path) -> Result<(), Problem> {
    let path = details.member("PolicyType");
    match written {
        Some(EVENT_BASED) => Ok(()),
        Some(other) => Err(path.none_of(&[EVENT_BASED], other)),
        None => Err(path.wrong("missing, which to DLM means EBS_SNAPSHOT_MANAGEMENT", EVENT_BASED)),
    }
}

fn policy_language(written: Option<&str>, details: &Path) -> Result<(), Problem> {
    match written {
        None | Some("STANDARD") => Ok(()),
        Some(other) => Err(details.member("PolicyLanguage").none_of(&["STANDARD"], other)),
    }
}

/// Members of DLM's other types of policy. An answer of the API may carry them empty; with content they ask for
/// something that Snapferry does not do.
fn refuse_foreign(details: &raw::PolicyDetails, path: &Path) -> Result<(), Problem> {
    for (name, value, kind) in [
        ("ResourceTypes", &details.resource_types, "custom snapshot and AMI policies"),
        ("ResourceLocations", &details.resource_locations, "custom snapshot and AMI policies"),
        ("TargetTags", &details.target_tags, "custom snapshot and AMI policies"),
        ("Schedules", &details.schedules, "custom snapshot and AMI policies"),
        ("Parameters", &details.parameters, "custom snapshot and AMI policies"),
        ("ResourceType", &details.resource_type, "default policies"),
        ("CreateInterval", &details.create_interval, "default policies"),
        ("RetainInterval", &details.retain_interval, "default policies"),
        ("CopyTags", &details.copy_tags, "default policies"),
        ("CrossRegionCopyTargets", &details.cross_region_copy_targets, "default policies"),
        ("ExtendDeletion", &details.extend_deletion, "default policies"),
        ("Exclusions", &details.exclusions, "default policies"),
    ] {
        if let Some(value) = value.as_ref().filter(|value| !is_empty(value)) {
            let message = format!("{}, but this member belongs to DLM's {kind}", shown(value));
            return Err(path.member(name).wrong(message, "in an event-based policy: absent, null, false or empty"));
        }
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
    }
}

/// What the event source says.
struct Source {
    owners: BTreeSet<AccountId>,
    silent_after_hours: BTreeMap<AccountId, u32>,
    source_types: BTreeSet<SourceType>,
    description: DescriptionFilter,
    databases: DatabaseFilter,
}

fn event_source(source: raw::EventSource, path: &Path, warnings: &mut Warnings<'_>) -> Result<Source, Problem> {
    let kind = path.required(source.r#type, "Type", "MANAGED_CWE")?;
    if kind != "MANAGED_CWE" {
        return Err(path.member("Type").none_of(&["MANAGED_CWE"], &kind));
    }
    let parameters = path.required(source.parameters, "Parameters", "{\"EventType\": \"shareSnapshot\", …}")?;
    let path = path.member("Parameters");
    let event = path.required(parameters.event_type, "EventType", "shareSnapshot")?;
    if event != "shareSnapshot" {
        return Err(path.member("EventType").none_of(&["shareSnapshot"], &event));
    }
    let source_types = kinds::check(parameters.source_types.as_deref(), &path.member("SourceTypes"))?;
    let filter_path = path.member("DatabaseFilter");
    let databases = databases::check(parameters.database_filter, &source_types, &filter_path)?;
    let owners = path.required(parameters.snapshot_owner, "SnapshotOwner", "an array of account IDs")?;
    let owners = snapshot_owners(&owners, &path.member("SnapshotOwner"), warnings)?;
    let hours = parameters.silent_after_hours.unwrap_or_default();
    let silent_after_hours = silence::check(hours, &owners, &path.member("SilentAfterHours"))?;
    let regex = parameters.description_regex.as_deref();
    let description = description(regex, &source_types, &path.member("DescriptionRegex"), warnings)?;
    Ok(Source { owners, silent_after_hours, source_types, description, databases })
}

/// Only snapshots of volumes have descriptions.
fn description(
    regex: Option<&str>,
    source_types: &BTreeSet<SourceType>,
    path: &Path,
    warnings: &mut Warnings<'_>,
) -> Result<DescriptionFilter, Problem> {
    if source_types.contains(&SourceType::EbsSnapshot) {
        return DescriptionFilter::check(regex, path, warnings);
    }
    match regex {
        None => DescriptionFilter::check(Some(".*"), path, warnings),
        Some(regex) => {
            let message = format!("{}, but snapshots of databases have no description", quoted(regex));
            Err(path
                .wrong(message, "absent, or EBS_SNAPSHOT among SourceTypes; DatabaseFilter is the filter of databases"))
        }
    }
}

/// Any number of owners, where DLM takes 50; one that stands twice does no harm.
fn snapshot_owners(owners: &[Value], path: &Path, warnings: &mut Warnings<'_>) -> Result<BTreeSet<AccountId>, Problem> {
    if owners.is_empty() {
        warnings.add(path, PolicyWarning::OwnersEmpty, "empty, so the policy copies nothing");
    }
    owners.iter().enumerate().map(|(index, owner)| accounts::account(owner, &path.item(index))).collect()
}

/// The targets of all actions, and where they stand. DLM takes one action of three targets; here there may be any number of both.
fn actions_targets(
    actions: Vec<raw::Action>,
    source_types: &BTreeSet<SourceType>,
    path: &Path,
    warnings: &mut Warnings<'_>,
) -> Result<Vec<(Path, Target)>, Problem> {
    if actions.is_empty() {
        return Err(path.wrong("an empty array", "at least one action"));
    }
    let mut targets: Vec<(Path, Target)> = Vec::new();
    for (index, action) in actions.into_iter().enumerate() {
        let path = path.item(index);
        action_name(action.name, &path)?;
        let copies = path.required(action.cross_region_copy, "CrossRegionCopy", "an array of targets")?;
        let path = path.member("CrossRegionCopy");
        if copies.is_empty() {
            warnings.add(&path, PolicyWarning::NoTargets, "empty, so this action copies to no Region");
        }
        for (index, copy) in copies.into_iter().enumerate() {
            let path = path.item(index);
            let target = target::check(copy, source_types, &path, warnings)?;
            if let Some((first, _)) = targets.iter().find(|(_, other)| other.region == target.region) {
                let message = format!("{} is also the Target of {first}", quoted(target.region.as_str()));
                return Err(path.member("Target").wrong(message, "each Region once in a policy, across its actions"));
            }
            targets.push((path, target));
        }
    }
    Ok(targets)
}

fn action_name(name: Option<String>, action: &Path) -> Result<(), Problem> {
    let allowed = "1 to 120 of the characters 0-9 A-Z a-z, space, _ and -";
    let name = action.required(name, "Name", allowed)?;
    let is_valid = (1..=MAX_ACTION_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'-'));
    if is_valid { Ok(()) } else { Err(action.member("Name").wrong(quoted(&name), allowed)) }
}
