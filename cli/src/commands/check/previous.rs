//! What an edit of a deployed document does to the copies that exist.

use std::collections::BTreeSet;

use snapferry_core::ids::Region;
use snapferry_core::policy::{Encryption, Policy, Target};

use super::finding::{Finding, Level};
use super::outline::{Outline, member};

/// Compares the policies of a document with those deployed until now.
pub(crate) fn compare(policies: &[Policy], outlines: &[Outline<'_>], previous: &[Policy]) -> Vec<Finding> {
    let gone: Vec<&Policy> = previous.iter().filter(|old| policies.iter().all(|new| new.name != old.name)).collect();
    let mut followed = BTreeSet::new();
    let mut found = Vec::new();
    for (policy, outline) in policies.iter().zip(outlines) {
        let same = previous.iter().find(|old| old.name == policy.name);
        let Some(old) = same.or_else(|| gone.iter().copied().find(|old| share_work(old, policy))) else { continue };
        let edit = Edit { policies, policy, outline, old };
        if same.is_none() {
            followed.insert(&old.name);
            found.push(edit.renamed());
        }
        found.extend(edit.removed_owners());
        found.extend(edit.removed_kinds());
        found.extend(edit.removed_targets());
        found.extend(edit.changed_keys());
    }
    found.extend(gone.into_iter().filter(|old| !followed.contains(&old.name)).map(|old| removed(old, policies)));
    found
}

fn share_work(old: &Policy, new: &Policy) -> bool {
    old.owners.intersection(&new.owners).next().is_some()
        && old.targets.iter().any(|target| new.target(&target.region).is_some())
}

fn removed(old: &Policy, policies: &[Policy]) -> Finding {
    let regions: Vec<&str> = old
        .targets
        .iter()
        .filter(|target| is_orphaned(&target.region, policies))
        .map(|each| each.region.as_str())
        .collect();
    let mut orphans = match regions.as_slice() {
        [] => String::new(),
        regions => format!("; {}", in_retired(&regions.join(", "))),
    };
    if names_databases(old) && !policies.iter().any(names_databases) {
        orphans.push_str(
            "; its copies of databases nobody verifies or deletes once the stack is deployed with Databases=false",
        );
    }
    let message = format!(
        "{:?} is no longer in the document: it copies nothing, and its copies are neither verified nor deleted unless \
         RetiredPolicies names it{orphans}",
        old.name.as_str()
    );
    Finding::new(Level::Warning, "policy-removed", old.name.as_str(), String::new(), message)
}

fn names_databases(policy: &Policy) -> bool {
    policy.source_types.iter().any(|kind| kind.is_of_databases())
}

fn is_orphaned(region: &Region, policies: &[Policy]) -> bool {
    policies.iter().all(|policy| policy.target(region).is_none())
}

fn in_retired(regions: &str) -> String {
    format!("no policy targets {regions}, where copies are neither verified nor deleted unless RetiredRegions names it")
}

/// A policy of the document and the deployed one that it follows.
struct Edit<'p> {
    policies: &'p [Policy],
    policy: &'p Policy,
    outline: &'p Outline<'p>,
    old: &'p Policy,
}

impl Edit<'_> {
    fn warning(&self, code: &'static str, path: String, message: String) -> Finding {
        Finding::new(Level::Warning, code, self.policy.name.as_str(), path, message)
    }

    fn renamed(&self) -> Finding {
        let message = format!(
            "new, and it seems to follow {:?}; the name is part of every copy's identity, so everything is copied anew, and \
             copies under the old name expire only when RetiredPolicies names it",
            self.old.name.as_str()
        );
        self.warning("policy-renamed", member(&self.outline.path, "PolicyId"), message)
    }

    fn removed_owners(&self) -> impl Iterator<Item = Finding> {
        self.old.owners.difference(&self.policy.owners).map(|owner| {
            let message = format!(
                "{owner} is no longer listed, so what that account shares is not copied any more; its copies still expire on their dates"
            );
            self.warning("owner-removed", member(&self.outline.parameters(), "SnapshotOwner"), message)
        })
    }

    /// Of databases above all: the stack's parameter Databases follows the document, and with it what expires their copies.
    fn removed_kinds(&self) -> impl Iterator<Item = Finding> {
        self.old.source_types.difference(&self.policy.source_types).map(|kind| {
            let are_left = kind.is_of_databases() && !self.policies.iter().any(names_databases);
            let then = if are_left {
                "with no policy that names databases the stack is deployed with Databases=false, and their copies are neither verified \
                 nor deleted: set State to DISABLED instead, until they have expired"
            } else {
                "its copies still expire on their dates"
            };
            let message = format!("{} is no longer named, so no such snapshot is copied any more; {then}", kind.as_str());
            self.warning("source-type-removed", member(&self.outline.parameters(), "SourceTypes"), message)
        })
    }

    fn removed_targets(&self) -> impl Iterator<Item = Finding> {
        let gone = self.old.targets.iter().filter(|old| self.policy.target(&old.region).is_none());
        gone.map(|Target { region, .. }| {
            let then = if is_orphaned(region, self.policies) {
                in_retired(region.as_str())
            } else {
                "its copies there still expire on their dates".to_owned()
            };
            let message = format!("{region} is no longer a target, so nothing is copied there any more; {then}");
            self.warning("target-removed", member(&self.outline.details, "Actions"), message)
        })
    }

    fn changed_keys(&self) -> impl Iterator<Item = Finding> {
        self.policy.targets.iter().zip(self.outline.copies()).filter_map(|(target, path)| {
            let old = self.old.target(&target.region).filter(|old| old.encryption != target.encryption)?;
            let until_now = match &old.encryption {
                Encryption::Key(key) => key.to_string(),
                Encryption::DefaultKey => "the key that EC2 chose".to_owned(),
                Encryption::AsSource => "no key of the policy's".to_owned(),
            };
            let message = format!(
                "not the key of the deployed policy; copies that exist stay under {until_now}, and can be restored only as \
                 long as that key can be used"
            );
            Some(self.warning("key-changed", member(path, "EncryptionConfiguration"), message))
        })
    }
}
