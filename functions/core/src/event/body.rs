//! An event's body, taken out of what others put around it, and read where it is nearly JSON.

use std::fmt;

use serde_json::Value;

/// How many layers are taken off: a bus, a topic and a queue make three.
const LAYERS: usize = 5;

/// In what an event differed from the body that EventBridge delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// An account number that begins with 0 stood without quotes, as in the EBS User Guide's own examples: no JSON.
    BareAccount,
    /// Amazon SNS had put its notification around it (without raw message delivery).
    Notification,
    /// It was the `detail` of another event, which a rule had put on another bus.
    Forwarded,
    /// It was a JSON text within JSON.
    EncodedTwice,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareAccount => {
                "The event is not JSON: an account number that begins with 0 has no quotes. It was read as if it had."
            }
            Self::Notification => "The event came within an SNS notification.",
            Self::Forwarded => "The event came as the detail of another event.",
            Self::EncodedTwice => "The event came as a JSON text within JSON.",
        })
    }
}

/// A body as it was understood.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) value: Value,
    pub(super) oddities: Vec<Oddity>,
}

impl Body {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with the JSON, of the text or of one within it.
    pub(super) fn of_text(text: &str) -> Result<Self, serde_json::Error> {
        let mut body = Self::default();
        body.value = body.json(text)?;
        body.unwrap()
    }

    /// Takes what is around an event off.
    ///
    /// # Errors
    /// What is wrong with a JSON text within it.
    pub(super) fn of_value(value: Value) -> Result<Self, serde_json::Error> {
        Self { value, oddities: Vec::new() }.unwrap()
    }

    fn unwrap(mut self) -> Result<Self, serde_json::Error> {
        for _ in 0..LAYERS {
            let Some((oddity, inner)) = inner(&mut self.value) else { break };
            self.note(oddity);
            self.value = match inner {
                Value::String(text) => self.json(&text)?,
                value => value,
            };
        }
        Ok(self)
    }

    fn json(&mut self, text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str(text).or_else(|error| {
            let quoted = with_quoted_accounts(text).and_then(|text| serde_json::from_str(&text).ok());
            quoted.inspect(|_| self.note(Oddity::BareAccount)).ok_or(error)
        })
    }

    fn note(&mut self, oddity: Oddity) {
        if !self.oddities.contains(&oddity) {
            self.oddities.push(oddity);
        }
    }
}

/// What is within one layer; nothing in what has none.
fn inner(value: &mut Value) -> Option<(Oddity, Value)> {
    if value.is_string() {
        return Some((Oddity::EncodedTwice, value.take()));
    }
    let object = value.as_object_mut()?;
    // Amazon SNS Developer Guide, "Amazon SNS message and JSON formats".
    if object.get("Type").and_then(Value::as_str) == Some("Notification") {
        let message = object.get_mut("Message").filter(|message| message.is_string())?;
        return Some((Oddity::Notification, message.take()));
    }
    let is_event = |value: &Value| ["source", "detail-type", "detail"].iter().all(|member| value.get(member).is_some());
    let detail = object.get_mut("detail").filter(|detail| is_event(detail))?;
    Some((Oddity::Forwarded, detail.take()))
}

/// The text with quotes around each number of twelve digits that begins with 0; nothing if there is none.
fn with_quoted_accounts(text: &str) -> Option<String> {
    let (mut quoted, mut found) = (String::with_capacity(text.len() + 16), false);
    let (mut in_string, mut rest) = (false, text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' if in_string => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '"' => {
                in_string = !in_string;
                1
            }
            first if in_string || !is_of_number(first) => first.len_utf8(),
            _ => rest.find(|c| !is_of_number(c)).unwrap_or(rest.len()),
        };
        let (part, behind) = rest.split_at_checked(length)?;
        let is_account = !in_string && part.len() == 12 && first == '0' && part.bytes().all(|b| b.is_ascii_digit());
        if is_account {
            found = true;
            quoted.push('"');
        }
        quoted.push_str(part);
        if is_account {
            quoted.push('"');
        }
        rest = behind;
    }
    found.then_some(quoted)
}

/// Whether a character can be a part of a number or of a word.
fn is_of_number(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '+' | '_')
}
