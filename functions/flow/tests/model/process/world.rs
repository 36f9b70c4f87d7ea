//! What the world answers a process.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use snapferry_core::audit::{CopyRefused, CopySkipped, Reason, Record};
use snapferry_core::copying::{CopyError, CopyRequest};
use snapferry_core::ebs::errors::{Failed, copy_failure};
use snapferry_core::facts::{self, CallError, Copies, KeyFact, Lineage};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Place, Round, Shard, State, Turn};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::errors::NotStarted;
use snapferry_core::rds::{self, name_taken, refusal};
use snapferry_flow::{CopiesIn, Item, Items, Page, Shown, World, Written};

use super::Process;
use crate::clock::{Ms, timestamp};
use crate::copies::Copy;
use crate::databases::EXISTS;
use crate::ec2::{Answer, FULL};
use crate::mistakes::Mistake;
use crate::policies::{REGIONS, number};

impl World for Process {
    fn now(&self) -> Timestamp {
        if self.makes(Mistake::StoppedClock) {
            return timestamp(self.cloud.borrow().lives[self.birth.process].began);
        }
        timestamp(self.time.now() + self.birth.skew)
    }

    fn left(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.birth.until - self.time.now()).unwrap_or_default())
    }

    fn random(&self) -> f64 {
        self.cloud.borrow_mut().ec2.rng.f64()
    }

    async fn sleep(&self, time: Duration) {
        self.step("died-asleep", Ms::try_from(time.as_millis()).unwrap(), |_, _| ((), 0)).await;
    }

    fn say(&self, record: &Record) {
        let mut cloud = self.cloud.borrow_mut();
        let now = self.time.now();
        cloud.ec2.laws.count(record.reason.name());
        self.tell(|| {
            format!(
                "say {} {:?} {:?} {:?} {:?}",
                record.reason.name(),
                record.policy,
                record.source.as_ref().map(|s| &s.snapshot),
                record.copy.as_ref().map(|c| (&c.region, &c.snapshot)),
                record.trigger
            )
        });
        let is_silent = self.makes(Mistake::TellsNoEnds);
        if !is_silent {
            cloud.end_told(self.birth.process, record, now);
        }
        let is_notice = matches!(
            record.reason,
            Reason::CopyRefused(CopyRefused::AttemptsExhausted | CopyRefused::MalformedTags)
                | Reason::CopySkipped(CopySkipped::Duplicate)
        );
        if let (true, Some(copy)) = (is_notice && record.trigger != Some("event"), &record.copy) {
            let notice = format!("{} {:?} {:?}", record.reason.name(), copy.region, copy.snapshot);
            cloud.ec2.laws.told(self.birth.environment, notice, now);
        }
        if let (Reason::CopyStarted(_), Some(copy)) = (record.reason, &record.copy) {
            let began = cloud.lives[self.birth.process].began;
            let (region, copy) = (copy.region.as_deref().unwrap(), copy.snapshot.as_deref().unwrap());
            let region = REGIONS.iter().position(|known| *known == region).expect("a known Region");
            cloud.ec2.is_started(now, began, region, copy);
        }
        cloud.noted(record, now);
    }

    fn calls(&self) -> u64 {
        self.calls.get()
    }

    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError> {
        let forgets_nothing = self.makes(Mistake::FindsWhatIsGone);
        let mut snapshots = self
            .read("died-at-sources", |cloud, now| match forgets_nothing {
                true => cloud.ec2.named_or_gone(now, ids),
                false => cloud.ec2.named(now, ids),
            })
            .await?;
        if self.makes(Mistake::TakesClustersForInstances) {
            let of_instance = |volume: &VolumeId| VolumeId::of_database(&volume.as_str().replace("cluster-", "db-"));
            snapshots.iter_mut().for_each(|source| source.volume = of_instance(&source.volume));
        }
        Ok(Shown { snapshots, unreadable: BTreeMap::new() })
    }

    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError> {
        self.read("died-at-shared", |cloud, now| cloud.ec2.shared(now, owners, shard, next)).await
    }

    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
        self.copies("died-at-copies-of", region, |copy| {
            // Of databases those under way, too.
            let is_under_way = copy.database.is_some() && copy.state == facts::State::Pending;
            is_under_way && !self.makes(Mistake::LeavesTurnsOut) || sources.contains(&copy.source)
        })
        .await
    }

    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
        let is_in = |copy: &Copy| shard.contains(&copy.source);
        let found = self.copies("died-at-copies-in", region, is_in).await?;
        Ok(if found.copies.len() > most { CopiesIn::TooMany } else { CopiesIn::All(found) })
    }

    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
        self.copies("died-at-lineages", region, |copy| {
            copy.tags.source_volume.as_ref().is_some_and(|lineage| lineages.contains(lineage))
        })
        .await
    }

    async fn copies_by_id(&self, region: &Region, ids: &[SnapshotId]) -> Result<Copies, CallError> {
        self.copies("died-at-copies-by-id", region, |copy| ids.contains(&copy.id)).await
    }

    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        let keys = self.keys.clone();
        let mut facts = BTreeMap::new();
        for key in keys.iter().cloned() {
            let fact = self.read("died-at-keys", |cloud, now| cloud.ec2.key(now, &key)).await;
            if let (KeyFact::Unread(_), Some(region)) =
                (&fact, REGIONS.iter().position(|region| *region == key.region()))
            {
                self.cloud.borrow_mut().waits.keys_unread(self.birth.process, region);
            }
            facts.insert(key, fact);
        }
        facts
    }

    async fn copy(&self, request: &CopyRequest<'_>, at: Timestamp) -> Result<SnapshotId, CopyError> {
        self.calls.set(self.calls.get() + 1);
        let identity = request.identity();
        let travels = self.cloud.borrow_mut().ec2.rng.i64(1..200);
        let again = self.makes(Mistake::RetriesBlindly);
        let shared = self.shared(request);
        let call = self.call(request, shared.as_ref(), at);
        let answer = self
            .step("died-at-copy", travels, |cloud, now| {
                let region = number(&identity.region);
                if self.said_stop.borrow()[region] {
                    cloud.ec2.laws.breach("pestered", now, REGIONS[region]);
                }
                cloud.is_asked(self.birth.process, &identity, self.birth.skew, now);
                let (mut answer, mut answered) = cloud.ec2.copy_snapshot(now, call.clone());
                if again && matches!(answer, Answer::Silence | Answer::Error(500, ..)) {
                    (answer, answered) = cloud.ec2.copy_snapshot(now, call);
                }
                self.answered(identity.clone(), &answer);
                (answer, answered - now)
            })
            .await;
        self.tell(|| {
            format!("copy {} {} {} -> {answer:?}", request.source.owner, request.source.id, request.target.region)
        });
        if let Answer::Error(500, ..) = answer {
            let (region, policy, account) = (number(&request.target.region), request.policy, &request.source.owner);
            self.cloud.borrow_mut().waits.in_vain(self.birth.process, region, policy, account);
        }
        if let Some(shared) = &shared {
            return self.read_of_rds(&self.of_database(request, shared), answer).await;
        }
        match answer {
            FULL if self.makes(Mistake::MisreadsFull) => read(Answer::Error(400, "InvalidParameterValue", true)),
            answer => read(answer),
        }
    }

    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        let item = self.look("died-at-obligation", |cloud, _| cloud.table.obligation(identity)).await;
        if item.is_err() {
            let cloud = &mut *self.cloud.borrow_mut();
            let unread = cloud.table.obligation(identity).map(|item| item.obligation.account);
            unread.iter().for_each(|account| {
                cloud.waits.unread(self.birth.process, identity.region.as_str(), account.as_str());
            });
        }
        Ok(item?.map(|item| self.placed(item)))
    }

    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        let items = self.look("died-at-obligations", |cloud, _| cloud.table.obligations(shard)).await?;
        let items = items.into_iter().map(|item| self.placed(item));
        let items: Vec<Item> = items.filter(|_| !self.makes(Mistake::ReadsNoObligations)).collect();
        Ok((items.len() <= most).then_some((items, Vec::new())))
    }

    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        let mut found = self.look("died-at-line", |cloud, now| cloud.table.line(line, after, before, most, now)).await;
        let is_upside_down =
            self.makes(Mistake::TakesTheNewestOfAnInstance) || self.makes(Mistake::TakesTheOldestOfACluster);
        if let (true, Ok(page)) = (is_upside_down, &mut found) {
            page.reverse();
            page.sort_by_key(|obligation| Place::lineage(obligation).to_owned());
        }
        self.tell(|| {
            format!(
                "line {line} {after:?} {before:?}: {:?}",
                found
                    .as_ref()
                    .map(|f| f
                        .iter()
                        .map(|o| format!("{} {} {}", o.identity.source, o.lineage, o.identity.policy))
                        .collect::<Vec<_>>())
                    .map_err(|e| &e.code)
            )
        });
        let parts: Vec<&str> = line.split('#').collect();
        if let (Err(_), [_, region, account, _]) = (&found, parts.as_slice()) {
            self.cloud.borrow_mut().waits.unread(self.birth.process, region, account);
        }
        found
    }

    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        let (kind, loses) = match obligation.state {
            State::Owed | State::Delayed { .. } => ("died-at-write-of-owed", false),
            State::Asked { .. } => ("died-at-write-of-intent", self.makes(Mistake::LosesIntents)),
            State::Copying { .. } => ("died-at-write-of-copying", false),
            State::Ended { .. } => ("died-at-write-of-end", self.makes(Mistake::LosesEnds)),
        };
        // What is about to end had no turn.
        if let (State::Delayed { .. }, None) = (&obligation.state, obligation.ending) {
            let region = number(&obligation.identity.region);
            let (policy, account) = (&obligation.identity.policy, &obligation.account);
            self.cloud.borrow_mut().waits.in_vain(self.birth.process, region, policy, account);
        }
        if !self.makes(Mistake::CountsNoDead) {
            self.attempts.borrow_mut().note_intent(obligation);
        }
        let (process, obligation) = (self.birth.process, obligation.clone());
        let is_blind = self.makes(Mistake::TakesStaleForDone);
        let o = obligation.clone();
        let written = self
            .put(kind, move |cloud, now| {
                if loses {
                    return Written::Done;
                }
                let written = cloud.write(Some(process), &obligation, now);
                if is_blind { Written::Done } else { written }
            })
            .await;
        if let (Ok(Written::Done), State::Ended { .. }) = (&written, &o.state) {
            self.cloud.borrow_mut().end_answered(self.birth.process, &o);
        }
        if written.is_err() {
            let (region, account) = (o.identity.region.as_str(), o.account.as_str());
            self.cloud.borrow_mut().waits.unread(self.birth.process, region, account);
        }
        self.tell(|| {
            format!(
                "write {} {} {} {} {:?} r{} {:?}",
                o.account,
                o.identity.source,
                o.lineage,
                o.identity.region,
                o.state,
                o.revision,
                written.as_ref().map_err(|e| &e.code)
            )
        });
        written
    }

    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        let mut turns = self.look("died-at-turns", |cloud, _| cloud.table.turns(region)).await?;
        if self.makes(Mistake::PassesOver) {
            turns.retain(|turn| turn.account.as_str() != crate::policies::BEN);
        }
        Ok(turns)
    }

    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        let (region, turn) = (region.clone(), turn.clone());
        let t = (region.clone(), turn.clone());
        let written = self.put("died-at-write-of-turn", move |cloud, _| cloud.write_turn(&region, &turn)).await;
        self.tell(|| format!("turn {t:?} {:?}", written.as_ref().map_err(|e| &e.code)));
        written
    }

    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        let (region, turn) = (region.clone(), turn.clone());
        self.put("died-at-removal-of-turn", move |cloud, _| cloud.table.remove_turn(&region, &turn)).await
    }

    async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        self.look("died-at-hints", |cloud, _| cloud.table.hints()).await
    }

    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        let hint = hint.clone();
        self.put("died-at-write-of-hint", move |cloud, _| cloud.table.write_hint(&hint)).await
    }

    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        let hint = hint.clone();
        self.put("died-at-removal-of-hint", move |cloud, _| cloud.table.remove_hint(&hint)).await
    }

    async fn round(&self) -> Result<Option<Round>, CallError> {
        self.look("died-at-round", |cloud, _| cloud.table.round()).await
    }

    async fn other_rounds(&self) -> Result<BTreeMap<SourceType, Round>, CallError> {
        Ok(BTreeMap::new())
    }

    async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        let round = round.clone();
        self.cloud.borrow_mut().ec2.laws.count(match &round.walk {
            Some(_) => "round-by-walk",
            None if round.shards > 1 => "round-in-shards",
            None => "round-in-one",
        });
        self.put("died-at-write-of-round", move |cloud, _| cloud.table.write_round(&round)).await
    }
}

impl Process {
    /// The answer of RDS as the seam hands it over, which looks at who has a taken name, and at the usage of a quota.
    async fn read_of_rds(&self, request: &rds::CopyRequest<'_>, answer: Answer) -> Result<SnapshotId, CopyError> {
        let (name, region) = (request.name().id(), number(&request.target.region));
        if EXISTS.contains(&answer) && self.makes(Mistake::TakesNamesForCopies) {
            return Ok(name);
        }
        let (failed, error) = match said(answer) {
            Ok(copy) => return Ok(copy),
            Err(said) => said,
        };
        let failure = match rds::errors::copy_failure(failed) {
            NotStarted::Failed(failure) => failure,
            NotStarted::Quota => {
                let usage = self.read("died-at-usage", |cloud, now| cloud.ec2.usage(now, region)).await;
                refusal(usage.ok()).failure()
            }
            NotStarted::NameTaken => {
                let holder = self.read("died-at-named", |cloud, now| cloud.ec2.named_own(now, region, &name)).await;
                return name_taken(request, error, holder);
            }
        };
        Err(CopyError { failure, error })
    }
}

/// The answer of EC2 as the seam hands it over.
fn read(answer: Answer) -> Result<SnapshotId, CopyError> {
    said(answer).map_err(|(failed, error)| CopyError { failure: copy_failure(failed), error })
}

fn said(answer: Answer) -> Result<SnapshotId, (Failed<'static>, CallError)> {
    let (failed, code, request_id) = match answer {
        Answer::Copy(copy) => return Ok(copy),
        Answer::Error(status, code, request_id) => {
            (Failed::Answered { status, code, message: "so it is" }, code, request_id)
        }
        Answer::Silence => (Failed::Silent, "Timeout", false),
    };
    let request_id = request_id.then(|| "0b5e6e2c".to_owned());
    let error = CallError { code: code.to_owned(), message: "so it is".to_owned(), request_id };
    Err((failed, error))
}
