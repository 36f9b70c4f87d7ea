//! What KMS says of keys: those that policies name, before a copy under one is asked for, and those that copies are under.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeySpec, KeyState, KeyUsageType};
use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::copying::UsableKeys;
use snapferry_core::facts::{CallError, Copies, KeyFact, KeyProblem};
use snapferry_core::ids::{KeyArn, Region};
use snapferry_core::policy::{Encryption, Policy};

use crate::clients::Clients;
use crate::errors::call_error;

/// The keys that policies configure, each with the Region that it is used in.
#[must_use]
pub fn configured(policies: &[Policy]) -> BTreeMap<&KeyArn, &Region> {
    let targets = policies.iter().flat_map(|policy| &policy.targets);
    let keys = targets.filter_map(|target| match &target.encryption {
        Encryption::Key(key) => Some((key, &target.region)),
        Encryption::AsSource | Encryption::DefaultKey => None,
    });
    keys.collect()
}

/// Keys found usable lately.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<UsableKeys>);

impl KeyCache {
    /// Asks KMS in `region` about `key`, unless it was found usable a moment ago.
    pub async fn look(&self, clients: &Clients, region: &Region, key: &KeyArn) -> KeyFact {
        self.look_at(clients, region, key.as_str()).await
    }

    /// Takes down in `copies`, which are in `region`, what KMS says of the keys that they are under: one call for each key.
    pub async fn note(&self, clients: &Clients, region: &Region, copies: &mut Copies) {
        let facts = self.look_at_all(clients, region, copies.keys_named()).await;
        copies.note_keys(facts);
    }

    /// Asks KMS in `region` about all `keys` at the same time, but for those that were found usable a moment ago.
    pub async fn look_at_all(
        &self,
        clients: &Clients,
        region: &Region,
        keys: BTreeSet<&str>,
    ) -> BTreeMap<Box<str>, KeyFact> {
        let looks = keys.into_iter().map(async |key| (key.into(), self.look_at(clients, region, key).await));
        join_all(looks).await.into_iter().collect()
    }

    async fn look_at(&self, clients: &Clients, region: &Region, key: &str) -> KeyFact {
        if self.usable().contains(key, Timestamp::now()) {
            return KeyFact::Usable;
        }
        let fact = describe(clients, region, key).await;
        self.usable().note(key, &fact, Timestamp::now());
        fact
    }

    fn usable(&self) -> std::sync::MutexGuard<'_, UsableKeys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn describe(clients: &Clients, region: &Region, key: &str) -> KeyFact {
    match clients.kms(region).describe_key().key_id(key).send().await {
        Ok(answer) => match answer.key_metadata() {
            Some(metadata) => judge(key, metadata),
            None => KeyFact::Unread(CallError {
                code: "UnreadableAnswer".to_owned(),
                message: "KMS named no key".to_owned(),
                request_id: None,
            }),
        },
        Err(error) => unanswered(call_error(&error)),
    }
}

/// What a failed DescribeKey means (KMS API reference, DescribeKey, "Errors").
fn unanswered(error: CallError) -> KeyFact {
    match error.code.as_str() {
        "NotFoundException" | "InvalidArnException" => KeyFact::Unusable(KeyProblem::NotFound(error)),
        "AccessDeniedException" | "AccessDenied" => KeyFact::Unusable(KeyProblem::AccessDenied(error)),
        _ => KeyFact::Unread(error),
    }
}

fn judge(key: &str, metadata: &KeyMetadata) -> KeyFact {
    let found = metadata.arn().unwrap_or_default();
    let problem = if metadata.key_manager() == Some(&KeyManagerType::Aws) {
        Some(KeyProblem::AwsManaged)
    } else if found != key {
        Some(KeyProblem::OtherKey(found.to_owned()))
    } else {
        match metadata.key_state() {
            Some(KeyState::Enabled) => None,
            Some(KeyState::Disabled) => Some(KeyProblem::Disabled),
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => Some(KeyProblem::PendingDeletion),
            Some(other) => Some(KeyProblem::NotReady(other.as_str().to_owned())),
            None => Some(KeyProblem::NotReady("unknown".to_owned())),
        }
        .or_else(|| not_symmetric(metadata))
    };
    problem.map_or(KeyFact::Usable, KeyFact::Unusable)
}

fn not_symmetric(metadata: &KeyMetadata) -> Option<KeyProblem> {
    let spec = metadata.key_spec().unwrap_or(&KeySpec::SymmetricDefault);
    let usage = metadata.key_usage().unwrap_or(&KeyUsageType::EncryptDecrypt);
    (*spec != KeySpec::SymmetricDefault || *usage != KeyUsageType::EncryptDecrypt)
        .then(|| KeyProblem::NotSymmetric(format!("{} {}", spec.as_str(), usage.as_str())))
}
