//! Coverage as one file for browsers: it fetches nothing, and runs only the script whose hash its policy names.
//!
//! What others wrote reaches the page in two ways only: escaped into the summary and the findings, which need no script,
//! and as JSON in which no character can end the element around it. The script puts it into text nodes, never into markup.

use std::fmt::Write as _;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};
use sha2::{Digest as _, Sha256};
use snapferry_core::coverage::{Counts, Coverage, Row, Standing};
use snapferry_core::text::printable;

use super::line;
use super::scene::Scene;
use super::{data, table};
use crate::account::owed;
use crate::terminal::time::span;

const PAGE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = concat!(include_str!("recoverable.js"), include_str!("report.js"));

/// Findings that stand in the page itself, for browsers without scripts and for printing.
const MAX_FINDINGS: usize = 200;

/// Writes the page.
pub(super) fn write(out: &mut dyn Write, scene: &Scene<'_>, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        out.write_all(before.as_bytes())?;
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        match name {
            "policy" => write!(out, "{}", content_policy())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            "data" => {
                let mut json = Serializer::with_formatter(&mut *out, InMarkup);
                data::serialize(&mut json, scene, coverage)?;
            }
            name => write!(out, "{}", text(name, scene, coverage))?,
        }
        rest = after;
    }
    Ok(out.write_all(rest.as_bytes())?)
}

/// Nothing may be fetched, framed or sent; the one style and the one script are known by their hashes.
fn content_policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", aws_smithy_types::base64::encode(Sha256::digest(text.as_bytes())))
}

fn text(name: &str, scene: &Scene<'_>, coverage: &Coverage<'_>) -> String {
    let total = coverage.total();
    match name {
        "account" => escape(scene.account.as_str()),
        "home" => escape(&scene.homes.iter().map(|home| home.as_str()).collect::<Vec<_>>().join(", ")),
        "time" => escape(&short(scene.now)),
        "verdict" => escape(&table::verdict(coverage, total)),
        "mood" => if total.findings() > 0 { "bad" } else { "good" }.to_owned(),
        "since" => scene.since.map_or_else(String::new, |since| {
            format!("<p>Snapshots started before {} are left out.</p>", escape(&short(since)))
        }),
        "notes" => table::notes(scene, coverage, total).iter().fold(String::new(), |mut notes, note| {
            // Writing to a String cannot fail.
            let _ = write!(notes, "<li>{}</li>", escape(note));
            notes
        }),
        "tiles" => tiles(coverage, &total),
        "summary" => summary(coverage, &total),
        "findings" => findings(scene, coverage, &total),
        "volume" => scene.lineages.one().to_owned(),
        "volumes" => scene.lineages.many().to_owned(),
        "Volume" => capital(scene.lineages.one()),
        "Volumes" => capital(scene.lineages.many()),
        _ => String::new(),
    }
}

fn tiles(coverage: &Coverage<'_>, total: &Counts) -> String {
    let tile = |class: &str, count: usize, label: &str| {
        format!("<div class=\"tile {class}\"><dt>{label}</dt><dd>{count}</dd></div>")
    };
    [
        tile("failed", total.failed, "failed"),
        tile("missing", total.missing, "missing"),
        coverage.ledgers.as_ref().map(|_| tile("missed", total.missed, "missed")).unwrap_or_default(),
        tile("in-flight", total.in_flight, "in flight"),
        tile("protected", total.protected, "protected"),
        tile("history", total.history, "history"),
        format!("<div class=\"tile\"><dt>covered</dt><dd>{}</dd></div>", table::percent(total)),
    ]
    .concat()
}

fn summary(coverage: &Coverage<'_>, total: &Counts) -> String {
    let mut rows = String::new();
    let counts = coverage.counts.iter();
    let counts =
        counts.map(|((home, policy, region), counts)| ([policy.as_str(), home.as_str(), region.as_str()], counts));
    let all = (coverage.counts.len() > 1).then_some((["all", "", ""], total));
    for ([policy, home, region], counts) in counts.chain(all) {
        let bad = |count: usize| if count > 0 { " class=\"n bad\"" } else { " class=\"n\"" };
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td{}>{}</td><td{}>{}</td><td{}>{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(policy),
            escape(home),
            escape(region),
            bad(counts.failed),
            counts.failed,
            bad(counts.missing),
            counts.missing,
            bad(counts.missed),
            coverage.ledgers.as_ref().map_or_else(|| "-".to_owned(), |_| counts.missed.to_string()),
            counts.in_flight,
            counts.protected,
            table::percent(counts),
            counts.history
        );
    }
    rows
}

fn findings(scene: &Scene<'_>, coverage: &Coverage<'_>, total: &Counts) -> String {
    if total.findings() == 0 {
        return "<p class=\"none\">Nothing is missing and nothing failed.</p>".to_owned();
    }
    let mut rows = String::new();
    for row in coverage.rows.iter().filter(|row| row.is_finding()).take(MAX_FINDINGS) {
        let _ = write!(rows, "{}", finding(scene, row));
    }
    let more = total.findings().saturating_sub(MAX_FINDINGS);
    let more = if more > 0 { format!("<p>And {more} more, in the table below.</p>") } else { String::new() };
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Findings\"><table><thead><tr>\
         <th scope=\"col\">State</th><th scope=\"col\">Snapshot</th><th scope=\"col\">{whose}</th>\
         <th scope=\"col\">Account</th><th scope=\"col\">Age</th><th scope=\"col\">Policy</th>\
         <th scope=\"col\">Home</th><th scope=\"col\">Region</th><th scope=\"col\">Owed</th><th scope=\"col\">Description</th></tr></thead><tbody>{rows}</tbody></table></div>\
         {more}",
        whose = capital(scene.lineages.one())
    )
}

fn finding(scene: &Scene<'_>, row: &Row<'_>) -> String {
    let age = row.started().map(|started| span(scene.now.duration_since(started))).unwrap_or_default();
    let description = row.source.map(|source| &*source.description).unwrap_or_default();
    let failed = row.copy.filter(|_| row.standing == Standing::Failed);
    let failed = failed.map(|copy| format!("<br><small>{}</small>", escape(copy.id.as_str()))).unwrap_or_default();
    format!(
        "<tr><td><span class=\"state {state}\">{said}</span>{failed}</td><td><code>{}</code></td><td><code>{}</code></td>\
         <td>{}</td><td>{age}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"text\">{}</td></tr>",
        escape(table::name(row)),
        escape(row.lineage().unwrap_or_default()),
        escape(row.account().unwrap_or_default()),
        escape(row.policy.as_str()),
        escape(row.home.as_str()),
        escape(row.region.as_str()),
        escape(&line::owed(row).map(|owed| owed::words(owed, scene.now)).unwrap_or_default()),
        escape(&printable(description, 300)),
        state = row.state(),
        said = line::state(row),
    )
}

/// As a heading begins.
fn capital(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest.by_ref()).collect()
}

fn short(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Text as it may stand between tags and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON for a script element: no string has a character that HTML would look at.
struct InMarkup;

impl Formatter for InMarkup {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = CompactFormatter;
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&']) {
            let (before, from) = rest.split_at(at);
            plain.write_string_fragment(writer, before)?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        plain.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;

    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let hostile = "</script><script>alert(1)</script><!-- & \" ' \u{2028}";
        assert!(!escape(hostile).contains(['<', '>', '"', '\'']));
        let mut out = Vec::new();
        hostile.serialize(&mut Serializer::with_formatter(&mut out, InMarkup)).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert!(!json.contains(['<', '>', '&']), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn the_page_s_own_parts_cannot_end_their_elements() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        for part in ["{{style}}", "{{script}}", "{{data}}", "{{policy}}"] {
            assert_eq!(PAGE.matches(part).count(), 1, "{part}");
        }
    }
}
