//! What `snapferry audit verify` prints, and how it ends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails, in its helpers too")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};
use snapbox::{file, str};
use snapferry_core::audit::{Chain, Environment, Record, SweepCompleted};

/// A folder of the test's own, empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn verify(folder: &Path, args: &[&str]) -> Command {
    Command::new(cargo_bin!("snapferry")).current_dir(folder).args(["audit", "verify"]).args(args)
}

/// The lines of an environment that began at this time, one a minute.
fn lines(began: &str, count: usize) -> Vec<String> {
    let began: Timestamp = began.parse().unwrap();
    let mut chain = Chain::new(Environment::new(began, 0x9f86_d081_884c_7d65));
    let record = |minute| {
        let time = began + SignedDuration::from_mins(minute);
        Record::new(SweepCompleted::Swept, time).message("all \"is\" well\n".to_owned())
    };
    (1..).take(count).map(|minute| chain.line(&record(minute))).collect()
}

const MORNING: &str = "2026-11-22T03:00:00Z";
const NOON: &str = "2026-11-22T12:00:00Z";

fn write(folder: &Path, name: &str, lines: &[String]) {
    fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn events(lines: &[String]) -> Vec<Value> {
    let event =
        |line: &String| json!({"logStreamName": "s", "timestamp": 1, "message": format!("{line}\n"), "eventId": "1"});
    lines.iter().map(event).collect()
}

/// An answer of `aws logs filter-log-events`.
fn answer(lines: &[String]) -> Value {
    json!({"events": events(lines), "searchedLogStreams": []})
}

/// What the console of Logs Insights downloads.
fn insights(lines: &[String]) -> Value {
    lines.iter().map(|line| json!({"@timestamp": "2026-11-22 03:00:00.123", "@message": line})).collect()
}

fn csv(header: &str, lines: &[String]) -> String {
    let row = |line: &String| format!("1,\"{}\n\"\n", line.replace('"', "\"\""));
    format!("{header}\n{}", lines.iter().map(row).collect::<String>())
}

#[test]
fn an_honest_log() {
    let folder = folder("honest");
    let mut log = vec!["INIT_START Runtime Version: provided:al2023".to_owned()];
    log.extend(lines(MORNING, 5));
    log.extend(lines(NOON, 1));
    log.push("REPORT RequestId: 1".to_owned());
    write(&folder, "export.log", &log);
    verify(&folder, &["export.log"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
20261122T030000Z-9f86d081884c7d65: intact; proven: 1 to 4; the last is 5; 2026-11-22T03:01:00Z to 2026-11-22T03:05:00Z
20261122T120000Z-9f86d081884c7d65: intact; nothing proven; the last is 1; 2026-11-22T12:01:00Z to 2026-11-22T12:01:00Z
2 environments, 6 lines: intact

"#]]);
    let done = verify(&folder, &["--json", "export.log"]).assert().success().stderr_eq("");
    done.stdout_eq(file!["audit_verify/honest.json"]);
}

#[test]
fn lines_of_no_environment_are_named_in_the_verdict() {
    let folder = folder("unlinked");
    let line = Record::new(SweepCompleted::Swept, MORNING.parse().unwrap()).to_line();
    let mut log = lines(MORNING, 2);
    log.extend([line.clone(), line]);
    write(&folder, "export.log", &log);
    verify(&folder, &["export.log"]).assert().code(1).stderr_eq("").stdout_eq(str![[r#"
20261122T030000Z-9f86d081884c7d65: intact; proven: 1; the last is 2; 2026-11-22T03:01:00Z to 2026-11-22T03:02:00Z
export.log:3: an audit line that belongs to no environment; no function writes such a line
export.log:4: an audit line that belongs to no environment; no function writes such a line
1 environment, 4 lines: 2 lines of no environment

"#]]);
}

#[test]
fn every_form_of_an_export() {
    let folder = folder("forms");
    let lines = lines(MORNING, 40);
    let plain = lines.join("\n") + "\n";
    let exported: String = lines.iter().map(|line| format!("2026-11-22T03:00:00.123Z {line}\n")).collect();
    let (first, second) = lines.split_at(20);
    let pages = format!("{:#}\n{:#}", answer(first), answer(second));
    let members = [gzip(first.join("\n").as_bytes()), gzip(format!("\n{}", second.join("\n")).as_bytes())].concat();
    for (name, bytes) in [
        ("plain", plain.clone().into_bytes()),
        ("windows", plain.replace('\n', "\r\n").into_bytes()),
        ("exported", exported.clone().into_bytes()),
        ("exported.gz", gzip(exported.as_bytes())),
        ("members.gz", members),
        ("answer", answer(&lines).to_string().into_bytes()),
        ("pages", pages.clone().into_bytes()),
        ("insights.json", format!("{:#}", insights(&lines)).into_bytes()),
        ("insights.csv", csv("@timestamp,@message", &lines).into_bytes()),
        ("console.csv", csv("timestamp,message", &lines).into_bytes()),
        (
            "delivery.gz",
            gzip(json!({"messageType": "DATA_MESSAGE", "logEvents": events(&lines)}).to_string().as_bytes()),
        ),
        ("pages.gz", gzip(pages.as_bytes())),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let done = verify(&folder, &[name]).assert().success().stderr_eq("");
        done.stdout_eq(str![[r#"
20261122T030000Z-9f86d081884c7d65: intact; proven: 1 to 39; the last is 40; 2026-11-22T03:01:00Z to 2026-11-22T03:40:00Z
1 environment, 40 lines: intact

"#]]);
    }
    verify(&folder, &["-"]).stdin(gzip(plain.as_bytes())).assert().success();
    // The same lines in many files are an overlap.
    verify(&folder, &["plain", "answer", "exported.gz"]).assert().success();
}

/// Logs Insights gives the newest first if the query does not sort, and what was written in one millisecond in any order.
#[test]
fn rows_in_the_order_of_a_query() {
    let folder = folder("rows");
    let mut lines = lines(MORNING, 9);
    lines.reverse();
    lines.swap(3, 4);
    let cells = |line: &String| json!([{"field": "@message", "value": line}, {"field": "@ptr", "value": "Cq"}]);
    let results = json!({"results": lines.iter().map(cells).collect::<Value>(), "status": "Complete"});
    let rows = [
        ("insights.json", insights(&lines).to_string()),
        ("results.json", results.to_string()),
        ("insights.csv", csv("@timestamp,@message", &lines)),
        ("sorted.csv", csv("timestamp,message", &lines)),
    ];
    for (name, text) in rows {
        fs::write(folder.join(name), text).unwrap();
        verify(&folder, &[name]).assert().success().stderr_eq("");
    }
    // Of a log itself nothing changes the order.
    write(&folder, "export.log", &lines);
    fs::write(folder.join("answer.json"), answer(&lines).to_string()).unwrap();
    for name in ["export.log", "answer.json"] {
        let done = verify(&folder, &[name]).assert().code(1);
        assert!(String::from_utf8_lossy(&done.get_output().stdout).contains("disordered: "), "{name}");
    }
}

#[test]
fn everything_that_can_be_wrong() {
    let folder = folder("wrong");
    let (morning, noon) = (lines(MORNING, 16), lines(NOON, 6));
    let mut log = morning.clone();
    log[2] = log[2].replace("swept", "slept");
    log.insert(6, log[5].clone());
    log.insert(9, log[8].replace("well", "lost"));
    log.swap(12, 13);
    log.drain(15..17);
    log.extend_from_slice(&noon[2..]);
    log.push(Record::new(SweepCompleted::Swept, NOON.parse().unwrap()).to_line());
    write(&folder, "export.log", &log);
    verify(&folder, &["export.log"]).assert().code(1).stderr_eq("").stdout_eq(file!["audit_verify/wrong.txt"]);
    let done = verify(&folder, &["--json", "export.log"]).assert().code(1).stderr_eq("");
    done.stdout_eq(file!["audit_verify/wrong.json"]);
}

#[test]
fn a_beginning_that_was_not_exported() {
    let folder = folder("since");
    write(&folder, "export.log", &lines(MORNING, 6)[3..]);
    verify(&folder, &["export.log"]).assert().code(1);
    verify(&folder, &["--since", "2026-11-22T02:00:00Z", "export.log"]).assert().code(1);
    let done = verify(&folder, &["--since", "2026-11-22T03:03:30Z", "export.log"]).assert().success();
    done.stdout_eq(str![[r#"
20261122T030000Z-9f86d081884c7d65: intact; proven: 4 to 5; the last is 6; 2026-11-22T03:04:00Z to 2026-11-22T03:06:00Z; from before the export: 1 to 3
1 environment, 3 lines: intact

"#]]);
    verify(&folder, &["--since", "yesterday", "export.log"]).assert().code(2).stdout_eq("");
}

#[test]
fn what_cannot_be_verified() {
    let folder = folder("unreadable");
    let lines = lines(MORNING, 300);
    let zipped = gzip(lines.join("\n").as_bytes());
    let answered = answer(&lines).to_string();
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("garbage", [0, 159, 146, 150, 10].repeat(5000)),
        ("other.log", b"START RequestId: 1\n".to_vec()),
        ("torn.gz", zipped[..zipped.len() / 2].to_vec()),
        ("false.gz", b"\x1f\x8b\x08no".to_vec()),
        ("torn.json", answered.as_bytes()[..answered.len() / 2].to_vec()),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let done = verify(&folder, &[name]).assert().code(2);
        assert!(!done.get_output().stderr.is_empty(), "{name}");
    }
    verify(&folder, &["empty", "garbage"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
no line of Snapferry's audit in what was read

"#]]);
    verify(&folder, &["."]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
.: is a directory
no line of Snapferry's audit in what was read

"#]]);
    verify(&folder, &["--json", "nosuch"]).assert().code(2).stderr_eq("").stdout_eq(str![[r#"
{
  "format": "snapferry-audit-verify/1",
  "verdict": "nothing",
  "files": [
    {
      "file": "nosuch",
      "lines": 0,
      "error": "No such file or directory (os error 2)"
    }
  ],
  "environments": [],
  "unlinked": []
}

"#]]);
    verify(&folder, &[]).assert().code(2).stdout_eq("");
    verify(&folder, &["-", "-"]).assert().code(2).stdout_eq("");
    // What could be read is judged all the same.
    write(&folder, "good.log", &lines);
    verify(&folder, &["nosuch", "good.log"]).assert().code(2).stderr_eq(str![[r#"
nosuch: No such file or directory (os error 2)

"#]]).stdout_eq(str![[r#"
20261122T030000Z-9f86d081884c7d65: intact; proven: 1 to 299; the last is 300; 2026-11-22T03:01:00Z to 2026-11-22T08:00:00Z
1 environment, 300 lines: intact

"#]]);
}

#[test]
fn many_findings_are_printed_in_part() {
    let folder = folder("many");
    let odd: Vec<String> = lines(MORNING, 400).into_iter().step_by(2).collect();
    write(&folder, "export.log", &odd);
    let done = verify(&folder, &["export.log"]).assert().code(1);
    let text = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
    assert_eq!(text.lines().count(), 53);
    assert!(text.contains("    and 149 more; --json has all\n"), "{text}");
    assert!(text.lines().all(|line| line.len() < 300), "{text}");
    let done = verify(&folder, &["--json", "export.log"]).assert().code(1);
    let report: Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    assert_eq!(report["environments"][0]["findings"].as_array().unwrap().len(), 199);
}

/// Five thousand lines and one of them altered.
#[test]
fn a_huge_log() {
    let folder = folder("huge");
    let mut lines = lines(MORNING, 5_000);
    write(&folder, "export.log", &lines);
    verify(&folder, &["export.log"]).assert().success();
    lines[2_344] = lines[2_344].replace("well", "lost");
    write(&folder, "export.log", &lines);
    let done = verify(&folder, &["export.log"]).assert().code(1);
    assert!(String::from_utf8_lossy(&done.get_output().stdout).contains("altered: 2345,"));
}
