//! Verdicts on copies of databases: which are read, what is written, what the ledger becomes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_kms::types::KeyState;
use aws_sdk_rds::operation::add_tags_to_resource::AddTagsToResourceOutput;
use aws_sdk_rds::operation::describe_db_cluster_snapshots::DescribeDbClusterSnapshotsOutput;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use aws_smithy_mocks::{Rule, mock};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::rds::{DatabaseVault, RdsClients};
use snapferry_aws::verifying::{Notes, execute, gather};
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{By, End, Identity, Obligation, State};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::{CopyName, Kind};
use snapferry_core::verifying::{decide, record};
use snapferry_flow::Written;

use crate::common::copies::clients_under;
use crate::common::rds::{clients_of_rds, in_region, policy, rds_error};
use crate::common::region;
use crate::common::table::Kept;
use crate::kept::{all, copy, name, of_another_home, renamed, source, tagged};

const LONG: Duration = Duration::from_secs(120);

fn clients() -> Clients {
    clients_under(KeyState::Enabled, [])
}

/// One whole run over eu-west-1 and, where it cannot be read, eu-west-3; gives copy, event and reason of each record, and how many
/// decisions were left.
async fn run(clients: &Clients, rds: &RdsClients, kind: Kind, kept: &Kept, time: Duration) -> (Vec<String>, u64) {
    let regions: BTreeSet<_> = [region("eu-west-1"), region("eu-west-3")].into();
    let (account, deadline) = (AccountId::parse("222222222222").ok(), Deadline::after(time));
    let vault = DatabaseVault { clients, rds, kind };
    let ledger = kept.ledger();
    let notes = Notes::new(&ledger);
    let mut facts = gather(&vault, &KeyCache::default(), &regions, account, deadline).await;
    notes.look(&mut facts, LONG).await;
    let policies = [policy("eu-west-1")];
    let decisions = decide(&policies, &facts, Timestamp::now());
    let told = RefCell::new(Vec::new());
    let left = execute(&vault, &notes, &facts, &decisions, deadline, |decision, outcome| {
        let record = record(decision, outcome, facts.account.as_ref(), Timestamp::now());
        let record = record.of_kind(SourceType::DbSnapshot);
        let words = format!("{} {}", record.message.unwrap_or_default(), record.differences.join(" "));
        assert!(!words.contains("EC2"), "{words}");
        let id = record.copy.unwrap().snapshot.unwrap_or_default();
        told.borrow_mut().push(format!("{id} {} {}", record.reason.event().name(), record.reason.name()));
    })
    .await;
    (told.into_inner(), left)
}

fn nothing() -> Rule {
    mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .then_output(|| aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput::builder().build())
}

/// The run over these copies; `tags` answers what is written to them.
async fn judge(clients: &Clients, copies: Vec<DbSnapshot>, tags: &Rule, kept: &Kept) -> Vec<String> {
    let ([first, second], none) = (all(copies), nothing());
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, tags]), in_region("eu-west-3", &[&none])]);
    run(clients, &rds, Kind::Instance, kept, LONG).await.0
}

/// Takes a verdict's tags on the copy of so many days ago, and nothing else.
fn settles(days: i64, verdict: &'static str) -> Rule {
    settles_this(&copy(days, "copying"), verdict)
}

fn settles_this(copy: &DbSnapshot, verdict: &'static str) -> Rule {
    let (name, arn) = (copy.db_snapshot_identifier.clone().unwrap(), copy.db_snapshot_arn.clone().unwrap());
    mock!(aws_sdk_rds::Client::add_tags_to_resource)
        .match_requests(move |call| {
            let tag = |tag: &Tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned());
            let tags: Vec<_> = call.tags().iter().map(tag).collect();
            let [(status, found), (settled, at), (bound, to)] = tags.as_slice() else { return false };
            call.resource_name() == Some(&arn)
                && (status.as_str(), found.as_str()) == ("snapferry:status", verdict)
                && settled == "snapferry:settled-at"
                && at.parse::<Timestamp>().is_ok()
                && (bound.as_str(), to) == ("snapferry:copy", &name)
        })
        .then_output(|| AddTagsToResourceOutput::builder().build())
}

fn told(days: i64, what: &str) -> Vec<String> {
    vec![format!("{} {what}", name(days))]
}

#[tokio::test]
async fn a_copy_that_comes_on_two_pages_is_judged_once_by_its_arn() {
    let tags = settles(1, "verified");
    let found = judge(&clients(), vec![copy(1, "copying")], &tags, &Kept::default()).await;
    assert_eq!((found, tags.num_calls()), (told(1, "copy.verified as-configured"), 1));
}

#[tokio::test]
async fn a_clusters_copy_is_read_and_judged_by_its_own_calls() {
    let arn = |arn: Option<String>| arn.map(|arn| arn.replace(":snapshot:", ":cluster-snapshot:"));
    let mut of_instance = copy(1, "copying");
    of_instance.db_snapshot_arn = arn(of_instance.db_snapshot_arn);
    let of_instance = renamed(of_instance);
    let told = format!("{} copy.verified as-configured", of_instance.db_snapshot_identifier.clone().unwrap());
    let cluster = DbClusterSnapshot::builder()
        .set_db_cluster_snapshot_arn(of_instance.db_snapshot_arn)
        .set_snapshot_create_time(of_instance.snapshot_create_time)
        .status("available")
        .storage_encrypted(true)
        .set_kms_key_id(of_instance.kms_key_id)
        .engine("postgres")
        .allocated_storage(20)
        .db_cluster_resource_id("db-A")
        .set_source_db_cluster_snapshot_arn(arn(of_instance.source_db_snapshot_identifier))
        .set_tag_list(of_instance.tag_list)
        .build();
    let read = mock!(aws_sdk_rds::Client::describe_db_cluster_snapshots)
        .match_requests(|read| read.snapshot_type() == Some("manual"))
        .then_output(move || DescribeDbClusterSnapshotsOutput::builder().db_cluster_snapshots(cluster.clone()).build());
    let none = mock!(aws_sdk_rds::Client::describe_db_cluster_snapshots)
        .then_output(|| DescribeDbClusterSnapshotsOutput::builder().build());
    let tags = mock!(aws_sdk_rds::Client::add_tags_to_resource)
        .match_requests(|call| {
            call.resource_name().unwrap().starts_with("arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:")
        })
        .then_output(|| AddTagsToResourceOutput::builder().build());
    let rds = clients_of_rds([in_region("eu-west-1", &[&read, &tags]), in_region("eu-west-3", &[&none])]);
    let found = run(&clients(), &rds, Kind::Cluster, &Kept::default(), LONG).await;
    assert_eq!((found.0, tags.num_calls()), (vec![told], 1));
}

#[tokio::test]
async fn what_waits_for_no_verdict_is_left_alone() {
    let other = format!("snapferry-{}", "0".repeat(52));
    let strangers = |name: &str| {
        let mut copy = copy(1, "copying");
        copy.db_snapshot_arn = Some(format!("arn:aws:rds:eu-west-1:222222222222:snapshot:{name}"));
        copy
    };
    let mut running = copy(1, "copying");
    (running.status, running.snapshot_create_time) = (Some("copying".to_owned()), None);
    let mut unreadable = copy(1, "copying");
    unreadable.encrypted = None;
    for left in [
        copy(1, "verified"),
        copy(1, "rejected"),
        copy(1, "failed"),
        // Of another home, and of no policy that this stack has.
        of_another_home(copy(1, "copying")),
        tagged(copy(1, "copying"), "snapferry:policy", Some("anothers")),
        // The tags of another, and a name that is none of ours, whatever its tags.
        tagged(copy(1, "copying"), "snapferry:copy", Some(&other)),
        tagged(copy(1, "verified"), "snapferry:copy", Some(&other)),
        tagged(copy(1, "verified"), "snapferry:copy", Some("forged")),
        strangers("nightly"),
        strangers("snapferry-nightly"),
        running,
        unreadable,
    ] {
        let tags = settles(2, "verified");
        // What cannot be read or is none of ours holds nothing up.
        let found = judge(&clients(), vec![left.clone(), copy(2, "copying")], &tags, &Kept::default()).await;
        assert_eq!((found, tags.num_calls()), (told(2, "copy.verified as-configured"), 1), "{left:?}");
    }
}

/// A run counts what waits, and looks at those keys alone.
#[tokio::test]
async fn only_what_waits_is_read() {
    let of_another = of_another_home(copy(2, "copying"));
    let unbound = tagged(copy(3, "verified"), "snapferry:copy", None);
    let impostor = tagged(copy(4, "verified"), "snapferry:copy", Some(&name(3)));
    let others = [copy(5, "verified"), copy(6, "rejected"), copy(7, "failed"), of_another, impostor];
    let copies = others.into_iter().chain([copy(1, "copying"), unbound]).collect();
    let [first, second] = all(copies);
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second])]);
    let clients = clients();
    let vault = DatabaseVault { clients: &clients, rds: &rds, kind: Kind::Instance };
    let regions = [region("eu-west-1")].into();
    let facts = gather(&vault, &KeyCache::default(), &regions, None, Deadline::after(LONG)).await;
    let found = facts.regions[&region("eu-west-1")].as_ref().unwrap();
    let ids: BTreeSet<&str> = found.iter().map(|copy| copy.id.as_str()).collect();
    assert_eq!(ids, [name(1).as_str(), name(3).as_str()].into());
}

#[tokio::test]
async fn copies_of_a_retired_home_and_policy_are_judged() {
    let mut clients = clients();
    clients.homes.insert(region("sa-east-1"));
    clients.retired_policies.insert(crate::common::name("old"));
    let of_retired_policy = renamed(tagged(copy(1, "copying"), "snapferry:policy", Some("old")));
    for retired in [of_another_home(copy(1, "copying")), of_retired_policy] {
        let found = judge(&clients, vec![retired.clone()], &settles_this(&retired, "verified"), &Kept::default()).await;
        let name = retired.db_snapshot_identifier.unwrap();
        assert_eq!(found, [format!("{name} copy.verified as-configured")]);
    }
}

#[tokio::test]
async fn a_verdict_that_names_no_copy_is_given_again() {
    let unbound = tagged(copy(1, "verified"), "snapferry:copy", None);
    let found = judge(&clients(), vec![unbound.clone()], &settles(1, "verified"), &Kept::default()).await;
    assert_eq!(found, told(1, "copy.verified as-configured"));
    let mut forged = unbound;
    forged.engine = Some("mysql".to_owned());
    let found = judge(&clients(), vec![forged], &settles(1, "rejected"), &Kept::default()).await;
    assert_eq!(found, told(1, "copy.rejected wrong-engine"));
}

#[tokio::test]
async fn what_is_not_as_asked_for_is_rejected() {
    type Change = fn(DbSnapshot) -> DbSnapshot;
    let changes: [(&str, Change); 6] = [
        ("copy.rejected wrong-source", |copy| tagged(copy, "snapferry:source-snapshot", Some("another"))),
        ("copy.rejected wrong-source", |mut copy| {
            copy.source_db_snapshot_identifier = None;
            copy
        }),
        ("copy.rejected wrong-engine", |copy| tagged(copy, "snapferry:source-engine", Some("mysql"))),
        ("copy.rejected wrong-size", |copy| tagged(copy, "snapferry:source-size-gib", Some("21"))),
        ("copy.rejected wrong-key", |copy| {
            let key = crate::common::KEY.replace("1234abcd", "1234abce");
            tagged(copy, "snapferry:kms-key", Some(&key))
        }),
        ("copy.rejected malformed-tags", |copy| tagged(copy, "snapferry:expire-after", Some("never"))),
    ];
    for (expected, change) in changes {
        let found =
            judge(&clients(), vec![change(copy(1, "copying"))], &settles(1, "rejected"), &Kept::default()).await;
        assert_eq!(found, told(1, expected));
    }
}

#[tokio::test]
async fn what_rds_gave_up_on_is_failed() {
    let mut failed = copy(1, "copying");
    (failed.status, failed.encrypted) = (Some("failed".to_owned()), None);
    let found = judge(&clients(), vec![failed], &settles(1, "failed"), &Kept::default()).await;
    assert_eq!(found, told(1, "copy.failed unknown-cause"));
}

#[tokio::test]
async fn the_key_decides_as_it_does_of_a_volumes_copy() {
    for (state, reason, written) in [
        (KeyState::Enabled, "copy.verified as-configured", 1),
        (KeyState::Disabled, "copy.verified as-configured", 1),
        (KeyState::PendingDeletion, "copy.deferred key-doomed", 0),
    ] {
        let tags = settles(1, "verified");
        let found = judge(&clients_under(state, []), vec![copy(1, "copying")], &tags, &Kept::default()).await;
        assert_eq!((found, tags.num_calls()), (told(1, reason), written));
    }
}

/// RDS does what it was asked for and its answer never comes: the next run finds nothing to judge any more.
#[tokio::test]
async fn a_verdict_is_told_whether_or_not_rds_answers() {
    for (status, code) in [(500, "InternalFailure"), (403, "AccessDenied")] {
        let lost =
            mock!(aws_sdk_rds::Client::add_tags_to_resource).then_http_response(move || rds_error(status, code, "no"));
        let found = judge(&clients(), vec![copy(1, "copying")], &lost, &Kept::default()).await;
        let both = ["copy.verified as-configured", "copy.deferred verdict-not-written"].map(|what| told(1, what));
        assert_eq!(found, both.concat());
    }
}

#[tokio::test]
async fn an_unread_region_spoils_nothing_else() {
    let [first, second] = all(vec![copy(1, "copying")]);
    let tags = settles(1, "verified");
    let denied =
        mock!(aws_sdk_rds::Client::describe_db_snapshots).then_http_response(|| rds_error(403, "AccessDenied", "no"));
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &tags]), in_region("eu-west-3", &[&denied])]);
    let (found, _) = run(&clients(), &rds, Kind::Instance, &Kept::default(), LONG).await;
    let expected = [told(1, "copy.verified as-configured"), vec![" copy.deferred region-unread".to_owned()]];
    assert_eq!(BTreeSet::from_iter(found), BTreeSet::from_iter(expected.concat()));
}

/// What is read of a Region before a page fails is not all: nothing is judged by it.
#[tokio::test]
async fn a_page_that_fails_leaves_the_region_unread() {
    let [first, _] = all(vec![copy(1, "copying")]);
    let fails = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.marker().is_some())
        .then_http_response(|| rds_error(500, "InternalFailure", "no"));
    let none = nothing();
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &fails]), in_region("eu-west-3", &[&none])]);
    let (found, _) = run(&clients(), &rds, Kind::Instance, &Kept::default(), LONG).await;
    assert_eq!(found, [" copy.deferred region-unread"]);
}

#[tokio::test]
async fn a_late_run_writes_nothing() {
    let ([first, second], tags, none) = (all(vec![copy(1, "copying")]), settles(1, "verified"), nothing());
    let rds = clients_of_rds([in_region("eu-west-1", &[&first, &second, &tags]), in_region("eu-west-3", &[&none])]);
    let found = run(&clients(), &rds, Kind::Instance, &Kept::default(), Duration::from_secs(9)).await;
    assert_eq!((found, tags.num_calls()), ((vec![], 1), 0));
}

fn obligation(days: i64, state: State) -> Obligation {
    let source = source(days).fact();
    let identity =
        Identity { policy: policy("eu-west-1").name, source: source.id.clone(), region: region("eu-west-1") };
    let lineage = source.volume.clone();
    Obligation { state, ..Obligation::new(identity, &source, lineage, By::Sweep, Timestamp::now()) }
}

#[tokio::test]
async fn what_a_verdict_makes_of_its_obligation_stands_in_the_ledger() {
    let copy_name = CopyName::parse(&name(1)).unwrap().id();
    let copying = || State::Copying { copy: copy_name.clone(), at: Timestamp::now() };
    let mut failed = copy(1, "copying");
    failed.status = Some("failed".to_owned());
    for (shown, verdict, ended, failures) in [(copy(1, "copying"), "verified", true, 0), (failed, "failed", false, 1)] {
        let kept = Kept::default();
        let owed = obligation(1, copying());
        assert_eq!(kept.ledger().write(&owed).await, Ok(Written::Done));
        let found = judge(&clients(), vec![shown], &settles(1, verdict), &kept).await;
        assert_eq!(found.len(), 1);
        let stands = kept.ledger().obligation(&owed.identity).await.unwrap().unwrap().obligation;
        let is_protected = matches!(stands.state, State::Ended { why: End::Protected, .. });
        assert_eq!((is_protected, stands.failed), (ended, failures));
    }
}

/// The ledger names the copy that was asked for: whatever else has its tags gets no verdict.
#[tokio::test]
async fn only_the_copy_that_the_ledger_names_is_verified() {
    let kept = Kept::default();
    let named = CopyName::parse(&name(2)).unwrap().id();
    let owed = obligation(1, State::Copying { copy: named, at: Timestamp::now() });
    assert_eq!(kept.ledger().write(&owed).await, Ok(Written::Done));
    let tags = settles(1, "verified");
    let found = judge(&clients(), vec![copy(1, "copying")], &tags, &kept).await;
    assert_eq!((found, tags.num_calls()), (told(1, "copy.deferred another-named"), 0));
}
