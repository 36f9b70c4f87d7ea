//! The rows as the page's script reads them: lists instead of objects, and what many rows share once.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use snapferry_core::coverage::{Coverage, Row};
use snapferry_core::recovery::Passed;
use snapferry_core::text::printable;

use super::line;
use super::scene::Scene;

/// The longest description in the page, in characters: what EC2 keeps.
const DESCRIPTION: usize = 255;

#[derive(Serialize)]
struct Data<'f> {
    now: i64,
    policies: &'f [&'f str],
    regions: &'f [&'f str],
    homes: &'f [&'f str],
    accounts: &'f [&'f str],
    volumes: &'f [&'f str],
    keys: &'f [&'f str],
    sources: Sources<'f>,
    rows: PageRows<'f>,
}

/// Texts that are written once, and their numbers.
#[derive(Default)]
struct Words<'f> {
    words: Vec<&'f str>,
    numbers: HashMap<&'f str, usize>,
}

impl<'f> Words<'f> {
    fn learn(&mut self, word: &'f str) {
        if !self.numbers.contains_key(word) {
            self.numbers.insert(word, self.words.len());
            self.words.push(word);
        }
    }

    fn number(&self, word: Option<&str>) -> Option<usize> {
        self.numbers.get(word?).copied()
    }
}

#[derive(Default)]
struct Lexicon<'f> {
    policies: Words<'f>,
    regions: Words<'f>,
    homes: Words<'f>,
    accounts: Words<'f>,
    volumes: Words<'f>,
    keys: Words<'f>,
    snapshots: Words<'f>,
}

struct Sources<'f> {
    lexicon: &'f Lexicon<'f>,
    /// A row of each snapshot, in the lexicon's order.
    rows: &'f [&'f Row<'f>],
}

struct PageRows<'f> {
    lexicon: &'f Lexicon<'f>,
    rows: &'f [Row<'f>],
}

/// Writes everything.
pub(super) fn serialize<S: Serializer>(to: S, scene: &Scene<'_>, coverage: &Coverage<'_>) -> Result<S::Ok, S::Error> {
    let mut lexicon = Lexicon::default();
    let mut sources: Vec<&Row<'_>> = Vec::new();
    for (home, policy, region) in coverage.counts.keys() {
        lexicon.homes.learn(home.as_str());
        lexicon.policies.learn(policy.as_str());
        lexicon.regions.learn(region.as_str());
    }
    for row in &coverage.rows {
        let known = lexicon.snapshots.words.len();
        lexicon.snapshots.learn(row.snapshot());
        if lexicon.snapshots.words.len() > known {
            sources.push(row);
        }
        lexicon.accounts.learn(row.account().unwrap_or_default());
        lexicon.volumes.learn(row.lineage().unwrap_or_default());
        lexicon.keys.learn(row.copy.and_then(|copy| copy.origin.key.as_deref()).unwrap_or_default());
        lexicon.policies.learn(row.policy.as_str());
        lexicon.regions.learn(row.region.as_str());
        lexicon.homes.learn(row.home.as_str());
    }
    let data = Data {
        now: scene.now.as_second(),
        policies: &lexicon.policies.words,
        regions: &lexicon.regions.words,
        homes: &lexicon.homes.words,
        accounts: &lexicon.accounts.words,
        volumes: &lexicon.volumes.words,
        keys: &lexicon.keys.words,
        sources: Sources { lexicon: &lexicon, rows: &sources },
        rows: PageRows { lexicon: &lexicon, rows: &coverage.rows },
    };
    data.serialize(to)
}

impl Serialize for Sources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| {
            (
                row.snapshot(),
                self.lexicon.accounts.number(Some(row.account().unwrap_or_default())),
                self.lexicon.volumes.number(Some(row.lineage().unwrap_or_default())),
                seconds(row.started()),
                row.source.map(|source| source.size_gib),
                row.source.map(|source| printable(&source.description, DESCRIPTION)),
            )
        }))
    }
}

impl Serialize for PageRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| {
            let copy = row.copy;
            let held = row.lock;
            (
                (
                    self.lexicon.snapshots.number(Some(row.snapshot())),
                    self.lexicon.policies.number(Some(row.policy.as_str())),
                    self.lexicon.regions.number(Some(row.region.as_str())),
                    row.state(),
                    u8::from(row.is_shared()),
                    self.lexicon.homes.number(Some(row.home.as_str())),
                ),
                copy.map(|copy| {
                    (
                        copy.id.as_str(),
                        copy.start_time.as_second(),
                        seconds(copy.settled_at.get()),
                        seconds(copy.expire_after.get()),
                        copy.lock.map(snapferry_core::tags::Lock::as_str),
                        held.map(|held| held.mode.as_str()),
                        seconds(held.and_then(|held| held.until)),
                        self.lexicon.keys.number(copy.origin.key.as_deref()),
                        row.copies,
                        u8::from(copy.is_tampered),
                        u8::from(row.is_lost_with_its_key()),
                        u8::from(Passed::of(copy).is_none()),
                        row.proof.map(|proof| (&*proof.level, proof.at.as_second())),
                    )
                }),
                row.entry.map(|entry| {
                    let owed = line::owed(row);
                    let owed =
                        owed.map(|owed| (owed.wait.as_str(), seconds(owed.wait.until()), owed.refused, owed.failed));
                    (entry.wanted().as_second(), owed)
                }),
            )
        }))
    }
}

fn seconds(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_second)
}
