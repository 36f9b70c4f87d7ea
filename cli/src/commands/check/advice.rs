//! What deserves a look in a valid policy besides what core warns of at every start.

use serde_json::Value;
use snapferry_core::policy::{Encryption, Policy, PolicyState, SourceType, Target};

use super::filter;
use super::finding::{Finding, Level};
use super::outline::{Outline, member};

/// Looks at one policy.
pub(crate) fn advise(policy: &Policy, outline: &Outline<'_>) -> Vec<Finding> {
    let mut advice = Advice { policy, found: Vec::new() };
    advice.name(outline);
    advice.state(outline);
    advice.unused_members(outline);
    advice.filter(outline);
    advice.volumes(outline);
    for (target, path) in policy.targets.iter().zip(outline.copies()) {
        advice.target(target, path);
    }
    advice.found
}

/// Whether the policy does not take a description although its author may have expected it to.
pub(crate) fn full_match(policy: &Policy, outline: &Outline<'_>, description: &str) -> Option<Finding> {
    let regex = policy.description.as_str();
    // Of an empty one core warns anyway.
    if regex.is_empty() || policy.description.matches(description) || !filter::is_found_in(regex, description) {
        return None;
    }
    let message = format!(
        "{regex:?} is found in {description:?} but does not match the whole of it, so such a snapshot is not copied; \
         \".*(?:{regex}).*\" finds it anywhere"
    );
    let path = member(&outline.parameters(), "DescriptionRegex");
    Some(Finding::new(Level::Warning, "description-full-match", policy.name.as_str(), path, message))
}

struct Advice<'p> {
    policy: &'p Policy,
    found: Vec<Finding>,
}

impl Advice<'_> {
    fn add(&mut self, level: Level, code: &'static str, path: String, message: impl Into<String>) {
        self.found.push(Finding::new(level, code, self.policy.name.as_str(), path, message.into()));
    }

    fn name(&mut self, outline: &Outline<'_>) {
        if self.policy.name.as_str() == "default" {
            let message = "the policy's name is \"default\"; the name is part of every copy's identity, so to give it \
                           another one later means copying everything anew";
            self.add(Level::Note, "policy-named-default", member(&outline.path, "PolicyId"), message);
        }
    }

    fn state(&mut self, outline: &Outline<'_>) {
        if self.policy.state == PolicyState::Disabled {
            let message = "DISABLED, so nothing is copied; what was copied is still verified and expires";
            self.add(Level::Note, "policy-disabled", member(&outline.path, "State"), message);
        }
    }

    /// Members that mean something to DLM and nothing to Snapferry. Those that only inform are passed over.
    fn unused_members(&mut self, outline: &Outline<'_>) {
        for (name, message) in [
            ("ExecutionRoleArn", "not used: Snapferry's functions have roles of their own"),
            ("Tags", "not used: these are the tags of DLM's policy; tags for copies go into TagsToAdd"),
        ] {
            // A bare PolicyDetails has none of them.
            if outline.value.get(name).is_some_and(has_content) {
                self.add(Level::Note, "dlm-member-unused", member(&outline.path, name), message);
            }
        }
    }

    fn filter(&mut self, outline: &Outline<'_>) {
        // Core warns of a missing one.
        let regex = self.policy.description.as_str();
        if outline.has_description_regex() && filter::matches_everything(regex) {
            let message = format!("{regex:?} matches every description, so all that the listed owners share is copied");
            let path = member(&outline.parameters(), "DescriptionRegex");
            self.add(Level::Warning, "filter-matches-everything", path, message);
        }
    }

    /// What EC2 names no volume of is nobody's mistake, and for most policies there is no such source.
    fn volumes(&mut self, outline: &Outline<'_>) {
        let expires_by_volume = |target: &Target| target.retain.is_some_and(|retain| retain.keep_at_least > 0);
        let has_volumes = self.policy.source_types.contains(&SourceType::EbsSnapshot);
        if !has_volumes || self.policy.description.names_volumes() || !self.policy.targets.iter().any(expires_by_volume)
        {
            return;
        }
        let message = "of sources that are copies themselves EC2 names no volume (vol-ffffffff), so their copies stay after \
                       their retention, each as perhaps the last one of its volume; to let them go, capture the volume with \
                       a group (?<volume>vol-...) in DescriptionRegex, or set KeepAtLeast to 0";
        let named = outline.has_description_regex().then_some("DescriptionRegex");
        let path = named.map_or_else(|| outline.parameters(), |name| member(&outline.parameters(), name));
        self.add(Level::Note, "volume-unknown", path, message);
    }

    fn target(&mut self, target: &Target, path: &str) {
        if target.encryption == Encryption::DefaultKey {
            let message = "no CmkArn, so EC2 chooses the key: while EBS encryption by default is off, copies of encrypted \
                           snapshots are under the AWS managed key aws/ebs, whatever default key the account has chosen, and \
                           can never be shared with another account; otherwise copies are under the account's default key";
            self.add(Level::Warning, "target-default-key", member(path, "EncryptionConfiguration"), message);
        }
        let Some(retain) = target.retain else {
            let message = "missing, so copies are kept, and paid for, until somebody deletes them";
            self.add(Level::Warning, "retention-without-end", member(path, "RetainRule"), message);
            return;
        };
        if let Some(lock) = target.lock.filter(|lock| lock.interval.may_outlast(retain.interval)) {
            let message = format!(
                "a lock of {} may outlast the retention of {}: a locked copy stays, and is paid for, until its lock ends",
                lock.interval, retain.interval
            );
            self.add(Level::Warning, "lock-outlives-retention", member(path, "LockRule.Interval"), message);
        }
    }
}

fn has_content(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
