//! A randomized run of core's decisions against a model of EC2 in memory: whatever happens to events, calls, Regions and
//! the process, every matching snapshot that stays shared has exactly one live copy for each policy and target Region.
//!
//! `SNAPFERRY_MODEL_SEED` (a number, or `random`) chooses the first seed, `SNAPFERRY_MODEL_RUNS` the number of runs. A
//! run depends on nothing but its seed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its model too"
)]

mod clock;
mod copier;
mod copies;
mod ec2;
mod execute;
mod laws;
mod policies;
mod queue;
mod run;
mod sources;
mod weather;

use std::env;
use std::io::Write as _;
use std::sync::Mutex;
use std::thread;

use clock::HOUR;
use copier::Mistake;
use run::{Report, Size, run};

const FULL: Size = Size { snapshots: 1000, storm: 30 * HOUR, repeated: 20 };
const SMALL: Size = Size { snapshots: 150, storm: 12 * HOUR, repeated: 80 };

/// The seed of the runs that every `make test` repeats, and how many they are.
const SEED: u64 = 1;
const RUNS: u64 = 3;

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
        "model seed {}: {} h, {} sweeps, {} invocations and {} killed, {} calls, {} copies and {} that failed, \
         longest wait {} sweeps, {} breaches",
        report.seed,
        report.hours,
        of("sweeps"),
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
    let (first, runs) = chosen();
    say(&format!("model: {runs} runs from SNAPFERRY_MODEL_SEED={first} on"));
    let seeds = Mutex::new(first..first + runs);
    let next = || seeds.lock().unwrap().next();
    let worker = || std::iter::from_fn(next).map(|seed| run(seed, FULL, None)).inspect(show).collect::<Vec<Report>>();
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
    for what in EVERYTHING {
        assert!(reports.iter().any(|report| report.counts.contains_key(what)), "{what} never happened");
    }
}

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
    "key-refused",
    "key-disabled",
    "key-unread",
    "source-refused",
    "copy-that-fails",
    "copy-under-a-wrong-key",
    "read-failed",
    "invocations-killed",
    "event-twice-in-a-batch",
    "event-of-another-kind",
    "event-that-is-garbage",
    "already-copied",
    "answer-lost",
    "attempts-exhausted",
    "description-mismatch",
    "malformed-tags",
    "matched",
    "not-completed",
    "not-visible",
    "own-snapshot",
    "owner-not-listed",
    "policy-disabled",
    "region-unread",
    "sources-unread",
];

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, SMALL, None), run(7, SMALL, None));
}

/// The laws that a copier breaks which makes this mistake: by the first seed that shows one.
fn broken_by(mistake: Mistake) -> Vec<String> {
    let broken = (1..=100).map(|seed| run(seed, SMALL, Some(mistake)).broken).find(|broken| !broken.is_empty());
    let law = |breach: &String| breach.split(':').next().unwrap_or_default().to_owned();
    let mut laws: Vec<String> = broken.iter().flatten().map(law).collect();
    laws.sort();
    laws.dedup();
    laws
}

#[test]
fn forgetting_what_was_just_asked_for_is_caught() {
    assert_eq!(broken_by(Mistake::ForgetsAll), ["duplicate"]);
}

#[test]
fn forgetting_a_lost_answer_is_caught() {
    assert_eq!(broken_by(Mistake::ForgetsLostAnswers), ["duplicate"]);
}

#[test]
fn forgetting_what_was_seen_once_is_caught() {
    assert_eq!(broken_by(Mistake::ForgetsSeen), ["duplicate"]);
}

#[test]
fn a_hold_that_ends_while_reading_is_caught() {
    assert_eq!(broken_by(Mistake::HoldsFromDecision), ["duplicate"]);
}

#[test]
fn a_blind_retry_is_caught() {
    let broken = broken_by(Mistake::RetriesBlindly);
    assert!(broken.contains(&"duplicate".to_owned()), "{broken:?}");
}

#[test]
fn asking_a_region_that_said_stop_is_caught() {
    assert_eq!(broken_by(Mistake::NeverCloses), ["pestered"]);
}

#[test]
fn saying_at_every_sweep_what_is_said_once_a_day_is_caught() {
    assert_eq!(broken_by(Mistake::RepeatsNotices), ["repeated"]);
}

#[test]
fn events_without_sweeps_are_caught() {
    assert_eq!(broken_by(Mistake::NeverSweeps), ["lost"]);
}

#[test]
fn copies_that_nobody_wants_are_caught() {
    assert_eq!(broken_by(Mistake::CopiesUnasked), ["wrong"]);
}

#[test]
fn standing_in_line_without_turns_is_caught() {
    assert_eq!(broken_by(Mistake::TakesNoTurns), ["starved"]);
}
