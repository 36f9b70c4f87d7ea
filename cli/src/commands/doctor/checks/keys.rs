//! The keys that encrypt copies.

use snapferry_core::facts::{KeyFact, KeyProblem};
use snapferry_core::policy::Policy;

use super::caller::{is_about_everybody, is_copier};
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Facts, TargetKey};

/// Three checks for each key: what it is, whose it is, and whether it can be used.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    facts.keys.iter().flat_map(|key| [state(facts, key), owner(facts, policies, key), usable(facts, key)]).collect()
}

/// Whoever governs the key can destroy every copy under it.
fn owner(facts: &Facts, policies: &[Policy], TargetKey { key, .. }: &TargetKey) -> Check {
    let check = "key-account";
    let (account, here) = (key.account(), &facts.account);
    let remedy = format!("Name a key of this account, {here}, as CmkArn; copies that exist stay under the former key.");
    if policies.iter().any(|policy| policy.owners.contains(account)) {
        let message = format!("it belongs to the source account {account}, which could destroy every copy with it");
        Check::fail(check, key, message).remedy(remedy)
    } else if account == here.as_str() {
        Check::pass(check, key, "it belongs to this account")
    } else {
        let message =
            format!("it belongs to {account} and not to this account {here}: who governs that, governs the copies");
        Check::unknown(check, key, message)
            .remedy(format!("See to it that {account} is as isolated as this one. {remedy}"))
    }
}

fn state(facts: &Facts, TargetKey { key, region, fact, .. }: &TargetKey) -> Check {
    let check = "key";
    if key.region() != region.as_str() {
        return Check::fail(check, key, format!("this key is in {}, and the Target in {region}", key.region()))
            .remedy("Name a key in the Target's own Region.");
    }
    match fact {
        KeyFact::Usable => Check::pass(check, key, "enabled, symmetric, customer managed, in the target Region"),
        KeyFact::Unread(error) => Check::unread(check, key, error),
        KeyFact::Unusable(KeyProblem::AccessDenied(error)) if !is_about_everybody(error, is_copier(facts)) => {
            Check::unknown(check, key, "these credentials may not look at it, and the copier's role perhaps may")
                .because(error)
                .remedy("Repeat with credentials that may call kms:DescribeKey.")
        }
        KeyFact::Unusable(problem) => {
            let failed = Check::fail(check, key, problem.reason().name()).remedy(problem.message(key));
            match problem.error() {
                Some(error) => failed.because(error),
                None => failed,
            }
        }
    }
}

fn usable(facts: &Facts, TargetKey { key, try_use, .. }: &TargetKey) -> Check {
    let check = "key-use";
    let who =
        if is_copier(facts) { "the copier's role" } else { "these credentials, which are not the copier's role," };
    match try_use {
        Ok(()) => Check::unknown(
            check,
            key,
            format!("{who} may encrypt under it; whether the service that copies gets its grant is seen at a copy only"),
        ),
        Err(error) => Check::unknown(check, key, format!("{who} may not encrypt under it now")).because(error).remedy(
            "Name the key in the stack's TargetKeyArns; its policy must let this account's roles use it. Only a verified \
             copy proves that the copier's role can.",
        ),
    }
}
