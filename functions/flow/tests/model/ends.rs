//! What the audit is told of obligations that end: each once, before it is written, and only what is so.

use std::collections::BTreeMap;

use snapferry_core::audit::{Reason, Record};
use snapferry_core::ids::{PolicyName, Region, SnapshotId};
use snapferry_core::ledger::{End, Identity, Obligation, State};
use snapferry_core::tags::Status;

use crate::clock::{MINUTE, Ms};
use crate::cloud::Cloud;
use crate::copies;
use crate::policies::{self, NAMES, Wish};

/// One end told, of one generation of what the table held since it was last lost.
type Told = (Identity, u32, u64);

/// Who told an end.
#[derive(Debug)]
struct Telling {
    process: usize,
    /// Whether the table took the end.
    is_written: bool,
}

/// The ends that were told.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    told: BTreeMap<Told, Telling>,
}

/// When a process lived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) began: Ms,
    pub(crate) ended: Option<Ms>,
}

impl Cloud {
    /// A process put a record into the audit: if it tells an end, that must be so, and told for the first time.
    pub(crate) fn end_told(&mut self, process: usize, record: &Record, at: Ms) {
        let (Reason::CopyMissed(_) | Reason::CopyWithdrawn(_)) = record.reason else { return };
        let Some(identity) = Self::identity_of(record) else {
            return self.ec2.laws.breach("wrong", at, "an end of nothing that anybody knows");
        };
        let item = self.table.obligation(&identity);
        if let Some(item) = &item {
            self.waits.had_its_turn(policies::number(&identity.region), &item.obligation.account);
        }
        let generation = item.map(|item| item.obligation.generation);
        let key = (identity, generation.unwrap_or(u32::MAX), self.table.lost);
        // Not written: its process died, or the table did not answer.
        let again = self.ends.told.get(&key).is_some_and(|earlier| earlier.is_written);
        // An end that somebody edited away comes again.
        if again && !self.poisoned.contains_key(&key.0) {
            self.ec2.laws.breach("told-again", at, &format!("{} of {:?}", record.reason.name(), key.0));
        }
        self.is_so(process, record, &key.0, at);
        self.ends.told.insert(key, Telling { process, is_written: false });
    }

    /// Whether what is told is so, as far as whoever tells it could know.
    fn is_so(&mut self, process: usize, record: &Record, identity: &Identity, at: Ms) {
        let Some(number) = self.ec2.number(&identity.source) else { return };
        if self.poisoned.contains_key(identity) {
            return;
        }
        let wish = wish(identity);
        let source = &self.ec2.sources[number];
        let began = self.lives[process].began;
        // What only an event asked for is lost with the table.
        let is_forgotten = source.history && self.table.lost > 0;
        let is_wanted =
            !is_forgotten && source.wishes.contains(&wish) && self.phases_of[process].wants(source.owner(), wish);
        let is_shared = source.is_shared(began) && source.is_shared(at) && source.seen(began).is_some();
        let verified = self.ec2.copies_of(&copies::Identity { source: number, wish }).any(|copy| {
            let is_good = copy.status == Some(Status::Verified) && copy.is_live();
            is_good && copy.is_shown(began) && copy.settled_at.is_some_and(|settled| settled + 20 * MINUTE < began)
        });
        // What counted as lost with its key is in line until the next look, which may be an hour later.
        let was_doomed = (0..180).any(|ago| self.ec2.weather.is_key_doomed(wish.region, at - ago * MINUTE));
        let wrong = match record.reason {
            Reason::CopyMissed(_) if is_shared && is_wanted => Some("missed, and still shared"),
            Reason::CopyWithdrawn(_) if is_wanted => Some("withdrawn, and wanted"),
            // What was asked for by an event while the copies could not be read may have one that only a lost table knew of.
            _ if verified && !was_doomed && self.table.lost == 0 => Some("there is a verified copy"),
            _ => None,
        };
        if let Some(what) = wrong {
            self.ec2.laws.breach("wrong", at, &format!("{} for {}: {what}", identity.source, identity.policy));
        }
    }

    /// A process was told that an end is written: it is not to be told again.
    pub(crate) fn end_answered(&mut self, process: usize, obligation: &Obligation) {
        let key = (obligation.identity.clone(), obligation.generation, self.table.lost);
        let telling = self.ends.told.get_mut(&key).filter(|telling| telling.process == process);
        telling.into_iter().for_each(|telling| telling.is_written = true);
    }

    /// An end was written: the audit must know of it.
    pub(crate) fn end_written(&mut self, process: Option<usize>, obligation: &Obligation, at: Ms) {
        let State::Ended { why, .. } = obligation.state else { return };
        let identity = &obligation.identity;
        let key = (identity.clone(), obligation.generation, self.table.lost);
        let was_told = match why {
            End::Protected => self.ec2.number(&identity.source).is_some_and(|source| {
                let identity = copies::Identity { source, wish: wish(identity) };
                self.ec2.copies_of(&identity).any(|copy| copy.status == Some(Status::Verified))
            }),
            End::Missed | End::Withdrawn => match self.ends.told.get_mut(&key) {
                Some(telling) => {
                    telling.is_written |= process == Some(telling.process);
                    true
                }
                None => false,
            },
        };
        self.ec2.laws.count(match why {
            End::Protected => "ended-protected",
            End::Missed => "ended-missed",
            End::Withdrawn => "ended-withdrawn",
        });
        if !was_told && !self.poisoned.contains_key(identity) {
            self.ec2.laws.breach("untold", at, &format!("{why:?} for {identity:?}"));
        }
    }

    fn identity_of(record: &Record) -> Option<Identity> {
        let source = SnapshotId::of_any_kind(&record.source.as_ref()?.snapshot).ok()?;
        let policy = record.policy.as_deref()?;
        let region = record.copy.as_ref()?.region.as_deref()?;
        Some(Identity { policy: PolicyName::parse(policy).ok()?, source, region: Region::parse(region).ok()? })
    }
}

/// What an identity is of a source's.
pub(crate) fn wish(identity: &Identity) -> Wish {
    let policy = NAMES.iter().position(|name| *name == identity.policy.as_str()).expect("a known policy");
    Wish { policy, region: policies::number(&identity.region) }
}
