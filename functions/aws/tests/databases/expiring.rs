//! Deletions of databases' copies: what is read, the second look, refusals, lost answers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_kms::types::KeyState;
use aws_sdk_rds::operation::delete_db_snapshot::DeleteDbSnapshotOutput;
use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::DbSnapshot;
use aws_smithy_mocks::{MockResponse, Rule, mock};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::expiring::{execute, gather};
use snapferry_aws::keys::KeyCache;
use snapferry_aws::rds::{DatabaseVault, RdsClients};
use snapferry_core::expiring::{Attempts, Limits, decide, kept, record, rest};
use snapferry_core::ids::AccountId;
use snapferry_core::policy::SourceType;
use snapferry_core::rds::Kind;

use crate::common::copies::clients_under;
use crate::common::rds::{clients_of_rds, in_region, policy, rds_error};
use crate::common::region;
use crate::kept::{all, copy, looks, name, of_another_home, renamed, tagged};
use crate::moment;

const LONG: Duration = Duration::from_secs(280);

/// A copy whose time is over, and one that stays.
const OLD: i64 = 90;
const NEW: i64 = 1;

fn clients() -> Clients {
    clients_under(KeyState::Enabled, [])
}

fn vault() -> Vec<DbSnapshot> {
    vec![copy(OLD, "verified"), copy(NEW, "verified")]
}

/// One whole run; gives copy, event and reason of each record, of what stays too, and the counts of the summaries.
async fn run(clients: &Clients, rds: &RdsClients, codes: &[&str], max_deletes: usize, time: Duration) -> Vec<String> {
    let vault = DatabaseVault { clients, rds, kind: Kind::Instance };
    let regions: BTreeSet<_> = codes.iter().map(|code| region(code)).collect();
    let (deadline, keys) = (Deadline::after(time), KeyCache::default());
    let facts = gather(&vault, &keys, &regions, AccountId::parse("222222222222").ok(), deadline).await;
    let limits = Limits { max_deletes, allow_mass_expiry: true };
    let plan = decide(&[policy("eu-west-1")], &facts, limits, Timestamp::now());
    let told = RefCell::new(Vec::new());
    let tell = |record: snapferry_core::audit::Record| {
        let record = record.of_kind(SourceType::DbSnapshot);
        let message = record.message.clone().unwrap_or_default();
        assert!(!message.contains("EC2"), "{message}");
        let id = record.copy.and_then(|copy| copy.snapshot).unwrap_or_default();
        told.borrow_mut().push(format!("{id} {} {}", record.reason.event().name(), record.reason.name()));
    };
    assert_eq!(plan.lineage_unknown, 0);
    plan.kept.iter().for_each(|stays| tell(kept(stays, Timestamp::now())));
    let attempts = Attempts::new(&plan.deletions, max_deletes, Timestamp::now());
    let untried = execute(&vault, &keys, attempts, deadline, |deletion, outcome| {
        tell(record(deletion, outcome, Timestamp::now()));
    })
    .await;
    let mut told = told.into_inner();
    told.extend(untried.into_iter().map(|(why, region, count)| {
        let record = rest(why, region, count, Timestamp::now());
        format!("{} {}", record.count.unwrap(), record.reason.name())
    }));
    told
}

fn deleting() -> Rule {
    mock!(aws_sdk_rds::Client::delete_db_snapshot).then_output(|| DeleteDbSnapshotOutput::builder().build())
}

/// The run over what RDS keeps in eu-west-1, which looks at single ones show so; how often it deletes, too.
async fn expire(clients: &Clients, kept: Vec<DbSnapshot>, shown: Vec<DbSnapshot>) -> (Vec<String>, usize) {
    let ([first, second], look, delete) = (all(kept), looks(shown), deleting());
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &look, &delete])]);
    (run(clients, &rds, &["eu-west-1"], 100, LONG).await, delete.num_calls())
}

fn told(what: &str) -> Vec<String> {
    vec![format!("{} {what}", name(OLD))]
}

#[tokio::test]
async fn a_copy_is_looked_at_once_more_beside_its_survivor_and_deleted() {
    let [first, second] = all(vault());
    let look = looks(vault());
    let delete = mock!(aws_sdk_rds::Client::delete_db_snapshot)
        .match_requests(|call| call.db_snapshot_identifier() == Some(&name(OLD)))
        .then_output(|| DeleteDbSnapshotOutput::builder().build());
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &look, &delete])]);
    let found = run(&clients(), &rds, &["eu-west-1"], 100, LONG).await;
    assert_eq!((found, look.num_calls(), delete.num_calls()), (told("copy.expired expired"), 2, 1));
}

fn with(mut copy: DbSnapshot, change: fn(&mut DbSnapshot)) -> DbSnapshot {
    change(&mut copy);
    copy
}

#[tokio::test]
async fn what_changed_between_the_looks_is_left_alone() {
    let (old, new) = (|| copy(OLD, "verified"), || copy(NEW, "verified"));
    let changed = "copy.kept no-longer-due";
    let survivor = "copy.kept survivor-gone";
    for (shown, expected) in [
        (vec![tagged(old(), "snapferry:expire-after", Some("2999-01-01T00:00:00Z")), new()], changed),
        (vec![tagged(old(), "snapferry:policy", None), new()], changed),
        (vec![tagged(old(), "snapferry:source-account", Some("333333333333")), new()], changed),
        (vec![tagged(old(), "snapferry:source-resource", Some("db-B")), new()], changed),
        (vec![tagged(old(), "snapferry:copy", Some("forged")), new()], changed),
        (vec![tagged(old(), "snapferry:copy", Some(&name(NEW))), new()], changed),
        (vec![with(old(), |copy| copy.status = Some("copying".to_owned())), new()], changed),
        (vec![with(old(), |copy| copy.status = Some("deleting".to_owned())), new()], changed),
        // The name is used again.
        (vec![with(old(), |copy| copy.snapshot_create_time = Some(moment("2026-01-01T00:00:00Z"))), new()], changed),
        (
            vec![
                with(old(), |copy| {
                    copy.db_snapshot_arn =
                        copy.db_snapshot_arn.as_ref().map(|arn| arn.replace("222222222222", "333333333333"));
                }),
                new(),
            ],
            changed,
        ),
        (vec![new()], "copy.skipped already-gone"),
        (vec![old()], survivor),
        (vec![old(), tagged(new(), "snapferry:status", Some("rejected"))], survivor),
        (vec![old(), tagged(new(), "snapferry:copy", Some(&name(OLD)))], survivor),
        (vec![old(), tagged(new(), "snapferry:copy", None)], survivor),
        (vec![old(), tagged(new(), "snapferry:source-resource", Some("db-B"))], survivor),
        (vec![old(), with(new(), |copy| copy.status = Some("deleting".to_owned()))], survivor),
        (vec![old(), with(new(), |copy| copy.snapshot_create_time = Some(moment("2026-01-01T00:00:00Z")))], survivor),
    ] {
        assert_eq!(expire(&clients(), vault(), shown.clone()).await, (told(expected), 0), "{shown:?}");
    }
}

#[tokio::test]
async fn what_does_not_count_lets_nothing_go() {
    let new = || copy(NEW, "verified");
    let stays = "copy.kept last-verified";
    let mut running = new();
    running.status = Some("copying".to_owned());
    let mut unreadable = new();
    unreadable.encrypted = None;
    for other in [
        copy(NEW, "copying"),
        copy(NEW, "rejected"),
        running,
        unreadable,
        tagged(new(), "snapferry:source-region", Some("sa-east-1")),
        tagged(new(), "snapferry:source-resource", Some("db-B")),
        tagged(new(), "snapferry:source-account", Some("333333333333")),
        tagged(new(), "snapferry:copy", None),
        with(new(), |copy| {
            copy.db_snapshot_arn = Some("arn:aws:rds:eu-west-1:222222222222:snapshot:nightly".to_owned())
        }),
    ] {
        let kept = vec![copy(OLD, "verified"), other];
        let (found, deleted) = expire(&clients(), kept.clone(), kept.clone()).await;
        assert!(found.contains(&told(stays)[0]) && deleted == 0, "{found:?} {:?}", kept[1]);
    }
    // These are told of, too.
    for other in [
        tagged(new(), "snapferry:copy", Some("forged")),
        tagged(new(), "snapferry:copy", Some(&name(OLD))),
        tagged(new(), "snapferry:expire-after", Some("soon")),
        tagged(new(), "snapferry:source-region", None),
    ] {
        let kept = vec![copy(OLD, "verified"), other];
        let (found, deleted) = expire(&clients(), kept.clone(), kept.clone()).await;
        let malformed = format!("{} copy.kept malformed-tags", name(NEW));
        assert_eq!((found, deleted), ([vec![malformed], told(stays)].concat(), 0), "{:?}", kept[1]);
    }
}

#[tokio::test]
async fn only_our_own_whole_copies_are_deleted() {
    let old = || copy(OLD, "verified");
    let anothers = with(old(), |copy| {
        copy.db_snapshot_arn = copy.db_snapshot_arn.as_ref().map(|arn| arn.replace("222222222222", "333333333333"));
    });
    let nobodys = with(old(), |copy| {
        copy.db_snapshot_arn = Some("arn:aws:rds:eu-west-1:222222222222:snapshot:nightly".to_owned());
    });
    for (old, expected) in [
        (of_another_home(old()), vec![]),
        (tagged(old(), "snapferry:source-region", Some("sa-east-1")), told("copy.kept malformed-tags")),
        (nobodys, vec![]),
        (renamed(tagged(old(), "snapferry:policy", Some("anothers"))), vec![" copy.kept policy-not-named".to_owned()]),
        (anothers, told("copy.kept foreign-owner")),
        (with(old(), |copy| copy.status = Some("copying".to_owned())), told("copy.kept state-contradicts")),
        (with(old(), |copy| copy.status = Some("deleting".to_owned())), told("copy.kept state-contradicts")),
    ] {
        let kept = vec![old.clone(), copy(NEW, "verified")];
        assert_eq!(expire(&clients(), kept.clone(), kept).await, (expected, 0), "{old:?}");
    }
}

/// Their keys are not looked at, and not told of as this stack's.
#[tokio::test]
async fn what_is_none_of_this_stacks_is_not_read() {
    let of_another = of_another_home(copy(OLD, "verified"));
    let mut nobodys = copy(60, "verified");
    nobodys.db_snapshot_arn = Some("arn:aws:rds:eu-west-1:222222222222:snapshot:nightly".to_owned());
    let [first, second] = all(vec![of_another, nobodys, copy(NEW, "verified")]);
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second])]);
    let clients = clients();
    let vault = DatabaseVault { clients: &clients, rds: &rds, kind: Kind::Instance };
    let regions = [region("eu-west-1")].into();
    let facts = gather(&vault, &KeyCache::default(), &regions, None, Deadline::after(LONG)).await;
    let found = facts.regions[&region("eu-west-1")].as_ref().unwrap();
    let ids: Vec<&str> = found.copies.iter().map(|copy| copy.id.as_str()).collect();
    assert_eq!((ids, found.tampered.len()), (vec![name(NEW).as_str()], 0));
}

#[tokio::test]
async fn copies_of_a_retired_home_and_policy_expire() {
    let mut clients = clients();
    clients.homes.insert(region("sa-east-1"));
    clients.retired_policies.insert(crate::common::name("old"));
    let retired = |key: &str, value: &str| {
        vault().into_iter().map(|copy| renamed(tagged(copy, key, Some(value)))).collect::<Vec<_>>()
    };
    for kept in [retired("snapferry:source-region", "sa-east-1"), retired("snapferry:policy", "old")] {
        let expired = format!("{} copy.expired expired", kept[0].db_snapshot_identifier().unwrap());
        assert_eq!(expire(&clients, kept.clone(), kept).await, (vec![expired], 1));
    }
}

#[tokio::test]
async fn copies_under_a_lost_key_or_one_in_doubt_let_nothing_go() {
    for state in [KeyState::PendingDeletion, KeyState::Disabled] {
        assert_eq!(expire(&clients_under(state, []), vault(), vault()).await, (vec![], 0));
    }
}

#[tokio::test]
async fn refusals_are_told_with_their_reason() {
    for (status, code, expected) in [
        (400, "InvalidDBSnapshotState", "copy.kept refused"),
        (403, "AccessDenied", "copy.kept not-authorized"),
        (400, "Throttling", "copy.kept throttled"),
        (404, "DBSnapshotNotFound", "copy.expired already-gone"),
        (500, "InternalFailure", "copy.kept answer-lost"),
    ] {
        let ([first, second], look) = (all(vault()), looks(vault()));
        let delete =
            mock!(aws_sdk_rds::Client::delete_db_snapshot).then_http_response(move || rds_error(status, code, "no"));
        let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &look, &delete])]);
        assert_eq!(run(&clients(), &rds, &["eu-west-1"], 100, LONG).await, told(expected), "{code}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_cleared_up_by_looking_again() {
    let [first, second] = all(vault());
    let seen = std::sync::atomic::AtomicBool::new(false);
    let is_gone = move |name: Option<&str>| {
        name == Some(self::name(OLD).as_str()) && seen.swap(true, std::sync::atomic::Ordering::Relaxed)
    };
    let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.db_snapshot_identifier().is_some())
        .then_compute_response(move |read| {
            if is_gone(read.db_snapshot_identifier()) {
                return MockResponse::Http(rds_error(404, "DBSnapshotNotFound", "not found"));
            }
            let found =
                vault().into_iter().filter(|copy| copy.db_snapshot_identifier() == read.db_snapshot_identifier());
            MockResponse::Output(DescribeDbSnapshotsOutput::builder().set_db_snapshots(Some(found.collect())).build())
        });
    let delete =
        mock!(aws_sdk_rds::Client::delete_db_snapshot).then_http_response(|| rds_error(500, "InternalFailure", "no"));
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &look, &delete])]);
    assert_eq!(run(&clients(), &rds, &["eu-west-1"], 100, LONG).await, told("copy.expired already-gone"));
}

#[tokio::test]
async fn what_cannot_be_looked_at_again_is_left_alone() {
    let [first, second] = all(vault());
    let delete = deleting();
    let silent = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.db_snapshot_identifier().is_some())
        .then_http_response(|| rds_error(500, "InternalFailure", "no"));
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &silent, &delete])]);
    let found = run(&clients(), &rds, &["eu-west-1"], 100, LONG).await;
    assert_eq!((found, delete.num_calls()), (told("copy.kept not-read-again"), 0));
    let odd = with(copy(OLD, "verified"), |copy| copy.encrypted = None);
    let found = expire(&clients(), vault(), vec![odd, copy(NEW, "verified")]).await;
    assert_eq!(found, (told("copy.kept not-read-again"), 0));
}

#[tokio::test]
async fn an_unread_region_is_not_touched_and_costs_no_other_its_turn() {
    let ([first, second], look, delete) = (all(vault()), looks(vault()), deleting());
    let [half, _] = all(vault());
    let fails = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.marker().is_some())
        .then_http_response(|| rds_error(500, "InternalFailure", "no"));
    let untouched = deleting();
    let rds = clients_of_rds([
        in_region("eu-west-1", &[&first, &second, &look, &delete]),
        in_region("eu-west-3", &[&half, &fails, &untouched]),
    ]);
    let found = run(&clients(), &rds, &["eu-west-1", "eu-west-3"], 100, LONG).await;
    let unread = vec![" copy.kept region-unread".to_owned()];
    assert_eq!((found, untouched.num_calls()), ([unread, told("copy.expired expired")].concat(), 0));
}

#[tokio::test]
async fn a_run_deletes_no_more_than_its_limit_and_nothing_when_it_is_late() {
    let kept: Vec<DbSnapshot> = (60..72).rev().chain([NEW]).map(|days| copy(days, "verified")).collect();
    for (limit, time, expected) in [(7, LONG, "5 run-limit"), (100, Duration::from_secs(19), "12 out-of-time")] {
        let ([first, second], look, delete) = (all(kept.clone()), looks(kept.clone()), deleting());
        let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &look, &delete])]);
        let found = run(&clients(), &rds, &["eu-west-1"], limit, time).await;
        assert_eq!(found.last().unwrap(), expected);
        assert_eq!(delete.num_calls(), if limit == 7 { 7 } else { 0 });
    }
}
