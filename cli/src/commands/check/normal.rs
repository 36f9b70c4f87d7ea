//! The normalized policy: the same policy as the answer of `aws dlm get-lifecycle-policy`, with every default written
//! out but what a policy of volumes alone may say of databases; owners sorted, and nothing that Snapferry does not use. Checking
//! it again gives the same policy.

use std::collections::BTreeMap;

use serde::Serialize;
use snapferry_core::policy::{
    DatabaseFilter, Encryption, Extent, LockRule, Policy, PolicyState, ProofRule, RetainRule, SourceType, Tag, Target,
};

use super::outline::Outline;

/// A policy in the form of the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NormalPolicy {
    policy: LifecyclePolicy,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LifecyclePolicy {
    policy_id: String,
    state: &'static str,
    policy_details: PolicyDetails,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDetails {
    policy_type: &'static str,
    event_source: EventSource,
    actions: Vec<NormalAction>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventSource {
    r#type: &'static str,
    parameters: Parameters,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    event_type: &'static str,
    snapshot_owner: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    silent_after_hours: BTreeMap<String, u32>,
    /// Of volumes' snapshots alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    description_regex: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    source_types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_filter: Option<NormalFilter>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NormalFilter {
    snapshot_regex: String,
    database_regex: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    engines: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NormalAction {
    name: String,
    cross_region_copy: Vec<CrossRegionCopy>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CrossRegionCopy {
    target: String,
    encryption_configuration: EncryptionConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    retain_rule: Option<Retain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_rule: Option<Lock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_rule: Option<Proof>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags_to_add: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_duration_minutes: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionConfiguration {
    encrypted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmk_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Retain {
    interval: u32,
    interval_unit: &'static str,
    keep_at_least: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Lock {
    mode: &'static str,
    interval: u32,
    interval_unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cool_off_period: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_outlive_retention: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Proof {
    blocks: serde_json::Value,
    compare: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue {
    key: String,
    value: String,
}

/// Normalizes a policy. The names of its actions, which mean nothing to Snapferry, come from the document.
pub(crate) fn normalize(policy: &Policy, outline: &Outline<'_>) -> NormalPolicy {
    let mut targets = policy.targets.iter();
    let actions = outline.actions.iter().map(|action| NormalAction {
        name: action.name.to_owned(),
        cross_region_copy: targets.by_ref().take(action.copies.len()).map(copy).collect(),
    });
    let hours = policy.silent_after_hours.iter();
    let has_volumes = policy.source_types.contains(&SourceType::EbsSnapshot);
    let has_databases = policy.source_types.iter().any(|kind| kind.is_of_databases());
    let policy_details = PolicyDetails {
        policy_type: "EVENT_BASED_POLICY",
        actions: actions.collect(),
        event_source: EventSource {
            r#type: "MANAGED_CWE",
            parameters: Parameters {
                event_type: "shareSnapshot",
                snapshot_owner: policy.owners.iter().map(ToString::to_string).collect(),
                silent_after_hours: hours.map(|(owner, hours)| (owner.to_string(), *hours)).collect(),
                description_regex: has_volumes.then(|| policy.description.as_str().to_owned()),
                source_types: policy.source_types.iter().filter(|_| has_databases).map(|kind| kind.as_str()).collect(),
                database_filter: has_databases.then(|| filter(&policy.databases)),
            },
        },
    };
    let state = match policy.state {
        PolicyState::Enabled => "ENABLED",
        PolicyState::Disabled => "DISABLED",
    };
    NormalPolicy { policy: LifecyclePolicy { policy_id: policy.name.to_string(), state, policy_details } }
}

fn filter(databases: &DatabaseFilter) -> NormalFilter {
    NormalFilter {
        snapshot_regex: databases.snapshot.as_str().to_owned(),
        database_regex: databases.database.as_str().to_owned(),
        engines: databases.engines.iter().cloned().collect(),
    }
}

fn copy(target: &Target) -> CrossRegionCopy {
    let (encrypted, cmk_arn) = match &target.encryption {
        Encryption::AsSource => (false, None),
        Encryption::DefaultKey => (true, None),
        Encryption::Key(key) => (true, Some(key.to_string())),
    };
    CrossRegionCopy {
        target: target.region.to_string(),
        encryption_configuration: EncryptionConfiguration { encrypted, cmk_arn },
        retain_rule: target.retain.as_ref().map(retain),
        lock_rule: target.lock.as_ref().map(|rule| lock(rule, target.retain.as_ref())),
        proof_rule: target.proof.map(proof),
        tags_to_add: target.tags.iter().map(tag).collect(),
        completion_duration_minutes: target.completion_duration_minutes,
    }
}

fn retain(rule: &RetainRule) -> Retain {
    Retain {
        interval: rule.interval.count,
        interval_unit: rule.interval.unit.as_str(),
        keep_at_least: rule.keep_at_least,
    }
}

fn lock(rule: &LockRule, retain: Option<&RetainRule>) -> Lock {
    Lock {
        mode: rule.mode.as_str(),
        interval: rule.interval.count,
        interval_unit: rule.interval.unit.as_str(),
        cool_off_period: rule.cool_off_hours,
        // Without it the parser would have refused such a lock.
        may_outlive_retention: retain.is_some_and(|retain| rule.interval.may_outlast(retain.interval)),
    }
}

fn proof(rule: ProofRule) -> Proof {
    let blocks = match rule.extent {
        Extent::Sample(blocks) => blocks.into(),
        Extent::All => "ALL".into(),
    };
    Proof { blocks, compare: rule.compare }
}

fn tag(tag: &Tag) -> KeyValue {
    KeyValue { key: tag.key.clone(), value: tag.value.clone() }
}
