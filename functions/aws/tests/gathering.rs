//! Reading the facts from mocked EC2 and KMS.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::types::{Snapshot, SnapshotState, Tag};
use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeySpec, KeyState};
use aws_smithy_mocks::mock;
use aws_smithy_types::DateTime;
use common::{KEY, clients, ec2, ec2_error, http, kms, region, snapshot_id, source};
use snapferry_aws::copying::{Ask, gather};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::reads;
use snapferry_core::copying::{CopyRequest, Scope};
use snapferry_core::facts::{KeyFact, KeyLife, KeyProblem};
use snapferry_core::ids::{AccountId, KeyArn};

const TIME: &str = "2026-11-22T03:00:00Z";

fn time() -> jiff::Timestamp {
    TIME.parse().unwrap()
}

fn snapshot(number: u32) -> Snapshot {
    Snapshot::builder()
        .snapshot_id(snapshot_id(number).to_string())
        .owner_id("111111111111")
        .volume_id("vol-0123456789abcdef0")
        .volume_size(8)
        .state(SnapshotState::Completed)
        .start_time(DateTime::from_secs(time().as_second()))
        .encrypted(true)
        .description("nightly")
        .build()
}

fn page(snapshots: Vec<Snapshot>, next: Option<&str>) -> DescribeSnapshotsOutput {
    DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots)).set_next_token(next.map(str::to_owned)).build()
}

#[tokio::test]
async fn every_page_is_read_and_a_snapshot_on_two_pages_counts_once() {
    let first = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| {
            r.next_token().is_none() && r.owner_ids() == ["111111111111"] && r.restorable_by_user_ids() == ["self"]
        })
        .then_output(|| page(vec![snapshot(2), snapshot(1)], Some("a")));
    let second = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| r.next_token() == Some("a"))
        .then_output(|| page(vec![snapshot(3), snapshot(2)], None));
    let clients = clients([ec2("us-east-1", &[&first, &second])], []);
    let found = reads::shared_by(&clients, &[AccountId::parse("111111111111").unwrap()]).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], source(1));
    assert_eq!(clients.calls(), 2);
}

#[tokio::test]
async fn nobody_to_ask_for_means_no_call_and_nobody_elses_snapshots() {
    let clients = clients([ec2("us-east-1", &[])], []);
    assert_eq!(reads::shared_by(&clients, &[]).await, Ok(vec![]));
    assert_eq!(clients.calls(), 0);
}

#[tokio::test]
async fn a_page_token_that_comes_twice_is_an_error_and_not_the_end() {
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(|| page(vec![snapshot(1)], Some("again")));
    let clients = clients([ec2("us-east-1", &[&rule])], []);
    let error = reads::by_id(&clients, &[snapshot_id(1)]).await.unwrap_err();
    assert_eq!(error.message, "DescribeSnapshots gave the same page token twice");
}

#[tokio::test]
async fn an_error_keeps_the_services_words() {
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .then_http_response(|| ec2_error(403, "UnauthorizedOperation", "You are not authorized"));
    let clients = clients([ec2("us-east-1", &[&rule])], []);
    let error = reads::by_id(&clients, &[snapshot_id(1)]).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("UnauthorizedOperation", "You are not authorized"));
    assert_eq!(error.request_id.as_deref(), Some("11111111-2222-3333-4444-555555555555"));
}

#[tokio::test]
async fn a_copy_with_an_edited_tag_still_counts_and_is_reported() {
    let policies = common::policies(&["eu-west-1"]);
    let (original, home) = (source(7), region("us-east-1"));
    let request = CopyRequest {
        policy: &policies[0].name,
        filter: &policies[0].description,
        source: &original,
        home: &home,
        target: &policies[0].targets[0],
    };
    let tags = request.tags(time());
    let tagged = move |id: u32, edit: &'static str| {
        let tags = tags.iter().map(|(key, value)| {
            let value = if key == edit { "edited" } else { value.as_str() };
            Tag::builder().key(key).value(value).build()
        });
        let mut copy = snapshot(id);
        copy.tags = Some(tags.collect());
        copy
    };
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| {
            r.owner_ids() == ["self"]
                && r.filters()[0].name() == Some("tag:snapferry:source-snapshot")
                && r.filters()[0].values() == ["snap-00000007"]
                && r.filters()[1].name() == Some("tag:snapferry:source-region")
                && r.filters()[1].values() == ["us-east-1", "us-east-2"]
        })
        .then_output(move || {
            let edits = ["", "snapferry:expire-after", "snapferry:source-snapshot"];
            page((1..).zip(edits).map(|(id, edit)| tagged(id, edit)).collect(), None)
        });
    let mut clients = clients([ec2("eu-west-1", &[&rule])], []);
    clients.homes.insert(region("us-east-2"));
    let found = reads::copies(&clients, &region("eu-west-1"), &[snapshot_id(7)]).await.unwrap();
    let ids: Vec<_> = found.copies.iter().map(|copy| copy.id.to_string()).collect();
    assert_eq!(ids, ["snap-00000001", "snap-00000002"]);
    let tampered: Vec<_> = found.tampered.iter().map(|copy| format!("{} {}", copy.id, copy.problems[0])).collect();
    assert_eq!(
        tampered,
        [
            "snap-00000002 tag snapferry:expire-after cannot be read: \"edited\"",
            "snap-00000003 tag snapferry:source-snapshot cannot be read: \"edited\"",
        ]
    );
}

#[tokio::test]
async fn keys_are_judged_and_only_good_ones_remembered() {
    let metadata = || KeyMetadata::builder().key_id("k").arn(KEY).key_state(KeyState::Enabled);
    let cases = [
        (metadata(), None),
        (metadata().key_state(KeyState::Disabled), Some("key-disabled")),
        (metadata().key_state(KeyState::PendingDeletion), Some("key-pending-deletion")),
        (metadata().key_state(KeyState::PendingImport), Some("key-not-ready")),
        (metadata().key_manager(KeyManagerType::Aws), Some("key-aws-managed")),
        (metadata().key_spec(KeySpec::Rsa2048), Some("key-not-symmetric")),
        (metadata().arn("arn:aws:kms:us-east-1:222222222222:key/other"), Some("key-not-the-configured-one")),
    ];
    let key = KeyArn::parse(KEY).unwrap();
    for (metadata, expected) in cases {
        let metadata = metadata.build().unwrap();
        let rule = mock!(aws_sdk_kms::Client::describe_key)
            .then_output(move || DescribeKeyOutput::builder().key_metadata(metadata.clone()).build());
        let clients = clients([], [kms("eu-west-1", &[&rule])]);
        let cache = KeyCache::default();
        for _ in 0..2 {
            let reason = match cache.look(&clients, &region("eu-west-1"), &key).await {
                KeyFact::Usable => None,
                KeyFact::Unusable(problem) => Some(problem.reason().name()),
                KeyFact::Unread(_) => Some("unread"),
            };
            assert_eq!(reason, expected);
        }
        assert_eq!(rule.num_calls(), if expected.is_none() { 1 } else { 2 }, "{expected:?}");
    }
}

#[tokio::test]
async fn a_key_that_kms_does_not_show_is_refused_and_one_it_cannot_show_now_is_deferred() {
    let key = KeyArn::parse(KEY).unwrap();
    for (status, code, expected) in [
        (400, "NotFoundException", "key-not-found"),
        (400, "AccessDeniedException", "key-access-denied"),
        (500, "KMSInternalException", "unread"),
        (400, "ThrottlingException", "unread"),
    ] {
        let rule = mock!(aws_sdk_kms::Client::describe_key)
            .then_http_response(move || http(status, &format!("{{\"__type\": \"{code}\", \"message\": \"no\"}}")));
        let clients = clients([], [kms("eu-west-1", &[&rule])]);
        let reason = match KeyCache::default().look(&clients, &region("eu-west-1"), &key).await {
            KeyFact::Unusable(problem @ (KeyProblem::NotFound(_) | KeyProblem::AccessDenied(_))) => {
                problem.reason().name()
            }
            KeyFact::Unread(_) => "unread",
            _ => "usable",
        };
        assert_eq!(reason, expected, "{code}");
    }
}

/// However many copies there are, KMS is asked once about each key that they are under, and once in five minutes if it is well.
#[tokio::test]
async fn what_kms_says_of_the_keys_that_copies_are_under_is_noted_on_them() {
    const OLD: &str = "arn:aws:kms:eu-west-1:222222222222:key/old";
    let copy = |number: u32, key: &'static str| {
        let tag = |(key, value): (&str, &str)| Tag::builder().key(key).value(value).build();
        let tags = [("snapferry:policy", "default"), ("snapferry:source-snapshot", "snap-00000001")].map(tag);
        let mut copy = snapshot(number);
        (copy.kms_key_id, copy.tags) = (Some(key.to_owned()), Some(tags.to_vec()));
        copy
    };
    let shown: Vec<Snapshot> = (1..=9).map(|number| copy(number, if number % 3 == 0 { OLD } else { KEY })).collect();
    let copies = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(move || page(shown.clone(), None));
    let described = |key: &'static str, state: KeyState| {
        let metadata = KeyMetadata::builder().key_id("k").arn(key).key_state(state).build().unwrap();
        mock!(aws_sdk_kms::Client::describe_key)
            .match_requests(move |request| request.key_id() == Some(key))
            .then_output(move || DescribeKeyOutput::builder().key_metadata(metadata.clone()).build())
    };
    let (well, lost) = (described(KEY, KeyState::Enabled), described(OLD, KeyState::PendingDeletion));
    let clients = clients([ec2("eu-west-1", &[&copies])], [kms("eu-west-1", &[&well, &lost])]);
    let keys = KeyCache::default();
    for _ in 0..2 {
        let mut copies = reads::all_copies(&clients, &region("eu-west-1")).await.unwrap();
        assert!(copies.copies.iter().all(|copy| copy.origin.life == KeyLife::InDoubt), "nobody asked yet");
        keys.note(&clients, &region("eu-west-1"), &mut copies).await;
        let lives: Vec<KeyLife> = copies.copies.iter().map(|copy| copy.origin.life).collect();
        assert_eq!(lives, [KeyLife::Alive, KeyLife::Alive, KeyLife::Doomed].repeat(3));
        let lost: Vec<_> = copies.endangered().map(|lost| (lost.key, lost.copies)).collect();
        assert_eq!(lost, [(OLD, 3)]);
    }
    assert_eq!((well.num_calls(), lost.num_calls()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_never_answers_is_unread_and_costs_no_other_its_facts() {
    let shared = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(|| page(vec![snapshot(1)], None));
    let empty = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(|| page(vec![], None));
    let key = mock!(aws_sdk_kms::Client::describe_key).then_http_response(|| http(500, "{}"));
    let ec2 = [ec2("us-east-1", &[&shared]), common::silent_ec2("eu-west-1"), ec2("eu-west-3", &[&empty])];
    let clients = clients(ec2, [kms("eu-west-1", &[&key])]);
    let policies = common::policies(&["eu-west-1", "eu-west-3"]);
    let scope = Scope::Sweep { since: None };
    let ask = Ask { policies: &policies, account: None, scope, named: vec![], noticed: HashSet::new() };
    let facts = gather(&clients, &KeyCache::default(), Deadline::after(Duration::from_secs(300)), ask).await;
    assert_eq!(facts.snapshots.map(|found| found.len()), Ok(1));
    assert_eq!(facts.regions[&region("eu-west-1")].as_ref().unwrap_err().code, "Timeout");
    assert!(facts.regions[&region("eu-west-3")].is_ok());
}
