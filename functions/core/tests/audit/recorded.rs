//! Lines for tests outside this library, which read metrics, alarms and queries out of them: a record of each reason, and
//! of each sweep. A new version of the program changes nothing in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use snapferry_core::audit::Record;

use crate::every_record;

const RECORDED: &str = "tests/fixtures/audit.lines.jsonl";

#[test]
fn the_recorded_lines_are_of_this_version() {
    let mut seen = BTreeSet::new();
    let lines: Vec<String> = every_record()
        .into_iter()
        .filter(|record| seen.insert((record.reason, record.trigger_id.clone())))
        .map(|record| Record { version: "1.2.3", ..record }.to_line() + "\n")
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED);
    if std::env::var_os("RECORD_AUDIT_LINES").is_some() {
        fs::write(&path, lines.concat()).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(recorded == lines.concat(), "set RECORD_AUDIT_LINES and test again to record {RECORDED} anew");
}
