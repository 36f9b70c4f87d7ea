//! What became of a decision, and the record that joins both.

use jiff::Timestamp;

use super::checks::Difference;
use super::decision::{Decision, Verdict};
use super::locks::{LockRequest, Locking};
use crate::audit::{Copy, CopyDeferred, CopyLocked, CopyStalled, CopyVerified, Record, Source};
use crate::ebs::errors::is_tag_limit;
use crate::facts::{CallError, DescribedCopy};
use crate::ids::{AccountId, SnapshotId};
use crate::tags::{Lock, Status};
use crate::text::printable;

/// What somebody does about a copy with as many tags as EC2 allows.
const TAG_LIMIT: &str = "The copy has 50 tags, as many as EC2 allows, and a verdict adds snapferry:settled-at and snapferry:copy. \
                         Remove two tags that are not Snapferry's from the copy, and keep whatever put them there (a backup \
                         tool, a tag policy's automation, the policy's TagsToAdd) from filling the next one. The next run then \
                         writes the verdict.";

/// What became of a decision. A copy that is verified and locked in one run has two outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to carry out.
    Stands,
    /// The verdict is given, and is about to be written to the copy's tags.
    Judged,
    /// EC2 did not take the verdict's tags, or did not say so.
    NotSettled(CallError),
    /// EC2 holds the lock, and the copy's tag is about to say so.
    Locked,
    /// EC2 refused to lock, or did not say whether it did.
    NotLocked(CallError),
    /// EC2 holds the lock, but the copy's tag does not say so.
    LockNotNoted(CallError),
}

impl Decision<'_> {
    /// For what is said once a day and not at every run: a text that names the fact. What a service answered is
    /// repeated daily; that it did not answer is said each time, since nobody knows what happened.
    #[must_use]
    pub fn notice(&self, outcome: &Outcome) -> Option<String> {
        let copy = self.copy?;
        let answered =
            |what: &str, error: &CallError| error.request_id.is_some().then(|| format!("{what} {}", error.code));
        let said = match (&self.verdict, outcome) {
            (Verdict::Stall, _) => "stalled".to_owned(),
            (Verdict::KeyDoomed(_), _) => "key-doomed".to_owned(),
            (Verdict::AnotherNamed(_), _) => "another-named".to_owned(),
            (Verdict::Reject { .. } | Verdict::Fail(_), Outcome::Stands) => "not-ours".to_owned(),
            (_, Outcome::Stands) if self.lock() == Locking::RuleGone => "lock-rule-gone".to_owned(),
            (_, Outcome::NotSettled(error)) => answered("verdict-not-written", error)?,
            (_, Outcome::NotLocked(error)) => answered("lock-failed", error)?,
            (_, Outcome::LockNotNoted(error)) => answered("lock-not-noted", error)?,
            _ => return None,
        };
        Some(format!("{said} {} {}", self.region, copy.id))
    }

    /// For what is told once, however often it has to be judged until its tags are written: a text that names the fact.
    #[must_use]
    pub fn told_once(&self, outcome: &Outcome) -> Option<String> {
        let copy = self.copy?;
        let said = match outcome {
            Outcome::Judged => self.settlement()?.as_str(),
            Outcome::Locked => Lock::Locked.as_str(),
            _ => return None,
        };
        Some(format!("{said} {} {}", self.region, copy.id))
    }
}

/// The audit record of a decision and what became of it.
#[must_use]
pub fn record(decision: &Decision<'_>, outcome: &Outcome, account: Option<&AccountId>, now: Timestamp) -> Record {
    let mut record = match outcome {
        Outcome::NotSettled(error) => not_settled(decision, error, account, now),
        Outcome::Locked => locked(decision, now),
        Outcome::NotLocked(error) => Record::new(CopyLocked::LockFailed, now)
            .message(format!("The copy is verified but not locked, and counts as unprotected. {}", next_run(decision)))
            .error(Some(error)),
        Outcome::LockNotNoted(error) => Record::new(CopyDeferred::LockNotNoted, now)
            .message(
                "EC2 holds the lock, but the copy's tag snapferry:lock could not be set to locked, or EC2 did not say that it \
                 was. The next run tries again."
                    .to_owned(),
            )
            .error(Some(error)),
        Outcome::Stands if decision.lock() == Locking::RuleGone => rule_gone(now),
        Outcome::Stands | Outcome::Judged => judged(decision, account, now),
    };
    if let Some(copy) = decision.copy {
        record.policy = copy.tags.policy.as_ref().map(ToString::to_string);
        let arn = copy.database.as_ref().and_then(|database| database.source.expected.clone());
        record.source = Source::of_tags(&copy.tags).map(|source| Source { arn, ..source });
    }
    record.copy = Some(described(decision, outcome, now));
    record
}

/// One record for all decisions that the time of the invocation did not suffice for, or that were too many for it.
#[must_use]
pub fn out_of_time(count: u64, now: Timestamp) -> Record {
    let mut record = Record::new(CopyDeferred::OutOfTime, now).message(
        "Too little of the invocation's time remained to write these verdicts, locks and tags, or a thousand verdicts were \
         given in it already. The next run goes on."
            .to_owned(),
    );
    record.count = Some(count);
    record
}

/// One record for a run in which the ledger did not answer: `count` verdicts were given and are not noted there.
#[must_use]
pub fn ledger_unread(error: &CallError, count: u64, now: Timestamp) -> Record {
    let mut record = Record::new(CopyDeferred::LedgerUnread, now)
        .message(
            "The ledger did not answer. Verdicts were given without it, and those of this run are not noted there: the next \
             sweep that reaches it notes them, and until then what failed is not copied again."
                .to_owned(),
        )
        .error(Some(error));
    record.count = Some(count);
    record
}

fn judged(decision: &Decision<'_>, account: Option<&AccountId>, now: Timestamp) -> Record {
    match (&decision.verdict, decision.copy) {
        (Verdict::Verify { warnings, .. }, _) => {
            let mut record = Record::new(CopyVerified::AsConfigured, now);
            record.warnings = warnings.iter().map(ToString::to_string).collect();
            record
        }
        (Verdict::Reject { differences, warnings }, _) => match differences.first() {
            Some(gravest) => {
                let mut record =
                    Record::new(gravest.reason(), now).message(rejected(decision, differences));
                record.differences = differences.iter().map(ToString::to_string).collect();
                record.warnings = warnings.iter().map(ToString::to_string).collect();
                record
            }
            None => Record::new(CopyDeferred::NotCarriedOut, now),
        },
        (Verdict::Fail(cause), Some(copy)) => Record::new(cause.reason(), now)
            .message(cause.remedy(&copy.tags, account, decision.region))
            .error(Some(&state_message(copy))),
        (Verdict::Stall, copy) => Record::new(CopyStalled::PendingOverADay, now).message(format!(
            "The copy has been pending for more than 24 hours.{} If it does not end, ask AWS Support; the source is copied again only \
             once it is in error or deleted.",
            copy.and_then(status).unwrap_or_default()
        )),
        (Verdict::KeyDoomed(key), Some(copy)) => Record::new(CopyDeferred::KeyDoomed, now)
            .message(format!(
                "The copy is under {}, which {}. It is neither verified nor locked, and counts as lost: what is still shared is \
                 copied again under the policy's key. If the key lives again, a later run judges the copy.",
                printable(copy.kms_key.as_deref().unwrap_or("no key"), 256),
                key.clause()
            ))
            .error(key.error()),
        (Verdict::AnotherNamed(named), Some(copy)) => {
            Record::new(CopyDeferred::AnotherNamed, now).message(another_named(named, copy))
        }
        (Verdict::Unread(error), _) => Record::new(CopyDeferred::RegionUnread, now)
            .message("The copies in this Region could not be read, so none was judged. The next run looks again.".to_owned())
            .error(Some(error)),
        // Every executor gives an outcome that fits; were one not to, the operator must see it.
        (Verdict::Lock(_) | Verdict::Fail(_) | Verdict::KeyDoomed(_) | Verdict::AnotherNamed(_), _) => {
            Record::new(CopyDeferred::NotCarriedOut, now)
        }
    }
}

fn another_named(named: &SnapshotId, copy: &DescribedCopy) -> String {
    format!(
        "EC2 named {named} as the copy of this snapshot when Snapferry asked for it, and {} has the same tags: something copied \
         them there, or asked EC2 for a copy as Snapferry does. It gets no verdict and protects nothing. Find out what made it; if it is \
         no copy of Snapferry's, remove its tags whose keys begin with snapferry:.",
        copy.id
    )
}

fn rejected(decision: &Decision<'_>, differences: &[Difference]) -> String {
    let has_edited_tags = differences.iter().any(|difference| matches!(difference, Difference::Tag(_)));
    let fate = match decision.settlement() {
        Some(_) if has_edited_tags => {
            "The copy does not count and its source is copied again; as long as a tag cannot be read, it is never deleted. Find out \
             who changed it, and delete the copy by hand once there is another one."
        }
        Some(_) => {
            "The copy does not count and its source is copied again; it is deleted a day after this verdict, once there is \
             another copy of its source. Find out what made it so."
        }
        None => {
            "Its tag snapferry:policy cannot be read, so it is neither tagged nor ever deleted by Snapferry. If it is no \
             copy of Snapferry's, remove its snapferry: tags; if it is, restore them from its copy.started record."
        }
    };
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    format!("The finished copy is not what was asked for: {}. {fate}", differences.join("; "))
}

fn not_settled(decision: &Decision<'_>, error: &CallError, account: Option<&AccountId>, now: Timestamp) -> Record {
    let verdict = judged(decision, account, now);
    let status = decision.settlement().unwrap_or(Status::Copying).as_str();
    let words = verdict.message.map(|words| format!(" {words}")).unwrap_or_default();
    let (reason, why) = if is_tag_limit(&error.code) {
        (CopyDeferred::TagLimitExceeded, TAG_LIMIT)
    } else {
        (CopyDeferred::VerdictNotWritten, "The next run judges again.")
    };
    let mut record = Record::new(reason, now)
        .message(format!(
            "The verdict {status} ({}) could not be written to the copy's tags, or EC2 did not say that it was: until it is, \
             it does not count. {why}{words}",
            verdict.reason.name()
        ))
        .error(Some(error));
    record.differences = verdict.differences;
    record.warnings = verdict.warnings;
    record
}

fn locked(decision: &Decision<'_>, now: Timestamp) -> Record {
    match decision.lock() {
        Locking::Held(mode) => Record::new(CopyLocked::AlreadyLocked, now).message(format!(
            "EC2 held the lock in {} mode already: the record of it had been lost. The copy's tag says so now.",
            mode.as_str()
        )),
        Locking::Lock(LockRequest { mode, days, cool_off_hours }) => {
            let cool_off =
                cool_off_hours.map(|hours| format!(", liftable for the first {hours} hours")).unwrap_or_default();
            Record::new(CopyLocked::Locked, now)
                .message(format!("Locked in {} mode for {days} days{cool_off}.", mode.as_str()))
        }
        Locking::None | Locking::RuleGone => Record::new(CopyDeferred::NotCarriedOut, now),
    }
}

fn rule_gone(now: Timestamp) -> Record {
    let message = "Today's policy has no LockRule for this copy's policy and Region";
    let error = CallError { code: "LockRuleGone".to_owned(), message: message.to_owned(), request_id: None };
    Record::new(CopyLocked::LockRuleGone, now)
        .message(
            "The copy was asked for with a lock, but today's policy has no LockRule for it, so it stays unlocked and counts \
             as unprotected. Restore the LockRule, or remove the copy's tag snapferry:lock."
                .to_owned(),
        )
        .error(Some(&error))
}

fn next_run(decision: &Decision<'_>) -> &'static str {
    match decision.lock() {
        Locking::Lock(_) => {
            "The next run tries again. Check that the role verify-copies may call ec2:LockSnapshot and that the Region knows it."
        }
        _ => "The next run tries again.",
    }
}

/// How RDS calls the state of a database's copy: it has more words than are known here.
fn status(copy: &DescribedCopy) -> Option<String> {
    copy.database.as_ref().map(|_| format!(" RDS says: {}.", printable(&copy.state_message, 80)))
}

/// EC2's words on a copy in error, in the form of a failed call.
fn state_message(copy: &DescribedCopy) -> CallError {
    CallError { code: "error".to_owned(), message: copy.state_message.clone(), request_id: None }
}

fn described(decision: &Decision<'_>, outcome: &Outcome, now: Timestamp) -> Copy {
    let Some(copy) = decision.copy else {
        return Copy { region: Some(decision.region.to_string()), ..Copy::default() };
    };
    let mut described = Copy::of_tags(&copy.id, decision.region, &copy.tags);
    match outcome {
        Outcome::Judged => {
            described.status = decision.settlement();
            // One that is judged again was protected long ago.
            if copy.tags.status == Some(Status::Copying) {
                described.seconds_since_start = copy.started().map(|started| now.duration_since(started).as_secs());
                described.seconds_since_source =
                    copy.tags.source_start_time.map(|source| now.duration_since(source).as_secs());
                described.seconds_since_wanted = decision.wanted.map(|wanted| now.duration_since(wanted).as_secs());
            }
        }
        Outcome::Locked => (described.status, described.lock) = (Some(Status::Verified), Some(Lock::Locked)),
        Outcome::NotLocked(_) | Outcome::LockNotNoted(_) => described.status = Some(Status::Verified),
        Outcome::Stands if decision.lock() == Locking::RuleGone => described.status = Some(Status::Verified),
        Outcome::Stands | Outcome::NotSettled(_) => {}
    }
    described
}
