//! RUNBOOK.md has a section for each reason after which something is to be done or waited for, and for no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use snapferry_core::audit::{Next, Reason};

fn runbook() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../RUNBOOK.md")).unwrap()
}

/// What the titles `### event reason, reason` say.
fn titles(text: &str) -> BTreeSet<(&str, &str)> {
    let titles = text.lines().filter_map(|line| line.strip_prefix("### ")?.split_once(' '));
    let of_reasons = titles.filter(|(event, _)| event.contains('.'));
    of_reasons.flat_map(|(event, reasons)| reasons.split(", ").map(move |reason| (event, reason))).collect()
}

fn wanted() -> BTreeSet<(&'static str, &'static str)> {
    let wanted = Reason::ALL.iter().filter(|reason| reason.next() != Next::Nothing);
    wanted.map(|reason| (reason.event().name(), reason.name())).collect()
}

#[test]
fn each_reason_that_asks_for_something_has_a_section_and_no_other_has() {
    let (text, wanted) = (runbook(), wanted());
    let found = titles(&text);
    assert_eq!(wanted.difference(&found).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "lacking");
    assert_eq!(found.difference(&wanted).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "too many");
}

#[test]
fn a_section_that_lacks_would_be_seen() {
    let text = runbook().replace("### copy.kept foreign-owner", "### copy.kept somebody-elses");
    assert_eq!(wanted().difference(&titles(&text)).collect::<Vec<_>>(), [&("copy.kept", "foreign-owner")]);
}
