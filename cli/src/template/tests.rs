use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SMALL: &str = r#"
Parameters:
  Text: { Type: String, Default: by default }
  Given: { Type: String }
  Missing: { Type: String }
  Number: { Type: Number, Default: 7 }
  List: { Type: CommaDelimitedList, Default: "a, b" }
  Arns: { Type: List<String>, Default: "c,d" }
Conditions:
  Yes: !Equals [!Ref Text, by default]
  No: !Not [{ Condition: "Yes" }]
  Circle: !Or [{ Condition: Round }, { Condition: "Yes" }]
  Round: !And [{ Condition: Circle }, { Condition: "Yes" }]
Resources:
  Queue: { Type: AWS::SQS::Queue }
"#;

fn small() -> Template {
    Template::new(SMALL, [("Given", "given".to_owned()), ("AWS::Region", "eu-west-1".to_owned())]).unwrap()
}

fn evaluated(written: &str) -> anyhow::Result<Option<Value>> {
    small().evaluated(&yaml::read(written)?)
}

#[test]
fn functions() {
    for (written, expected) in [
        ("a text", json!("a text")),
        ("true", json!("true")),
        ("!Ref Text", json!("by default")),
        ("!Ref Given", json!("given")),
        ("!Ref Number", json!("7")),
        ("!Ref List", json!(["a", "b"])),
        ("!Ref Arns", json!(["c", "d"])),
        ("!Ref AWS::Region", json!("eu-west-1")),
        ("!Ref AWS::AccountId", json!("${AWS::AccountId}")),
        ("!Ref Queue", json!("${Queue}")),
        ("{ Ref: Queue }", json!("${Queue}")),
        ("[a, !Ref AWS::NoValue, b]", json!(["a", "b"])),
        ("{ a: !Ref AWS::NoValue, b: [] }", json!({ "b": [] })),
        ("!GetAtt Queue.Arn", json!("${Queue.Arn}")),
        ("!GetAtt [Queue, !Ref Given]", json!("${Queue.given}")),
        ("!Sub plain $ {text}", json!("plain $ {text}")),
        ("!Sub '${AWS::Region}:${Text}:${Queue}:${Queue.Arn}'", json!("eu-west-1:by default:${Queue}:${Queue.Arn}")),
        ("!Sub 'snapshot/${!*}'", json!("snapshot/${*}")),
        ("!Sub ['${Of}-${Text}', { Of: !Ref Given, Text: its own }]", json!("given-its own")),
        ("{ 'Fn::Sub': '${Text}' }", json!("by default")),
        ("!Join ['-', [a, !Ref Given]]", json!("a-given")),
        ("!Join [',', !Ref List]", json!("a,b")),
        ("!Join ['', []]", json!("")),
        ("!Split [',', !Join [',', [x, !Join [',', !Ref List]]]]", json!(["x", "a", "b"])),
        ("!Split [',', '']", json!([""])),
        ("!Select [1, !Ref List]", json!("b")),
        ("!Select [!Ref Number, !Split [',', ',,,,,,,seventh']]", json!("seventh")),
        ("!If ['Yes', a, !GetAtt Nothing.Arn]", json!("a")),
        ("!If ['No', a, [!Ref Given]]", json!(["given"])),
        ("[!If ['Yes', !Ref AWS::NoValue, b]]", json!([])),
    ] {
        assert_eq!(evaluated(written).unwrap(), Some(expected), "{written}");
    }
    assert_eq!(evaluated("!If ['Yes', !Ref AWS::NoValue, b]").unwrap(), None);
}

#[test]
fn what_cannot_be_evaluated() {
    const ONLY: &str = "only Ref, Fn::GetAtt, Fn::If, Fn::Join, Fn::Select, Fn::Split and Fn::Sub are evaluated";
    for (written, expected) in [
        ("!ImportValue x", format!("Fn::ImportValue: {ONLY}")),
        ("[{ a: !FindInMap [a, b, c] }]", format!("Fn::FindInMap: {ONLY}")),
        ("!Equals [a, a]", format!("Fn::Equals: {ONLY}")),
        ("!Sub ['${A}', { A: !Base64 x }]", format!("Fn::Sub: Fn::Base64: {ONLY}")),
        ("{ Ref: Text, b: c }", "Ref stands beside other members".to_owned()),
        ("!Ref [a]", "Ref: it takes a name".to_owned()),
        ("!Ref Nothing", "Ref: there is no Nothing".to_owned()),
        ("!Ref AWS::Nothing", "Ref: there is no AWS::Nothing".to_owned()),
        ("!Ref Missing", "Ref: Missing has no value".to_owned()),
        ("!GetAtt Queue", "Fn::GetAtt: it takes a resource's name and an attribute's".to_owned()),
        ("!GetAtt [Queue]", "Fn::GetAtt: it takes a resource's name and an attribute's".to_owned()),
        ("!GetAtt Nothing.Arn", "Fn::GetAtt: there is no resource Nothing".to_owned()),
        ("!Sub { a: b }", "Fn::Sub: it takes a text, or a text and an object".to_owned()),
        ("!Sub '${Text'", "Fn::Sub: it has ${ without }".to_owned()),
        ("!Sub '${Nothing}'", "Fn::Sub: there is no Nothing".to_owned()),
        ("!Sub '${Nothing.Arn}'", "Fn::Sub: there is no resource Nothing".to_owned()),
        ("!Sub '${AWS::NoValue}'", "Fn::Sub: AWS::NoValue is no text".to_owned()),
        ("!Sub '${List}'", "Fn::Sub: [\"a\",\"b\"] is no text".to_owned()),
        ("!Join [',']", "Fn::Join: it takes a separator and a list".to_owned()),
        ("!Join [',', text]", "Fn::Join: \"text\" is no list".to_owned()),
        ("!Join [',', [[a]]]", "Fn::Join: [\"a\"] is no text".to_owned()),
        ("!Split [',', a, b]", "Fn::Split: it takes a separator and a text".to_owned()),
        ("!Split ['', a]", "Fn::Split: its separator is empty".to_owned()),
        ("!Split [',', !Ref List]", "Fn::Split: [\"a\",\"b\"] is no text".to_owned()),
        ("!Select [1]", "Fn::Select: it takes an index and a list".to_owned()),
        ("!Select [2, !Ref List]", "Fn::Select: there is no element 2 of 2".to_owned()),
        ("!Select [-1, [a]]", "Fn::Select: there is no element -1 of 1".to_owned()),
        ("!If ['Yes', a]", "Fn::If: it takes a condition's name and two values".to_owned()),
        ("!If [[], a, b]", "Fn::If: it takes a condition's name".to_owned()),
        ("!If [Nothing, a, b]", "Fn::If: there is no condition Nothing".to_owned()),
    ] {
        assert_eq!(format!("{:#}", evaluated(written).unwrap_err()), expected, "{written}");
    }
    let circle = format!("{:#}", evaluated("!If [Circle, a, b]").unwrap_err());
    assert!(
        circle.starts_with("Fn::If: condition Circle: condition Round: ") && circle.ends_with("itself"),
        "{circle}"
    );
}

#[test]
fn conditions() {
    let with = |condition: &str| {
        let text = SMALL.replace("  Yes:", &format!("  Tried: {condition}\n  Yes:"));
        Template::new(&text, []).unwrap().condition("Tried").map_err(|error| format!("{error:#}"))
    };
    for (condition, expected) in [
        ("!Equals [a, a]", Ok(true)),
        ("!Equals [!Ref Number, 7]", Ok(true)),
        ("!Equals [!Ref Text, '']", Ok(false)),
        ("!Not [!Equals [a, a]]", Ok(false)),
        ("!And [!Equals [a, a], !Condition 'Yes']", Ok(true)),
        ("!And [!Equals [a, a], !Condition 'No', !Condition 'Yes']", Ok(false)),
        ("!Or [!Equals [a, b], !Condition 'Yes']", Ok(true)),
        ("!Or [!Equals [a, b], { Condition: 'No' }]", Ok(false)),
        ("!Equals [a]", Err("Fn::Equals takes a list of another length: [\"a\"]")),
        ("!Equals [a, !Ref List]", Err("[\"a\",\"b\"] is no text")),
        ("!Equals [a, !Ref AWS::NoValue]", Err("AWS::NoValue is no text")),
        ("!Not a", Err("Fn::Not takes a list of another length: \"a\"")),
        ("!And [!Equals [a, a]]", Err("Fn::And takes a list of another length: [{\"Fn::Equals\":[\"a\",\"a\"]}]")),
        (
            "!Contains [a, a]",
            Err("Fn::Contains: only Condition, Fn::And, Fn::Equals, Fn::Not and Fn::Or are evaluated"),
        ),
        ("!Condition Nothing", Err("there is no condition Nothing")),
        ("!Condition []", Err("Condition takes a name")),
        ("a", Err("it is no function: \"a\"")),
    ] {
        let expected = expected.map_err(|error| format!("condition Tried: {error}"));
        assert_eq!(with(condition), expected, "{condition}");
    }
}

#[test]
fn texts_that_are_no_template() {
    let deep = ["[".repeat(100), "- ".repeat(100_000)];
    for (text, expected) in [
        ("", "there is no document"),
        ("a: [", "at byte 4 line 2 column 1"),
        ("a: *b", "while parsing node, found unknown anchor"),
        ("a: &x b\nc: *x", "line 2: an alias, which CloudFormation does not take"),
        ("a: b\na: c", "line 1: a stands there twice"),
        ("[a]: b", "line 1: a key that is no text: [\"a\"]"),
        ("null: b", "line 1: a key that is no text: null"),
        ("a: !!binary b", "is no function's"),
        ("a: ! b", "is no function's"),
        ("a: b\n---\nc: d", "line 3: a second document"),
        ("[a]", "it is no object"),
        ("Parameters: [a]", "Parameters is no object"),
        ("Resources: text", "Resources is no object"),
        (&deep[0], "more than 64 levels deep"),
        (&deep[1], "more than 64 levels deep"),
        (&"[".repeat(100_000), "recursion limit"),
    ] {
        let error = format!("{:#}", Template::new(text, []).unwrap_err());
        assert!(error.contains(expected), "{text:.20}: {error}");
    }
    let error = Template::new(SMALL, [("Nothing", String::new())]).unwrap_err();
    assert_eq!(error.to_string(), "there is no parameter Nothing");
}

fn document(document: &str, sentences: &str) -> anyhow::Result<Document> {
    let resource = format!("Resources: {{ Role: {{ Metadata: {{ Statements: {sentences} }}, Written: {document} }} }}");
    let template = Template::new(&resource, [])?;
    template.document("Role", template.at("Role", "/Written")?)
}

#[test]
fn documents() {
    let text = "{ Version: v, Statement: [{ Sid: S, Effect: Allow, Action: [a], Resource: [x, y, x] }] }";
    let found = document(text, "{ S: Why it stands there. }").unwrap();
    assert_eq!(found.statements()[0].why, "Why it stands there.");
    let expected = json!({ "Sid": "S", "Effect": "Allow", "Action": "a", "Resource": ["x", "y"] });
    assert_eq!(serde_json::to_value(&found).unwrap(), json!({ "Version": "v", "Statement": [expected] }));
    for (from, to, expected) in [
        ("S:", "T:", "no sentence explains S"),
        ("Sid: S, ", "", "missing field `Sid`"),
        ("Action: [a]", "NotAction: a", "unknown field `NotAction`"),
        ("[x, y, x]", "{ x: y }", "it is no policy document"),
        ("Version: v, ", "", "missing field `Version`"),
    ] {
        let (text, sentences) = (text.replace(from, to), "{ S: Why. }".replace(from, to));
        let error = format!("{:#}", document(&text, &sentences).unwrap_err());
        assert!(error.contains(expected), "{from}: {error}");
    }
}

/// The Sids that the documents in a value have.
fn sids(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(sids).collect(),
        Value::Object(members) => {
            members.get("Sid").and_then(Value::as_str).into_iter().chain(members.values().flat_map(sids)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn each_sentence_of_the_templates_explains_a_statement() {
    for (text, resources) in [(VAULT, 19), (SOURCE, 1)] {
        let template = Template::new(text, []).unwrap();
        let explained = |(_, resource): &(&String, &Value)| resource.pointer("/Metadata/Statements").is_some();
        let found: Vec<_> = template.resources.iter().filter(explained).collect();
        assert_eq!(found.len(), resources);
        for (name, resource) in found {
            let mut sids = sids(&resource["Properties"]);
            sids.sort_unstable();
            let sentences = resource["Metadata"]["Statements"].as_object().unwrap();
            let mut explained: Vec<_> = sentences.keys().collect();
            explained.sort_unstable();
            assert_eq!(explained, sids, "{name}");
            for sentence in sentences.values().map(|each| each.as_str().unwrap()) {
                assert!(sentence.ends_with('.') && sentence.trim() == sentence, "{name}: {sentence}");
            }
        }
    }
}

/// Evaluates all that a text has to evaluate.
fn evaluate_all(text: &str) {
    let Ok(template) = Template::new(text, [("AWS::Partition", "aws".to_owned())]) else { return };
    for (name, resource) in &template.resources {
        let _ = template.evaluated(resource);
        let _ = template.document(name, resource);
    }
    for name in template.conditions.keys() {
        let _ = template.condition(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}", lines in "([ \\-!&*{}\\[\\],:'\"a-z$]{0,12}\n){0,20}") {
        evaluate_all(&text);
        evaluate_all(&format!("Resources:\n{lines}"));
    }

    #[test]
    fn no_change_of_a_template_is_a_panic(at in any::<prop::sample::Index>(), length in 0..80_usize, put in "\\PC{0,8}") {
        for text in [SMALL, SOURCE] {
            let mut letters: Vec<char> = text.chars().collect();
            let start = at.index(letters.len());
            let end = letters.len().min(start + length);
            letters.splice(start..end, put.chars());
            evaluate_all(&letters.into_iter().collect::<String>());
        }
    }
}
