//! What RDS does otherwise than EC2: the caller names the copies, a taken name is refused, and so is what is over a quota. And the
//! laws that follow from it.

use snapferry_core::facts::{CallError, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, SnapshotId, VolumeId};
use snapferry_core::ledger::{Identity, Obligation};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::{Kind, Own, SnapshotArn, Usage};

use crate::clock::{HOUR, MINUTE, Ms};
use crate::cloud::Cloud;
use crate::copies::{self, Call, Copy, own};
use crate::ec2::{Answer, Ec2};
use crate::ends::wish;
use crate::policies::{ACCOUNT, REGIONS, region};

/// That a name is taken, of an instance's snapshot and of a cluster's.
pub(crate) const EXISTS: [Answer; 2] = [
    Answer::Error(400, "DBSnapshotAlreadyExists", true),
    Answer::Error(400, "DBClusterSnapshotAlreadyExistsFault", true),
];
/// Said of a Region that is busy, and of one that is full.
pub(crate) const QUOTA: Answer = Answer::Error(400, "SnapshotQuotaExceeded", true);

/// How many manual snapshots there may be, others' left out.
const QUOTA_OF_SNAPSHOTS: u64 = 100_000;

impl Ec2 {
    /// Whether something has the name that is asked for: a copy, shown or not, or now and then somebody else's snapshot.
    pub(crate) fn is_name_taken(&mut self, at: Ms, call: &Call) -> bool {
        let Some((name, _)) = &call.named else { return false };
        if let Some(holder) = self.holder(call.region, name) {
            // What was dead and shown before whoever asks began has a name that must not be asked for.
            let was_dead = holder.state == State::Error && holder.finishes <= call.began
                || !holder.is_live() && holder.settled_at.is_some_and(|settled| settled <= call.began);
            let what = format!("{} is a copy that came to nothing", holder.place());
            let is_seen = was_dead && holder.shown_from <= call.began;
            self.laws.count(if was_dead { "name-of-a-dead-copy" } else { "name-of-a-live-copy" });
            if is_seen {
                self.laws.breach("dead-name", at, &what);
            }
            return true;
        }
        let place = (call.region, name.clone());
        if self.weather.happens(&mut self.rng, at, 1) {
            let until = (at + self.rng.i64(MINUTE..3 * HOUR)).min(self.weather.until);
            self.strangers.insert(place.clone(), until);
        }
        self.strangers.get(&place).is_some_and(|until| at < *until)
    }

    fn holder(&self, region: usize, name: &SnapshotId) -> Option<&Copy> {
        self.copies.iter().find(|copy| copy.region == region && copy.id == *name && !copy.deleted)
    }

    /// DescribeDBSnapshots with a name: what has it is never hidden.
    pub(crate) fn named_own(&mut self, at: Ms, region: usize, name: &SnapshotId) -> Result<Option<Own>, CallError> {
        self.read(at, region)?;
        if self.strangers.get(&(region, name.clone())).is_some_and(|until| at < *until) {
            let kind = if self.are_increments() { Kind::Instance } else { Kind::Cluster };
            return Ok(Some(strangers(kind, region, name)));
        }
        Ok(self.holder(region, name).and_then(|copy| Some(own(copy, copy.database.as_ref()?))))
    }

    /// DescribeAccountAttributes.
    pub(crate) fn usage(&mut self, at: Ms, region: usize) -> Result<Usage, CallError> {
        self.read(at, region)?;
        let is_used = self.weather.is_quota_used(region, at);
        let used = self.copies.iter().filter(|copy| copy.region == region && !copy.deleted).count();
        let used = if is_used { QUOTA_OF_SNAPSHOTS } else { u64::try_from(used).unwrap() };
        Ok(Usage { used, max: QUOTA_OF_SNAPSHOTS })
    }

    /// Whether this source is gone, and another was made and shared under its name since.
    pub(crate) fn is_made_again(&self, source: usize, at: Ms) -> bool {
        let later = (source + 1..self.sources.len()).filter(|&later| self.arn(later) == self.arn(source));
        !self.sources[source].is_shared(at) && later.into_iter().any(|later| self.sources[later].is_shared(at))
    }

    /// Whether this source was made under the name of another one.
    pub(crate) fn has_used_name(&self, source: usize) -> bool {
        self.arn(source).is_some() && (0..source).any(|earlier| self.arn(earlier) == self.arn(source))
    }

    fn arn(&self, source: usize) -> Option<&SnapshotArn> {
        self.sources[source].database.as_ref().map(|shared| &shared.source.arn)
    }

    /// Whether all are snapshots of instances: their copies are increments, so they are made one after the other. Those of clusters
    /// are always whole.
    pub(crate) fn are_increments(&self) -> bool {
        self.kind == SourceType::DbSnapshot
    }

    /// A copy is started: no other one of its instance may be under way in the Region that whoever asks saw, or asked for itself.
    pub(crate) fn takes_its_turn(&mut self, at: Ms, copy: &Copy, call: &Call) {
        let Some(database) = database(copy) else { return };
        let pending = self.pending[copy.region].iter().map(|&number| &self.copies[number]);
        let is_known = |other: &&Copy| other.shown_from <= call.began || other.process == call.process;
        let other =
            pending.filter(|other| !other.deleted && self::database(other).as_ref() == Some(&database)).find(is_known);
        let Some(other) = other.map(Copy::place) else { return };
        if !self.are_increments() {
            self.laws.count("two-of-a-cluster");
        } else {
            self.laws.breach("abreast", at, &format!("{} beside {other} of {database:?}", copy.place()));
        }
    }

    /// Whether it is of a database, and RDS says of which.
    fn is_of_known(&self, source: &SourceSnapshot) -> bool {
        self.kind.is_of_databases() && !source.volume.is_filler()
    }

    /// The databases of which a copy was under way in a Region since then.
    pub(crate) fn busy(&self, region: usize, since: Ms) -> Vec<(AccountId, VolumeId)> {
        let was_under_way = |copy: &&Copy| copy.region == region && copy.finishes >= since;
        self.copies.iter().filter(was_under_way).filter_map(database).collect()
    }

    /// A process says that a copy was started: there must be one, which was not dead when the process began.
    pub(crate) fn is_started(&mut self, at: Ms, began: Ms, region: usize, copy: &str) {
        let is_it = |known: &&Copy| known.region == region && known.id.as_str() == copy;
        let is_so = self.copies.iter().filter(is_it).any(|copy| copy.is_live() || copy.finishes > began);
        if !is_so {
            self.laws.breach("wrong", at, &format!("{copy} in {} is told as started, and is none", REGIONS[region]));
        }
    }
}

impl Cloud {
    /// A request reaches RDS: of what waits under its policy for nothing but its turn no other snapshot of the same instance is older,
    /// and none of the same cluster is newer.
    pub(crate) fn keeps_order(&mut self, process: usize, asked: &Obligation, at: Ms) {
        let ec2 = &self.ec2;
        let fact = |identity: &Identity| ec2.number(&identity.source).map(|number| ec2.sources[number].fact());
        let Some(source) = fact(&asked.identity).filter(|source| ec2.is_of_known(source)) else { return };
        let is_before = |other: &SourceSnapshot| {
            let (this, other) = (source.start_time.as_second(), other.start_time.as_second());
            if ec2.are_increments() { other < this } else { other > this }
        };
        let was_never_copied = |identity: &Identity| {
            let source = ec2.number(&identity.source);
            source.is_some_and(|source| {
                ec2.copies_of(&copies::Identity { source, wish: wish(identity) }).next().is_none()
            })
        };
        let left = self.waits.left_waiting(process, self.lives[process].began, asked).into_iter().filter(|identity| {
            fact(identity).is_some_and(|other| other.volume == source.volume && is_before(other))
                && was_never_copied(identity)
        });
        let left: Vec<String> = left.map(|identity| identity.source.to_string()).collect();
        if !left.is_empty() {
            let what = format!("{} in {} before {}", source.id, asked.identity.region, left.join(", "));
            self.ec2.laws.breach("order", at, &what);
        }
    }
}

/// Which attempt a copy is, as RDS shows it.
pub(crate) fn attempt(copy: &Copy) -> Option<u32> {
    copy.database.as_ref().and_then(|source| own(copy, source).attempt())
}

/// Of which database a copy is, if its tags say so.
fn database(copy: &Copy) -> Option<(AccountId, VolumeId)> {
    copy.database.as_ref()?;
    let volume = copy.tags.source_volume.clone().filter(|volume| !volume.is_filler())?;
    Some((copy.tags.source_account.clone()?, volume))
}

/// Somebody else's snapshot.
fn strangers(kind: Kind, number: usize, name: &SnapshotId) -> Own {
    Own {
        arn: SnapshotArn::new(kind, region(number), AccountId::parse(ACCOUNT).unwrap(), name.to_string()),
        database: None,
        status: snapferry_core::rds::AVAILABLE.to_owned(),
        tags: Vec::new(),
        source_arn: None,
        encrypted: false,
        key: None,
        engine: None,
        engine_version: None,
        allocated_storage: None,
        resource_id: None,
        created: None,
        original: None,
    }
}
