//! No document makes the parser panic, and what it accepts has the properties that the rest of Snapferry relies on.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use snapferry_core::policy::{self, Encryption, LockMode, MAX_TAGS_TO_ADD, Parsed, Target};
use snapferry_core::retention::Interval;

const FIXTURES: [&str; 3] = [
    include_str!("fixtures/policies/cross-account-copy.json"),
    include_str!("fixtures/policies/get-lifecycle-policy.json"),
    include_str!("fixtures/policies/several.json"),
];

/// Words that mean something somewhere in a policy.
const WORDS: [&str; 51] = [
    "Policy",
    "PolicyId",
    "State",
    "PolicyDetails",
    "PolicyType",
    "PolicyLanguage",
    "EventSource",
    "Type",
    "Parameters",
    "EventType",
    "SnapshotOwner",
    "DescriptionRegex",
    "Actions",
    "Name",
    "CrossRegionCopy",
    "Target",
    "EncryptionConfiguration",
    "Encrypted",
    "CmkArn",
    "RetainRule",
    "Interval",
    "IntervalUnit",
    "KeepAtLeast",
    "LockRule",
    "Mode",
    "CoolOffPeriod",
    "MayOutliveRetention",
    "ProofRule",
    "Blocks",
    "Compare",
    "TagsToAdd",
    "Key",
    "Value",
    "CompletionDurationMinutes",
    "Schedules",
    "EVENT_BASED_POLICY",
    "MANAGED_CWE",
    "shareSnapshot",
    "111111111111",
    "eu-west-1",
    "us-east-2",
    "DAYS",
    "MONTHS",
    "YEARS",
    "governance",
    "compliance",
    "DISABLED",
    ".*",
    "(?x)a # b",
    "aws:x",
    "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&WORDS[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// What regexes are made of, valid ones and others.
const REGEX_TOKENS: [&str; 30] = [
    "a", "b", "é", ".", ".*", ".*", ".+", ".*?", "*", "+", "(?m)", "a?", "(a|b)", "[a-c]", r"\d", r"\w", r"\b", "(?i)",
    "|", "^", "$", "{2}", "{3,5}", " ", "\n", "(?x)", "# x", "(", ")", r"\",
];

/// The pointers of all values in a document.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), all));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| {
                // As RFC 6901 escapes them.
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{name}"), all);
            });
        }
        _ => {}
    }
}

/// A fixture with some of its values replaced by others.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), prop_oneof![2 => plausible(), 1 => any_json()]);
    (select(&FIXTURES[..]), prop::collection::vec(edit, 1..3)).prop_map(|(fixture, edits)| {
        let mut document: Value = serde_json::from_str(fixture).unwrap();
        for (index, value) in edits {
            let mut all = Vec::new();
            pointers(&document, "", &mut all);
            *document.pointer_mut(&all[index.index(all.len())]).unwrap() = value;
        }
        document.to_string()
    })
}

/// Values that may well be right where they land.
fn plausible() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(Value::from),
        (0_i64..3000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        (1_i64..200, select(vec!["DAYS", "WEEKS", "MONTHS", "YEARS"]), 0_i64..3)
            .prop_map(|(count, unit, keep)| json!({ "Interval": count, "IntervalUnit": unit, "KeepAtLeast": keep })),
        (1_i64..200, select(vec!["DAYS", "WEEKS", "MONTHS", "YEARS"]), any::<bool>(), 1_i64..80).prop_map(
            |(count, unit, may, hours)| json!({ "Mode": "compliance", "Interval": count, "IntervalUnit": unit,
                                                "CoolOffPeriod": hours, "MayOutliveRetention": may })
        ),
        prop::collection::vec((word(), word()), 0..45)
            .prop_map(|tags| { tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect() }),
    ]
}

/// A fixture with some of its characters replaced, most often no longer JSON.
fn damaged() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), any::<char>());
    (select(&FIXTURES[..]), prop::collection::vec(edit, 1..8), any::<prop::sample::Index>()).prop_map(
        |(fixture, edits, end)| {
            let mut characters: Vec<char> = fixture.chars().collect();
            for (index, character) in edits {
                let index = index.index(characters.len());
                characters[index] = character;
            }
            // Half of them are cut, too.
            characters.truncate(fixture.len().min(end.index(2 * fixture.len())));
            characters.into_iter().collect()
        },
    )
}

fn check(document: &str) -> Result<(), TestCaseError> {
    match policy::parse(document) {
        Ok(parsed) => invariants(&parsed),
        Err(error) => {
            let line = error.to_string();
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(line.chars().count() < 2000, "{line}");
            let at = error.line.zip(error.column);
            prop_assert!(at.is_none_or(|(line, column)| line >= 1 && column >= 1));
            prop_assert!(at.is_some(), "no place: {line}");
            Ok(())
        }
    }
}

fn invariants(parsed: &Parsed) -> Result<(), TestCaseError> {
    let names: BTreeSet<_> = parsed.policies.iter().map(|policy| policy.name.as_str()).collect();
    prop_assert_eq!(names.len(), parsed.policies.len());
    prop_assert!(!names.is_empty());
    prop_assert!(parsed.warnings.iter().all(|warning| names.contains(warning.policy.as_str())));
    for policy in &parsed.policies {
        let regions: BTreeSet<_> = policy.targets.iter().map(|target| target.region.as_str()).collect();
        prop_assert_eq!(regions.len(), policy.targets.len());
        policy.targets.iter().try_for_each(target_invariants)?;
    }
    Ok(())
}

fn target_invariants(target: &Target) -> Result<(), TestCaseError> {
    let is_valid = |interval: Interval| (1..=interval.unit.max_count()).contains(&interval.count);
    if let Encryption::Key(key) = &target.encryption {
        prop_assert_eq!(key.region(), target.region.as_str());
    }
    if let Some(retain) = target.retain {
        prop_assert!(is_valid(retain.interval) && retain.keep_at_least <= 1000);
    }
    if let Some(lock) = target.lock {
        prop_assert!(is_valid(lock.interval) && lock.interval.longest_days() <= 36_500);
        let allowed = lock.mode == LockMode::Compliance && lock.cool_off_hours.is_some_and(|h| (1..=72).contains(&h));
        prop_assert!(lock.cool_off_hours.is_none() || allowed);
    }
    let keys: BTreeSet<_> = target.tags.iter().map(|tag| &tag.key).collect();
    prop_assert_eq!(keys.len(), target.tags.len());
    prop_assert!(keys.len() <= MAX_TAGS_TO_ADD);
    prop_assert!(keys.iter().all(|key| !key.is_empty() && !key.to_lowercase().starts_with("snapferry:")));
    let minutes = target.completion_duration_minutes;
    prop_assert!(minutes.is_none_or(|minutes| (15..=2880).contains(&minutes) && minutes % 15 == 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn arbitrary_json(document in any_json()) {
        check(&document.to_string())?;
    }

    #[test]
    fn mutations_of_the_fixtures(document in mutated()) {
        check(&document)?;
    }

    #[test]
    fn damaged_fixtures(document in damaged()) {
        check(&document)?;
    }

    #[test]
    fn arbitrary_text(document in any::<String>()) {
        check(&document)?;
    }

    #[test]
    fn arbitrary_regexes(
        tokens in prop::collection::vec(select(&REGEX_TOKENS[..]), 0..10),
        texts in prop::collection::vec("[abé\u{1f4a5} \n]{0,6}|.{0,40}", 20),
    ) {
        let regex = tokens.concat();
        let member = format!("[], \"DescriptionRegex\": {}", Value::from(regex.clone()));
        let fixture = FIXTURES[0].replacen("[\"111111111111\"]", &member, 1);
        check(&fixture)?;
        let parsed = policy::parse(&fixture);
        // As one would write it with the regex crate. A comment at its end hides the group's: only a line break ends it.
        let build = |regex: &str| regex::RegexBuilder::new(regex).dot_matches_new_line(true).build();
        let whole = build(&format!("\\A(?:{regex})\\z")).or_else(|_| build(&format!("\\A(?:{regex}\n)\\z")));
        prop_assert_eq!(parsed.is_ok(), build(&regex).is_ok());
        if let (Ok(parsed), Ok(whole)) = (parsed, whole) {
            for text in &texts {
                prop_assert_eq!(parsed.policies[0].description.matches(text), whole.is_match(text), "{:?} {:?}", &regex, text);
            }
        }
    }
}
