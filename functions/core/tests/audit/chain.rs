//! An honest log verifies; whatever is done to a line that another one vouches for is noticed.

use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use snapferry_core::audit::{
    Added, Chain, CopyFailed, CopyStarted, Environment, Finding, Hash, Life, Lives, Position, Record, SweepCompleted,
};

fn began() -> Timestamp {
    "2026-11-22T03:00:00.7Z".parse().unwrap()
}

fn environment(number: u64) -> Environment {
    Environment::new(began(), number)
}

/// The first lines that an environment writes.
fn written(number: u64, count: usize) -> Vec<String> {
    static LINES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| (0..8).map(|number| write(number, 12)).collect());
    LINES[number as usize][..count].to_vec()
}

fn write(number: u64, count: usize) -> Vec<String> {
    let mut chain = Chain::new(environment(number));
    let line = |second| {
        let time = began() + jiff::SignedDuration::from_secs(second);
        let mut record = match second % 3 {
            0 => Record::new(CopyStarted::Matched, time).message(format!("copy {second} of \"{number}\"\n")),
            1 => Record::new(SweepCompleted::Swept, time),
            _ => Record::new(CopyFailed::CallRefused, time),
        };
        record.policy = Some("nightly".to_owned());
        record.version = "1.2.3";
        chain.line(&record)
    };
    (0_i64..).take(count).map(line).collect()
}

/// What is said of files of lines, and how many audit lines without a link it met.
fn judged(files: &[Vec<String>], since: Option<&str>) -> (Vec<Life>, usize) {
    let (mut lives, mut unlinked) = (Lives::default(), 0);
    for (file, lines) in files.iter().enumerate() {
        for (line, text) in (1..).zip(lines) {
            unlinked += usize::from(lives.add(text, Position { file, line }) == Added::Unlinked);
        }
    }
    (lives.judge(since.map(|since| since.parse().unwrap())), unlinked)
}

fn findings(lines: &[String]) -> Vec<Finding> {
    judged(&[lines.to_vec()], None).0.into_iter().flat_map(|life| life.findings).collect()
}

fn is_noticed(lines: &[String]) -> bool {
    let (lives, unlinked) = judged(&[lines.to_vec()], None);
    unlinked > 0 || lives.iter().any(|life| !life.findings.is_empty())
}

#[test]
fn a_line_can_be_checked_by_hand() {
    let lines = written(7, 2);
    insta::assert_snapshot!(lines[0], @r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-11-22T03:00:00.7Z","event":"copy.started","reason":"matched","message":"copy 0 of \"7\"\n","policy":"nightly","chain":{"environment":"20261122T030000Z-0000000000000007","line":1,"previous":"0000000000000000000000000000000000000000000000000000000000000000"},"_aws":{"Timestamp":1795316400700,"CloudWatchMetrics":[{"Namespace":"Snapferry","Dimensions":[[]],"Metrics":[{"Name":"CopiesStarted","Unit":"Count"}]}]},"CopiesStarted":1}"#);
    // What sha256sum says of that line.
    let hash = "8336c03da1acfaad3d484137614234c30e5a1f40a2d909d231b0302d35b15add";
    assert!(lines[1].contains(&format!("\"line\":2,\"previous\":\"{hash}\"")), "{}", lines[1]);
    assert_eq!(Hash::of(lines[0].as_bytes()).to_string(), hash);
    // printf abc | sha256sum
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Hash::of(b"abc").to_string(), abc);
    assert_eq!(abc.parse::<Hash>(), Ok(Hash::of(b"abc")));
    for wrong in ["", "b", &abc[1..], &abc.to_uppercase(), &format!("{abc}00"), &abc.replace('b', "é")] {
        assert!(wrong.parse::<Hash>().is_err(), "{wrong}");
    }
}

#[test]
fn an_environment_says_when_it_began() {
    let id = environment(0x9f86_d081_884c_7d65);
    assert_eq!(id.to_string(), "20261122T030000Z-9f86d081884c7d65");
    assert_eq!(id.began(), Some("2026-11-22T03:00:00Z".parse().unwrap()));
}

#[test]
fn an_honest_log_is_one_run() {
    let (lives, unlinked) = judged(&[written(1, 5)], None);
    let [life] = lives.as_slice() else { panic!("one life expected") };
    assert_eq!((unlinked, &life.findings, life.before), (0, &Vec::new(), 0));
    let [run] = life.runs.as_slice() else { panic!("one run expected") };
    assert_eq!((run.first.number, run.last.number, run.last.position.line), (1, 5, 5));
    assert_eq!(life.proven(), [(1, 4)]);
}

#[test]
fn what_is_proven_is_what_another_line_vouches_for() {
    let mut lines = written(1, 12);
    for altered in [2, 3, 8] {
        lines[altered - 1] = lines[altered - 1].replace("nightly", "nightlx");
    }
    lines.remove(5);
    // 5 is the last before the gap, 12 the last of all.
    assert_eq!(judged(&[lines], None).0[0].proven(), [(1, 1), (4, 4), (7, 7), (9, 11)]);
    assert_eq!(judged(&[written(1, 1)], None).0[0].proven(), []);
}

#[test]
fn what_is_found_names_the_lines() {
    let lines = written(1, 9);
    let without = |gone: std::ops::Range<usize>| [&lines[..gone.start], &lines[gone.end..]].concat();
    for (from, to) in [(1, 1), (1, 4), (2, 2), (3, 8)] {
        let found = findings(&without(from - 1..to));
        let [Finding::Missing { from: first, to: last, after, before }] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((*first, *last), (from as u64, to as u64));
        assert_eq!(after.as_ref().map_or(0, |line| line.number), from as u64 - 1);
        assert_eq!(before.number, to as u64 + 1);
    }
    for number in 1..9 {
        let mut altered = lines.clone();
        altered[number - 1] = altered[number - 1].replace("nightly", "nightlx");
        let found = findings(&altered);
        assert!(matches!(found.as_slice(), [Finding::Altered(line)] if line.number == number as u64), "{found:?}");
        // Both versions: the one that the next line vouches for stays, and only the contradiction is left.
        let both = [&altered[..number], &lines[number - 1..]].concat();
        let found = findings(&both);
        assert!(matches!(found.as_slice(), [Finding::Contradicted(..)]), "{found:?}");
        let twice = [&lines[..number], &lines[number - 1..]].concat();
        let found = findings(&twice);
        assert!(matches!(found.as_slice(), [Finding::Repeated(..)]), "{found:?}");
    }
    let mut swapped = lines;
    swapped.swap(3, 4);
    let found = findings(&swapped);
    assert!(matches!(found.as_slice(), [Finding::Disordered(line)] if line.number == 4), "{found:?}");
}

/// The rows of a query come in the order that the query or a table's user chose, newest first by default: that is no finding, and
/// hides none.
#[test]
fn rows_of_a_query_may_come_in_any_order() {
    let lines = written(1, 9);
    let of_query = |rows: &[String]| {
        let mut lives = Lives::default();
        for (line, text) in (1..).zip(rows) {
            lives.add(text, Position { file: 0, line });
        }
        lives.is_of_a_query(0);
        lives.judge(None).remove(0).findings
    };
    let backwards: Vec<String> = lines.iter().rev().cloned().collect();
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    for rows in [&lines, &backwards, &swapped] {
        assert_eq!(of_query(rows), []);
    }
    let mut altered = backwards.clone();
    altered[3] = altered[3].replace("nightly", "nightlx");
    assert!(matches!(of_query(&altered).as_slice(), [Finding::Altered(line)] if line.number == 6));
    let missing = [&backwards[..3], &backwards[4..]].concat();
    assert!(matches!(of_query(&missing).as_slice(), [Finding::Missing { from: 6, to: 6, .. }]));
    let twice = [&backwards[..], &backwards[3..4]].concat();
    assert!(matches!(of_query(&twice).as_slice(), [Finding::Repeated(..)]));
}

/// As documented: this is what the chain cannot show.
#[test]
fn the_end_is_vouched_for_by_nothing() {
    let lines = written(1, 4);
    assert_eq!(findings(&lines[..3]), []);
    let mut altered = lines.clone();
    altered[3] = altered[3].replace("nightly", "nightlx");
    assert_eq!(findings(&altered), []);
    let forged = written(1, 12);
    assert_eq!(findings(&forged), []);
}

#[test]
fn the_beginning_may_be_cut_off_only_before_the_given_time() {
    let cut = || [written(1, 6)[2..].to_vec()];
    for (since, before, findings) in
        [(None, 0, 1), (Some("2026-11-22T02:59:59Z"), 0, 1), (Some("2026-11-22T03:00:01Z"), 2, 0)]
    {
        let (lives, _) = judged(&cut(), since);
        assert_eq!((lives[0].before, lives[0].findings.len()), (before, findings), "{since:?}");
    }
}

#[test]
fn exports_may_overlap_and_come_in_any_order() {
    let lines = written(1, 9);
    let (lives, _) = judged(&[lines[4..].to_vec(), lines[..6].to_vec()], None);
    assert_eq!((lives[0].findings.len(), lives[0].runs.len()), (0, 1));
    let mut altered = lines[..6].to_vec();
    altered[5] = altered[5].replace("nightly", "nightlx");
    let (lives, _) = judged(&[lines[4..].to_vec(), altered], None);
    assert!(matches!(lives[0].findings.as_slice(), [Finding::Contradicted(..)]));
}

#[test]
fn what_is_no_line_of_a_chain() {
    let line = &written(1, 1)[0];
    let mut lives = Lives::default();
    let mut add = |text: &str| lives.add(text, Position { file: 0, line: 1 });
    for text in
        ["", "START RequestId: 1", "{\"level\":\"INFO\"}", &line.replace("snapferry/1", "snapferry/2"), &line[1..]]
    {
        assert_eq!(add(text), Added::Other, "{text}");
    }
    for text in [
        Record::new(SweepCompleted::Swept, began()).to_line(),
        line.replace("\"line\":1", "\"line\":0"),
        line.replace("\"line\":1", "\"line\":-1"),
        line.replace("\"line\":1", "\"line\":1,\"line\":1"),
        line.replace("000\"}", "00g\"}"),
        line.replace("\"20261122T", "\"\\u001b20261122T"),
        line.replace(",\"_aws\"", ",\"chain\":null,\"_aws\""),
        line[..line.len() - 1].to_owned(),
        format!("{line}{line}"),
    ] {
        assert_ne!(text, *line);
        assert_eq!(add(&text), Added::Unlinked, "{text}");
    }
    assert_eq!(add(line), Added::Line);
}

/// Several environments, their lines mixed as in one export, and which of them other lines vouch for.
fn any_log() -> impl Strategy<Value = (Vec<String>, Vec<usize>)> {
    prop::collection::vec(2..8_usize, 1..4).prop_flat_map(|counts| {
        let owners: Vec<usize> =
            counts.iter().enumerate().flat_map(|(owner, count)| std::iter::repeat_n(owner, *count)).collect();
        (Just(counts), Just(owners).prop_shuffle()).prop_map(|(counts, owners)| {
            let mut lives: Vec<_> =
                counts.iter().zip(1..).map(|(count, number)| written(number, *count).into_iter()).collect();
            let log: Vec<String> = owners.iter().map(|owner| lives[*owner].next().unwrap()).collect();
            let is_last = |at: usize| !owners[at + 1..].contains(&owners[at]);
            let covered = (0..owners.len()).filter(|at| !is_last(*at)).collect();
            (log, covered)
        })
    })
}

/// A byte of a line becomes another one. The line stays one line of text.
fn edited(line: &str, at: Index, to: char) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    let at = at.index(characters.len());
    characters[at] = to;
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn honest_logs_verify((log, _) in any_log()) {
        prop_assert!(!is_noticed(&log));
    }

    #[test]
    fn a_missing_line_is_noticed((mut log, covered) in any_log(), which: Index) {
        log.remove(*which.get(&covered));
        prop_assert!(is_noticed(&log));
    }

    #[test]
    fn an_altered_line_is_noticed((mut log, covered) in any_log(), which: Index, at: Index, to in "[ -~]") {
        let which = *which.get(&covered);
        let altered = edited(&log[which], at, to.chars().next().unwrap());
        prop_assume!(altered != log[which]);
        log[which] = altered;
        prop_assert!(is_noticed(&log));
    }

    #[test]
    fn a_repeated_line_is_noticed((mut log, covered) in any_log(), which: Index, to: Index) {
        let line = which.get(&covered);
        log.insert(to.index(log.len() + 1), log[*line].clone());
        prop_assert!(is_noticed(&log));
    }

    #[test]
    fn swapped_lines_of_an_environment_are_noticed((mut log, covered) in any_log(), which: Index) {
        // A line that another one of its environment follows changes places with that one.
        let at = *which.get(&covered);
        let owner = |line: &String| line.split("\"environment\":\"").nth(1).unwrap()[..33].to_owned();
        let next = (at + 1..log.len()).find(|next| owner(&log[*next]) == owner(&log[at])).unwrap();
        log.swap(at, next);
        prop_assert!(is_noticed(&log));
    }

    #[test]
    fn a_line_moved_to_another_environment_is_noticed((mut log, covered) in any_log(), which: Index) {
        let at = *which.get(&covered);
        let owner = log[at].split("\"environment\":\"").nth(1).unwrap()[..33].to_owned();
        log[at] = log[at].replace(&owner, "20261122T030000Z-00000000000000ff");
        prop_assert!(is_noticed(&log));
    }
}
