//! What the expirer, who reads all copies anyway, says of volumes of which no newer copy came for too long.

use jiff::Timestamp;

use super::Facts;
use crate::audit::{ExpiryVolume, Record, Volume};
use crate::dropouts::{Dropout, dropouts};
use crate::facts::Copies;
use crate::notices::Notices;
use crate::policy::Policy;

/// So many volumes are named in a run; all are counted. The next runs name the others.
const NAMED_IN_A_RUN: usize = 100;

/// The volumes that dropped out of their accounts' backups; nothing where a Region could not be read, which may hold newer copies.
#[must_use]
pub fn dropped<'f>(policies: &[Policy], facts: &'f Facts, now: Timestamp) -> Option<Vec<Dropout<'f>>> {
    let read: Result<Vec<&Copies>, _> = facts.regions.values().map(Result::as_ref).collect();
    let copies = read.ok()?.into_iter().flat_map(|copies| &copies.copies);
    Some(dropouts(policies, facts.account.as_ref(), &facts.homes, copies, now))
}

/// The records that name them, each volume once a day, so many in a run.
#[must_use]
pub fn name(dropouts: &[Dropout<'_>], notices: &mut Notices, now: Timestamp) -> Vec<Record> {
    let notice = |dropout: &Dropout<'_>| format!("{} {} {}", ExpiryVolume::DroppedOut, dropout.account, dropout.volume);
    let news = dropouts.iter().filter(|dropout| notices.note(notice(dropout), now));
    news.take(NAMED_IN_A_RUN).map(|dropout| record(dropout, now)).collect()
}

fn record(dropout: &Dropout<'_>, now: Timestamp) -> Record {
    let Dropout { account, volume, newest, usual } = *dropout;
    let mut record = Record::new(ExpiryVolume::DroppedOut, now).message(
        "The newest good copy of the volume or database is older than three times the interval in which its copies came. Ask the source account \
         whether it is gone, or why it is backed up or shared no longer; see what copy.failed and copy.refused say of it, too. \
         Of one that is gone this is said until too few of its copies are left to tell an interval."
            .to_owned(),
    );
    record.volume = Some(Volume {
        account: account.to_string(),
        volume: volume.to_string(),
        newest,
        seconds_since_newest: now.duration_since(newest).as_secs().max(0),
        usual_seconds: usual.as_secs(),
    });
    record
}
