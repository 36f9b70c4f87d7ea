//! What verify-copies does, as far as it matters here: it judges copies, tells of it, writes its verdict into the tags, and then
//! steps the ledger on, with core's own steps. It may be late with that, or die before.

use snapferry_core::facts::State;
use snapferry_core::ledger::{End, Identity, Obligation};
use snapferry_core::tags::Status;

use crate::clock::{DAY, MINUTE, Ms, SECOND, timestamp};
use crate::cloud::Cloud;
use crate::copies::Fate;
use crate::policies::region;

const EVERY: Ms = 5 * MINUTE;

/// A verdict that the ledger does not know yet.
#[derive(Debug)]
struct Verdict {
    /// When it is written.
    at: Ms,
    copy: usize,
    read: Obligation,
    is_good: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Verifier {
    next: Ms,
    verdicts: Vec<Verdict>,
}

impl Verifier {
    /// Whether nothing is to be written any more.
    pub(crate) fn is_quiet(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// When it does something next.
    fn due(&self) -> Ms {
        self.verdicts.iter().map(|verdict| verdict.at).fold(self.next, Ms::min)
    }
}

impl Cloud {
    /// Lets the verifier do what is due by then.
    pub(crate) fn verify(&mut self, to: Ms) {
        while self.verifier.due() <= to {
            let at = self.verifier.due();
            let (due, later) =
                std::mem::take(&mut self.verifier.verdicts).into_iter().partition(|verdict| verdict.at <= at);
            self.verifier.verdicts = later;
            let due: Vec<Verdict> = due;
            due.iter().for_each(|verdict| self.step(verdict, at));
            if self.verifier.next <= at {
                self.verifier.next += EVERY;
                self.judge(at);
            }
        }
    }

    fn judge(&mut self, at: Ms) {
        let ec2 = &mut self.ec2;
        if ec2.weather.happens(&mut ec2.rng, at, 20) {
            return;
        }
        let mut judged = Vec::new();
        ec2.unsettled.retain(|&number| {
            let (copy, weather) = (&mut ec2.copies[number], &ec2.weather);
            let is_closed =
                weather.is_down(copy.region, at) || copy.key.is_some() && weather.is_key_doomed(copy.region, at);
            if copy.state == State::Pending || !copy.is_shown(at) || is_closed {
                return true;
            }
            copy.settled_at = Some(at);
            // Somebody may have been there before, with an edit that EC2's filter for the verifier's work passes over.
            if copy.fate == Fate::Completes && weather.happens(&mut ec2.rng, at, 1) {
                copy.status = None;
                return false;
            }
            copy.status = Some(match (copy.state, copy.fate) {
                (State::Error, _) => Status::Failed,
                (_, Fate::WrongKey) => Status::Rejected,
                _ => Status::Verified,
            });
            judged.push(number);
            false
        });
        for copy in &mut ec2.copies {
            let bad = matches!(copy.status, Some(Status::Failed | Status::Rejected));
            copy.deleted |= bad && copy.settled_at.is_some_and(|settled| settled + DAY <= at);
        }
        judged.into_iter().for_each(|copy| self.tell_ledger(copy, at));
    }

    /// Reads what the ledger holds of a copy's identity; it is written a little later, or never.
    fn tell_ledger(&mut self, number: usize, at: Ms) {
        let copy = &self.ec2.copies[number];
        let is_good = copy.status == Some(Status::Verified);
        let Some(read) = self.table.obligation(&identity(copy)).map(|item| item.obligation) else { return };
        let (weather, rng) = (&self.ec2.weather, &mut self.ec2.rng);
        if weather.is_table_off(at) || weather.happens(rng, at, 5) {
            self.ec2.laws.count("verdict-not-in-the-ledger");
            return;
        }
        let late = weather.happens(rng, at, 15);
        let at = at + if late { rng.i64(0..8 * MINUTE) } else { rng.i64(0..2 * SECOND) };
        self.verifier.verdicts.push(Verdict { at, copy: number, read, is_good });
    }

    fn step(&mut self, verdict: &Verdict, at: Ms) {
        let mut read = verdict.read.clone();
        for _ in 0..2 {
            let copy = self.ec2.copies[verdict.copy].id.clone();
            let is_of_another = read.copy().is_some_and(|named| *named != copy);
            let after = match verdict.is_good {
                true if !is_of_another && read.generation == verdict.read.generation => {
                    read.ended(End::Protected, timestamp(at))
                }
                true => None,
                false => read.failed(&copy, timestamp(at)),
            };
            let Some(after) = after else { return };
            if self.write(None, &after, at) == snapferry_flow::Written::Done {
                return;
            }
            self.ec2.laws.count("verdict-stale");
            match self.table.obligation(&after.identity) {
                Some(item) => read = item.obligation,
                None => return,
            }
        }
    }
}

fn identity(copy: &crate::copies::Copy) -> Identity {
    Identity {
        policy: copy.tags.policy.clone().expect("a request's tags can be read back"),
        source: copy.source.clone(),
        region: region(copy.region),
    }
}
