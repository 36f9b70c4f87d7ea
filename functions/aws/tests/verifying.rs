//! Verdicts and locks against mocked EC2: which copies are read, what is written, in which order.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::operation::create_tags::CreateTagsOutput;
use aws_sdk_ec2::operation::describe_locked_snapshots::DescribeLockedSnapshotsOutput;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::operation::lock_snapshot::LockSnapshotOutput;
use aws_sdk_ec2::types::{LockMode, LockState, LockedSnapshotsInfo, Tag};
use aws_sdk_kms::types::KeyState;
use aws_smithy_mocks::mock;
use aws_smithy_types::DateTime;
use common::copies::{HOME, VERIFIED, clients, clients_under, copy, reads, tagging};
use common::{ec2, ec2_error, region};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::verifying::{Notes, execute, gather, name, named, unbound, unnamed};
use snapferry_core::ids::AccountId;
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{decide, lineage_of, namings, record};

const LONG: Duration = Duration::from_secs(120);

const LOCKED: &[(&str, &str)] = &[("snapferry:lock", "locked")];

fn policies() -> Vec<Policy> {
    let mut policies = common::policies(&["eu-west-1"]);
    policies[0].targets[0].lock = Some(snapferry_core::policy::LockRule {
        mode: snapferry_core::policy::LockMode::Compliance,
        interval: snapferry_core::retention::Interval {
            count: 10,
            unit: snapferry_core::retention::IntervalUnit::Days,
        },
        cool_off_hours: Some(3),
    });
    policies
}

/// One whole run; gives event and reason of each record, and how many decisions were left.
async fn run(clients: &Clients, time: Duration) -> (Vec<String>, u64) {
    let regions: BTreeSet<_> = [region("eu-west-1")].into();
    let account = AccountId::parse("222222222222").ok();
    let deadline = Deadline::after(time);
    let facts = gather(clients, &KeyCache::default(), &regions, account, deadline).await;
    let policies = policies();
    let decisions = decide(&policies, &facts, Timestamp::now());
    let told = RefCell::new(Vec::new());
    let ledger = common::ledger(&[]);
    let left = execute(clients, &Notes::new(&ledger), &facts, &decisions, deadline, |decision, outcome| {
        let record = record(decision, outcome, facts.account.as_ref(), Timestamp::now());
        let id = record.copy.unwrap().snapshot.unwrap_or_default();
        told.borrow_mut().push(format!("{id} {} {}", record.reason.event().name(), record.reason.name()));
    })
    .await;
    (told.into_inner(), left)
}

#[tokio::test]
async fn a_copy_is_verified_then_locked_then_its_tag_says_so() {
    let [copying, unlocked] = reads(vec![copy(1, "copying", Some("pending"))], vec![]);
    let verdict = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(tagging("snap-00000001", VERIFIED))
        .then_output(|| CreateTagsOutput::builder().build());
    let lock = mock!(aws_sdk_ec2::Client::lock_snapshot)
        .match_requests(|request| {
            request.snapshot_id() == Some("snap-00000001")
                && request.lock_mode() == Some(&LockMode::Compliance)
                && request.lock_duration() == Some(10)
                && request.cool_off_period() == Some(3)
        })
        .then_output(|| LockSnapshotOutput::builder().build());
    let locked = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(tagging("snap-00000001", LOCKED))
        .then_output(|| CreateTagsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &verdict, &lock, &locked])]);
    let expected = ["snap-00000001 copy.verified as-configured", "snap-00000001 copy.locked locked"];
    assert_eq!(run(&clients, LONG).await, (expected.map(str::to_owned).to_vec(), 0));
    assert_eq!((verdict.num_calls(), lock.num_calls(), locked.num_calls()), (1, 1, 1));
}

#[tokio::test]
async fn what_an_event_names_is_looked_at_by_its_id_and_by_the_rules_of_all() {
    let of = |number, change: fn(&mut Vec<Tag>)| {
        let mut copy = copy(number, "copying", None);
        change(copy.tags.as_mut().unwrap());
        copy
    };
    let elsewhere = |tags: &mut Vec<Tag>| {
        tags.retain(|tag| tag.key() != Some("snapferry:source-region"));
        tags.push(Tag::builder().key("snapferry:source-region").value("sa-east-1").build());
    };
    let shown = vec![
        of(1, |_| {}),
        of(2, elsewhere),
        of(3, |tags| tags.retain(|tag| tag.key() != Some("snapferry:source-region"))),
        of(4, |tags| tags.clear()),
        copy(5, "verified", None),
        copy(6, "verified", Some("pending")),
        copy(7, "rejected", None),
    ];
    let ids: Vec<String> = (1..=7).map(|number| common::snapshot_id(number).to_string()).collect();
    let by_id = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(move |request| {
            request.snapshot_ids() == ids && request.owner_ids() == ["self"] && request.filters().is_empty()
        })
        .then_output(move || DescribeSnapshotsOutput::builder().set_snapshots(Some(shown.clone())).build());
    let locks = mock!(aws_sdk_ec2::Client::describe_locked_snapshots)
        .match_requests(|request| request.snapshot_ids() == ["snap-00000006"])
        .then_output(|| DescribeLockedSnapshotsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&by_id, &locks])]);
    let wanted = [(region("eu-west-1"), (1..=7).map(common::snapshot_id).collect())].into();
    let facts = named(&clients, &KeyCache::default(), &wanted, None, Deadline::after(LONG)).await;
    let found: Vec<&str> =
        facts.regions[&region("eu-west-1")].as_ref().unwrap().iter().map(|copy| copy.id.as_str()).collect();
    assert_eq!(found, ["snap-00000001", "snap-00000006"]);
    assert_eq!(facts.keys.len(), 1);
}

#[tokio::test]
async fn an_event_of_what_is_not_there_or_cannot_be_read_leaves_no_trace() {
    let missing = mock!(aws_sdk_ec2::Client::describe_snapshots).then_http_response(|| {
        ec2_error(400, "InvalidSnapshot.NotFound", "The snapshot 'snap-00000001' does not exist.")
    });
    let denied = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .then_http_response(|| ec2_error(403, "UnauthorizedOperation", "no"));
    for (answer, regions) in [(&missing, 1), (&denied, 0)] {
        let clients = clients([ec2("eu-west-1", &[answer])]);
        let wanted = [(region("eu-west-1"), vec![common::snapshot_id(1)])].into();
        let facts = named(&clients, &KeyCache::default(), &wanted, None, Deadline::after(LONG)).await;
        assert_eq!((facts.regions.len(), decide(&policies(), &facts, Timestamp::now()).len()), (regions, 0));
    }
}

#[tokio::test]
async fn under_a_doomed_key_nothing_is_written_and_nothing_locked() {
    let [copying, unlocked] = reads(vec![copy(1, "copying", None)], vec![copy(2, "verified", Some("pending"))]);
    let locks = mock!(aws_sdk_ec2::Client::describe_locked_snapshots)
        .then_output(|| DescribeLockedSnapshotsOutput::builder().build());
    let clients = clients_under(KeyState::PendingDeletion, [ec2("eu-west-1", &[&copying, &unlocked, &locks])]);
    let expected = ["snap-00000001 copy.deferred key-doomed", "snap-00000002 copy.deferred key-doomed"];
    assert_eq!(run(&clients, LONG).await, (expected.map(str::to_owned).to_vec(), 0));
}

#[tokio::test]
async fn what_ec2_does_not_take_is_told_and_goes_no_further() {
    let [copying, unlocked] = reads(vec![copy(1, "copying", Some("pending")), copy(2, "copying", None)], vec![]);
    let refused = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(tagging("snap-00000001", VERIFIED))
        .then_http_response(|| ec2_error(403, "UnauthorizedOperation", "no"));
    let taken = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(tagging("snap-00000002", VERIFIED))
        .then_output(|| CreateTagsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &refused, &taken])]);
    let expected = [
        "snap-00000001 copy.verified as-configured",
        "snap-00000001 copy.deferred verdict-not-written",
        "snap-00000002 copy.verified as-configured",
    ];
    assert_eq!(run(&clients, LONG).await, (expected.map(str::to_owned).to_vec(), 0));
}

/// EC2 does what it was asked for and its answer never comes: the next run finds nothing to judge any more.
#[tokio::test]
async fn a_verdict_and_a_lock_are_told_whether_or_not_ec2_answers() {
    let lost = || mock!(aws_sdk_ec2::Client::create_tags).then_http_response(|| ec2_error(500, "InternalError", ""));
    let [copying, unlocked] = reads(vec![copy(1, "copying", None)], vec![copy(2, "verified", Some("pending"))]);
    let locks = mock!(aws_sdk_ec2::Client::describe_locked_snapshots)
        .then_output(|| DescribeLockedSnapshotsOutput::builder().build());
    let lock = mock!(aws_sdk_ec2::Client::lock_snapshot).then_output(|| LockSnapshotOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &locks, &lock, &lost()])]);
    let expected = [
        "snap-00000001 copy.verified as-configured",
        "snap-00000001 copy.deferred verdict-not-written",
        "snap-00000002 copy.locked locked",
        "snap-00000002 copy.deferred lock-not-noted",
    ];
    assert_eq!(run(&clients, LONG).await.0, expected);
}

#[tokio::test]
async fn a_failed_lock_is_told_and_its_tag_stays_pending() {
    let [copying, unlocked] = reads(vec![], vec![copy(1, "verified", Some("pending"))]);
    let none = mock!(aws_sdk_ec2::Client::describe_locked_snapshots)
        .match_requests(|request| request.snapshot_ids() == ["snap-00000001"])
        .then_output(|| DescribeLockedSnapshotsOutput::builder().build());
    let refused =
        mock!(aws_sdk_ec2::Client::lock_snapshot).then_http_response(|| ec2_error(400, "OperationNotPermitted", "no"));
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &none, &refused])]);
    assert_eq!(run(&clients, LONG).await, (vec!["snap-00000001 copy.locked lock-failed".to_owned()], 0));
}

#[tokio::test]
async fn a_lock_that_ec2_holds_is_noted_and_not_asked_for_again() {
    for (state, days, is_held) in [
        (LockState::Compliance, 10, true),
        (LockState::ComplianceCooloff, 10, true),
        (LockState::Compliance, 9, false),
        (LockState::Governance, 10, false),
        (LockState::Expired, 10, false),
    ] {
        let [copying, unlocked] = reads(vec![], vec![copy(1, "verified", Some("pending"))]);
        let held = mock!(aws_sdk_ec2::Client::describe_locked_snapshots).then_output(move || {
            let lock = LockedSnapshotsInfo::builder()
                .snapshot_id("snap-00000001")
                .lock_state(state.clone())
                .lock_duration(days)
                .lock_created_on(DateTime::from_secs(Timestamp::now().as_second() - 60));
            DescribeLockedSnapshotsOutput::builder().snapshots(lock.build()).build()
        });
        let lock = mock!(aws_sdk_ec2::Client::lock_snapshot).then_output(|| LockSnapshotOutput::builder().build());
        let tag = mock!(aws_sdk_ec2::Client::create_tags)
            .match_requests(tagging("snap-00000001", LOCKED))
            .then_output(|| CreateTagsOutput::builder().build());
        let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &held, &lock, &tag])]);
        let reason = if is_held { "already-locked" } else { "locked" };
        assert_eq!(run(&clients, LONG).await.0, [format!("snap-00000001 copy.locked {reason}")]);
        assert_eq!((lock.num_calls(), tag.num_calls()), (usize::from(!is_held), 1));
    }
}

#[tokio::test]
async fn a_copy_that_comes_in_both_reads_is_judged_once() {
    let settled = copy(1, "verified", Some("pending"));
    let [copying, unlocked] = reads(vec![copy(1, "copying", None)], vec![settled]);
    let locks = mock!(aws_sdk_ec2::Client::describe_locked_snapshots)
        .then_output(|| DescribeLockedSnapshotsOutput::builder().build());
    let tag = mock!(aws_sdk_ec2::Client::create_tags).then_output(|| CreateTagsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &locks, &tag])]);
    assert_eq!(run(&clients, LONG).await.0, ["snap-00000001 copy.verified as-configured"]);
    assert_eq!(tag.num_calls(), 1);
}

#[tokio::test]
async fn a_late_run_writes_nothing() {
    let [copying, unlocked] = reads(vec![copy(1, "copying", Some("pending")), copy(2, "copying", None)], vec![]);
    let tag = mock!(aws_sdk_ec2::Client::create_tags).then_output(|| CreateTagsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&copying, &unlocked, &tag])]);
    assert_eq!(run(&clients, Duration::from_secs(9)).await, (vec![], 2));
    assert_eq!(tag.num_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_region_is_unread() {
    let clients = clients([common::silent_ec2("eu-west-1")]);
    assert_eq!(run(&clients, LONG).await, (vec![" copy.deferred region-unread".to_owned()], 0));
}

#[tokio::test]
async fn verified_copies_whose_verdict_does_not_name_them_are_found_among_all() {
    let bound_to = |id: Option<&str>, number| {
        let mut snapshot = copy(number, "verified", None);
        let tags = snapshot.tags.as_mut().unwrap();
        tags.retain(|tag| tag.key() != Some("snapferry:copy"));
        tags.extend(id.map(|id| Tag::builder().key("snapferry:copy").value(id).build()));
        snapshot
    };
    let shown = vec![copy(1, "verified", None), bound_to(None, 2), bound_to(Some("snap-00000001"), 3)];
    let all = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|request| {
            let [filter, home] = request.filters() else { return false };
            filter.name() == Some("tag:snapferry:status")
                && filter.values() == ["verified"]
                && home.name() == Some(HOME.0)
                && home.values() == [HOME.1]
        })
        .then_output(move || DescribeSnapshotsOutput::builder().set_snapshots(Some(shown.clone())).build());
    let clients = clients([ec2("eu-west-1", &[&all]), common::silent_ec2("eu-west-3")]);
    let regions: BTreeSet<_> = [region("eu-west-1"), region("eu-west-3")].into();
    let facts =
        unbound(&clients, &KeyCache::default(), &regions, None, Deadline::after(Duration::from_millis(50))).await;
    let found: Vec<_> = facts.regions.into_iter().map(|(region, copies)| (region, copies.unwrap())).collect();
    let [(found_in, copies)] = found.as_slice() else { panic!("one Region expected, not {found:?}") };
    assert_eq!((found_in.as_str(), copies.len(), copies[0].id.as_str()), ("eu-west-1", 1, "snap-00000002"));
}

#[tokio::test]
async fn a_volume_that_a_description_names_replaces_a_filler_and_nothing_else() {
    let described = |number: u32, volume: &str, text: &str| {
        let mut snapshot = copy(number, "verified", None);
        let tags = snapshot.tags.as_mut().unwrap();
        tags.retain(|tag| tag.key() != Some("snapferry:source-volume"));
        tags.push(Tag::builder().key("snapferry:source-volume").value(volume).build());
        let quoted = format!("Snapferry copy of snap-00000001 from us-east-1 (account 111111111111): {text}");
        snapshot.description = Some(quoted);
        snapshot
    };
    let shown = vec![described(1, "vol-ffffffff", "of vol-00000002"), described(2, "vol-ffffffff", "of nothing")];
    let asked = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|request| {
            let [filter, home] = request.filters() else { return false };
            let is_filler = |value: &String| value.trim_start_matches("vol-").bytes().all(|digit| digit == b'f');
            filter.name() == Some("tag:snapferry:source-volume")
                && filter.values().len() == 10
                && filter.values().iter().all(is_filler)
                && (home.name(), home.values()) == (Some(HOME.0), &[HOME.1.to_owned()][..])
        })
        .then_output(move || DescribeSnapshotsOutput::builder().set_snapshots(Some(shown.clone())).build());
    let written = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(tagging("snap-00000001", &[("snapferry:source-volume", "vol-00000002")]))
        .then_output(|| CreateTagsOutput::builder().build());
    let clients = clients([ec2("eu-west-1", &[&asked, &written]), common::silent_ec2("eu-west-3")]);
    let regions: BTreeSet<_> = [region("eu-west-1"), region("eu-west-3")].into();
    let policies = common::policies_with(&["eu-west-1"], "of (?<volume>.*)");
    let wanted = |copy: &_| lineage_of(&policies, &clients.homes, copy).is_some();
    let facts = unnamed(&clients, &regions, Deadline::after(Duration::from_millis(500)), wanted).await;
    assert_eq!((facts.found(&region("eu-west-1")), facts.found(&region("eu-west-3"))), (Some(1), None));
    let (namings, told) = (namings(&policies, &facts), RefCell::new(Vec::new()));
    let left = name(&clients, &namings, Deadline::after(LONG), |naming, written| {
        told.borrow_mut().push((naming.copy.id.to_string(), naming.lineage.to_string(), written.is_ok()));
    });
    assert_eq!(left.await, 0);
    assert_eq!(told.into_inner(), [("snap-00000001".to_owned(), "vol-00000002".to_owned(), true)]);
    let late = name(&clients, &namings, Deadline::after(Duration::from_secs(9)), |_, _| {});
    assert_eq!((late.await, written.num_calls()), (1, 1));
}
