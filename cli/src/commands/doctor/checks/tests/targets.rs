//! What rules and schedules start.

use super::*;
use crate::commands::doctor::facts::{Input, Target};

pub(super) fn as_the_template_has_them() -> BTreeMap<Part, Result<Vec<Target>, CallError>> {
    let of_rules = Part::RULES.map(|part| (part, in_template(part, "/Properties/Targets")));
    let of_schedules = Part::SCHEDULES.map(|part| (part, serde_json::json!([in_template(part, "/Properties/Target")])));
    let all = of_rules.into_iter().chain(of_schedules);
    all.map(|(part, targets)| (part, Ok(targets.as_array().unwrap().iter().map(target).collect()))).collect()
}

fn target(target: &serde_json::Value) -> Target {
    // What GetAtt says stays as it is named: ${CopierQueue.Arn}.
    let arn_of = |text: &str| {
        let name = text.strip_prefix("${").unwrap().strip_suffix(".Arn}").unwrap();
        let parts = Part::QUEUES.into_iter().chain(Part::FUNCTIONS);
        arn(parts.into_iter().find(|part| part.of_template().1 == name).unwrap())
    };
    let text = |pointer: &str| target.pointer(pointer).map(|found| found.as_str().unwrap().to_owned());
    Target {
        arn: arn_of(&text("/Arn").unwrap()),
        input: text("/Input").map_or(Input::Event, Input::Constant),
        group: text("/SqsParameters/MessageGroupId"),
        dead_letters: text("/DeadLetterConfig/Arn").map(|text| arn_of(&text)),
    }
}

/// What is found when a rule or schedule starts these.
fn with(part: Part, targets: Result<Vec<Target>, CallError>) -> Vec<String> {
    otherwise(|facts| drop(facts.stack.as_mut().unwrap().1.as_mut().unwrap().targets.insert(part, targets)))
}

#[test]
fn each_starts_what_it_is_there_for() {
    for (part, wanted) in as_the_template_has_them() {
        let name = part.of_template().1;
        let fail = [format!("Fail target {name}")];
        assert_eq!(with(part, Ok(vec![])), fail);
        let wanted = wanted.unwrap();
        let elsewhere = |from: &str, to: &str| -> Vec<Target> {
            let of = |target: &Target| Target { arn: target.arn.replace(from, to), ..target.clone() };
            wanted.iter().map(of).collect()
        };
        for missing in 0..wanted.len() {
            let mut found = wanted.clone();
            found.remove(missing);
            assert_eq!(with(part, Ok(found)), fail);
        }
        // Another's account, Region or service under the same name is not the stack's.
        for (from, to) in
            [("222222222222", "333333333333"), ("us-east-1", "eu-west-2"), (":sqs:", ":sns:"), (":lambda:", ":states:")]
        {
            let found = elsewhere(from, to);
            if found != wanted {
                assert_eq!(with(part, Ok(found)), fail);
            }
        }
        assert_eq!(with(part, Ok(elsewhere("arn:aws:", "arn:aws-cn:"))), [""; 0]);
        let other = Target { arn: "arn:aws:sqs:us-east-1:333333333333:elsewhere".to_owned(), ..wanted[0].clone() };
        let more = [wanted, vec![other]].concat();
        assert_eq!(with(part, Ok(more)), [format!("Unknown target {name}")]);
        assert_eq!(with(part, Err(error("AccessDeniedException", ""))), [format!("Unknown target {name}")]);
        // That the rule is gone is said once.
        assert_eq!(with(part, Err(error("ResourceNotFoundException", ""))), [""; 0]);
    }
}

#[test]
fn each_starts_it_with_what_the_template_gives() {
    let constant = |text: &str| Input::Constant(text.to_owned());
    for (part, wanted) in as_the_template_has_them() {
        let name = part.of_template().1;
        let fail = [format!("Fail target {name}")];
        let wanted = wanted.unwrap();
        for index in 0..wanted.len() {
            let with = |change: &dyn Fn(&mut Target)| {
                let mut found = wanted.clone();
                change(&mut found[index]);
                with(part, Ok(found))
            };
            let is_run = wanted[index].arn.contains(":lambda:") && !wanted[index].arn.contains("CopySharedDatabases");
            let input = |input: Input| with(&|target| target.input = input.clone());
            assert_eq!(input(constant("\"{\"")), fail);
            assert_eq!(input(Input::Changed).is_empty(), is_run, "{name}");
            assert_eq!(input(constant(r#"{"sweep":"once"}"#)).is_empty(), is_run, "{name}");
            assert_eq!(with(&|target| target.group = Some("another".to_owned())), fail);
            let keeps = wanted[index].dead_letters.is_some();
            assert_eq!(with(&|target| target.dead_letters = None).is_empty(), !keeps, "{name}");
            let elsewhere = with(&|target| target.dead_letters = Some(arn(Part::CopierDeadLetterQueue)));
            assert_eq!(elsewhere.is_empty(), !keeps, "{name}");
        }
    }
    // In other words it is the same.
    let mut sweep = as_the_template_has_them().remove(&Part::SweepTimer).unwrap().unwrap();
    sweep[0].input = constant(r#"{ "sweep" : "<aws.scheduler.execution-id>" }"#);
    assert_eq!(with(Part::SweepTimer, Ok(sweep.clone())), [""; 0]);
    // Serving is not sweeping.
    sweep[0].input = constant(r#"{"serve":"<aws.scheduler.execution-id>"}"#);
    assert_eq!(with(Part::SweepTimer, Ok(sweep)), ["Fail target SweepTimer"]);
    for part in [Part::ShareRule, Part::SweepTimer] {
        let mut found = as_the_template_has_them().remove(&part).unwrap().unwrap();
        found[0].group = None;
        assert_eq!(with(part, Ok(found)), [format!("Fail target {}", part.of_template().1)]);
    }
}
