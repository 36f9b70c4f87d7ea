//! What must hold whatever happens: nothing lost, nothing twice, nothing wrong, nobody starved.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::audit::Sweep;
use snapferry_core::facts::State;
use snapferry_core::policy::SourceType;

use crate::clock::{DAY, MINUTE, Ms, timestamp};
use crate::copies::{Call, Copy, Fate, Identity};
use crate::ec2::Ec2;
use crate::policies::{self, NAMES, Phase, REGIONS, Wish};
use crate::sources::Source;

/// The most failed attempts at one identity within a day: told a second time, so that another number is a breach.
const ATTEMPTS: usize = 5;

/// What was broken, and how much happened.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    pub(crate) broken: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// What each environment said that is to be said once a day, and when.
    told: BTreeMap<(usize, String), Ms>,
    /// Identities whose copies EC2 hid while the table lost all that it held: those may be copied twice.
    pub(crate) excused: BTreeSet<Identity>,
}

impl Laws {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Notes a breach: `law` is `lost`, `delayed`, `duplicate`, `wrong`, `unasked`, `attempts`, `open`, `untold`, `told-again`,
    /// `count`, `silent`, `pestered`, `repeated`, `starved`, and of databases `abreast`, `order` or `dead-name`.
    pub(crate) fn breach(&mut self, law: &str, at: Ms, what: &str) {
        self.broken.push(format!("{law}: {what} (at {at}, {})", timestamp(at)));
    }

    /// An environment said what is to be said once a day. Its clock may be a little off.
    pub(crate) fn told(&mut self, environment: usize, notice: String, at: Ms) {
        let key = (environment, notice);
        if self.told.get(&key).is_some_and(|before| at < before + DAY - 10 * MINUTE) {
            self.breach("repeated", at, &key.1);
        }
        self.told.insert(key, at);
    }

    /// A copy was started: somebody must want it, and it must be what the policy asks for.
    pub(crate) fn started(&mut self, kind: SourceType, source: &Source, copy: &Copy, call: &Call, identity: Identity) {
        let (wish, tags, fact) = (identity.wish, &copy.tags, source.fact());
        let key = policies::key(kind, wish);
        let is_locked = wish.policy == 2 && !kind.is_of_databases();
        let expiry = timestamp(copy.started + 365 * DAY);
        let wrong = [
            (!source.wishes.contains(&wish) || !call.phase.wants(fact.owner.as_str(), wish), "no policy wants it"),
            (source.history && !source.announced, "it is older than SweepSince, and no event names it"),
            (!tags.problems.is_empty(), "its tags cannot be read back"),
            (tags.source_snapshot.as_ref() != Some(&fact.id), "its tags name another source"),
            (tags.source_account.as_ref() != Some(&fact.owner), "its tags name another owner"),
            (tags.source_volume.as_ref() != Some(&fact.volume), "its tags name another volume"),
            (tags.source_size_gib != Some(fact.size_gib), "its tags name another size"),
            (tags.source_start_time != Some(fact.start_time), "its tags name another time of its source"),
            (
                tags.source_region.as_ref().is_none_or(|home| home.as_str() != REGIONS[0]),
                "its tags name another home Region",
            ),
            (call.key.as_ref().map(|key| key.as_str()) != key.as_deref(), "another key is asked for"),
            (tags.kms_key != call.key, "its tags name another key than the request"),
            (call.encrypted != policies::encrypted(kind, wish), "it is not encrypted as the policy says"),
            (call.description.chars().count() > 255, "its description is too long for EC2"),
            (call.tags.len() > 50, "it has too many tags for EC2"),
            (tags.lock.is_some() != is_locked, "its tags are wrong about its lock"),
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
    /// Those under keys that were doomed a moment ago counted as lost when they were looked at.
    pub(crate) fn not_twice<'c>(
        &mut self,
        at: Ms,
        identity: Identity,
        earlier: impl Iterator<Item = &'c Copy>,
        was_doomed: bool,
    ) {
        let earlier: Vec<&Copy> = earlier.collect();
        if was_doomed && earlier.iter().any(|copy| copy.is_live() && copy.key.is_some()) {
            self.excused.insert(identity);
        }
        let live = earlier.iter().filter(|copy| copy.is_live() && !self.excused.contains(&identity));
        for live in live.copied().collect::<Vec<&Copy>>() {
            let Wish { policy, .. } = identity.wish;
            let (live, source) = (live.place(), &live.source);
            self.breach("duplicate", at, &format!("{live} is a live copy of {source} for {}", NAMES[policy]));
        }
        // By the clock of whoever asks, which may be off.
        if earlier.iter().filter(|copy| copy.started > at - DAY + 10 * MINUTE && copy.goes.is_none()).count()
            >= ATTEMPTS
        {
            self.breach("attempts", at, &format!("more than {ATTEMPTS} within a day of {identity:?}"));
        }
    }
}

/// The identities that have to exist at `at` and do not, or are still in the making.
pub(crate) fn missing(ec2: &Ec2, phase: Phase, at: Ms) -> Vec<Identity> {
    let sources = ec2.sources.iter().enumerate().filter(|(_, source)| source.is_owed(at));
    let owed = sources.flat_map(|(source, owed)| {
        let wishes = owed.wishes.iter().filter(move |wish| phase.wants(owed.owner(), **wish));
        wishes.map(move |&wish| Identity { source, wish })
    });
    owed.filter(|identity| !ec2.copies_of(identity).any(Copy::is_live)).collect()
}

/// What the last sweep told of must be all that is wanted, when nothing changes any more, and of those beside that the ledger held open
/// about that time.
pub(crate) fn adds_up(ec2: &mut Ec2, phase: Phase, at: Ms, swept: &Sweep, beside: usize) {
    let seen = |source: &&Source| source.seen(at).is_some_and(|seen| seen.state == State::Completed);
    let sources = ec2.sources.iter().filter(|source| !source.history).filter(seen);
    let wanted: usize =
        sources.map(|source| source.wishes.iter().filter(|wish| phase.wants(source.owner(), **wish)).count()).sum();
    let told = swept.protected + swept.unprotected;
    if !usize::try_from(told).is_ok_and(|told| (wanted..=wanted + beside).contains(&told)) {
        ec2.laws.breach(
            "count",
            at,
            &format!("{wanted} identities are wanted, the sweep tells of {told}, {beside} beside: {swept:?}"),
        );
    }
}

/// At the end, when all is quiet: what is missing, twice there, or live under a wrong key.
pub(crate) fn at_the_end(ec2: &mut Ec2, phase: Phase, at: Ms) {
    for Identity { source, wish } in missing(ec2, phase, at) {
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
        if live.len() > 1 && !ec2.laws.excused.contains(identity) {
            let ids: Vec<String> = live.iter().map(|copy| copy.place()).collect();
            ec2.laws.breach("duplicate", at, &format!("{} for {identity:?}", ids.join(", ")));
        }
        let wrong = live.iter().filter(|copy| {
            copy.fate == Fate::WrongKey
                || copy.key.as_ref().map(|key| key.as_str()) != policies::key(ec2.kind, identity.wish).as_deref()
        });
        for copy in wrong {
            ec2.laws.breach("wrong", at, &format!("{} is live under a wrong key", copy.place()));
        }
    }
}
