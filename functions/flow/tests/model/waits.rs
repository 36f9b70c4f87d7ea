//! Whose turn it is: an account that waits gets its try before another gets two more.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::ids::{AccountId, PolicyName};
use snapferry_core::ledger::{Identity, Obligation, State};

use crate::clock::{Ms, SECOND};
use crate::policies::{REGIONS, STRANGER, number};

/// How many tries another account may have meanwhile.
pub(crate) const TRIES: u32 = 2;

/// After so many tries in vain an account is passed over under their policy for the rest of an invocation, and after so many
/// accounts the policy is.
const VAIN: u32 = 3;

/// What is in hand when a policy of an account's is passed over was read before: so many are tried, at most, before what the
/// account has under its other policies is read.
const BATCH: u32 = 25;

/// An account in a Region.
type Place = (usize, AccountId);

/// Who waits, and how long others were served meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// What waits for nothing but its turn, and since when.
    fresh: BTreeMap<Place, BTreeMap<Identity, Ms>>,
    /// How often others had a try while an account waited.
    tries: BTreeMap<Place, BTreeMap<AccountId, u32>>,
    /// How often an account's try under a policy was in vain in one invocation.
    vain: BTreeMap<(usize, usize, PolicyName), BTreeMap<AccountId, u32>>,
    /// How often others were tried since a process began to pass a policy of an account's over.
    in_hand: BTreeMap<(usize, Place), u32>,
    /// Which process could not read which account's line.
    unread: BTreeSet<(usize, Place)>,
    /// Which process could not read which Region's keys.
    blind: BTreeSet<(usize, usize)>,
    /// What each process asked for last in a Region: a request that is throttled and made again is one try.
    last: BTreeMap<(usize, usize), Identity>,
    /// What was asked for straight from its place among those that wait for nothing but their turn.
    from_line: BTreeSet<Identity>,
    /// The most tries that any account saw another have.
    pub(crate) longest: u32,
}

impl Waits {
    /// An obligation was written.
    pub(crate) fn written(&mut self, obligation: &Obligation, at: Ms) {
        let place = (number(&obligation.identity.region), obligation.account.clone());
        let fresh = self.fresh.entry(place.clone()).or_default();
        // Nobody's but in items that were edited. What is about to end waits for nothing.
        let is_ending = obligation.ending.is_some();
        if obligation.state == State::Owed && obligation.account.as_str() != STRANGER && !is_ending {
            fresh.entry(obligation.identity.clone()).or_insert(at);
        } else {
            let was_fresh = fresh.remove(&obligation.identity).is_some();
            match was_fresh && matches!(obligation.state, State::Asked { .. }) {
                true => self.from_line.insert(obligation.identity.clone()),
                false => self.from_line.remove(&obligation.identity),
            };
        }
        if fresh.is_empty() {
            self.fresh.remove(&place);
            self.tries.remove(&place);
        }
    }

    /// A process found that an account's try under a policy was in vain.
    pub(crate) fn in_vain(&mut self, process: usize, region: usize, policy: &PolicyName, account: &AccountId) {
        let vain = self.vain.entry((process, region, policy.clone())).or_default();
        let times = vain.entry(account.clone()).or_default();
        *times += 1;
        if *times == VAIN {
            self.in_hand.insert((process, (region, account.clone())), 0);
        }
    }

    fn is_passed_over(&self, process: usize, region: usize, policy: &PolicyName, account: &AccountId) -> bool {
        let vain = self.vain.get(&(process, region, policy.clone()));
        let is_own = vain.and_then(|vain| vain.get(account)).is_some_and(|times| *times >= VAIN);
        is_own || vain.is_some_and(|vain| vain.values().filter(|times| **times >= VAIN).count() >= VAIN as usize)
    }

    /// A process could not read an account's line, or not write what it tried: the next one serves it.
    pub(crate) fn unread(&mut self, process: usize, region: &str, account: &str) {
        let region = REGIONS.iter().position(|known| *known == region).expect("a known Region");
        self.unread.insert((process, (region, AccountId::parse(account).unwrap())));
    }

    /// A process does not know what becomes of a Region's keys: whose copies are to be under them is not asked for.
    pub(crate) fn keys_unread(&mut self, process: usize, region: usize) {
        self.blind.insert((process, region));
    }

    /// An account had its turn, with or without a request.
    pub(crate) fn had_its_turn(&mut self, region: usize, account: &AccountId) {
        self.tries.remove(&(region, account.clone()));
    }

    /// A process that began to read at `began` asks for a copy of this account's; `has_turn` tells of whom the table holds a turn.
    /// What cannot have its turn yet, because of `is_free`, waits for something else. What it gives is a breach in words.
    pub(crate) fn tried(
        &mut self,
        process: usize,
        began: Ms,
        tried: &Obligation,
        has_turn: impl Fn(&AccountId) -> bool,
        is_free: impl Fn(&Identity) -> bool,
    ) -> Vec<String> {
        let (region, account) = (number(&tried.identity.region), &tried.account);
        self.had_its_turn(region, account);
        if self.blind.contains(&(process, region)) {
            return Vec::new();
        }
        if self.last.insert((process, region), tried.identity.clone()).as_ref() == Some(&tried.identity) {
            return Vec::new();
        }
        let mut starved = Vec::new();
        for ((there, waiting), fresh) in &self.fresh {
            let place = (*there, waiting.clone());
            let has_its_turn = |identity: &Identity| !self.is_passed_over(process, *there, &identity.policy, waiting);
            let waits = fresh
                .iter()
                .filter(|(identity, _)| has_its_turn(identity) && is_free(identity))
                .map(|(_, since)| *since);
            let since = waits.min().unwrap_or(Ms::MAX);
            if *there != region
                || waiting == account
                || self.unread.contains(&(process, place.clone()))
                || !has_turn(waiting)
                || since > began - 30 * SECOND
            {
                continue;
            }
            if let Some(tried) = self.in_hand.get_mut(&(process, place.clone())).filter(|tried| **tried < BATCH) {
                *tried += 1;
                continue;
            }
            let tries = self.tries.entry(place).or_default().entry(account.clone()).or_default();
            *tries += 1;
            self.longest = self.longest.max(*tries);
            if *tries == TRIES + 1 {
                starved.push(format!("{waiting} in {}, for {account}", REGIONS[region]));
            }
        }
        starved
    }

    /// All that was written is lost, or edited: who waits is not known.
    pub(crate) fn forget(&mut self) {
        *self = Self { longest: self.longest, ..Self::default() };
    }

    /// Which others of the account's wait under the same policy since before a process began, that asks for this one although nothing
    /// kept it from them.
    pub(crate) fn left_waiting(&self, process: usize, began: Ms, asked: &Obligation) -> Vec<&Identity> {
        let place = (number(&asked.identity.region), asked.account.clone());
        if !self.from_line.contains(&asked.identity)
            || self.unread.contains(&(process, place.clone()))
            || self.blind.contains(&(process, place.0))
        {
            return Vec::new();
        }
        let fresh = self.fresh.get(&place).into_iter().flatten();
        let of_policy = fresh.filter(|(identity, _)| identity.policy == asked.identity.policy);
        of_policy.filter(|(_, since)| **since <= began - 30 * SECOND).map(|(identity, _)| identity).collect()
    }

    /// A process is over.
    pub(crate) fn over(&mut self, process: usize) {
        self.vain.retain(|(of, ..), _| *of != process);
        self.in_hand.retain(|(of, _), _| *of != process);
        self.unread.retain(|(of, _)| *of != process);
        self.last.retain(|(of, _), _| *of != process);
        self.blind.retain(|(of, _)| *of != process);
    }
}
