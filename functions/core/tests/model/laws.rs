//! What must hold whatever happens: nothing lost, nothing twice, nothing wrong, nobody starved.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::copying::{Deferral, Outcome};

use crate::clock::{DAY, MINUTE, Ms, timestamp};
use crate::copies::{Call, Copy, Fate, Identity};
use crate::ec2::Ec2;
use crate::policies::{self, NAMES, REGIONS, Wish};
use crate::sources::Source;

/// The most failed attempts at one identity within a day: told a second time, so that another number is a breach.
const ATTEMPTS: usize = 5;

/// How many sweeps may pass over an account that waits, in each of which another account gets a copy: every account
/// has its turn first. (Eleven own something that a policy wants.)
const TURNS: u32 = 11;

/// What was broken, and how much happened.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    pub(crate) broken: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    passed_over: BTreeMap<(usize, String), u32>,
    /// The most sweeps that any account was passed over.
    pub(crate) longest_wait: u32,
    /// What this environment said that is to be said once a day, and when.
    told: BTreeMap<String, Ms>,
}

impl Laws {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Notes a breach: `law` is `lost`, `duplicate`, `wrong`, `attempts`, `count`, `pestered`, `repeated` or
    /// `starved`.
    pub(crate) fn breach(&mut self, law: &str, at: Ms, what: &str) {
        self.broken.push(format!("{law}: {what} (at {})", timestamp(at)));
    }

    /// A sweep said what is to be said once a day.
    pub(crate) fn told(&mut self, notice: String, at: Ms) {
        if self.told.get(&notice).is_some_and(|before| at < before + DAY) {
            self.breach("repeated", at, &notice);
        }
        self.told.insert(notice, at);
    }

    /// The environment is gone: the next one knows of nothing that was said.
    pub(crate) fn forget_notices(&mut self) {
        self.told.clear();
    }

    /// A copy was started: somebody must want it, and it must be what the policy asks for.
    pub(crate) fn started(&mut self, source: &Source, copy: &Copy, call: &Call, identity: Identity) {
        let (wish, tags, fact) = (identity.wish, &copy.tags, source.fact());
        let key = policies::key(wish);
        let expiry = timestamp(copy.started + 365 * DAY);
        let wrong = [
            (!source.wishes.contains(&wish), "no policy wants it"),
            (source.history && !source.announced, "it is older than SweepSince, and no event names it"),
            (tags.source_account != fact.owner, "its tags name another owner"),
            (tags.source_volume != fact.volume, "its tags name another volume"),
            (tags.source_size_gib != fact.size_gib, "its tags name another size"),
            (tags.source_start_time != fact.start_time, "its tags name another time of its source"),
            (tags.source_region.as_str() != REGIONS[0], "its tags name another home Region"),
            (call.key.as_ref().map(|key| key.as_str()) != key.as_deref(), "another key is asked for"),
            (tags.kms_key != call.key, "its tags name another key than the request"),
            (call.encrypted != policies::encrypted(wish), "it is not encrypted as the policy says"),
            (call.description.chars().count() > 255, "its description is too long for EC2"),
            (call.tags.len() > 50, "it has too many tags for EC2"),
            (tags.lock.is_some() != (wish.policy == 2), "its tags are wrong about its lock"),
            (call.tags.iter().any(|(key, _)| key == "team") != (wish.policy == 2), "its TagsToAdd are wrong"),
            (
                tags.expire_after.is_none_or(|at| (expiry - at).get_seconds().abs() > MINUTE),
                "it does not expire a year later",
            ),
        ];
        for (_, what) in wrong.iter().filter(|(is_wrong, _)| *is_wrong) {
            self.breach("wrong", copy.started, &format!("{} of {}: {what}", copy.place(), source.id()));
        }
    }

    /// A copy is started: there must be no live one of the same identity, and not too many that failed.
    pub(crate) fn not_twice<'c>(&mut self, at: Ms, identity: Identity, earlier: impl Iterator<Item = &'c Copy>) {
        let earlier: Vec<&Copy> = earlier.collect();
        for live in earlier.iter().filter(|copy| copy.is_live()) {
            let Wish { policy, .. } = identity.wish;
            let (live, source) = (live.place(), &live.tags.source_snapshot);
            self.breach("duplicate", at, &format!("{live} is a live copy of {source} for {}", NAMES[policy]));
        }
        if earlier.iter().filter(|copy| copy.started > at - DAY).count() >= ATTEMPTS {
            self.breach("attempts", at, &format!("more than {ATTEMPTS} within a day of {identity:?}"));
        }
    }

    /// Events had copies started: who has had one waits anew.
    pub(crate) fn served(&mut self, region: usize, line: &Line<'_>) {
        self.passed_over.retain(|(there, owner), _| *there != region || !line.started.contains(owner.as_str()));
    }

    /// A sweep that was not cut short: who stood in line for `region`, for whom a copy was started, and who had a turn
    /// in vain, because the answer was lost or EC2 refused.
    pub(crate) fn swept(&mut self, region: usize, at: Ms, line: &Line<'_>) {
        self.passed_over.retain(|(there, owner), _| *there != region || line.waiting.contains(owner.as_str()));
        if line.started.is_empty() {
            return;
        }
        for owner in &line.waiting {
            let turns = self.passed_over.entry((region, (*owner).to_owned())).or_default();
            let had_its_turn = line.started.contains(owner) || line.in_vain.contains(owner);
            *turns = if had_its_turn { 0 } else { *turns + 1 };
            self.longest_wait = self.longest_wait.max(*turns);
            if *turns == TURNS {
                self.broken.push(format!("starved: {owner} in {} (at {})", REGIONS[region], timestamp(at)));
            }
        }
    }
}

/// The owners that stood in line for a Region in one sweep.
#[derive(Debug, Default)]
pub(crate) struct Line<'p> {
    pub(crate) waiting: BTreeSet<&'p str>,
    pub(crate) started: BTreeSet<&'p str>,
    pub(crate) in_vain: BTreeSet<&'p str>,
}

impl<'p> Line<'p> {
    pub(crate) fn note(&mut self, owner: &'p str, outcome: &Outcome) {
        self.waiting.insert(owner);
        match outcome {
            Outcome::Started { .. } => self.started.insert(owner),
            Outcome::Failed { .. } | Outcome::Deferred(Deferral::AnswerLost(_)) => self.in_vain.insert(owner),
            Outcome::Stands | Outcome::Deferred(_) => false,
        };
    }
}

/// The identities that have to exist at `at` and do not, or are still in the making.
pub(crate) fn missing(ec2: &Ec2, at: Ms) -> Vec<Identity> {
    let sources = ec2.sources.iter().enumerate().filter(|(_, source)| source.is_owed(at));
    let owed = sources.flat_map(|(source, owed)| owed.wishes.iter().map(move |&wish| Identity { source, wish }));
    owed.filter(|identity| {
        let copies = ec2.identities.get(identity).into_iter().flatten();
        !copies.map(|&number| &ec2.copies[number]).any(Copy::is_live)
    })
    .collect()
}

/// At the end, when all is quiet: what is missing, twice there, or live under a wrong key.
pub(crate) fn at_the_end(ec2: &mut Ec2, at: Ms) {
    for Identity { source, wish } in missing(ec2, at) {
        let what = format!(
            "{} for {} in {}, shared by {}",
            ec2.sources[source].id(),
            NAMES[wish.policy],
            REGIONS[wish.region],
            ec2.sources[source].owner()
        );
        ec2.laws.breach("lost", at, &what);
    }
    for (identity, copies) in &ec2.identities {
        let live: Vec<&Copy> = copies.iter().map(|&number| &ec2.copies[number]).filter(|copy| copy.is_live()).collect();
        if live.len() > 1 {
            let ids: Vec<String> = live.iter().map(|copy| copy.place()).collect();
            ec2.laws.breach("duplicate", at, &format!("{} for {identity:?}", ids.join(", ")));
        }
        let wrong = live.iter().filter(|copy| {
            copy.fate == Fate::WrongKey
                || copy.key.as_ref().map(|key| key.as_str()) != policies::key(identity.wish).as_deref()
        });
        for copy in wrong {
            ec2.laws.breach("wrong", at, &format!("{} is live under a wrong key", copy.place()));
        }
    }
}
