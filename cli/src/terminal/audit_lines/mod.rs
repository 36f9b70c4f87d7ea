//! Finding the audit lines in an exported log of any form, byte for byte as they were printed.

mod csv;
mod json;
mod order;
mod strange;

use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use serde::de::IgnoredAny;
use snapferry_core::text::Utf8;

pub(crate) use self::order::Order;

/// How an audit line begins. Within one it cannot stand again: quotation marks are escaped there.
const BEGINNING: &[u8] = b"{\"audit\":\"snapferry/";

/// How much of a file is looked at to tell its form.
const HEAD: u64 = 4096;

/// The longest line that is looked at. CloudWatch Logs takes events of up to a mebibyte.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// How often a file may be compressed: a subscription's events are, and Firehose may compress what it collects of them.
const MOST_LAYERS: usize = 2;

/// Reads a log in any form and gives each audit line, with the number of the line or event that it stands in. Says in what order.
pub(crate) fn read(input: impl Read, mut each: impl FnMut(u64, &str)) -> anyhow::Result<Order> {
    let (mut head, input) = peek(input).context("cannot be read")?;
    let mut input: Box<dyn BufRead + '_> = Box::new(input);
    for layers in 0.. {
        if !head.starts_with(&[0x1f, 0x8b]) {
            let done = read_plain(&head, input, &mut each);
            return if layers == 0 { done } else { done.context("after decompression") };
        }
        anyhow::ensure!(layers < MOST_LAYERS, "is compressed more than {MOST_LAYERS} times");
        let (inner, rest) =
            peek(Utf8::new(strange::Whole(MultiGzDecoder::new(input)))).context("cannot be decompressed")?;
        (head, input) = (inner, Box::new(rest));
    }
    Ok(Order::OfLog)
}

fn peek(mut input: impl Read) -> std::io::Result<(Vec<u8>, impl BufRead)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), BufReader::new(Cursor::new(head).chain(input))))
}

fn read_plain(head: &[u8], input: impl BufRead, each: &mut impl FnMut(u64, &str)) -> anyhow::Result<Order> {
    if let Some(words) = strange::what(head)? {
        anyhow::bail!(words);
    }
    let mut number = 0;
    let mut message = |message: &str| {
        number += 1;
        find(message.as_bytes(), |text| each(number, text));
    };
    if json::is_it(head)? {
        json::read(input, &mut message)
    } else if csv::is_it(head)? {
        csv::read(input, &mut message).map(|()| Order::OfRows)
    } else {
        read_lines(input, each).map(|()| Order::OfLog)
    }
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

/// An event of CloudWatch Logs on a line of its own, told by its time, a number. What only has a message may be a
/// program's line that quotes a sender's words.
#[derive(serde::Deserialize)]
struct Logged {
    message: String,
    #[serde(rename = "timestamp")]
    _time: u64,
}

#[cfg(test)]
mod tests;
