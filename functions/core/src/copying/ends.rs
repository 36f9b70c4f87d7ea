//! What is told of obligations that end without a copy, and of what was not tried one by one.

use jiff::Timestamp;

use super::Deferral;
use crate::audit::{Copy, CopyDeferred, CopyMissed, CopyWithdrawn, Reason, Record, Source};
use crate::facts::CallError;
use crate::ids::Region;
use crate::ledger::{Obligation, State};

/// An obligation whose source, shared in `home`, went before there was a good copy of it.
#[must_use]
pub fn missed(obligation: &Obligation, home: &Region, now: Timestamp) -> Record {
    let record = ended(CopyMissed::SourceGone, obligation, home, now);
    let Obligation { wanted, refused, put_off, failed, .. } = obligation;
    let what = if obligation.identity.source.is_of_database() { "database" } else { "volume" };
    record.message(format!(
        "The snapshot is deleted or no longer shared, and there is no good copy of it. It was wanted since {wanted}; {failed} copies \
         of it failed. The last {refused} tries were refused, by EC2 or before EC2 was asked; before or since, nothing could be said \
         of it {put_off} times in a row, because EC2 did not show it, or as not completed, or because KMS did not answer for its key. \
         Its earlier records say why it had to wait. Share a later snapshot of the {what}."
    ))
}

/// An obligation that the policy no longer wants.
#[must_use]
pub fn withdrawn(obligation: &Obligation, reason: CopyWithdrawn, home: &Region, now: Timestamp) -> Record {
    let may_come = match obligation.state {
        State::Asked { .. } | State::Copying { .. } => {
            " One that was asked for and comes is verified and expires only if RetiredRegions or RetiredPolicies name where it is."
        }
        State::Owed | State::Delayed { .. } | State::Ended { .. } => "",
    };
    let meaning = Reason::from(reason).meaning();
    ended(reason, obligation, home, now).message(format!("{meaning} No copy of it is asked for any more.{may_come}"))
}

/// So many copies in line for a Region that were not tried one by one.
#[must_use]
pub fn not_tried(region: &Region, reason: CopyDeferred, count: u64, now: Timestamp) -> Record {
    let mut record = Record::new(reason, now)
        .message(format!("{count} copies stand in line for {region} and were not tried. The next tick goes on."));
    record.count = Some(count);
    record.copy = Some(Copy { region: Some(region.to_string()), ..Copy::default() });
    record
}

/// The ledger did not answer, and `count` copies or events wait for it; 0 where nobody knows of any.
#[must_use]
pub fn ledger_unread(error: &CallError, count: u64, now: Timestamp) -> Record {
    let deferral = Deferral::LedgerUnread(error.clone());
    let mut record = Record::new(deferral.reason(), now).message(deferral.to_string()).error(deferral.error());
    record.count = (count > 0).then_some(count);
    record
}

fn ended(reason: impl Into<Reason>, obligation: &Obligation, home: &Region, now: Timestamp) -> Record {
    let mut record = Record::new(reason, now);
    record.policy = Some(obligation.identity.policy.to_string());
    record.source = Some(Source {
        snapshot: obligation.identity.source.to_string(),
        arn: obligation.arn.as_deref().map(str::to_owned),
        account: Some(obligation.account.to_string()),
        region: home.to_string(),
        volume: Some(obligation.lineage.to_string()),
        start_time: Some(obligation.start),
        ..Source::default()
    });
    record.copy = Some(Copy {
        region: Some(obligation.identity.region.to_string()),
        seconds_since_wanted: Some(now.duration_since(obligation.wanted).as_secs().max(0)),
        ..Copy::default()
    });
    record
}
