//! Facts in a few words, and plans as text.
//!
//! Snapshots and copies are named by numbers: 7 is `snap-00000007`, and copy 7 is `snap-c0000007`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapferry_core::copying::{Decision, Facts, Outcome, Plan, Refusal, Scope, Skip, Subject, Verdict, decide};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, Copies, Copy, KeyFact, KeyLife, Moment, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{self, By, Identity, Obligation};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::Status;

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const OTHER: &str = "133333333333";
pub(crate) const ACCOUNT: &str = "222222222222";
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/backup";
pub(crate) const IRELAND: &str = "eu-west-1";
pub(crate) const OHIO: &str = "us-east-2";

/// `2026-11-22T12:00:00Z`, when everything is decided.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:08x}")).unwrap()
}

pub(crate) fn copy_id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-c{number:07x}")).unwrap()
}

pub(crate) fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

pub(crate) fn name(policy: &str) -> PolicyName {
    PolicyName::parse(policy).unwrap()
}

pub(crate) fn error(code: &str) -> CallError {
    CallError { code: code.to_owned(), message: "so it is".to_owned(), request_id: None }
}

/// A policy of `OWNER` for nightly snapshots, as the member of a document: to Ireland under `KEY`, and to Ohio.
pub(crate) fn nightly() -> Value {
    json!({"Policy": {"PolicyId": "nightly", "PolicyDetails": {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
            "EventType": "shareSnapshot", "SnapshotOwner": [OWNER], "DescriptionRegex": "nightly.*"}},
        "Actions": [{"Name": "copy", "CrossRegionCopy": [
            {"Target": IRELAND, "EncryptionConfiguration": {"Encrypted": true, "CmkArn": KEY}},
            {"Target": OHIO, "EncryptionConfiguration": {"Encrypted": false}},
        ]}],
    }}})
}

/// `nightly` with another name and other members at these paths below `PolicyDetails`.
pub(crate) fn like_nightly(policy: &str, changes: &[(&str, Value)]) -> Value {
    let mut document = nightly();
    document["Policy"]["PolicyId"] = json!(policy);
    for (pointer, value) in changes {
        *document["Policy"]["PolicyDetails"].pointer_mut(pointer).expect(pointer) = value.clone();
    }
    document
}

pub(crate) fn source(number: u32) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: id(number),
        owner: AccountId::parse(OWNER).unwrap(),
        volume: VolumeId::parse("vol-00000001").unwrap(),
        size_gib: 8,
        state: State::Completed,
        start_time: ago(HOUR),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: "nightly".into(),
    }
}

/// A verified copy, two hours old.
pub(crate) fn copy(number: u32, of: u32) -> Copy {
    Copy {
        id: copy_id(number),
        source: id(of),
        lineage: None,
        origin: Arc::new(Origin {
            owner: None,
            policy: name("nightly"),
            account: None,
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: ago(2 * HOUR),
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: State::Completed,
        status: Some(Status::Verified),
        lock: None,
        is_bound: true,
        is_tampered: false,
    }
}

/// The same of another policy.
pub(crate) fn of_policy(copy: Copy, policy: &str) -> Copy {
    Copy { origin: Arc::new(Origin { policy: name(policy), ..(*copy.origin).clone() }), ..copy }
}

/// What is owed of a snapshot in Ireland, wanted since half an hour.
pub(crate) fn owed(of: u32) -> Obligation {
    let identity = Identity { policy: name("nightly"), source: id(of), region: region(IRELAND) };
    let source = source(of);
    Obligation::new(identity, &source, source.volume.clone(), By::Sweep, ago(HOUR / 2))
}

pub(crate) fn asked(of: u32, seconds_ago: i64) -> Obligation {
    Obligation { state: ledger::State::Asked { at: ago(seconds_ago) }, ..owed(of) }
}

pub(crate) fn copying(of: u32, copy: u32, seconds_ago: i64) -> Obligation {
    Obligation { state: ledger::State::Copying { copy: copy_id(copy), at: ago(seconds_ago) }, ..owed(of) }
}

pub(crate) struct World {
    pub(crate) policies: Vec<Policy>,
    pub(crate) facts: Facts,
}

/// Two Regions without copies, a usable key, nothing remembered.
pub(crate) fn world(scope: Scope, documents: &[Value]) -> World {
    let policies = policy::parse(&Value::from(documents.to_vec()).to_string()).unwrap().policies;
    let empty = |name: &str| (region(name), Ok(Copies::default()));
    let facts = Facts {
        account: AccountId::parse(ACCOUNT).ok(),
        home: region("eu-central-1"),
        scope,
        named: Vec::new(),
        snapshots: Ok(Vec::new()),
        regions: BTreeMap::from([empty(IRELAND), empty(OHIO)]),
        retired_policies: Default::default(),
        keys: BTreeMap::from([(KeyArn::parse(KEY).unwrap(), KeyFact::Usable)]),
        obligations: BTreeMap::new(),
        noticed: Default::default(),
    };
    World { policies, facts }
}

/// A world in which an event names snapshot 1.
pub(crate) fn event() -> World {
    let mut world = world(Scope::Events, &[nightly()]);
    world.name(1);
    world
}

/// A world in which a sweep looks.
pub(crate) fn sweep() -> World {
    world(Scope::Sweep { since: None }, &[nightly()])
}

impl World {
    pub(crate) fn name(&mut self, number: u32) -> &mut Self {
        let (region, claimed_owner) = (Region::parse("eu-central-1").ok(), AccountId::parse(OWNER).ok());
        let id_of_event = format!("event-{number}");
        let event =
            ShareEvent { region, time: Some(ago(60)), claimed_owner, ..ShareEvent::naming(id_of_event, id(number)) };
        self.facts.named.push(event);
        self
    }

    pub(crate) fn shows(&mut self, snapshots: impl IntoIterator<Item = SourceSnapshot>) -> &mut Self {
        self.facts.snapshots.as_mut().unwrap().extend(snapshots);
        self
    }

    pub(crate) fn region(&mut self, name: &str) -> &mut Copies {
        self.facts.regions.get_mut(name).unwrap().as_mut().unwrap()
    }

    pub(crate) fn has(&mut self, region: &str, copies: impl IntoIterator<Item = Copy>) -> &mut Self {
        self.region(region).copies.extend(copies);
        self
    }

    pub(crate) fn owes(&mut self, obligation: Obligation) -> &mut Self {
        self.facts.obligations.insert(obligation.identity.clone(), obligation);
        self
    }

    pub(crate) fn key(&mut self, fact: KeyFact) -> &mut Self {
        self.facts.keys.insert(KeyArn::parse(KEY).unwrap(), fact);
        self
    }

    /// The decisions, a line each, and in a sweep what it counts if all copies are started.
    pub(crate) fn plan(&self) -> String {
        let mut plan = decide(&self.policies, &self.facts, now());
        plan.settle(&self.facts);
        let Plan { decisions, mut tally, .. } = plan;
        let mut lines: Vec<String> = decisions.iter().map(line).collect();
        for decision in &decisions {
            let started = Outcome::Started { copy: copy_id(0), at: now() };
            tally.add(decision, if matches!(decision.verdict, Verdict::Copy(_)) { &started } else { &Outcome::Stands });
        }
        if self.facts.scope != Scope::Events {
            let total = tally.total();
            let counts = [
                ("shared", tally.shared),
                ("before since", tally.before_since),
                ("matching", tally.matching),
                ("over retention", tally.over_retention),
                ("protected", total.protected),
                ("in flight", total.in_flight),
                ("started", tally.started),
                ("missing", total.missing),
                ("unknown", total.unknown),
            ];
            let counts: Vec<String> =
                counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
            lines.push(format!("= {}", counts.join(", ")));
            lines.extend(tally.oldest_missing.map(|oldest| format!("= oldest missing: {oldest}")));
        }
        lines.join("\n")
    }
}

fn line(decision: &Decision<'_>) -> String {
    let policy = decision.policy.map_or("*", |policy| policy.as_str());
    let snapshot = match decision.subject {
        Subject::Seen(seen) => seen.id.as_str(),
        Subject::Named(event) => event.snapshot.as_str(),
        Subject::All => "*",
    };
    let region = decision.region.map_or("*", |region| region.as_str());
    let subject = format!("{policy} {snapshot} -> {region}");
    match &decision.verdict {
        Verdict::Copy(_) => format!("copy {subject}"),
        Verdict::Skip(skip) => format!("skip {subject}: {}{}", skip.reason(), of_skip(skip)),
        Verdict::Defer(deferral) => {
            let code = deferral.error().map(|error| format!(" ({})", error.code)).unwrap_or_default();
            format!("defer {subject}: {}{code}", deferral.reason())
        }
        Verdict::Refuse(refusal) => format!("refuse {subject}: {}{}", refusal.reason(), of_refusal(refusal)),
    }
}

fn of_skip(skip: &Skip<'_>) -> String {
    match skip {
        Skip::AlreadyCopied(copy) => format!(" {copy}"),
        Skip::Duplicate(copies) => copies.iter().map(|copy| format!(" {}", copy.id)).collect(),
        _ => String::new(),
    }
}

fn of_refusal(refusal: &Refusal<'_>) -> String {
    match refusal {
        Refusal::AttemptsExhausted { failed, last, next } => format!(" {failed}, {last} last, again from {next} on"),
        Refusal::MalformedTags(copy) => {
            let keys: Vec<&str> = copy.problems.iter().map(|problem| problem.key).collect();
            format!(" {} {}", copy.id, keys.join(" "))
        }
        Refusal::Key(key, _) => format!(" {}", key.region()),
        Refusal::Source(..) => String::new(),
        Refusal::KeyOfCopies(endangered) => format!(" {} of {}", endangered.copies, endangered.key),
    }
}
