//! The line and column of a member, for a caret under it: the document is read again up to there.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::PolicyError;
use super::path::{Problem, Segment};

/// What the reader says when it has arrived.
const FOUND: &str = "the value starts here";

/// The problem with the line and column where it is.
pub(super) fn located(problem: Problem, document: &str) -> PolicyError {
    let offset = problem.offset.or_else(|| offset_of(document, &problem.path.0));
    let place = offset.map(|offset| line_and_column(document, offset));
    PolicyError {
        path: problem.path.to_string(),
        message: problem.message,
        allowed: problem.allowed,
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
    }
}

/// The byte where the value at `path` starts, or else the innermost value around it that exists.
pub(super) fn offset_of(document: &str, path: &[Segment]) -> Option<usize> {
    (0..=path.len()).rev().find_map(|depth| seek(document, path.get(..depth)?))
}

/// The bytes of the value at `path`, if it exists.
pub(super) fn bytes_of(document: &str, path: &[Segment]) -> Option<Range<usize>> {
    let start = seek(document, path)?;
    let mut values = serde_json::Deserializer::from_str(document.get(start..)?).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(start..start + values.byte_offset())
}

/// The line and the column of a byte, both counted from 1, the column in characters.
pub(super) fn line_and_column(document: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(document.len());
    while !document.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = document.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let in_line = before.get(line_start..).unwrap_or_default();
    (before.matches('\n').count() + 1, in_line.chars().count() + 1)
}

/// The byte after those that were read, from the position that serde_json gives: the line, and how many bytes of it.
pub(super) fn next_byte(document: &str, line: usize, read: usize) -> usize {
    let line_start = match line.checked_sub(2) {
        Some(newline) => document.match_indices('\n').nth(newline).map_or(document.len(), |(at, _)| at + 1),
        None => 0,
    };
    line_start + read
}

fn seek(document: &str, path: &[Segment]) -> Option<usize> {
    let offset = if path.is_empty() {
        0
    } else {
        let mut json = serde_json::Deserializer::from_str(document);
        let stop = Seek(path).deserialize(&mut json).err()?;
        if !stop.to_string().starts_with(FOUND) {
            return None;
        }
        next_byte(document, stop.line(), stop.column())
    };
    let rest = document.get(offset..)?;
    Some(offset + rest.len() - rest.trim_start().len())
}

/// Reads up to the value at the path and stops there with an error, because errors carry the position.
struct Seek<'a>(&'a [Segment]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            [] => Err(D::Error::custom(FOUND)),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.0.split_first() {
                Some((Segment::Member(name), rest)) if *name == key => return map.next_value_seed(Seek(rest)),
                _ => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Segment::Item(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom("a member of an array"));
        };
        for _ in 0..*wanted {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Seek(rest)).map(|_| ())
    }
}

/// The digits before and behind a place, no more of them than an account ID may have by mistake.
pub(super) fn number_around(document: &str, at: usize) -> Option<&str> {
    let before = document.get(..at)?;
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let number = document.get(start..)?;
    let length = number.bytes().take_while(u8::is_ascii_digit).count();
    number.get(..length).filter(|number| number.len() <= 20)
}
