//! The document as it stands there: JSON with DLM's member names, nothing judged.
//!
//! Every member is optional and `null` means absent, because the API's own answers differ in what they leave out.
//! Unknown members are errors. Enumerations stay texts: [`super::checked`] knows what to say about a wrong one.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::hours::Hours;
use super::path::{Path, Problem, Segment};
use super::{locate, suggest};

/// The longest document that is read, in bytes. Thousands of times a real policy, and still read in milliseconds.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The forms of a document.
const FORMS: &str = "PolicyDetails of an event-based policy, {\"Policy\": {…}} as `aws dlm get-lifecycle-policy` \
                     answers, or an array of such answers";

/// The longest text of serde's that is passed on.
const MAX_REASON: usize = 200;

/// A document in one of its three forms.
pub(super) enum Document {
    /// `PolicyDetails` alone.
    Bare(Box<PolicyDetails>),
    /// What `aws dlm get-lifecycle-policy` answers.
    Answer(Box<Answer>),
    /// Several of these.
    Answers(Vec<Answer>),
}

/// Reads a document, telling the forms apart by their shape.
pub(super) fn read(document: &str) -> Result<Document, Problem> {
    let root = Path::default();
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(root.wrong(format!("{} bytes", document.len()), format!("at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    match serde_json::from_str(document).map_err(|error| not_json(document, &error))? {
        Value::Object(members) if members.contains_key("Policy") => typed(document).map(Document::Answer),
        Value::Object(members) if members.contains_key("PolicyDetails") => Err(unwrapped(&root)),
        Value::Object(_) => typed(document).map(Document::Bare),
        Value::Array(items) => {
            if let Some((index, item)) = items.iter().enumerate().find(|(_, item)| item.get("Policy").is_none()) {
                let path = root.item(index);
                return Err(if item.get("PolicyDetails").is_some() {
                    unwrapped(&path)
                } else {
                    path.wrong("has no member \"Policy\"", "{\"Policy\": {\"PolicyId\": …, \"PolicyDetails\": {…}}}")
                });
            }
            typed(document).map(Document::Answers)
        }
        _ => Err(root.wrong("neither an object nor an array", FORMS)),
    }
}

fn unwrapped(path: &Path) -> Problem {
    path.wrong(
        "\"PolicyDetails\" stands outside of \"Policy\"",
        "{\"Policy\": {\"PolicyDetails\": {…}}}, or PolicyDetails alone",
    )
}

fn not_json(document: &str, error: &serde_json::Error) -> Problem {
    let at = locate::next_byte(document, error.line(), error.column().saturating_sub(1));
    let mut problem =
        match locate::number_around(document, at).filter(|number| number.starts_with('0') && number.len() > 1) {
            Some(number) => {
                let message = format!("not JSON: {error}: the number {number} begins with 0");
                Path::default().wrong(message, "JSON; an account ID stands in quotation marks")
            }
            None => {
                let allowed = if document.trim().is_empty() { FORMS } else { "JSON" };
                Path::default().wrong(format!("not JSON: {error}"), allowed)
            }
        };
    problem.offset = Some(at);
    problem
}

/// The second reading, which knows the members' names and types and the paths of those that are wrong.
fn typed<'de, T: Deserialize<'de>>(document: &'de str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(document);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = path_of(error.path());
        let error = error.into_inner();
        let full = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let reason = full.strip_suffix(&position).unwrap_or(&full);
        let Some(mut problem) = unknown_member(&path, reason).or_else(|| duplicate_member(&path, reason)) else {
            return wrong_type(&path, reason);
        };
        // The reader has just read the member's name, up to the closing quotation mark: point at the opening one.
        let end = locate::next_byte(document, error.line(), error.column().saturating_sub(1));
        problem.offset = document.get(..end).and_then(|before| before.rfind('"'));
        problem
    })
}

fn path_of(path: &serde_path_to_error::Path) -> Path {
    use serde_path_to_error::Segment as Theirs;
    let segments = path.iter().filter_map(|segment| match segment {
        Theirs::Seq { index } => Some(Segment::Item(*index)),
        Theirs::Map { key } => Some(Segment::Member(key.clone())),
        Theirs::Enum { .. } | Theirs::Unknown => None,
    });
    Path(segments.collect())
}

/// serde says "unknown field `A`, expected one of `B`, `C`" (or "expected `B` or `C`", or "expected `B`").
fn unknown_member(path: &Path, reason: &str) -> Option<Problem> {
    let (name, expected) = reason.strip_prefix("unknown field `")?.rsplit_once("`, expected ")?;
    // The names stand between every other pair of backticks.
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let hint = match PLACES.iter().find(|(_, members)| members.contains(&name)) {
        Some((place, _)) => format!(", which belongs into {place}"),
        None => suggest::hint(name, known.iter().copied()),
    };
    Some(path.wrong(format!("unknown member{hint}"), known.join(", ")))
}

/// Where members stand that are looked for elsewhere.
const PLACES: [(&str, &[&str]); 4] = [
    (
        "EventSource.Parameters",
        &["SnapshotOwner", "DescriptionRegex", "SourceTypes", "DatabaseFilter", "SilentAfterHours"],
    ),
    ("DatabaseFilter", &["SnapshotRegex", "DatabaseRegex", "Engines"]),
    ("an item of CrossRegionCopy", &["EncryptionConfiguration", "RetainRule", "LockRule", "ProofRule", "TagsToAdd"]),
    ("RetainRule", &["KeepAtLeast"]),
];

/// serde says "duplicate field `A`".
fn duplicate_member(path: &Path, reason: &str) -> Option<Problem> {
    let name = reason.strip_prefix("duplicate field `")?.strip_suffix('`')?;
    Some(path.member(name).wrong("stands twice", "each member once"))
}

/// serde says "invalid type: A, expected B" or "invalid value: A, expected B".
fn wrong_type(path: &Path, reason: &str) -> Problem {
    let (found, expected) = reason.rsplit_once(", expected ").unwrap_or((reason, "another value"));
    let found = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: ")).unwrap_or(found);
    let found: String = in_words_of_json(found).chars().take(MAX_REASON).collect();
    path.wrong(format!("found {found}"), in_words_of_json(expected))
}

fn in_words_of_json(term: &str) -> &str {
    match term {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "an array",
        "i64" => "a whole number",
        "a string" => "a string, in quotation marks",
        other => other,
    }
}

/// Declares the objects of the document: every member optional, unknown ones refused.
///
/// serde's own reading of a struct takes an array of its members' values, too. Through `remote` it becomes a mere
/// function, and the trait's reading takes nothing but an object.
macro_rules! objects {
    ($($(#[$attribute:meta])* $object:ident { $($member:ident: $type:ty,)* })*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "PascalCase", remote = "Self")]
        pub(super) struct $object {
            $(pub(super) $member: Option<$type>,)*
        }

        impl<'de> Deserialize<'de> for $object {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> Visitor<'de> for Object {
                    type Value = $object;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<$object, A::Error> {
                        $object::deserialize(MapAccessDeserializer::new(members))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    )*};
}

objects! {
    /// The answer of `aws dlm get-lifecycle-policy`, or of boto3, which tells of the request besides.
    Answer {
        policy: LifecyclePolicy,
        response_metadata: IgnoredAny,
    }

    /// DLM's `LifecyclePolicy`. What Snapferry has no use for may hold anything.
    LifecyclePolicy {
        policy_id: String,
        description: IgnoredAny,
        state: String,
        status_message: IgnoredAny,
        execution_role_arn: IgnoredAny,
        date_created: IgnoredAny,
        date_modified: IgnoredAny,
        policy_details: PolicyDetails,
        tags: IgnoredAny,
        policy_arn: IgnoredAny,
        default_policy: bool,
    }

    /// DLM's `PolicyDetails`, of all types of policy.
    PolicyDetails {
        policy_type: String,
        policy_language: String,
        event_source: EventSource,
        actions: Vec<Action>,
        resource_types: Value,
        resource_locations: Value,
        target_tags: Value,
        schedules: Value,
        parameters: Value,
        resource_type: Value,
        create_interval: Value,
        retain_interval: Value,
        copy_tags: Value,
        cross_region_copy_targets: Value,
        extend_deletion: Value,
        exclusions: Value,
    }

    /// DLM's `EventSource`.
    EventSource {
        r#type: String,
        parameters: EventParameters,
    }

    /// DLM's `EventParameters`, and Snapferry's additions to them.
    EventParameters {
        event_type: String,
        source_types: Vec<String>,
        snapshot_owner: Vec<Value>,
        silent_after_hours: Hours,
        description_regex: String,
        database_filter: DatabaseFilter,
    }

    /// Snapferry's `DatabaseFilter`.
    DatabaseFilter {
        snapshot_regex: String,
        database_regex: String,
        engines: Vec<String>,
    }

    /// DLM's `Action`.
    Action {
        name: String,
        cross_region_copy: Vec<CrossRegionCopy>,
    }

    /// DLM's `CrossRegionCopyAction`, and Snapferry's additions to it.
    CrossRegionCopy {
        target: String,
        encryption_configuration: EncryptionConfiguration,
        retain_rule: RetainRule,
        lock_rule: LockRule,
        proof_rule: ProofRule,
        tags_to_add: Vec<Tag>,
        completion_duration_minutes: i64,
    }

    /// DLM's `EncryptionConfiguration`.
    EncryptionConfiguration {
        encrypted: bool,
        cmk_arn: String,
    }

    /// DLM's `CrossRegionCopyRetainRule`, and Snapferry's `KeepAtLeast`.
    RetainRule {
        interval: i64,
        interval_unit: String,
        keep_at_least: i64,
    }

    /// Snapferry's `LockRule`.
    LockRule {
        mode: String,
        interval: i64,
        interval_unit: String,
        cool_off_period: i64,
        may_outlive_retention: bool,
    }

    /// Snapferry's `ProofRule`.
    ProofRule {
        blocks: Value,
        compare: bool,
    }

    /// EC2's `Tag`.
    Tag {
        key: String,
        value: String,
    }
}
