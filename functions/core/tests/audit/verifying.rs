//! Every verdict and outcome of verifying.

use snapferry_core::audit::Record;
use snapferry_core::facts::{CallError, DescribedCopy, KeyFact, KeyProblem, State};
use snapferry_core::ids::{SnapshotId, VolumeId};
use snapferry_core::policy::{Encryption, LockMode};
use snapferry_core::tags::{ReadTags, TagProblem};
use snapferry_core::verifying::{
    Cause, Decision, Difference, LockRequest, Locking, Naming, Outcome, Verdict, Warning, ledger_unread, named,
    out_of_time, record,
};

use crate::world::*;

pub(crate) fn records() -> Vec<Record> {
    let (copy, region, encryption, error) = (candidate(), region(), Encryption::DefaultKey, error());
    let ours = account(OURS);
    let mut records = Vec::new();
    let named_instead = snapshot(6);
    for verdict in verdicts(&encryption, &error, &named_instead) {
        let decision =
            Decision { region: &region, copy: Some(&copy), verdict, wanted: Some(at("2026-11-22T10:59:00Z")) };
        records.extend(outcomes().iter().map(|outcome| record(&decision, outcome, Some(&ours), now())));
    }
    let verdict = Verdict::Verify { warnings: Vec::new(), lock: Locking::None };
    let full = Outcome::NotSettled(CallError { code: "TagLimitExceeded".to_owned(), ..error.clone() });
    let decision = Decision { region: &region, copy: Some(&copy), verdict, wanted: None };
    records.push(record(&decision, &full, Some(&ours), now()));
    let unread = Decision { region: &region, copy: None, verdict: Verdict::Unread(&error), wanted: None };
    records.push(record(&unread, &Outcome::Stands, None, now()));
    records.push(out_of_time(3, now()));
    records.push(ledger_unread(&error, 3, now()));
    let lineage = VolumeId::parse("vol-0fedcba9876543210").unwrap();
    let naming = Naming { region: &region, copy: &copy, lineage };
    records.extend([Ok(()), Err(error.clone())].iter().map(|written| named(&naming, written, now())));
    records
}

pub(crate) fn candidate() -> DescribedCopy {
    DescribedCopy {
        id: snapshot(5),
        owner: Some(account(OURS)),
        state: State::Completed,
        state_message: "Given key ID is not accessible".to_owned(),
        encrypted: true,
        kms_key: Some(KEY.to_owned()),
        size_gib: 8,
        start_time: at("2026-11-22T11:00:00Z"),
        tags: ReadTags::read(&snapshot(5), tags().iter().map(|(key, value)| (*key, value.as_str()))),
        lock: None,
        description: Box::default(),
        database: None,
    }
}

const ARN: &str = "arn:aws:rds:us-east-1:111111111111:snapshot:nightly";

const GONE: KeyFact = KeyFact::Unusable(KeyProblem::PendingDeletion);

fn outcomes() -> Vec<Outcome> {
    every![Outcome;
        Outcome::Judged => Outcome::Judged,
        Outcome::Stands => Outcome::Stands,
        Outcome::NotSettled(_) => Outcome::NotSettled(error()),
        Outcome::Locked => Outcome::Locked,
        Outcome::NotLocked(_) => Outcome::NotLocked(error()),
        Outcome::LockNotNoted(_) => Outcome::LockNotNoted(error()),
    ]
}

fn lockings() -> Vec<Locking> {
    let request = LockRequest { mode: LockMode::Compliance, days: 7, cool_off_hours: Some(3) };
    every![Locking;
        Locking::None => Locking::None,
        Locking::Lock(_) => Locking::Lock(request),
        Locking::Held(_) => Locking::Held(LockMode::Governance),
        Locking::RuleGone => Locking::RuleGone,
    ]
}

fn differences() -> Vec<Difference> {
    let problem = TagProblem { key: "snapferry:source-size-gib", found: Some("\\u{0}".to_owned()) };
    every![Difference;
        Difference::Owner { .. } => Difference::Owner { found: Some(account(SOURCE)), expected: account(OURS) },
        Difference::NotEncrypted { .. } => Difference::NotEncrypted { expected: Some(key()) },
        Difference::Key { .. } => Difference::Key { found: None, expected: key() },
        Difference::Source { .. } => Difference::Source { found: None, expected: ARN.to_owned() },
        Difference::Engine { .. } => Difference::Engine { found: None, expected: "postgres".to_owned() },
        Difference::Size { .. } => Difference::Size { found: 9, expected: 8 },
        Difference::Tag(_) => Difference::Tag(problem),
    ]
}

fn causes() -> Vec<Cause> {
    every![Cause;
        Cause::SourceKeyInaccessible => Cause::SourceKeyInaccessible,
        Cause::GrantMissing => Cause::GrantMissing,
        Cause::KeyDisabled => Cause::KeyDisabled,
        Cause::DefaultKeyNotShareable => Cause::DefaultKeyNotShareable,
        Cause::SourceGone => Cause::SourceGone,
        Cause::SizeOrRegionUnsupported => Cause::SizeOrRegionUnsupported,
        Cause::InternalError => Cause::InternalError,
        Cause::Unknown => Cause::Unknown,
        Cause::Unsaid => Cause::Unsaid,
    ]
}

fn verdicts<'f>(encryption: &'f Encryption, error: &'f CallError, named: &'f SnapshotId) -> Vec<Verdict<'f>> {
    let warnings = every![Warning<'_>;
        Warning::PolicyGone => Warning::PolicyGone,
        Warning::TargetGone => Warning::TargetGone,
        Warning::KeyMovedOn(_) => Warning::KeyMovedOn(encryption),
        Warning::SourceNewer => Warning::SourceNewer,
        Warning::OtherResource { .. } => Warning::OtherResource { found: None, expected: "db-A" },
        Warning::TakenLater { .. } => Warning::TakenLater { found: "2026-11-22T10:00:00Z".parse().unwrap(), expected: "2026-11-22T09:00:00Z".parse().unwrap() },
        Warning::KeyInDoubt => Warning::KeyInDoubt,
    ];
    let mut all = every![Verdict<'_>;
        Verdict::Verify { .. } => Verdict::Verify { warnings: warnings.clone(), lock: Locking::None },
        Verdict::Reject { .. } => Verdict::Reject { differences: differences(), warnings: warnings.clone() },
        Verdict::Fail(_) => Verdict::Fail(Cause::Unknown),
        Verdict::Stall => Verdict::Stall,
        Verdict::Lock(_) => Verdict::Lock(Locking::None),
        Verdict::KeyDoomed(_) => Verdict::KeyDoomed(&GONE),
        Verdict::AnotherNamed(_) => Verdict::AnotherNamed(named),
        Verdict::Unread(_) => Verdict::Unread(error),
    ];
    all.extend(lockings().into_iter().map(|lock| Verdict::Verify { warnings: Vec::new(), lock }));
    all.extend(lockings().into_iter().map(Verdict::Lock));
    all.extend(causes().into_iter().map(Verdict::Fail));
    let alone = |difference| Verdict::Reject { differences: vec![difference], warnings: Vec::new() };
    all.extend(differences().into_iter().map(alone));
    all
}
