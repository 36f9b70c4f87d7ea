//! Finding the audit lines in an exported log of any form, byte for byte as they were printed.

use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use regex::bytes::Regex;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use snapferry_core::text::Utf8;

/// How an audit line begins. Within one it cannot stand again: quotation marks are escaped there.
const BEGINNING: &[u8] = b"{\"audit\":\"snapferry/";

/// How much of a file is looked at to tell its form.
const HEAD: u64 = 4096;

/// The longest line that is looked at. CloudWatch Logs takes events of up to a mebibyte.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// Reads a log in any form and gives each audit line, with the number of the line or event that it stands in.
pub(crate) fn read(input: impl Read, mut each: impl FnMut(u64, &str)) -> anyhow::Result<()> {
    let (head, input) = peek(input).context("cannot be read")?;
    if !head.starts_with(&[0x1f, 0x8b]) {
        return read_plain(&head, input, &mut each);
    }
    let (head, input) = peek(Utf8::new(MultiGzDecoder::new(input))).context("cannot be decompressed")?;
    read_plain(&head, input, &mut each).context("after decompression")
}

fn peek(mut input: impl Read) -> std::io::Result<(Vec<u8>, impl BufRead)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), BufReader::new(Cursor::new(head).chain(input))))
}

fn read_plain(head: &[u8], input: impl BufRead, each: &mut impl FnMut(u64, &str)) -> anyhow::Result<()> {
    // The members of the AWS CLI's answers, in the order that it gives them or any other.
    let answer = r#"^\s*\{\s*"(events|searchedLogStreams|nextToken|nextForwardToken|nextBackwardToken)"\s*:"#;
    if Regex::new(answer)?.is_match(head) { read_events(input, each) } else { read_lines(input, each) }
}

fn read_lines(mut input: impl BufRead, each: &mut impl FnMut(u64, &str)) -> anyhow::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).context("cannot be read")? == 0 {
            break;
        }
        if !line.ends_with(b"\n") {
            // At the file's end, or too long for any log event: then what is left of it is passed over.
            input.skip_until(b'\n').context("cannot be read")?;
        }
        find(&line, |text| each(number, text));
    }
    Ok(())
}

/// Reads the answers of `aws logs filter-log-events` or `get-log-events`, one event at a time.
fn read_events(input: impl BufRead, each: &mut impl FnMut(u64, &str)) -> anyhow::Result<()> {
    let mut number = 0;
    let mut each = |message: &str| {
        number += 1;
        find(message.as_bytes(), |text| each(number, text));
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    // `end` is wrong as long as something follows: the next page.
    while json.end().is_err() {
        LogAnswer(&mut each).deserialize(&mut json).context("not the JSON of `aws logs filter-log-events`")?;
    }
    Ok(())
}

/// Gives the audit line in a line of a log, without what is in front of it and behind it.
fn find(line: &[u8], mut each: impl FnMut(&str)) {
    let Some(at) = line.windows(BEGINNING.len()).position(|window| window == BEGINNING) else {
        if line.starts_with(b"{")
            && let Ok(Logged { message, .. }) = serde_json::from_slice(line)
            && message.as_bytes().windows(BEGINNING.len()).any(|window| window == BEGINNING)
        {
            find(message.as_bytes(), each);
        }
        return;
    };
    let text = line.get(at..).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let end = match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => text.len(),
    };
    each(&String::from_utf8_lossy(text.get(..end).unwrap_or_default()));
}

/// An answer: of its members only `events` matters.
struct LogAnswer<'f, F>(&'f mut F);

/// The events of an answer: of their members only `message` matters.
struct LogEvents<'f, F>(&'f mut F);

#[derive(serde::Deserialize)]
struct LogEvent {
    message: Option<String>,
}

/// An event of CloudWatch Logs on a line of its own, told by its time, a number. What only has a message may be a
/// program's line that quotes a sender's words.
#[derive(serde::Deserialize)]
struct Logged {
    message: String,
    #[serde(rename = "timestamp")]
    _time: u64,
}

impl<'de, F: FnMut(&str)> DeserializeSeed<'de> for LogAnswer<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str)> Visitor<'de> for LogAnswer<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with events")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "events" {
                members.next_value_seed(LogEvents(&mut *self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de, F: FnMut(&str)> DeserializeSeed<'de> for LogEvents<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&str)> Visitor<'de> for LogEvents<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of log events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while let Some(event) = events.next_element::<LogEvent>()? {
            (self.0)(&event.message.unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"audit":"snapferry/1","message":"a \"b\" {é}"}"#;

    fn found(input: &[u8]) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        read(input, |number, text| found.push((number, text.to_owned()))).unwrap();
        found
    }

    #[test]
    fn lines_with_anything_around_them() {
        let log = format!(
            "START RequestId: 1\n{LINE}\r\n2026-11-22T03:00:00.123Z {LINE}\n2026-11-22T03:00:00Z 2026/11/22/[$LATEST]a \
             {LINE}\t1795316400700\n\n{{\"level\":\"INFO\"}}\n{LINE}"
        );
        let numbers: Vec<u64> = found(log.as_bytes()).iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [2, 3, 4, 7]);
        assert!(found(log.as_bytes()).iter().all(|(_, text)| text == LINE));
    }

    #[test]
    fn answers_of_the_command_line_interface() {
        let event = |message: &str| serde_json::json!({"logStreamName": "s", "timestamp": 1, "message": message});
        let page = |members: serde_json::Value| serde_json::to_string_pretty(&members).unwrap();
        let events = [event("START\n"), event(&format!("{LINE}\n"))];
        let filtered = page(serde_json::json!({"events": events, "searchedLogStreams": []}));
        let got = page(serde_json::json!({"nextForwardToken": "f/1", "events": events}));
        assert_eq!(found(filtered.as_bytes()), [(2, LINE.to_owned())]);
        assert_eq!(found(format!("{got}\n{filtered}\n").as_bytes()), [(2, LINE.to_owned()), (4, LINE.to_owned())]);
        assert!(read(&filtered.as_bytes()[..filtered.len() - 9], |_, _| {}).is_err());
    }

    #[test]
    fn events_one_a_line() {
        let event =
            |timestamp: serde_json::Value| serde_json::json!({"timestamp": timestamp, "message": LINE}).to_string();
        let log = format!("{}\n{}\n", event(1795316400700_u64.into()), event("2026-11-22T03:00:00Z".into()));
        assert_eq!(found(log.as_bytes()), [(1, LINE.to_owned())]);
    }

    #[test]
    fn a_line_too_long_for_a_log_is_passed_over() {
        let log = format!("{}{LINE}\n{LINE}\n", "x".repeat(MAX_LINE as usize + 5));
        assert_eq!(found(log.as_bytes()), [(2, LINE.to_owned())]);
    }

    #[test]
    fn what_is_no_text() {
        assert_eq!(found(&[0, 159, 146, 150].repeat(5000)), []);
        assert_eq!(found(b""), []);
        let broken = LINE.replace('é', "\u{1}").into_bytes();
        assert_eq!(found(&broken).len(), 1);
    }
}
