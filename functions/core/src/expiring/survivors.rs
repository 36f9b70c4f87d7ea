//! Which copies of one Region are dispensable: the laws of deletion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::claims::{Claims, Identity, identity};
use super::days::{is_outlived, last_days, newest_first};
use super::due::due;
use super::guard::Census;
use super::plan::{Deletion, Kept, Plan};
use super::reasons::{Cause, Keep};
use crate::facts::{Copies, Copy, Moment, State};
use crate::homes::{is_anothers, is_named};
use crate::ids::{AccountId, PolicyName, Region};
use crate::policy::{Policy, Target};
use crate::tags::{Lock, Status};

/// What one Region's copies are judged by.
pub(super) struct Scene<'f, 'a> {
    pub(super) policies: &'a [Policy],
    /// Policies whose document is gone.
    pub(super) retired: &'a BTreeSet<PolicyName>,
    pub(super) account: Option<&'a AccountId>,
    pub(super) homes: &'a BTreeSet<Region>,
    pub(super) region: &'f Region,
    pub(super) now: Timestamp,
    pub(super) claims: Claims<'f>,
}

/// Judges all copies of one Region.
pub(super) fn judge<'f>(scene: &Scene<'f, '_>, vault: &'f Copies, plan: &mut Plan<'f>, census: &mut Census) {
    for copy in vault.tampered.iter().filter(|copy| !is_anothers(scene.homes, copy.source_region.as_ref())) {
        census.seen(copy.start_time);
        plan.kept.push(scene.kept(Keep::MalformedTags(copy)));
    }
    let mut verified: Vec<&Copy> = Vec::new();
    let mut others: Vec<&Copy> = Vec::new();
    let mut not_named: BTreeMap<&PolicyName, usize> = BTreeMap::new();
    let whole = vault.copies.iter().filter(|copy| !copy.is_tampered);
    for copy in whole.filter(|copy| !is_anothers(scene.homes, copy.origin.region.as_ref())) {
        if !is_named(scene.policies, scene.retired, &copy.origin.policy) {
            *not_named.entry(&copy.origin.policy).or_default() += 1;
            continue;
        }
        census.seen(copy.start_time);
        if scene.is_ours(copy) && copy.is_verified() {
            verified.push(copy);
        } else {
            others.push(copy);
        }
    }
    verified.sort_unstable_by(|a, b| order(a).cmp(&order(b)).then_with(|| newest_first(a, b)));
    for lineage in verified.chunk_by(|a, b| lineage_of(a) == lineage_of(b)) {
        scene.lineage(lineage, plan, census);
    }
    scene.unsound(&verified, &others, plan, census);
    let not_named = not_named.into_iter();
    plan.kept.extend(not_named.map(|(policy, copies)| scene.kept(Keep::PolicyNotNamed { policy, copies })));
}

/// What the copies of one lineage have in common, whatever policy asked for them, in whichever home it was shared.
fn lineage_of(copy: &Copy) -> impl Ord {
    (&copy.origin.owner, &copy.origin.account, &copy.lineage)
}

fn order(copy: &Copy) -> impl Ord {
    (lineage_of(copy), policy_of(copy))
}

fn policy_of(copy: &Copy) -> &PolicyName {
    &copy.origin.policy
}

impl<'f> Scene<'f, '_> {
    fn is_ours(&self, copy: &Copy) -> bool {
        self.account.is_none_or(|account| copy.origin.owner.as_ref() == Some(account))
    }

    /// The verified copies of one lineage: each policy's, the newest first. A retired policy's may go once a present one has
    /// a newer copy that its KeepAtLeast keeps, so that a policy's old name does not keep its last copies for ever.
    fn lineage(&self, copies: &[&'f Copy], plan: &mut Plan<'f>, census: &mut Census) {
        let by_policy = copies.chunk_by(|a, b| policy_of(a) == policy_of(b));
        let (present, retired): (Vec<_>, Vec<_>) =
            by_policy.partition(|copies| copies.first().is_some_and(|copy| self.is_present(copy)));
        let staying = present.into_iter().filter_map(|copies| self.of_policy(copies, None, plan, census));
        let newest = staying.filter(|copy| self.is_kept(copy)).min_by(|a, b| newest_first(a, b));
        for copies in retired {
            self.of_policy(copies, newest, plan, census);
        }
    }

    /// The verified copies of one lineage and policy, the newest first: those that [`last_days`] chooses stay, or none where
    /// `instead` is newer than all of them. Gives the newest that stays.
    fn of_policy(
        &self,
        copies: &[&'f Copy],
        instead: Option<&'f Copy>,
        plan: &mut Plan<'f>,
        census: &mut Census,
    ) -> Option<&'f Copy> {
        let newest = *copies.first()?;
        let keep = self.keep_at_least(policy_of(newest));
        // Any of them may be the last one of a lineage, and no newer one is proof of the contrary.
        let is_unknown = keep > 0 && newest.is_lineage_unknown();
        let instead = instead.filter(|other| newest_first(other, newest).is_lt());
        let good: Vec<&Copy> = copies.iter().copied().filter(|copy| self.claims.is_survivor(copy)).collect();
        let (stay, survivor) = match instead {
            Some(newer) => (HashSet::new(), Some(newer)),
            None => (last_days(&good, keep), good.first().copied()),
        };
        // What cannot be restored, or told from something else, lets nothing go, and goes itself once as many as are to be
        // kept are newer.
        let is_needed = |copy: &Copy| {
            let is_kept = || keep > 0 && instead.is_none() && !is_outlived(copy, &good, keep);
            !self.claims.is_survivor(copy) && is_kept()
        };
        let (mut expired, mut deletions, mut newest_left) = (0, 0, None);
        for copy in copies {
            let due = due(copy, self.now);
            expired += usize::from(due.is_some());
            match due {
                Some(_) if !is_unknown && is_needed(copy) && !copy.is_survivor() => plan.key_in_doubt += 1,
                Some(_) if !is_unknown && is_needed(copy) => plan.kept.push(self.kept(self.contested(copy))),
                Some((cause, at)) if !is_unknown && !stay.contains(&copy.id) => {
                    deletions += 1;
                    let survivor = survivor.filter(|_| keep > 0);
                    plan.deletions.push(self.deletion(copy, cause, at, survivor));
                    continue;
                }
                Some(_) if is_unknown => plan.lineage_unknown += 1,
                Some(_) => plan.kept.push(self.kept(Keep::LastVerified { copy, keep_at_least: keep })),
                None => {}
            }
            newest_left = newest_left.or(Some(*copy).filter(|copy| self.claims.is_survivor(copy)));
        }
        census.lineage(copies.len(), expired, deletions);
        newest_left
    }

    /// Copies that are no proven good ones: failed, rejected, or not judged.
    fn unsound(&self, verified: &[&'f Copy], others: &[&'f Copy], plan: &mut Plan<'f>, census: &mut Census) {
        let survivors = self.survivors(verified, others);
        for copy in others {
            let is_due = due(copy, self.now);
            let expired = copy.expire_after.get().is_some_and(|at| at < self.now);
            let keep = if !self.is_ours(copy) {
                if is_due.is_none() && !expired {
                    continue;
                }
                Keep::ForeignOwner(copy)
            } else {
                match (copy.status, copy.state, is_due) {
                    (Some(Status::Failed | Status::Copying), State::Error, Some((cause, at))) => {
                        plan.deletions.push(self.deletion(copy, cause, at, None));
                        continue;
                    }
                    (Some(Status::Copying), _, Some((cause, at)))
                    | (Some(Status::Verified), State::Completed, Some((cause, at))) => {
                        match self.instead(copy, verified).or_else(|| self.outlived(copy, verified)) {
                            Some(survivor) => {
                                plan.deletions.push(self.deletion(copy, cause, at, Some(survivor)));
                                census.lineage(1, 1, 1);
                                continue;
                            }
                            None => Keep::NotVerified(copy),
                        }
                    }
                    // To delete what is being made would cancel it: no verdict on it was given.
                    (Some(Status::Rejected), State::Pending | State::Other, Some(_)) => Keep::StateContradicts(copy),
                    (Some(Status::Rejected), _, Some((cause, at))) => {
                        let better = survivors.get(&identity(copy)).copied().filter(|better| better.id != copy.id);
                        // Beside contested ones it goes as they do: it would be the only copy of its source from then on.
                        let outlived =
                            || self.outlived(copy, verified).filter(|_| expired && self.claims.are_several(copy));
                        match better.or_else(outlived) {
                            Some(survivor) => {
                                plan.deletions.push(self.deletion(copy, cause, at, Some(survivor)));
                                continue;
                            }
                            None if self.claims.are_several(copy) => self.contested(copy),
                            None => Keep::OnlyCopy(copy),
                        }
                    }
                    (Some(Status::Failed | Status::Rejected), _, None) if copy.settled_at == Moment::NEVER => {
                        Keep::NotSettled(copy)
                    }
                    (Some(Status::Failed | Status::Verified), _, Some(_)) => Keep::StateContradicts(copy),
                    (Some(Status::Copying), _, _) | (Some(Status::Verified), State::Completed, _) if expired => {
                        Keep::NotVerified(copy)
                    }
                    _ => continue,
                }
            };
            plan.kept.push(self.kept(keep));
        }
    }

    /// The newest good copy of the lineage and policy, if as many days as are to be kept, and at least one, have a newer
    /// one than `copy`. `verified` is in the order of lineages and policies.
    fn outlived(&self, copy: &Copy, verified: &[&'f Copy]) -> Option<&'f Copy> {
        let days = self.keep_at_least(policy_of(copy)).max(1);
        let first = verified.partition_point(|other| order(other) < order(copy));
        let others = verified.iter().skip(first).take_while(|other| order(other) == order(copy));
        let good: Vec<&Copy> = others.copied().filter(|other| self.claims.is_survivor(other)).collect();
        good.first().copied().filter(|_| !copy.is_lineage_unknown() && is_outlived(copy, &good, days))
    }

    /// What a retired policy's copy may go for: the newest good copy of the lineage that a present policy keeps at least, if
    /// it is newer.
    fn instead(&self, copy: &Copy, verified: &[&'f Copy]) -> Option<&'f Copy> {
        if self.is_present(copy) || copy.is_lineage_unknown() {
            return None;
        }
        let first = verified.partition_point(|other| lineage_of(other) < lineage_of(copy));
        let lineage = verified.iter().copied().skip(first).take_while(|other| lineage_of(other) == lineage_of(copy));
        let good =
            lineage.filter(|other| self.is_present(other) && self.claims.is_survivor(other) && self.is_kept(other));
        good.min_by(|a, b| newest_first(a, b)).filter(|newest| newest_first(newest, copy).is_lt())
    }

    /// For each identity with rejected copies the copy that stays: a verified one, or else the rejected one that can sooner be
    /// restored, the newest first. Of a retired policy, whose sources nobody copies again, none needs to stay once a present
    /// policy has a newer copy of the lineage.
    fn survivors(&self, verified: &[&'f Copy], others: &[&'f Copy]) -> HashMap<Identity<'f>, &'f Copy> {
        let is_rejected = |copy: &&&'f Copy| copy.status == Some(Status::Rejected);
        let mut rejected: Vec<&'f Copy> =
            others.iter().filter(|copy| self.is_ours(copy)).filter(is_rejected).copied().collect();
        rejected.retain(|copy| copy.state == State::Completed);
        rejected.sort_unstable_by_key(|copy| (Reverse(copy.origin.life), copy.start_time, &copy.id));
        let wanted: HashSet<_> = others.iter().filter(is_rejected).map(|copy| identity(copy)).collect();
        let good = verified.iter().copied().filter(|copy| self.claims.is_survivor(copy));
        let verified_of = good.filter(|copy| wanted.contains(&identity(copy)));
        let stays = |copy: &'f Copy| self.instead(copy, verified).unwrap_or(copy);
        let rejected = rejected.into_iter().map(|copy| (identity(copy), stays(copy)));
        rejected.chain(verified_of.map(|copy| (identity(copy), copy))).collect()
    }

    fn deletion(&self, copy: &'f Copy, cause: Cause, due: Timestamp, survivor: Option<&'f Copy>) -> Deletion<'f> {
        let rule = self.target(&copy.origin.policy).and_then(|target| target.lock.as_ref());
        let until = copy.settled_at.get().zip(rule).map(|(since, rule)| rule.interval.after(since));
        // What no rule of today tells of is of an earlier rule or a retired policy, and locked by one that nobody knows.
        let likely_locked = copy.lock == Some(Lock::Locked) && until.is_none_or(|until| self.now < until);
        Deletion { region: self.region, copy, cause, due, survivor, likely_locked }
    }

    fn contested(&self, copy: &'f Copy) -> Keep<'f> {
        let (others, more) = self.claims.others(copy);
        Keep::Contested { copy, others, more }
    }

    fn kept(&self, keep: Keep<'f>) -> Kept<'f> {
        Kept { region: self.region, keep }
    }

    /// `KeepAtLeast` of today's rule; 1 when the policy is retired, or the target or its RetainRule is gone.
    fn keep_at_least(&self, policy: &PolicyName) -> usize {
        let keep = self.policy(policy).map_or(1, |policy| policy.keep_at_least(self.region));
        usize::try_from(keep).unwrap_or(usize::MAX)
    }

    /// Whether the newest good copy of a lineage and policy stays until a newer one is verified.
    fn is_kept(&self, copy: &Copy) -> bool {
        self.keep_at_least(policy_of(copy)) > 0
    }

    fn is_present(&self, copy: &Copy) -> bool {
        self.policy(policy_of(copy)).is_some()
    }

    fn target(&self, policy: &PolicyName) -> Option<&Target> {
        self.policy(policy).and_then(|policy| policy.target(self.region))
    }

    fn policy(&self, name: &PolicyName) -> Option<&Policy> {
        self.policies.iter().find(|known| known.name == *name)
    }
}
