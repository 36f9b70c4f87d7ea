//! From facts to checks, without asking anybody.

mod around;
mod caller;
mod copies;
mod copies_keys;
mod databases;
mod functions;
mod keys;
mod ledger;
mod lineage;
mod mappings;
mod parts;
mod proof;
mod queues;
mod rds;
mod rds_options;
mod regions;
mod repair;
mod rules;
mod schedules;
mod source;
mod stack;
mod standing;
mod targets;
#[cfg(test)]
mod tests;

use snapferry_core::policy::{Policy, PolicyState};

use super::check::Check;
use super::facts::Facts;

/// All checks, in the order in which an operator repairs.
pub(crate) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let mut checks = account(facts, policies);
    checks.extend(policies.iter().map(policy));
    checks.extend(regions::checks(facts, policies));
    checks.extend(keys::checks(facts, policies));
    checks.extend(lineage::checks(facts, policies));
    checks.extend(source::checks(facts, policies));
    checks.extend(rds::checks(facts, policies));
    checks.extend(copies::checks(facts, policies));
    checks.extend(copies_keys::checks(facts));
    checks.extend(stack::checks(facts, policies));
    checks
}

fn account(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let account = &facts.account;
    let mut checks = vec![Check::pass("credentials", account, format!("these are the credentials of {}", facts.arn))];
    checks.push(if policies.iter().any(|policy| policy.owners.contains(account)) {
        Check::fail("account", account, "this is one of the policy's source accounts")
            .remedy("Use credentials of the target account, or correct SnapshotOwner: nobody shares with himself.")
    } else {
        Check::pass("account", account, "this is no source account")
    });
    checks.push(Check::pass(
        "organization",
        account,
        "the accounts need not be in one organization, as they must for copies by AWS Backup: a snapshot is shared by its \
         permissions, a key by its policy",
    ));
    checks
}

fn policy(policy: &Policy) -> Check {
    match policy.state {
        PolicyState::Enabled if policy.owners.is_empty() || policy.targets.is_empty() => {
            Check::fail("policy", &policy.name, "it names no SnapshotOwner or no Target, so it copies nothing")
                .remedy("Name the source accounts and the Regions (see `snapferry check`).")
        }
        PolicyState::Enabled => Check::pass("policy", &policy.name, "enabled"),
        PolicyState::Disabled => Check::unknown("policy", &policy.name, "DISABLED: it copies nothing")
            .remedy("Set State to ENABLED when it is to copy."),
    }
}
