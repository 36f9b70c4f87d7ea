//! The metrics of a record, in CloudWatch's embedded metric format: members of the same JSON line, which CloudWatch Logs
//! turns into metrics. Nothing is called for them, and a line that reached the log cannot lack its metric.
//!
//! Every combination of dimension values costs money, so there are few: nothing (what alarms look at), (`PolicyId`,
//! `TargetRegion`), `TargetRegion`, `SnapshotOwner`. Dimensions cannot be summed up by an alarm, hence the first. What tells the
//! stacks of one account and Region apart is the namespace, of which each has its own: it costs nothing. The names differ
//! from the record's own members by more than case, because readers such as Athena ignore case.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::reason::{CopyDeferred, CopyKept, CopyLocked, CopyProved, CopyRefused, CopyRejected, Reason};
use super::record::Record;
use super::run::{Expiry, Proofs, Verification};
use super::sweep::{Coverage, Owner, Sweep};

/// The namespace of the metrics where a stack has none of its own.
pub const NAMESPACE: &str = "Snapferry";

/// What an owner of whom nothing was ever seen counts as, in hours: ten years.
pub const NEVER_SEEN_HOURS: f64 = 87_600.0;

/// A unit (CloudWatch API reference, `MetricDatum.Unit`); CloudWatch knows none for hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Hours.
    None,
}

/// One metric with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its value.
    pub value: serde_json::Number,
}

/// The metrics of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics<'n> {
    namespace: &'n str,
    timestamp_ms: i64,
    dimensions: Dimensions,
    metrics: Vec<Metric>,
}

/// What the metrics are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Dimensions {
    /// Nothing.
    All,
    /// Nothing, and besides by policy and target Region.
    AllAndCopies { policy: String, region: String },
    /// Target Region.
    Region(String),
    /// Owner.
    Owner(String),
}

impl<'n> Metrics<'n> {
    /// The metrics of a record; nothing when it has none.
    #[must_use]
    pub fn of(record: &Record, namespace: &'n str) -> Option<Self> {
        let (dimensions, metrics) = match record {
            Record { sweep: Some(sweep), .. } => (Dimensions::All, swept(sweep)),
            Record { coverage: Some(coverage), .. } => (Dimensions::Region(coverage.region.clone()), covered(coverage)),
            Record { owner: Some(owner), .. } => (Dimensions::Owner(owner.account.clone()), heard(owner)),
            Record { verification: Some(verification), .. } => (Dimensions::All, verified_all(verification)),
            Record { proofs: Some(proofs), .. } => (Dimensions::All, proved_all(proofs)),
            Record { expiry: Some(expiry), .. } => (Dimensions::All, expired_all(expiry)),
            _ => (copies(record), events(record)),
        };
        let timestamp_ms = record.time.as_millisecond();
        (!metrics.is_empty()).then_some(Self { namespace, timestamp_ms, dimensions, metrics })
    }

    /// The metrics themselves.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }
}

fn copies(record: &Record) -> Dimensions {
    match (&record.policy, record.copy.as_ref().and_then(|copy| copy.region.as_ref())) {
        (Some(policy), Some(region)) => Dimensions::AllAndCopies { policy: policy.clone(), region: region.clone() },
        _ => Dimensions::All,
    }
}

fn events(record: &Record) -> Vec<Metric> {
    let of_copies = |name| vec![count(name, record.count.unwrap_or(1))];
    let deferred = || count("CopiesDeferred", record.count.unwrap_or(1));
    match record.reason {
        Reason::CopyStarted(_) => of_copies("CopiesStarted"),
        // Alarms of their own ring for these, once a record: their counts are of copies.
        Reason::CopyDeferred(CopyDeferred::LedgerUnread) => vec![deferred(), count("LedgerUnread", 1)],
        Reason::CopyDeferred(CopyDeferred::QuotaExceeded) => vec![deferred(), count("QuotasExceeded", 1)],
        Reason::CopyDeferred(_) => vec![deferred()],
        Reason::CopyMissed(_) => of_copies("CopiesMissed"),
        Reason::CopyFailed(_) => of_copies("CopiesFailed"),
        Reason::CopyVerified(_) => verified(record),
        Reason::CopyProved(CopyProved::StructureDiffers) => vec![count("CopiesProved", 1), count("ProofsDiffering", 1)],
        Reason::CopyProved(_) => of_copies("CopiesProved"),
        Reason::CopyRejected(CopyRejected::ContentDiffers) => {
            vec![count("CopiesRejected", 1), count("ProofsDiffering", 1)]
        }
        Reason::CopyRejected(_) => of_copies("CopiesRejected"),
        Reason::CopyStalled(_) => of_copies("CopiesStalled"),
        Reason::CopyLocked(CopyLocked::Locked | CopyLocked::AlreadyLocked) => of_copies("CopiesLocked"),
        Reason::CopyLocked(CopyLocked::LockFailed | CopyLocked::LockRuleGone) => of_copies("LocksFailed"),
        Reason::CopyExpired(_) => of_copies("CopiesExpired"),
        Reason::CopyKept(
            CopyKept::Locked | CopyKept::InUse | CopyKept::NotAuthorized | CopyKept::Throttled | CopyKept::Refused,
        ) => vec![count("CopiesKept", 1), count("DeletionsRefused", 1)],
        Reason::CopyKept(_) => of_copies("CopiesKept"),
        // Its count is of deletions that were not made.
        Reason::CopyRefused(CopyRefused::MassExpiry | CopyRefused::ClockBehind) => {
            vec![count("MassExpiriesRefused", 1)]
        }
        // Every sweep tells anew how many such keys there are.
        Reason::CopyRefused(CopyRefused::CopiesKeyDoomed | CopyRefused::CopiesKeyInDoubt) => Vec::new(),
        Reason::CopyRefused(_) => of_copies("CopiesRefused"),
        Reason::EventInvalid(_) => of_copies("EventsInvalid"),
        Reason::CopySkipped(_) | Reason::CopyWithdrawn(_) | Reason::CopyNamed(_) | Reason::PolicyWarning(_) => {
            Vec::new()
        }
        Reason::SweepCompleted(_) | Reason::SweepRegion(_) | Reason::SweepOwner(_) => Vec::new(),
        Reason::VerifyCompleted(_)
        | Reason::ProveCompleted(_)
        | Reason::ExpiryCompleted(_)
        | Reason::ExpiryVolume(_) => Vec::new(),
    }
}

/// The time to protect counts from the moment that the copy was wanted. Nothing says when a snapshot was shared: where the ledger
/// does not either, it counts from the moment that its source was started.
fn verified(record: &Record) -> Vec<Metric> {
    let copy = record.copy.as_ref();
    let seconds =
        |name, value: Option<i64>| value.map(|value| Metric { name, unit: Unit::Seconds, value: value.into() });
    let times = [
        seconds("TimeToProtect", copy.and_then(|copy| copy.seconds_since_wanted.or(copy.seconds_since_source))),
        seconds("CopyDuration", copy.and_then(|copy| copy.seconds_since_start)),
    ];
    std::iter::once(count("CopiesVerified", 1)).chain(times.into_iter().flatten()).collect()
}

fn swept(sweep: &Sweep) -> Vec<Metric> {
    let refused = |reason| sweep.refused.get(&reason).copied().unwrap_or_default();
    let unserved = u64::try_from(sweep.unserved_policies.len()).unwrap_or(u64::MAX);
    let always = [
        count("SweepsCompleted", 1),
        count("Protected", sweep.protected),
        count("InFlight", sweep.in_flight),
        count("Unprotected", sweep.unprotected),
        hours("OldestUnprotectedHours", sweep.oldest_unprotected_seconds.unwrap_or_default()),
        count("KeysUnusable", u64::try_from(sweep.unusable_keys.len()).unwrap_or(u64::MAX)),
        count(
            "CopiesKeysEndangered",
            refused(CopyRefused::CopiesKeyDoomed).saturating_add(refused(CopyRefused::CopiesKeyInDoubt)),
        ),
        count("AttemptsExhausted", refused(CopyRefused::AttemptsExhausted)),
        count("TagsMalformed", refused(CopyRefused::MalformedTags)),
        count("SilentOwners", u64::try_from(sweep.silent_owners.len()).unwrap_or(u64::MAX)),
        milliseconds("SweepDuration", sweep.duration_ms),
    ];
    // Where nothing is wrong it is no metric, and costs nothing: its alarm takes that for well.
    let wrong = (unserved > 0).then(|| count("PoliciesUnserved", unserved));
    always.into_iter().chain(wrong).collect()
}

/// What a run counted was counted copy by copy; a run that left something unread or undone for lack of time is none.
fn verified_all(run: &Verification) -> Vec<Metric> {
    vec![
        count("VerifyRunsCompleted", run.is_complete().into()),
        count("VerdictsDeferred", run.deferred.values().sum()),
        count("CopiesKeysEndangered", u64::try_from(run.doomed_keys.len()).unwrap_or(u64::MAX)),
        milliseconds("VerifyDuration", run.duration_ms),
    ]
}

fn proved_all(run: &Proofs) -> Vec<Metric> {
    vec![
        count("ProveRunsCompleted", run.is_complete().into()),
        count("ProofsWaiting", run.waiting),
        milliseconds("ProveDuration", run.duration_ms),
    ]
}

fn expired_all(run: &Expiry) -> Vec<Metric> {
    let always = [
        count("ExpiryRunsCompleted", run.is_complete().into()),
        count("DeletionsWaiting", run.waiting()),
        count("CopiesKeysEndangered", u64::try_from(run.endangered_keys.len()).unwrap_or(u64::MAX)),
        milliseconds("ExpiryDuration", run.duration_ms),
    ];
    let dropped = run.dropped_volumes.map(|volumes| count("VolumesDroppedOut", volumes));
    always.into_iter().chain(dropped).collect()
}

fn covered(coverage: &Coverage) -> Vec<Metric> {
    vec![
        count("Protected", coverage.protected),
        count("InFlight", coverage.in_flight),
        count("Unprotected", coverage.unprotected),
        hours("OldestUnprotectedHours", coverage.oldest_unprotected_seconds.unwrap_or_default()),
    ]
}

fn heard(owner: &Owner) -> Vec<Metric> {
    let name = "HoursSinceLastShare";
    vec![owner.seconds_since_newest.map_or_else(|| never(name), |seconds| hours(name, seconds))]
}

fn count(name: &'static str, value: u64) -> Metric {
    Metric { name, unit: Unit::Count, value: value.into() }
}

fn milliseconds(name: &'static str, value: u64) -> Metric {
    Metric { name, unit: Unit::Milliseconds, value: value.into() }
}

/// Hours with two decimals. CloudFormation cannot multiply a parameter, so what an alarm compares is in its unit.
fn hours(name: &'static str, seconds: i64) -> Metric {
    let hundredths = seconds.saturating_mul(100) / 3600;
    // An age in hundredths of an hour is far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let value = hundredths as f64 / 100.0;
    Metric { name, unit: Unit::None, value: number(value) }
}

fn never(name: &'static str) -> Metric {
    Metric { name, unit: Unit::None, value: number(NEVER_SEEN_HOURS) }
}

fn number(value: f64) -> serde_json::Number {
    serde_json::Number::from_f64(value).unwrap_or_else(|| 0.into())
}

impl Dimensions {
    /// The sets of dimensions, and the members that they refer to.
    fn sets(&self) -> (&'static [&'static [&'static str]], Vec<(&'static str, &str)>) {
        match self {
            Self::All => (&[&[]], Vec::new()),
            Self::AllAndCopies { policy, region } => {
                (&[&[], &["PolicyId", "TargetRegion"]], vec![("PolicyId", policy), ("TargetRegion", region)])
            }
            Self::Region(region) => (&[&["TargetRegion"]], vec![("TargetRegion", region)]),
            Self::Owner(account) => (&[&["SnapshotOwner"]], vec![("SnapshotOwner", account)]),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'m> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'m>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'m> {
    namespace: &'m str,
    dimensions: &'static [&'static [&'static str]],
    metrics: Vec<Definition<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'m> {
    name: &'m str,
    unit: Unit,
}

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (dimensions, members) = self.dimensions.sets();
        let metrics = self.metrics.iter().map(|metric| Definition { name: metric.name, unit: metric.unit }).collect();
        let directive = Directive { namespace: self.namespace, dimensions, metrics };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_aws", &Metadata { timestamp: self.timestamp_ms, cloud_watch_metrics: [directive] })?;
        for (name, value) in members {
            map.serialize_entry(name, value)?;
        }
        for metric in &self.metrics {
            map.serialize_entry(metric.name, &metric.value)?;
        }
        map.end()
    }
}
