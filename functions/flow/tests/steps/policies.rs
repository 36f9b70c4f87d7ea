//! Two policies of one account and Region, of which one is put off again and again: the other's copies do not wait for it.

use snapferry_core::copying::CopyFailure;
use snapferry_core::facts::{CallError, KeyFact, KeyProblem};
use snapferry_core::ids::KeyArn;
use snapferry_core::ledger::State;
use snapferry_core::policy::{self, Policy};
use snapferry_flow::Setup;

use crate::world::{OWNER, Scripted, error, setup};

const KEY: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn policy(id: &str, encryption: &str, more: &str) -> String {
    format!(
        r#"{{"Policy":{{"PolicyId":"{id}","State":"ENABLED","PolicyDetails":{{"PolicyType":"EVENT_BASED_POLICY",
        "EventSource":{{"Type":"MANAGED_CWE","Parameters":{{"EventType":"shareSnapshot","SnapshotOwner":["{OWNER}"]}}}},
        "Actions":[{{"Name":"copy","CrossRegionCopy":[{{"Target":"eu-west-1","EncryptionConfiguration":{{{encryption}}}{more}}}]}}]}}}}}}"#
    )
}

fn policies(all: &[String]) -> Vec<Policy> {
    policy::parse(&format!("[{}]", all.join(","))).unwrap().policies
}

/// The policy that is put off, by its key or by EC2.
fn put_off(world: &Scripted, by: Option<KeyFact>) -> String {
    match by {
        Some(fact) => {
            world.keys.borrow_mut().insert(KeyArn::parse(KEY).unwrap(), fact);
            policy("a-put-off", &format!(r#""Encrypted":true,"CmkArn":"{KEY}""#), "")
        }
        None => {
            *world.without_duration.borrow_mut() = Some(error(CopyFailure::DurationThroughput));
            policy("a-put-off", r#""Encrypted":true"#, r#","CompletionDurationMinutes":60"#)
        }
    }
}

/// How many copies of the good policy wait.
fn waiting(world: &Scripted) -> usize {
    let good = |stands: &&snapferry_core::ledger::Obligation| stands.identity.policy.as_str() == "b-good";
    let all = world.obligations.borrow();
    all.values().filter(good).filter(|stands| matches!(stands.state, State::Owed | State::Delayed { .. })).count()
}

fn put_offs() -> [Option<KeyFact>; 3] {
    [None, Some(KeyFact::Unread(CallError::not_read())), Some(KeyFact::Unusable(KeyProblem::Disabled))]
}

#[test]
fn what_one_policy_is_put_off_for_is_no_reason_to_put_off_anothers_copies() {
    for count in [4, 10, 40] {
        for by in put_offs() {
            let world = Scripted::default();
            let both = [put_off(&world, by.clone()), policy("b-good", r#""Encrypted":true"#, "")];
            let setup = Setup { policies: policies(&both), ..setup() };
            (1..=count).for_each(|number| world.share(number, OWNER));
            world.sweep(&setup);
            world.serve(&setup);
            assert_eq!(waiting(&world), 0, "{count}, {by:?}");
        }
    }
}

#[test]
fn hundreds_of_one_policy_that_are_overdue_hold_up_nothing_of_another() {
    for by in put_offs() {
        let world = Scripted::default();
        let first = put_off(&world, by.clone());
        let alone = Setup { policies: policies(std::slice::from_ref(&first)), ..setup() };
        let both = Setup { policies: policies(&[first, policy("b-good", r#""Encrypted":true"#, "")]), ..setup() };
        (1..=450).for_each(|number| world.share(number, OWNER));
        for tick in 0..240 {
            if tick % 15 == 0 {
                world.sweep(&alone)
            } else {
                world.serve(&alone)
            };
        }
        world.sweep(&both);
        world.serve(&both);
        assert_eq!(waiting(&world), 0, "{by:?}");
    }
}
