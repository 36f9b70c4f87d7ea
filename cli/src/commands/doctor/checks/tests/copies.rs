//! The copies.

use std::sync::Arc;

use snapferry_core::facts::{Copies, Copy, KeyFact, KeyLife, KeyProblem, Moment, Origin};
use snapferry_core::ids::PolicyName;

use super::*;

fn copy(home: &str, policy: &str) -> Copy {
    Copy {
        id: SnapshotId::parse("snap-00000009").unwrap(),
        source: snapshot().id,
        lineage: None,
        origin: Arc::new(Origin {
            owner: None,
            policy: PolicyName::parse(policy).unwrap(),
            account: None,
            region: Some(region(home)),
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: snapshot().start_time,
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: State::Completed,
        status: None,
        is_bound: false,
        lock: None,
        is_tampered: false,
    }
}

/// What is said of these copies, by a stack with these parameters or without one.
fn said(copies: &[(&str, &str)], parameters: Option<&[(&str, &str)]>) -> Vec<String> {
    let copies = copies.iter().map(|(home, policy)| copy(home, policy)).collect();
    let parameters =
        parameters.map(|given| given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    let stack = parameters.map(|given| ("snapferry".to_owned(), Ok(Stack { parameters: Some(Ok(given)), ..stack() })));
    let copies = [(region("eu-west-2"), Ok(Copies { copies, ..Copies::default() }))].into();
    let found = checks(&Facts { copies, stack, ..facts() }, &policies(""));
    let found = found.iter().filter(|check| ["copies", "policy-not-named"].contains(&check.check));
    found.map(|check| format!("{:?} {} {}: {}", check.verdict, check.check, check.subject, check.message)).collect()
}

#[test]
fn whose_copies_there_are() {
    let all = [("us-east-1", "default"), ("us-east-1", "old"), ("eu-west-3", "old"), ("sa-east-1", "default")];
    let not_named = "copies of a policy that the document does not have";
    let homes = "1 of eu-west-3, which that home's stack handles; 1 of sa-east-1, which that home's stack handles";
    let ours =
        |count: u32, homes: &str| format!("Pass copies eu-west-2: {count} of this stack's homes and policies{homes}");
    assert_eq!(
        said(&all, None),
        [
            ours(1, &format!("; {homes}")),
            format!(
                "Unknown policy-not-named old eu-west-2: 1 {not_named}: they expire only while the stack's RetiredPolicies \
                 names it"
            )
        ]
    );
    let failed = |count| {
        format!(
            "Fail policy-not-named old eu-west-2: {count} {not_named} and RetiredPolicies does not name: this stack leaves \
             them untouched"
        )
    };
    assert_eq!(said(&all, Some(&[("RetiredPolicies", "")])), [ours(1, &format!("; {homes}")), failed(1)]);
    let taken_over = [("RetiredPolicies", ""), ("RetiredHomes", "eu-west-3,sa-east-1")];
    assert_eq!(said(&all, Some(&taken_over)), [ours(2, ""), failed(2)]);
    let retired = [("RetiredPolicies", "older,old"), ("RetiredHomes", "eu-west-3,sa-east-1")];
    assert_eq!(said(&all, Some(&retired)), [ours(4, "")]);
}

#[test]
fn a_region_whose_copies_are_not_read() {
    let copies = [(region("eu-west-2"), Err(error("UnauthorizedOperation", "no")))];
    assert_eq!(otherwise(|facts| facts.copies = copies.into()), ["Unknown copies eu-west-2"]);
}

#[test]
fn what_becomes_of_copies_whose_keys_are_lost_or_in_doubt() {
    let gone = || error("NotFoundException", "no such key");
    for (fact, expected, remedy) in [
        (KeyFact::Usable, "Pass copies-key eu-west-2", ""),
        (KeyFact::Unusable(KeyProblem::PendingDeletion), "Fail copies-key old", "Cancel the key's deletion"),
        (KeyFact::Unusable(KeyProblem::NotFound(gone())), "Fail copies-key old", "Delete them by hand"),
        (KeyFact::Unusable(KeyProblem::Disabled), "Unknown copies-key old", "Enable the key"),
        (
            KeyFact::Unusable(KeyProblem::AccessDenied(error("AccessDeniedException", "no"))),
            "Unknown copies-key old",
            "Repeat with credentials that may call kms:DescribeKey",
        ),
        (KeyFact::Unread(error("ThrottlingException", "no")), "Unknown copies-key old", "Repeat with credentials"),
    ] {
        let under = Copy {
            origin: Arc::new(Origin { key: Some("old".into()), ..(*copy("us-east-1", "default").origin).clone() }),
            ..copy("us-east-1", "default")
        };
        let mut copies = Copies { copies: vec![under], ..Copies::default() };
        copies.note_keys([("old".into(), fact)].into());
        let found = checks(&Facts { copies: [(region("eu-west-2"), Ok(copies))].into(), ..facts() }, &policies(""));
        let found: Vec<_> = found.iter().filter(|check| check.check == "copies-key").collect();
        let [check] = found.as_slice() else { panic!("one check expected, not {found:?}") };
        assert_eq!(format!("{:?} {} {}", check.verdict, check.check, check.subject), expected);
        assert!(check.remedy.as_deref().unwrap_or_default().contains(remedy), "{check:?}");
    }
}
