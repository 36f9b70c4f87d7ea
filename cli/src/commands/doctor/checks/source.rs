//! A shared snapshot, its key, and the copies of it: four of the six errors that AWS's own guide lists for encrypted
//! copies across accounts (AWS Backup Developer Guide, "Troubleshooting": cross-account copy), seen from here.

use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure, takes};
use snapferry_core::ebs::errors::is_unsupported;
use snapferry_core::facts::{KeyFact, KeyProblem, SourceSnapshot, State, Storage};
use snapferry_core::ids::Region;
use snapferry_core::policy::{Policy, SourceType};
use snapferry_core::text::printable;

use super::caller::{is_about_everybody, is_copier};
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Facts, Source, Try};

const UNSHARED_DEFAULT: &str = "A snapshot under the AWS managed key aws/ebs cannot be shared: if it is under that, copy it in \
                                the source account under a customer managed key and share that copy.";

/// The checks about the snapshot that was named.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let Some(source) = &facts.source else {
        if !policies.iter().any(|policy| policy.source_types.contains(&SourceType::EbsSnapshot)) {
            return Vec::new();
        }
        let message =
            "no snapshot was named, so no share of a volume's snapshot, no source key and no copy was looked at";
        return vec![Check::unknown("source", "", message).remedy("Give --snapshot with one that is shared.")];
    };
    match &source.seen {
        Err(error) => vec![Check::unread("source", &source.id, error)],
        Ok(None) => vec![
            Check::fail("source", &source.id, format!("EC2 shows no such snapshot to this account in {}", facts.home))
                .remedy(format!(
                    "In the source account: share it with {} (aws ec2 modify-snapshot-attribute), in {}; a share takes a \
                     moment to be seen.",
                    facts.account, facts.home
                )),
        ],
        Ok(Some(snapshot)) => {
            let mut checks = vec![visible(source, snapshot), wanted(snapshot, policies), key(facts, source, snapshot)];
            checks.extend(source.tries.iter().map(|tried| copy(facts, source, tried)));
            checks.push(beyond(source));
            checks
        }
    }
}

fn visible(source: &Source, snapshot: &SourceSnapshot) -> Check {
    let owner = &snapshot.owner;
    if snapshot.storage != Storage::Standard {
        return Check::fail("source", &source.id, "it is where EC2 copies nothing from")
            .remedy(snapshot.storage.problem());
    }
    match snapshot.state {
        State::Completed => Check::pass("source", &source.id, format!("completed, owned by {owner}, visible here")),
        State::Pending => Check::unknown("source", &source.id, "pending: the sweep copies it once it is completed"),
        State::Error | State::Other => Check::fail("source", &source.id, "it is not completed and will not be copied")
            .remedy("Share another snapshot, or restore this one from the recycle bin."),
    }
}

fn wanted(snapshot: &SourceSnapshot, policies: &[Policy]) -> Check {
    let id = &snapshot.id;
    let of_owner: Vec<&Policy> = policies.iter().filter(|policy| policy.owners.contains(&snapshot.owner)).collect();
    if of_owner.is_empty() {
        return Check::fail("source-wanted", id, format!("its owner {} is no SnapshotOwner", snapshot.owner))
            .remedy("Add the account to SnapshotOwner, and to the stack's SourceAccounts.");
    }
    if of_owner.iter().any(|policy| takes(policy, snapshot)) {
        return Check::pass("source-wanted", id, "its owner and its description match the policy");
    }
    let description = printable(&snapshot.description, 80);
    Check::fail("source-wanted", id, format!("no DescriptionRegex matches the whole of {description:?}"))
        .remedy("See `snapferry check --description`.")
}

/// EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot".
fn key(facts: &Facts, source: &Source, snapshot: &SourceSnapshot) -> Check {
    let check = "source-key";
    let (arn, fact) = match &source.key {
        None if snapshot.encrypted => return Check::unknown(check, &source.id, "EC2 does not name its key"),
        None => return Check::pass(check, &source.id, "it is not encrypted, so no key is needed"),
        Some((arn, fact)) => (arn, fact),
    };
    let account = &facts.account;
    let owner = &snapshot.owner;
    let give = format!(
        "In account {owner}: add what `snapferry key-policy POLICY --target {account}` prints to the policy of {arn}. \
         {UNSHARED_DEFAULT}"
    );
    match fact {
        None => Check::unknown(check, arn, "EC2 does not name the key by its ARN"),
        Some(KeyFact::Usable) => {
            Check::pass(check, arn, "customer managed, enabled, and its policy lets this account see it")
        }
        Some(KeyFact::Unread(error)) => Check::unread(check, arn, error),
        Some(KeyFact::Unusable(KeyProblem::AwsManaged)) => {
            Check::fail(check, arn, "an AWS managed key, which no other account can ever use").remedy(UNSHARED_DEFAULT)
        }
        Some(KeyFact::Unusable(KeyProblem::AccessDenied(error))) => {
            if is_about_everybody(error, is_copier(facts)) {
                Check::fail(check, arn, "the key is not accessible to this account").because(error).remedy(give)
            } else {
                Check::unknown(check, arn, "these credentials may not look at it, and the copier's role perhaps may")
                    .because(error)
                    .remedy(format!("Repeat with credentials that may call kms:DescribeKey on it. {give}"))
            }
        }
        Some(KeyFact::Unusable(KeyProblem::NotFound(error))) => {
            Check::fail(check, arn, "there is no such key any more, so what it encrypted is lost").because(error)
        }
        Some(KeyFact::Unusable(problem)) => Check::fail(check, arn, problem.reason().name())
            .remedy(format!("In account {owner}: the key must be an enabled symmetric one; enable it.")),
    }
}

fn copy(facts: &Facts, source: &Source, Try { policy, region, answer }: &Try) -> Check {
    let check = "copy-dry-run";
    let subject = format!("{policy} {region}");
    let Err(CopyError { failure, error }) = answer else {
        return Check::pass(check, subject, format!("EC2 would accept a copy of {}", source.id));
    };
    let CopyFailure::Refused { reason, remedy } = failure else {
        return Check::unread(check, subject, error);
    };
    if is_unsupported(&error.code) {
        return Check::fail(check, subject, "EC2 does not support this combination of snapshot, key and Region")
            .because(error)
            .remedy(*remedy);
    }
    let owner = if *reason == CopyFailed::NotAuthorized { of_owner_condition(facts, region) } else { "" };
    if *reason == CopyFailed::NotAuthorized && !is_about_everybody(error, is_copier(facts)) {
        return Check::unknown(check, subject, "access denied to these credentials, and the copier's role perhaps may")
            .because(error)
            .remedy(format!("Repeat with the copier's rights; `snapferry iam POLICY` prints them.{owner}"));
    }
    Check::fail(check, subject, reason.name()).because(error).remedy(format!("{remedy}{owner}"))
}

/// That EC2 tells IAM the owner of a source in another Region is not documented, and nobody has seen it.
fn of_owner_condition(facts: &Facts, target: &Region) -> &'static str {
    let is_dropped = facts.listed("CopyAnyOwner").is_some_and(|mut given| given.next() == Some("true"));
    if is_dropped || *target == facts.home {
        return "";
    }
    " If all that is as it should be, the condition ec2:Owner on the role's statement CopyFromSourceAccounts may be what refuses \
     a source in another Region: deploy with CopyAnyOwner=true (`snapferry iam --copy-any-owner`), and read in SECURITY.md what \
     that costs."
}

fn beyond(source: &Source) -> Check {
    Check::unknown(
        "copy-result",
        &source.id,
        "a DryRun proves neither that EC2 can use both keys, nor that it finds the source, nor that the Region has room, nor \
         anything about another role than the one that asked: EC2 accepts copies that it gives up minutes later",
    )
    .remedy("Share one snapshot and wait for the audit record copy.verified: only that proves it.")
}
