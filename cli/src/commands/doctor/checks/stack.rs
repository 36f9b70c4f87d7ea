//! The deployed stack.

use std::collections::BTreeMap;

use snapferry_core::facts::CallError;
use snapferry_core::ids::KeyArn;
use snapferry_core::policy::{Encryption, Policy, max_lock_days};

use super::parts::resource;
use super::{around, databases, functions, ledger, mappings, proof, queues, rules, schedules, standing, targets};
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Facts, Part};

/// The checks of the stack that was named.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let (name, stack) = match &facts.stack {
        None => {
            let message = "no stack was named, so no rule, queue or schedule was looked at";
            return vec![Check::unknown("stack", "", message).remedy("Give --stack with its name.")];
        }
        Some((name, Err(error))) if is_missing(error) => {
            let message = format!("there is no such stack in {} of {}", facts.home, facts.account);
            return vec![
                Check::fail("stack", name, message).because(error).remedy("Deploy it, or correct --stack or --region."),
            ];
        }
        Some((name, Err(error))) => return vec![Check::unread("stack", name, error)],
        Some((name, Ok(stack))) => (name, stack),
    };
    let (standing, is_looked_at) = standing::check(stack);
    if !is_looked_at {
        return vec![standing];
    }
    let mut checks = vec![standing];
    checks.extend(Part::ALL.map(|part| resource(stack, part)));
    checks.extend(proof::checks(&facts.home, stack, policies));
    checks.extend(databases::checks(stack, policies));
    checks.extend(rules::checks(facts, stack));
    checks.extend(schedules::checks(facts, stack));
    checks.extend(targets::checks(facts, stack));
    checks.extend(functions::checks(facts, stack));
    checks.extend(mappings::checks(facts, stack));
    checks.extend(queues::checks(facts, stack));
    checks.extend(ledger::checks(stack));
    checks.extend(around::checks(stack, policies));
    checks.extend(match &stack.parameters {
        Some(Ok(given)) => parameters(facts, name, given, policies),
        Some(Err(error)) => vec![Check::unread("stack-parameter", name, error)],
        None => Vec::new(),
    });
    checks
}

/// CloudFormation answers a name that it does not know with a ValidationError.
fn is_missing(error: &CallError) -> bool {
    error.code == "ValidationError" && error.message.contains("does not exist")
}

/// The template's parameters repeat what the policy says, because a template cannot read it. A CDK stack has none.
fn parameters(facts: &Facts, stack: &str, given: &BTreeMap<String, String>, policies: &[Policy]) -> Vec<Check> {
    let targets = || policies.iter().flat_map(|policy| &policy.targets);
    let owners = policies.iter().flat_map(|policy| &policy.owners).map(ToString::to_string).collect();
    let regions = targets().map(|target| target.region.to_string()).collect();
    let keys = targets().filter_map(|target| match &target.encryption {
        Encryption::Key(key) => Some(key.to_string()),
        Encryption::AsSource | Encryption::DefaultKey => None,
    });
    let source_key = facts.source.as_ref().and_then(|source| source.key.as_ref()).map(|(arn, _)| arn.as_str());
    let wanted: [(&str, Vec<String>); 4] = [
        ("SourceAccounts", owners),
        ("TargetRegions", regions),
        ("TargetKeyArns", keys.collect()),
        ("SourceKeyArns", source_key.map(str::to_owned).into_iter().collect()),
    ];
    if wanted.iter().all(|(name, _)| !given.contains_key(*name)) {
        let message = "the stack has none of the template's parameters, as the CDK makes it, so nothing here says what its \
                       roles may use";
        let remedy = "Synthesize it with this policy, and see what cdk diff says of the roles.";
        return vec![Check::unknown("stack-parameter", stack, message).remedy(remedy)];
    }
    let check = |(name, wanted): &(&'static str, Vec<String>)| {
        let value = given.get(*name)?;
        if *name == "SourceKeyArns" && value.is_empty() {
            return Some(any_source_key(facts, given, source_key));
        }
        let given: Vec<&str> = value.split(',').map(str::trim).collect();
        let mut missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|each| !given.contains(each)).collect();
        missing.dedup();
        Some(if missing.is_empty() {
            Check::pass("stack-parameter", name, "names all that is needed")
        } else {
            let message = format!("does not name {}, so the roles may not use it", missing.join(", "));
            Check::fail("stack-parameter", name, message).remedy("Add it to the stack's parameter.")
        })
    };
    wanted.iter().filter_map(check).chain(lock_days(given, policies)).collect()
}

/// Whether the verifier may lock for as long as the policies say. A stack from before the parameter bounds nothing.
fn lock_days(given: &BTreeMap<String, String>, policies: &[Policy]) -> Option<Check> {
    let name = "MaxLockDays";
    let (given, wanted) = (given.get(name)?.parse::<u32>().ok()?, max_lock_days(policies));
    Some(if given >= wanted {
        Check::pass("stack-parameter", name, "as long as the longest LockRule")
    } else {
        let message = format!("is {given}, and the longest LockRule needs {wanted}, so those copies stay unlocked");
        Check::fail("stack-parameter", name, message).remedy("Raise the stack's parameter.")
    })
}

/// Without SourceKeyArns the copier may use each key of SourceAccounts in the stack's Region.
fn any_source_key(facts: &Facts, given: &BTreeMap<String, String>, source_key: Option<&str>) -> Check {
    let (name, home) = ("SourceKeyArns", &facts.home);
    let is_reached = |key: &str| {
        let accounts = given.get("SourceAccounts").map(String::as_str).unwrap_or_default();
        KeyArn::parse(key).is_ok_and(|key| {
            key.region() == home.as_str() && accounts.split(',').any(|account| account.trim() == key.account())
        })
    };
    match source_key {
        Some(key) if !is_reached(key) => {
            let message =
                format!("is empty, which lets the roles use the keys of SourceAccounts in {home}, and not {key}");
            let remedy = "Add its account to the policy's SnapshotOwner where it is one, and deploy. The key of another \
                          account or Region has to be named: give SourceKeyArns all keys that are in use.";
            Check::fail("stack-parameter", name, message).remedy(remedy)
        }
        _ => Check::pass("stack-parameter", name, format!("is empty: any key of SourceAccounts in {home}")),
    }
}
