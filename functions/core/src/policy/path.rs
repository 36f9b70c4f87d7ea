//! Where in a document something stands. Our own: a checked value no longer knows where it was read.

use std::fmt;

use serde_json::Value;

use super::suggest;

/// The most characters of a value or a foreign member name that are repeated in a message: a key's ARN fits.
const MAX_SHOWN: usize = 120;

/// The way from the document's root to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Segment>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Into a member of an object.
    Member(String),
    /// Into an item of an array.
    Item(usize),
}

impl Path {
    /// The path of a member of the object that stands here.
    pub(super) fn member(&self, name: &str) -> Self {
        self.with(Segment::Member(name.to_owned()))
    }

    /// The path of an item of the array that stands here.
    pub(super) fn item(&self, index: usize) -> Self {
        self.with(Segment::Item(index))
    }

    /// The value here is wrong.
    pub(super) fn wrong(&self, message: impl Into<String>, allowed: impl Into<String>) -> Problem {
        Problem { path: self.clone(), message: message.into(), allowed: allowed.into(), offset: None }
    }

    /// What is `written` here is none of the words that may stand here.
    pub(super) fn none_of(&self, words: &[&str], written: &str) -> Problem {
        let hint = suggest::hint(written, words.iter().copied());
        self.wrong(format!("{}{hint}", quoted(written)), words.join(", "))
    }

    /// The member `name` of the object here, which must not be absent.
    pub(super) fn required<T>(&self, value: Option<T>, name: &str, allowed: &str) -> Result<T, Problem> {
        value.ok_or_else(|| self.member(name).wrong("missing", allowed))
    }

    /// Reads a path as it is displayed, up to the first part that is none; that part and the rest are left out.
    pub(super) fn read(displayed: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = displayed;
        while !rest.is_empty() {
            let (segment, after) = if let Some((index, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']'))
            {
                let Ok(index) = index.parse() else { break };
                (Segment::Item(index), after)
            } else {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                if name.is_empty() {
                    break;
                }
                (Segment::Member(name.to_owned()), after)
            };
            segments.push(segment);
            rest = after;
        }
        Self(segments)
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Item(index) => write!(f, "[{index}]")?,
                Segment::Member(name) if !is_plain(name) => write!(f, "[{}]", quoted(name))?,
                Segment::Member(name) if depth == 0 => f.write_str(name)?,
                Segment::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// A [`PolicyError`](super::PolicyError) before the document is searched for the place.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) path: Path,
    pub(super) message: String,
    pub(super) allowed: String,
    /// The byte where it is, when the reader said so; otherwise the path is looked up.
    pub(super) offset: Option<usize>,
}

/// `text` as it may stand in a one-line message: in quotes, escaped and cut.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_SHOWN && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Shows a foreign value in a message.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}
