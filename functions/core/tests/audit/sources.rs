//! The reasons that stand in the functions' own code, in places that no enum shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use snapferry_core::audit::REASONS;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of all functions, without this table and without inline tests.
fn code() -> String {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for package in fs::read_dir(functions).unwrap().map(Result::unwrap) {
        rust_files(&package.path().join("src"), &mut files);
    }
    assert!(files.len() > 20, "{files:?}");
    files.retain(|file| !file.ends_with("audit/reason.rs"));
    let text = |file: &PathBuf| fs::read_to_string(file).unwrap().split("#[cfg(test)]").next().unwrap().to_owned();
    files.iter().map(text).collect()
}

#[test]
fn every_record_is_made_with_a_listed_reason() {
    let listed: BTreeSet<(String, &str)> = REASONS
        .iter()
        .flat_map(|(event, reasons)| reasons.iter().map(move |(reason, _)| (format!("{event:?}"), *reason)))
        .collect();
    let code = code();
    let made: Vec<(String, &str)> = Regex::new(r#"Record::new\(\s*Event::(\w+),\s*"([a-z-]+)""#)
        .unwrap()
        .captures_iter(&code)
        .map(|made| (made[1].to_owned(), made.get(2).unwrap().as_str()))
        .collect();
    assert!(made.len() > 10, "{made:?}");
    let unlisted: Vec<_> = made.iter().filter(|made| !listed.contains(made)).collect();
    assert!(unlisted.is_empty(), "list them in audit/reason.rs: {unlisted:?}");
}

/// Reasons that are not given to a record at once: in a member `reason`, or by a function of that name.
#[test]
fn every_reason_that_is_passed_on_is_listed() {
    let listed: BTreeSet<&str> =
        REASONS.iter().flat_map(|(_, reasons)| reasons.iter().map(|(reason, _)| *reason)).collect();
    let code = code();
    let members = Regex::new(r#"\breason: "([a-z-]+)""#).unwrap();
    let functions = Regex::new(r#"(?s)\bfn reason\(.*?\n    \}\n"#).unwrap();
    let words = Regex::new(r#""([a-z-]+)""#).unwrap();
    let in_functions = functions.find_iter(&code).flat_map(|function| words.captures_iter(function.as_str()));
    // What EC2's refusal of a copy means, in the seam.
    let refusals = Regex::new(r#"(?s)\nfn refused\(code.*?\n\}\n"#).unwrap().find(&code).unwrap();
    let kebab = Regex::new(r#""([a-z]+(?:-[a-z]+)+)""#).unwrap();
    let in_refusals = kebab.captures_iter(refusals.as_str());
    let found = members.captures_iter(&code).chain(in_functions).chain(in_refusals);
    let passed: BTreeSet<&str> = found.map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(passed.len() > 40, "{passed:?}");
    let unlisted: Vec<_> = passed.difference(&listed).collect();
    assert!(unlisted.is_empty(), "list them in audit/reason.rs: {unlisted:?}");
}

#[test]
fn every_listed_reason_stands_in_the_code() {
    let code = code();
    let gone: Vec<_> = REASONS
        .iter()
        .flat_map(|(event, reasons)| reasons.iter().map(move |(reason, _)| (event, reason)))
        .filter(|(_, reason)| !code.contains(&format!("\"{reason}\"")))
        .collect();
    assert!(gone.is_empty(), "nothing gives these any more: {gone:?}");
}
