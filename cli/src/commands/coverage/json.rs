//! Coverage as one JSON object, written as it goes: its rows are never in memory as text.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use snapferry_core::coverage::{Bucket, Counts, Coverage, Proofs, Row, expiries, proofs, time_to_protect};

use snapferry_core::facts::Endangered;

use super::line::Line;
use super::scene::Scene;
use crate::account::owed::HintLine;

/// The name and version of the form.
const FORMAT: &str = "snapferry-coverage/1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CoverageReport<'r> {
    format: &'static str,
    verdict: &'static str,
    time: Timestamp,
    account: &'r str,
    /// The first one.
    home: &'r str,
    homes: Vec<&'r str>,
    since: Option<Timestamp>,
    /// Snapshots, not identities.
    shared: usize,
    matching: usize,
    not_completed: usize,
    before_since: usize,
    /// Copies.
    over_retention: usize,
    /// Copies.
    tampered_copies: usize,
    copies_of_other_policies: usize,
    /// By the policies' names.
    policies_not_named: BTreeMap<&'r str, usize>,
    /// By the homes' Regions.
    copies_of_other_homes: BTreeMap<&'r str, usize>,
    copies_of_unknown_volumes: usize,
    endangered_keys: Vec<Key<'r>>,
    /// Those that dropped out of their accounts' backups, the one that did so last first.
    dropped_volumes: Vec<DroppedVolume<'r>>,
    ledger: Ledger<'r>,
    /// Since when that is to be protected which waits the longest.
    oldest_unprotected: Option<Timestamp>,
    total: Numbers,
    targets: Vec<Target<'r>>,
    proofs: ProofCounts,
    time_to_protect: Vec<Count>,
    expiries: Vec<Count>,
    rows: JsonRows<'r>,
}

/// Counts with their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    failed: usize,
    missing: usize,
    in_flight: usize,
    protected: usize,
    history: usize,
    lost: usize,
    /// These two only where the ledger was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<usize>,
}

/// What was read of the ledger besides what stands in the rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ledger<'r> {
    read: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// By the names of policies that are not in the document.
    policies_not_named: BTreeMap<&'r str, usize>,
    /// Events whose snapshots EC2 does not show.
    hints: Vec<HintLine<'r>>,
}

#[derive(Serialize)]
struct Target<'r> {
    home: &'r str,
    policy: &'r str,
    region: &'r str,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
struct Count {
    label: &'static str,
    count: usize,
}

/// A key that is not alive.
#[derive(Serialize)]
struct Key<'r> {
    region: &'r str,
    key: &'r str,
    life: &'static str,
    /// Copies under it that did not fail.
    copies: usize,
}

/// Of how many volumes the content of a copy was proven.
#[derive(Serialize)]
struct ProofCounts {
    /// Volumes with a protecting copy.
    volumes: usize,
    proved: usize,
    /// The oldest of each volume's newest proof.
    oldest: Option<Timestamp>,
}

/// A volume of which no newer copy came for too long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DroppedVolume<'r> {
    account: &'r str,
    volume: &'r str,
    /// When the source of its newest good copy was started.
    newest: Timestamp,
    /// The interval in which its copies came.
    usual_seconds: i64,
}

struct JsonRows<'r> {
    rows: &'r [Row<'r>],
    now: Timestamp,
}

impl Serialize for JsonRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| Line::new(row, self.now)))
    }
}

impl ProofCounts {
    fn new(Proofs { lineages, proved, oldest }: Proofs) -> Self {
        Self { volumes: lineages, proved, oldest }
    }
}

impl Numbers {
    fn new(counts: Counts, coverage: &Coverage<'_>) -> Self {
        let Counts { failed, missing, in_flight, protected, history, lost, missed, unseen } = counts;
        let known = |count| coverage.ledgers.as_ref().map(|_| count);
        Self { failed, missing, in_flight, protected, history, lost, missed: known(missed), owed: known(unseen) }
    }
}

/// Writes everything.
pub(super) fn write(out: &mut dyn Write, scene: &Scene<'_>, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    let total = coverage.total();
    let targets = coverage.counts.iter().map(|((home, policy, region), counts)| Target {
        home: home.as_str(),
        policy: policy.as_str(),
        region: region.as_str(),
        numbers: Numbers::new(*counts, coverage),
    });
    let keys = coverage.endangered.iter().map(|(region, Endangered { key, fact, copies })| Key {
        region: region.as_str(),
        key,
        life: fact.life().as_str(),
        copies: *copies,
    });
    let dropped = coverage.dropouts.iter().map(|dropout| DroppedVolume {
        account: dropout.account.as_str(),
        volume: dropout.volume.as_str(),
        newest: dropout.newest,
        usual_seconds: dropout.usual.as_secs(),
    });
    let report = CoverageReport {
        format: FORMAT,
        verdict: if total.findings() > 0 { "findings" } else { "covered" },
        time: scene.now,
        account: scene.account.as_str(),
        home: scene.homes.first().map(|home| home.as_str()).unwrap_or_default(),
        homes: scene.homes.iter().map(|home| home.as_str()).collect(),
        since: scene.since,
        shared: coverage.shared,
        matching: coverage.matching,
        not_completed: coverage.not_completed,
        before_since: coverage.before_since,
        over_retention: coverage.over_retention,
        tampered_copies: coverage.tampered,
        copies_of_other_policies: coverage.not_named.values().sum(),
        policies_not_named: coverage.not_named.iter().map(|(policy, count)| (policy.as_str(), *count)).collect(),
        copies_of_other_homes: coverage.other_homes.iter().map(|(home, count)| (home.as_str(), *count)).collect(),
        copies_of_unknown_volumes: coverage.lineage_unknown,
        endangered_keys: keys.collect(),
        dropped_volumes: dropped.collect(),
        ledger: ledger(scene, coverage),
        oldest_unprotected: coverage.oldest_unprotected(),
        total: Numbers::new(total, coverage),
        targets: targets.collect(),
        proofs: ProofCounts::new(proofs(&coverage.rows)),
        time_to_protect: parts(time_to_protect(coverage)),
        expiries: parts(expiries(coverage, scene.now)),
        rows: JsonRows { rows: &coverage.rows, now: scene.now },
    };
    serde_json::to_writer(&mut *out, &report)?;
    Ok(writeln!(out)?)
}

fn ledger<'r>(scene: &Scene<'r>, coverage: &'r Coverage<'_>) -> Ledger<'r> {
    let hints = coverage.ledgers.iter().flatten().flat_map(|ledger| &ledger.hints);
    Ledger {
        read: coverage.ledgers.is_some(),
        note: (!scene.notes.is_empty()).then(|| scene.notes.join(" ")),
        policies_not_named: coverage.not_named_owed.iter().map(|(policy, count)| (policy.as_str(), *count)).collect(),
        hints: hints.map(|hint| HintLine::new(hint, scene.now)).collect(),
    }
}

fn parts(buckets: Vec<Bucket>) -> Vec<Count> {
    buckets.into_iter().map(|Bucket { label, count }| Count { label, count }).collect()
}
