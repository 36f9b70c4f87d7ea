//! What has a shell script go on after a call that failed: one bad copy keeps no other from being restored or shared.

use std::fmt::Write as _;

/// Stands before the first call.
pub(super) const FIRST: &str = "failed=";

/// A call for one copy, which may fail. The copy's ID is a word that a shell takes as it is.
pub(super) fn call(command: &str, copy: &str) -> String {
    format!("{command} || failed=\"$failed {copy}\"")
}

/// Stands behind the last call: names what failed, and fails if anything did.
pub(super) fn last(what: &str) -> String {
    format!(
        "for copy in $failed; do echo \"{what}: $copy (its reason stands above)\" >&2; done\n\
         if [ -n \"$failed\" ]; then exit 1; fi\n"
    )
}

/// A script whose calls, one a line, each begin with one of the `calls` and name their copy as the third word.
pub(super) fn going_on(script: &str, calls: &[&str], what: &str) -> String {
    let (mut text, mut is_first) = (String::with_capacity(script.len()), true);
    for line in script.lines() {
        let mut words = line.split(' ');
        let copy = words.next().filter(|first| calls.contains(first)).and_then(|_| words.nth(1));
        let line = copy.map_or_else(|| line.to_owned(), |copy| call(line, copy));
        if copy.is_some() && std::mem::take(&mut is_first) {
            let _ = writeln!(text, "{FIRST}");
        }
        let _ = writeln!(text, "{line}");
    }
    text + &last(what)
}
