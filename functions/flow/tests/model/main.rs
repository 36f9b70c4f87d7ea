//! A randomized run of the copier's steps against a model of EC2, or of RDS, and of the ledger's table in memory, in virtual time: whatever
//! happens to events, calls, writes, Regions, clocks and processes, every matching snapshot that stays shared has exactly one
//! live copy for each policy and target Region, and each obligation ends once in the audit.
//!
//! A process that dies is a future that is dropped, at any of its calls, before or after the call took effect; a second writer is
//! a second future. `SNAPFERRY_MODEL_SEED` (a number, or `random`) chooses the first seed, `SNAPFERRY_MODEL_RUNS` the number of
//! runs. A run depends on nothing but its seed. `SNAPFERRY_MODEL_STORY=from-until` tells what processes did between two times,
//! in milliseconds since the beginning; a breach tells when it was.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its model too"
)]

mod clock;
mod cloud;
mod copies;
mod databases;
mod ec2;
mod ends;
mod function;
mod laws;
mod mistakes;
mod poison;
mod policies;
mod process;
mod queue;
mod run;
mod silence;
mod sources;
mod table;
mod time;
mod verifier;
mod waits;
mod weather;

use std::env;
use std::io::Write as _;
use std::sync::Mutex;
use std::thread;

use clock::HOUR;
use mistakes::Mistake;
use process::kinds;
use run::{Report, Size, run};
use snapferry_core::policy::SourceType;

const FULL: Size = Size { kind: SourceType::EbsSnapshot, snapshots: 700, storm: 30 * HOUR, repeated: 20 };
const SMALL: Size = Size { kind: SourceType::EbsSnapshot, snapshots: 150, storm: 12 * HOUR, repeated: 80 };
const DATABASES: Size = Size { kind: SourceType::DbSnapshot, snapshots: 150, storm: 24 * HOUR, repeated: 0 };
const CLUSTERS: Size = Size { kind: SourceType::DbClusterSnapshot, snapshots: 70, storm: 24 * HOUR, repeated: 0 };

/// The seed of the runs that every `make test` repeats, and how many they are of each kind.
const SEED: u64 = 110;
const RUNS: u64 = 5;

/// Past the test harness, which keeps back what a test that succeeds prints.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn chosen() -> (u64, u64) {
    let seed = match env::var("SNAPFERRY_MODEL_SEED").as_deref() {
        Ok("random") => fastrand::u64(..) >> 16,
        Ok(seed) => seed.parse().expect("SNAPFERRY_MODEL_SEED: a number, or random"),
        Err(_) => SEED,
    };
    let runs =
        env::var("SNAPFERRY_MODEL_RUNS").map_or(RUNS, |runs| runs.parse().expect("SNAPFERRY_MODEL_RUNS: a number"));
    (seed, runs)
}

fn show(report: &Report) {
    let of = |what| report.counts.get(what).copied().unwrap_or_default();
    say(&format!(
        "model of {} seed {}: {} h, {} sweeps, {} invocations and {} killed, {} calls, {} copies and {} that failed, \
         longest wait {} tries, {} breaches",
        report.kind.as_str(),
        report.seed,
        report.hours,
        of("swept"),
        of("invocations"),
        of("invocations-killed"),
        of("calls"),
        of("copy-that-completes"),
        of("copy-that-fails"),
        report.longest_wait,
        report.broken.len()
    ));
}

#[test]
fn never_lost_never_twice_never_wrong() {
    play(&[FULL], OF_VOLUMES);
}

#[test]
fn never_lost_never_twice_never_wrong_of_databases() {
    play(&[DATABASES, CLUSTERS], OF_DATABASES);
}

/// Plays the chosen runs of each size, in which all that is named has to happen.
fn play(sizes: &[Size], events: &[&str]) {
    let (first, runs) = chosen();
    for size in sizes {
        say(&format!("model of {}: {runs} runs from SNAPFERRY_MODEL_SEED={first} on", size.kind.as_str()));
    }
    let seeds = Mutex::new((first..first + runs).flat_map(|seed| sizes.iter().map(move |size| (seed, *size))));
    let next = || seeds.lock().unwrap().next();
    let worker =
        || std::iter::from_fn(next).map(|(seed, size)| run(seed, size, None)).inspect(show).collect::<Vec<Report>>();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut reports: Vec<Report> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    reports.sort_by_key(|report| report.seed);
    for report in &reports {
        let shown: Vec<&str> = report.broken.iter().take(20).map(String::as_str).collect();
        let seed = report.seed;
        assert!(
            shown.is_empty(),
            "seed {seed} (SNAPFERRY_MODEL_SEED={seed} SNAPFERRY_MODEL_RUNS=1):\n{}",
            shown.join("\n")
        );
    }
    let happened = |what: &&&str| reports.iter().any(|report| report.counts.contains_key(**what));
    let deaths = kinds(sizes[0].kind);
    let never: Vec<&&str> = EVERYTHING
        .iter()
        .chain(events)
        .chain(deaths.iter().filter(|kind| **kind != SELDOM))
        .filter(|what| !happened(what))
        .collect();
    assert!(never.is_empty(), "never happened: {never:?}");
}

/// Whom so few of the runs look for by ID that no process need die there; a soak has some.
const SELDOM: &str = "died-at-copies-by-id";

/// What the runs together must have met: a fault that never happens proves nothing.
const EVERYTHING: &[&str] = &[
    "call-throttled",
    "call-5xx-before",
    "call-5xx-after",
    "call-dropped-before",
    "call-dropped-after",
    "call-hung-before",
    "call-hung-after",
    "call-to-a-region-down",
    "region-full",
    "region-unreachable",
    "key-disabled",
    "key-unread",
    "owner-unread",
    "sweeps-with-long-waits",
    "copy-that-fails",
    "copy-deleted-by-hand",
    "copy-under-a-wrong-key",
    "read-failed",
    "round-in-one",
    "round-in-shards",
    "invocations-killed",
    "ended-missed",
    "ended-protected",
    "ended-withdrawn",
    "poisoned",
    "stalled",
    "table-emptied",
    "table-unread",
    "two-at-a-time",
    "verdict-not-in-the-ledger",
    "verdict-stale",
    "write-lost-after",
    "write-lost-before",
    "write-lost-late",
    "write-stale",
    "answer-lost",
    "attempts-exhausted",
    "malformed-tags",
    "matched",
    "owner-not-listed",
    "policy-disabled",
    "region-unread",
    "sources-unread",
];

/// What comes by events, in so many calls, or of EC2's pages alone.
const OF_VOLUMES: &[&str] = &[
    "event-twice-in-a-batch",
    "event-of-another-kind",
    "event-that-is-garbage",
    "already-copied",
    "description-mismatch",
    "key-refused",
    "not-completed",
    "not-visible",
    "own-snapshot",
    "round-by-walk",
];

/// What RDS's names and quotas lead to.
const OF_DATABASES: &[&str] = &[
    "copied-under-a-used-name",
    "name-of-a-dead-copy",
    "name-of-a-live-copy",
    "name-taken",
    "quota-exceeded",
    "quota-used-up",
    "two-of-a-cluster",
];

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, SMALL, None), run(7, SMALL, None));
}

/// The law that this mistake breaks first, by the first seed that shows it.
fn broken_by(mistake: Mistake) -> String {
    let size = Size { kind: mistake.kind(), ..SMALL };
    let broken = (1..=120).find_map(|seed| run(seed, size, Some(mistake)).broken.into_iter().next());
    broken.unwrap_or_default().split(':').next().unwrap_or_default().to_owned()
}

macro_rules! caught {
    ($($test:ident: $mistake:ident breaks $($law:literal)|+;)*) => {
        $(#[test]
        fn $test() {
            let broken = broken_by(Mistake::$mistake);
            assert!(matches!(broken.as_str(), $($law)|+), "{broken}");
        })*
    };
}

caught! {
    an_intent_that_is_not_written_is_caught: LosesIntents breaks "unasked";
    a_stale_write_that_passes_for_done_is_caught: TakesStaleForDone breaks "unasked";
    an_intent_under_a_stopped_clock_is_caught: StoppedClock breaks "unasked";
    copies_that_are_never_shown_are_caught: HidesCopies breaks "duplicate";
    a_blind_retry_is_caught: RetriesBlindly breaks "duplicate";
    failures_that_are_never_shown_are_caught: HidesFailures breaks "attempts";
    a_ledger_that_a_sweep_does_not_find_is_caught: ReadsNoObligations breaks "open" | "silent";
    a_source_that_is_found_although_it_is_gone_is_caught: FindsWhatIsGone breaks "open";
    an_end_that_is_not_written_is_caught: LosesEnds breaks "starved" | "told-again";
    an_end_that_is_not_told_is_caught: TellsNoEnds breaks "untold";
    a_lost_place_in_line_is_caught: NeverRepairs breaks "delayed" | "starved";
    an_account_whose_turn_is_not_found_is_caught: PassesOver breaks "starved";
    asking_a_region_that_said_stop_is_caught: MisreadsFull breaks "pestered" | "starved";
    saying_at_every_sweep_what_is_said_once_a_day_is_caught: RepeatsNotices breaks "repeated";
    copies_that_nobody_wants_are_caught: CopiesUnasked breaks "wrong";
    events_without_sweeps_are_caught: NeverSweeps breaks "lost";
    an_attempt_that_is_not_counted_is_caught: CountsNoDead breaks "dead-name";
    a_name_that_passes_for_a_copy_is_caught: TakesNamesForCopies breaks "wrong";
    a_database_whose_turn_nobody_waits_for_is_caught: LeavesTurnsOut breaks "abreast";
    a_newer_snapshot_of_an_instance_that_goes_first_is_caught: TakesTheNewestOfAnInstance breaks "order";
    an_older_snapshot_of_a_cluster_that_goes_first_is_caught: TakesTheOldestOfACluster breaks "order";
    a_cluster_that_waits_for_its_turn_is_caught: TakesClustersForInstances breaks "starved";
}
