//! A template's YAML, with CloudFormation's short forms written out: `!Sub x` is `{"Fn::Sub": "x"}`.

use std::borrow::Cow;

use anyhow::Context as _;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Value};

/// Deeper than any template; without an end a text could exhaust the stack.
const MAX_DEPTH: usize = 64;

/// Reads one document. Every scalar is text, as CloudFormation takes numbers and truth values too.
///
/// # Errors
/// When the text is no YAML, or has what CloudFormation or an honest reader refuses: an alias, a member twice, a key that
/// is no text, a tag that is no function's, a second document.
pub(super) fn read(text: &str) -> anyhow::Result<Value> {
    let mut events = Parser::new_from_str(text)
        .filter(|event| !matches!(event, Ok((Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _))));
    let value = node(&mut events, 0)?.context("there is no document")?;
    match events.next().transpose()? {
        None | Some((Event::StreamEnd, _)) => Ok(value),
        Some((_, span)) => anyhow::bail!("line {}: a second document", span.start.line()),
    }
}

/// The next value; `None` at the end of a list, of an object or of all.
fn node<'t>(
    events: &mut impl Iterator<Item = Result<(Event<'t>, Span), ScanError>>,
    depth: usize,
) -> anyhow::Result<Option<Value>> {
    let (event, span) = events.next().context("it ends in the middle")??;
    let line = span.start.line();
    anyhow::ensure!(depth < MAX_DEPTH, "line {line}: more than {MAX_DEPTH} levels deep");
    let (value, tag) = match event {
        Event::Scalar(text, style, _, tag) => (scalar(text, style), tag),
        Event::SequenceStart(_, tag) => {
            let mut values = Vec::new();
            while let Some(value) = node(events, depth + 1)? {
                values.push(value);
            }
            (Value::Array(values), tag)
        }
        Event::MappingStart(_, tag) => {
            let mut members = Map::new();
            while let Some(key) = node(events, depth + 1)? {
                let Value::String(key) = key else { anyhow::bail!("line {line}: a key that is no text: {key}") };
                let value = node(events, depth + 1)?.with_context(|| format!("line {line}: {key} has no value"))?;
                anyhow::ensure!(!members.contains_key(&key), "line {line}: {key} stands there twice");
                members.insert(key, value);
            }
            (Value::Object(members), tag)
        }
        Event::Alias(_) => anyhow::bail!("line {line}: an alias, which CloudFormation does not take"),
        _ => return Ok(None),
    };
    tag.map_or(Ok(value.clone()), |tag| function(&tag, value).with_context(|| format!("line {line}"))).map(Some)
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => Value::Null,
        _ => Value::String(text.into_owned()),
    }
}

/// The long form (CloudFormation Template Reference, "Intrinsic functions"); which functions there are is asked later.
fn function(tag: &Tag, argument: Value) -> anyhow::Result<Value> {
    anyhow::ensure!(tag.handle == "!" && !tag.suffix.is_empty(), "the tag {tag} is no function's");
    let name = match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    Ok(Value::Object(Map::from_iter([(name, argument)])))
}
