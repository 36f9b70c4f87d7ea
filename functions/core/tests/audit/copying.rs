//! Every decision and outcome of copying.

use std::collections::BTreeMap;
use std::sync::Arc;

use snapferry_core::audit::{CopyDeferred, CopyFailed, CopyWithdrawn, Record};
use snapferry_core::copying::{
    CopyRequest, Decision, Deferral, Facts, Obstacle, Outcome, Ran, Refusal, Scope, Skip, Subject, Verdict, decide,
    ledger_unread, missed, not_tried, record, summary, withdrawn,
};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{
    CallError, Copies, Copy, Database, Endangered, KeyFact, KeyLife, KeyProblem, Moment, Origin, SourceKind,
    SourceSnapshot, State, Storage,
};
use snapferry_core::ids::{KeyArn, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{By, Identity, Obligation};
use snapferry_core::policy::Policy;
use snapferry_core::tags::Status;

use crate::world::*;

pub(crate) fn records() -> Vec<Record> {
    let (policies, source) = (policies(), source("nightly"));
    let region = region();
    let about = |verdict| Decision {
        policy: Some(&policies[0].name),
        subject: Subject::Seen(&source),
        region: Some(&region),
        verdict,
        stands: None,
    };
    let stands = |verdict| record(&about(verdict), &Outcome::Stands, &home(), now());
    let target = &policies[0].targets[0];
    let home = home();
    let request = CopyRequest {
        policy: &policies[0].name,
        filter: &policies[0].description,
        source: &source,
        home: &home,
        target,
    };
    let (key, tampered, copies) = (key(), tampered(), [existing(2), existing(3)]);
    let (problems, last) = (key_problems(), snapshot(4));
    let gone = KeyFact::Unusable(KeyProblem::NotFound(CallError { code: "NotFoundException".to_owned(), ..error() }));
    fn endangered(fact: &KeyFact) -> Endangered<'_> {
        Endangered { key: KEY, fact, copies: 40 }
    }
    let mut records: Vec<Record> = skips(&copies, &home).into_iter().map(|skip| stands(Verdict::Skip(skip))).collect();
    records.extend(deferrals().into_iter().map(|deferral| stands(Verdict::Defer(deferral))));
    records.extend(problems.iter().map(|problem| stands(Verdict::Refuse(Refusal::Key(&key, problem)))));
    let others = every![Refusal<'_>;
        Refusal::Key(..) => Refusal::Key(&key, &problems[0]),
        Refusal::Source(..) => Refusal::Source(&last, Obstacle::Storage(Storage::Archive)),
        Refusal::AttemptsExhausted { .. } => Refusal::AttemptsExhausted { failed: 5, last: &last, next: now() },
        Refusal::MalformedTags(_) => Refusal::MalformedTags(&tampered),
        Refusal::KeyOfCopies(_) => Refusal::KeyOfCopies(endangered(&gone)),
    ];
    let obstacles = [Storage::Outpost, Storage::LocalZone].map(Obstacle::Storage);
    let obstacles = obstacles.into_iter().chain([Obstacle::UnencryptedCluster, Obstacle::NoKey, Obstacle::AcrossChina]);
    let elsewhere = obstacles.map(|obstacle| Refusal::Source(&last, obstacle));
    records.extend(others.into_iter().chain(elsewhere).map(|refusal| stands(Verdict::Refuse(refusal))));
    let facts = problems.iter().map(|problem| KeyFact::Unusable(problem.clone())).chain([KeyFact::Unread(error())]);
    let facts: Vec<KeyFact> = facts.collect();
    records.extend(facts.iter().map(|fact| stands(Verdict::Refuse(Refusal::KeyOfCopies(endangered(fact))))));
    let copied = outcomes().into_iter().map(|outcome| record(&about(Verdict::Copy(request)), &outcome, &home, now()));
    records.extend(copied);
    records.extend(of_databases(&policies[0], &home));
    let event = ShareEvent::naming("e", snapshot(1));
    let named = Decision {
        policy: None,
        subject: Subject::Named(&event),
        region: None,
        verdict: Verdict::Skip(Skip::NotVisible),
        stands: None,
    };
    records.push(record(&named, &Outcome::Stands, &home, now()));
    records.into_iter().chain(ends()).chain(sweeps(&policies)).collect()
}

/// Copies of databases' snapshots that could not be started, of each kind.
fn of_databases(policy: &Policy, home: &Region) -> [Record; 2] {
    let database = || {
        Box::new(Database {
            arn: "arn:aws:rds:us-east-1:111111111111:snapshot:night".to_owned(),
            snapshot: "night".to_owned(),
            database: "orders".to_owned(),
            engine: "postgres".to_owned(),
            option_group: None,
            has_tde: false,
        })
    };
    [SourceKind::Instance(database()), SourceKind::Cluster(database())].map(|kind| {
        let id = SnapshotId::of_any_kind(&format!("db-{:052x}", 7)).unwrap();
        let source = SourceSnapshot { kind, id, volume: VolumeId::of_database("db-ABCDEFGH"), ..source("") };
        let request = CopyRequest {
            policy: &policy.name,
            filter: &policy.description,
            source: &source,
            home,
            target: &policy.targets[0],
        };
        let decision = Decision {
            policy: Some(&policy.name),
            subject: Subject::Seen(&source),
            region: Some(&request.target.region),
            verdict: Verdict::Copy(request),
            stands: None,
        };
        let outcome = Outcome::Failed { reason: CopyFailed::NameTaken, remedy: "Find out what it is.", error: error() };
        record(&decision, &outcome, home, now())
    })
}

/// Of obligations that end without a copy, and of copies that nobody tried one by one.
fn ends() -> Vec<Record> {
    let source = source("nightly");
    let identity = Identity { policy: name(), source: source.id.clone(), region: region() };
    let obligation = Obligation::new(identity, &source, source.volume.clone(), By::Event, at("2026-11-22T10:00:00Z"));
    let reasons = [
        CopyWithdrawn::BeforeSweepSince,
        CopyWithdrawn::DescriptionMismatch,
        CopyWithdrawn::OwnerNotListed,
        CopyWithdrawn::PolicyDisabled,
        CopyWithdrawn::PolicyGone,
        CopyWithdrawn::TargetRemoved,
    ];
    let mut records = vec![missed(&obligation, &home(), now())];
    records.extend(reasons.map(|reason| withdrawn(&obligation, reason, &home(), now())));
    let closing = [CopyDeferred::InLine, CopyDeferred::RegionFull, CopyDeferred::AccountPassedOver];
    records.extend(closing.map(|reason| not_tried(&region(), reason, 300_000, now())));
    records.push(ledger_unread(&error(), 3, now()));
    records
}

fn existing(number: u32) -> Copy {
    Copy {
        id: snapshot(number),
        source: snapshot(1),
        lineage: None,
        origin: Arc::new(Origin {
            owner: None,
            policy: name(),
            account: None,
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: now(),
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

fn skips<'f>(copies: &'f [Copy], home: &'f Region) -> Vec<Skip<'f>> {
    every![Skip<'_>;
        Skip::OwnerNotListed => Skip::OwnerNotListed,
        Skip::DescriptionMismatch => Skip::DescriptionMismatch,
        Skip::LeftOut => Skip::LeftOut,
        Skip::AlreadyCopied(_) => Skip::AlreadyCopied(&copies[0].id),
        Skip::Duplicate(_) => Skip::Duplicate(copies.iter().collect()),
        Skip::JustProtected { .. } => Skip::JustProtected { at: now(), copy: Some(&copies[0].id) },
        Skip::OtherRegion { .. } => Skip::OtherRegion { of: home, home },
        Skip::NotVisible => Skip::NotVisible,
        Skip::NotCompleted => Skip::NotCompleted,
        Skip::OwnSnapshot => Skip::OwnSnapshot,
        Skip::PolicyDisabled => Skip::PolicyDisabled,
    ]
}

/// With each of the reasons that close a Region.
fn deferrals() -> Vec<Deferral> {
    let mut all = every![Deferral;
        Deferral::SourcesUnread(_) => Deferral::SourcesUnread(error()),
        Deferral::RegionUnread(_) => Deferral::RegionUnread(error()),
        Deferral::RegionNotEnabled(_) => Deferral::of_region(CallError { code: "OptInRequired".to_owned(), ..error() }),
        Deferral::LedgerUnread(_) => Deferral::LedgerUnread(error()),
        Deferral::NotVisibleYet => Deferral::NotVisibleYet,
        Deferral::InLine => Deferral::InLine,
        Deferral::KeyUnread(_) => Deferral::KeyUnread(error()),
        Deferral::RegionFull(_) => Deferral::RegionFull(error()),
        Deferral::QuotaExceeded(_) => Deferral::QuotaExceeded(error()),
        Deferral::DurationThroughput(_) => Deferral::DurationThroughput(error()),
        Deferral::Throttled(_) => Deferral::Throttled(error()),
        Deferral::AnswerLost(_) => Deferral::AnswerLost(error()),
        Deferral::AnswerJustLost(_) => Deferral::AnswerJustLost(now()),
        Deferral::AccountPassedOver(_) => Deferral::AccountPassedOver(CopyFailed::KeyRefused.into()),
        Deferral::RegionClosed(_) => Deferral::RegionClosed(CopyDeferred::RegionUnreachable),
        Deferral::OutOfTime => Deferral::OutOfTime,
    ];
    all.extend(
        [CopyDeferred::RegionFull, CopyDeferred::Throttled, CopyDeferred::OutOfTime].map(Deferral::RegionClosed),
    );
    all
}

pub(crate) fn key_problems() -> Vec<KeyProblem> {
    every![KeyProblem;
        KeyProblem::Disabled => KeyProblem::Disabled,
        KeyProblem::PendingDeletion => KeyProblem::PendingDeletion,
        KeyProblem::NotReady(_) => KeyProblem::NotReady("Updating".to_owned()),
        KeyProblem::NotFound(_) => KeyProblem::NotFound(error()),
        KeyProblem::AccessDenied(_) => KeyProblem::AccessDenied(error()),
        KeyProblem::AwsManaged => KeyProblem::AwsManaged,
        KeyProblem::NotSymmetric(_) => KeyProblem::NotSymmetric("RSA_4096".to_owned()),
        KeyProblem::OtherKey(_) => KeyProblem::OtherKey(KEY.to_owned()),
    ]
}

/// With each of the reasons that EC2 refuses a request for.
fn outcomes() -> Vec<Outcome> {
    let failed = |reason| Outcome::Failed { reason, remedy: "Do something.", error: error() };
    let mut all = every![Outcome;
        Outcome::Stands => Outcome::Stands,
        Outcome::Started { .. } => Outcome::Started { copy: snapshot(5), at: now() },
        Outcome::Deferred(_) => Outcome::Deferred(Deferral::RegionFull(error())),
        Outcome::Failed { .. } => failed(CopyFailed::NotAuthorized),
    ];
    let others = [
        CopyFailed::NotSigned,
        CopyFailed::RegionNotEnabled,
        CopyFailed::SourceNotFound,
        CopyFailed::CopyUnsupported,
        CopyFailed::NameTaken,
        CopyFailed::KeyRefused,
        CopyFailed::TagLimitExceeded,
        CopyFailed::TagPolicyViolation,
        CopyFailed::TagRefused,
        CopyFailed::CallRefused,
    ];
    all.extend(others.map(failed));
    all
}

/// Sweeps, each with what it finds as its ID: `nothing` at all; all `well`; `wrong` in several ways; `old`, where what is
/// missing has been so for more than two days; `failing` too often; an `unserved` policy of databases.
fn sweeps(policies: &[Policy]) -> Vec<Record> {
    let verified = |copy| Copy { source: snapshot(1), ..copy };
    let failed = |number| Copy { state: State::Error, status: Some(Status::Failed), ..existing(number) };
    let old = SourceSnapshot { start_time: at("2026-11-20T06:00:00Z"), ..source("nightly") };
    let with = |copies| Copies { copies, ..Copies::default() };
    let usable = || (key(), KeyFact::Usable);
    let disabled = (key(), KeyFact::Unusable(KeyProblem::Disabled));
    let origin = Origin { key: Some("lost".into()), ..(*existing(7).origin).clone() };
    let lost = Copy { source: snapshot(8), origin: Arc::new(origin), ..existing(7) };
    let mut wrong = Copies { copies: vec![lost], tampered: vec![tampered()], ..Copies::default() };
    wrong.note_keys([("lost".into(), KeyFact::Unusable(KeyProblem::PendingDeletion))].into());
    [
        ("nothing", Vec::new(), with(Vec::new()), usable()),
        ("well", vec![source("nightly")], with(vec![verified(existing(6))]), usable()),
        ("wrong", vec![source("nightly")], wrong, disabled),
        ("old", vec![old], with(Vec::new()), usable()),
        ("failing", vec![source("nightly")], with((10..15).map(failed).collect()), usable()),
    ]
    .into_iter()
    .flat_map(|(id, snapshots, copies, key)| swept(policies, id, &facts(snapshots, copies, key), &[]))
    .chain(swept(policies, "unserved", &facts(Vec::new(), with(Vec::new()), usable()), &[policies[0].name.clone()]))
    .collect()
}

fn facts(snapshots: Vec<SourceSnapshot>, copies: Copies, key: (KeyArn, KeyFact)) -> Facts {
    Facts {
        account: Some(account(OURS)),
        home: home(),
        scope: Scope::Sweep { since: None },
        named: Vec::new(),
        snapshots: Ok(snapshots),
        regions: [(region(), Ok(copies))].into(),
        retired_policies: Default::default(),
        keys: [key].into(),
        obligations: BTreeMap::new(),
        noticed: Default::default(),
    }
}

/// What a sweep says at its end when its Region is full.
fn swept(policies: &[Policy], id: &str, facts: &Facts, unserved: &[PolicyName]) -> Vec<Record> {
    let plan = decide(policies, facts, now());
    let mut tally = plan.tally;
    for decision in &plan.decisions {
        let outcome = match decision.verdict {
            Verdict::Copy(_) => Outcome::Deferred(Deferral::RegionFull(error())),
            Verdict::Skip(_) | Verdict::Defer(_) | Verdict::Refuse(_) => Outcome::Stands,
        };
        tally.add(decision, &outcome);
    }
    summary(
        &tally,
        Ran { id, duration_ms: 1200, calls: 7, policies, silent_after_hours: 48, unheard: &BTreeMap::new(), unserved },
        now(),
    )
}
