//! Deletions against mocked EC2: the second look, refusals, lost answers, limits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::operation::delete_snapshot::DeleteSnapshotOutput;
use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsInput, DescribeSnapshotsOutput};
use aws_sdk_ec2::types::{Snapshot, SnapshotState, Tag};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use common::{clients, ec2, ec2_error, policies, region};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::expiring::{execute, gather};
use snapferry_aws::keys::KeyCache;
use snapferry_core::expiring::{Attempts, Limits, decide, record, rest};
use snapferry_core::ids::AccountId;

const LONG: Duration = Duration::from_secs(280);
const DAY: i64 = 86_400;

/// A verified copy of ours that was started and expires so many days ago.
fn copy(number: u32, started: i64, expired: i64) -> Snapshot {
    let now = Timestamp::now().as_second();
    let ago = |days: i64| Timestamp::from_second(now - DAY * days).unwrap().to_string();
    let tags = [
        ("snapferry:policy", "default".to_owned()),
        ("snapferry:source-snapshot", format!("snap-5{number:07x}")),
        ("snapferry:source-account", "111111111111".to_owned()),
        ("snapferry:source-region", "us-east-1".to_owned()),
        ("snapferry:source-volume", "vol-00000001".to_owned()),
        ("snapferry:source-size-gib", "8".to_owned()),
        ("snapferry:source-start-time", ago(started)),
        ("snapferry:expire-after", ago(expired)),
        ("snapferry:status", "verified".to_owned()),
        ("snapferry:settled-at", ago(started)),
        ("snapferry:copy", format!("snap-{number:08x}")),
    ];
    Snapshot::builder()
        .snapshot_id(format!("snap-{number:08x}"))
        .owner_id("222222222222")
        .state(SnapshotState::Completed)
        .encrypted(true)
        .volume_size(8)
        .description(format!("Snapferry copy of snap-5{number:07x} from us-east-1 (account 111111111111)"))
        .start_time(DateTime::from_secs(now - DAY * started))
        .set_tags(Some(tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
        .build()
}

/// Copies 1 to `expired`, whose time is over, the longest ago first, and copy 99, which stays.
fn vault(expired: u32) -> Vec<Snapshot> {
    let old = (1..=expired).map(|number| copy(number, 90 - i64::from(number), 60 - i64::from(number)));
    old.chain([copy(99, 1, -29)]).collect()
}

fn is_all(request: &DescribeSnapshotsInput) -> bool {
    let [filter, home] = request.filters() else { return false };
    request.owner_ids() == ["self"]
        && filter.name() == Some("tag-key")
        && filter.values() == ["snapferry:policy", "snapferry:source-snapshot"]
        && home.name() == Some("tag:snapferry:source-region")
        && home.values() == ["us-east-1"]
}

fn page(snapshots: Vec<Snapshot>) -> DescribeSnapshotsOutput {
    DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots)).build()
}

fn everything(snapshots: Vec<Snapshot>) -> Rule {
    mock!(aws_sdk_ec2::Client::describe_snapshots).match_requests(is_all).then_output(move || page(snapshots.clone()))
}

/// The second look at `number`, which shows `snapshots`. It asks for the copy that stays, too.
fn look(number: u32, snapshots: Vec<Snapshot>) -> Rule {
    let ids = [format!("snap-{number:08x}"), "snap-00000063".to_owned()];
    mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(move |request| {
            let filter = &request.filters()[0];
            request.owner_ids() == ["self"] && filter.name() == Some("snapshot-id") && filter.values() == ids
        })
        .then_output(move || page(snapshots.clone()))
}

/// Second looks that find nothing changed.
fn looks(snapshots: Vec<Snapshot>) -> Rule {
    mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|request| request.filters()[0].name() == Some("snapshot-id"))
        .then_output(move || page(snapshots.clone()))
}

fn deleting() -> Rule {
    mock!(aws_sdk_ec2::Client::delete_snapshot).then_output(|| DeleteSnapshotOutput::builder().build())
}

fn answering(answer: impl Fn() -> HttpResponse + Send + Sync + 'static) -> Rule {
    mock!(aws_sdk_ec2::Client::delete_snapshot).then_http_response(answer)
}

/// One whole run; gives copy, event and reason of each record, then of each summary its count instead of the copy.
async fn run(clients: &Clients, codes: &[&str], max_deletes: usize, time: Duration) -> Vec<String> {
    let regions: BTreeSet<_> = codes.iter().map(|code| region(code)).collect();
    let deadline = Deadline::after(time);
    let keys = KeyCache::default();
    let facts = gather(clients, &keys, &regions, AccountId::parse("222222222222").ok(), deadline).await;
    let limits = Limits { max_deletes, allow_mass_expiry: true };
    let plan = decide(&policies(&["eu-west-1"]), &facts, limits, Timestamp::now());
    let told = RefCell::new(Vec::new());
    let attempts = Attempts::new(&plan.deletions, max_deletes, Timestamp::now());
    let untried = execute(clients, &keys, attempts, deadline, |deletion, outcome| {
        let record = record(deletion, outcome, Timestamp::now());
        let id = record.copy.unwrap().snapshot.unwrap();
        told.borrow_mut().push(format!("{id} {} {}", record.reason.event().name(), record.reason.name()));
    })
    .await;
    let mut told = told.into_inner();
    told.extend(untried.into_iter().map(|(why, region, count)| {
        let record = rest(why, region, count, Timestamp::now());
        format!("{} {}", record.count.unwrap(), record.reason.name())
    }));
    told
}

#[tokio::test]
async fn each_copy_is_looked_at_once_more_and_then_deleted() {
    let vault = vault(2);
    let all = everything(vault.clone());
    let first = look(1, vec![vault[0].clone(), vault[2].clone()]);
    let second = look(2, vec![vault[1].clone(), vault[2].clone()]);
    let delete = deleting();
    let clients = clients([ec2("eu-west-1", &[&all, &first, &second, &delete])], []);
    let told = run(&clients, &["eu-west-1"], 100, LONG).await;
    assert_eq!(told, ["snap-00000001 copy.expired expired", "snap-00000002 copy.expired expired"]);
    assert_eq!((first.num_calls(), second.num_calls(), delete.num_calls()), (1, 1, 2));
}

#[tokio::test]
async fn what_changed_since_is_left_alone() {
    let vault = vault(1);
    let (old, newest) = (&vault[0], &vault[1]);
    let mut prolonged = old.clone();
    prolonged.tags.as_mut().unwrap()[7].value = Some("2999-01-01T00:00:00Z".to_owned());
    let mut untagged = old.clone();
    untagged.tags = None;
    let mut rejected = newest.clone();
    rejected.tags.as_mut().unwrap()[8].value = Some("rejected".to_owned());
    for (shown, expected) in [
        (vec![prolonged, newest.clone()], "copy.kept no-longer-due"),
        (vec![untagged, newest.clone()], "copy.kept no-longer-due"),
        (vec![newest.clone()], "copy.skipped already-gone"),
        (vec![old.clone()], "copy.kept survivor-gone"),
        (vec![old.clone(), rejected], "copy.kept survivor-gone"),
    ] {
        let (all, look, delete) = (everything(vault.clone()), looks(shown), deleting());
        let clients = clients([ec2("eu-west-1", &[&all, &look, &delete])], []);
        assert_eq!(run(&clients, &["eu-west-1"], 100, LONG).await, [format!("snap-00000001 {expected}")]);
        assert_eq!(delete.num_calls(), 0);
    }
}

#[tokio::test]
async fn refusals_are_told_with_their_reason() {
    for (status, code, expected) in [
        (400, "InvalidSnapshot.InUse", "copy.kept in-use"),
        (400, "OperationNotPermitted", "copy.kept locked"),
        (400, "SnapshotLocked", "copy.kept locked"),
        (403, "UnauthorizedOperation", "copy.kept not-authorized"),
        (503, "RequestLimitExceeded", "copy.kept throttled"),
        (400, "IncorrectState", "copy.kept refused"),
        // It was there a moment ago: an attempt whose answer was lost has deleted it.
        (400, "InvalidSnapshot.NotFound", "copy.expired already-gone"),
        // It may have been deleted, and EC2 shows it still.
        (500, "InternalError", "copy.kept answer-lost"),
        (503, "Unavailable", "copy.kept answer-lost"),
    ] {
        let vault = vault(1);
        let (all, look) = (everything(vault.clone()), looks(vault));
        let delete = answering(move || ec2_error(status, code, "no"));
        let clients = clients([ec2("eu-west-1", &[&all, &look, &delete])], []);
        assert_eq!(run(&clients, &["eu-west-1"], 100, LONG).await, [format!("snap-00000001 {expected}")], "{code}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_cleared_up_by_looking_again() {
    let vault = vault(1);
    let all = everything(vault.clone());
    let before = vault.clone();
    let after = vec![vault[1].clone()];
    let look = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|request| request.filters()[0].name() == Some("snapshot-id"))
        .sequence()
        .output(move || page(before.clone()))
        .output(move || page(after.clone()))
        .build();
    let delete = answering(|| ec2_error(500, "InternalError", "no"));
    let clients = clients([ec2("eu-west-1", &[&all, &look, &delete])], []);
    assert_eq!(run(&clients, &["eu-west-1"], 100, LONG).await, ["snap-00000001 copy.expired already-gone"]);
}

#[tokio::test]
async fn a_run_deletes_no_more_than_its_limit_the_longest_due_first() {
    let vault = vault(12);
    let (all, look, delete) = (everything(vault.clone()), looks(vault), deleting());
    let clients = clients([ec2("eu-west-1", &[&all, &look, &delete])], []);
    let told = run(&clients, &["eu-west-1"], 7, LONG).await;
    let expected = (1..=7).map(|number| format!("snap-{number:08x} copy.expired expired"));
    assert_eq!(told, expected.chain(["5 run-limit".to_owned()]).collect::<Vec<_>>());
    assert_eq!(delete.num_calls(), 7);
}

#[tokio::test]
async fn refused_copies_do_not_hold_up_the_others() {
    let vault = vault(12);
    let (all, look) = (everything(vault.clone()), looks(vault));
    let locked = mock!(aws_sdk_ec2::Client::delete_snapshot)
        .match_requests(|request| request.snapshot_id().unwrap() < "snap-00000009")
        .then_http_response(|| ec2_error(400, "SnapshotLocked", "locked"));
    let free = mock!(aws_sdk_ec2::Client::delete_snapshot)
        .match_requests(|request| request.snapshot_id().unwrap() >= "snap-00000009")
        .then_output(|| DeleteSnapshotOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&all, &look, &locked, &free])], []);
    let told = run(&clients, &["eu-west-1"], 3, LONG).await;
    assert_eq!((locked.num_calls(), free.num_calls()), (8, 3));
    assert_eq!(told.last().unwrap(), "1 run-limit");
}

#[tokio::test]
async fn a_region_that_throttles_is_left_alone_and_the_others_are_not() {
    let busy_vault = vault(12);
    let (busy_all, busy_look) = (everything(busy_vault.clone()), looks(busy_vault));
    let busy = answering(|| ec2_error(503, "RequestLimitExceeded", "slow down"));
    let free_vault = vault(3);
    let (free_all, free_look, free) = (everything(free_vault.clone()), looks(free_vault), deleting());
    let clients = clients(
        [ec2("eu-west-1", &[&busy_all, &busy_look, &busy]), ec2("eu-west-3", &[&free_all, &free_look, &free])],
        [],
    );
    let told = run(&clients, &["eu-west-1", "eu-west-3"], 100, LONG).await;
    assert!(busy.num_calls() <= 5);
    assert_eq!(free.num_calls(), 3);
    assert_eq!(told.last().unwrap(), &format!("{} region-closed", 12 - busy.num_calls()));
}

#[tokio::test]
async fn a_late_run_deletes_nothing() {
    let vault = vault(3);
    let (all, look, delete) = (everything(vault.clone()), looks(vault), deleting());
    let clients = clients([ec2("eu-west-1", &[&all, &look, &delete])], []);
    assert_eq!(run(&clients, &["eu-west-1"], 100, Duration::from_secs(19)).await, ["3 out-of-time"]);
    assert_eq!((look.num_calls(), delete.num_calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_silent_region_is_not_touched_and_costs_no_other_its_turn() {
    let vault = vault(1);
    let (all, look, delete) = (everything(vault.clone()), looks(vault), deleting());
    let clients = clients([common::silent_ec2("eu-west-1"), ec2("eu-west-3", &[&all, &look, &delete])], []);
    let told = run(&clients, &["eu-west-1", "eu-west-3"], 100, LONG).await;
    assert_eq!(told, ["snap-00000001 copy.expired expired"]);
}
