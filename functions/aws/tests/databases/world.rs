//! RDS as the copier's steps see it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeySpec, KeyState};
use aws_sdk_rds::operation::copy_db_snapshot::CopyDbSnapshotOutput;
use aws_sdk_rds::operation::describe_db_cluster_snapshots::DescribeDbClusterSnapshotsOutput;
use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use aws_smithy_mocks::{Rule, mock};
use jiff::Timestamp;
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::ledger::Table;
use snapferry_aws::rds::{Databases, RdsClients};
use snapferry_aws::world::Aws;
use snapferry_core::copying::{self, CopyFailure};
use snapferry_core::facts::{Lineage, SourceSnapshot};
use snapferry_core::ids::{AccountId, SnapshotId};
use snapferry_core::ledger::Shard;
use snapferry_core::policy::Policy;
use snapferry_core::rds::{CopyRequest, Kind};
use snapferry_flow::{CopiesIn, World};

use crate::common::rds::{ARN, CLUSTER, CREATED, clients_of_rds, in_region, policy, rds_error, shared};
use crate::common::{KEY, clients, kms, ledger, region};
use crate::kept::of_another_home;
use crate::{described, moment, request};

/// What the steps' world is made of.
struct Scene {
    clients: Clients,
    rds: RdsClients,
    keys: KeyCache,
    ledger: Table,
    audit: Audit,
    policies: [Policy; 1],
}

impl Scene {
    fn new(home: &[&Rule], away: &[&Rule]) -> Self {
        Self::under(KeyState::Enabled, home, away)
    }

    /// The same with the key in another state.
    fn under(state: KeyState, home: &[&Rule], away: &[&Rule]) -> Self {
        let metadata = KeyMetadata::builder().key_id("k").arn(KEY).key_state(state);
        let metadata =
            metadata.key_manager(KeyManagerType::Customer).key_spec(KeySpec::SymmetricDefault).build().unwrap();
        let key = mock!(aws_sdk_kms::Client::describe_key)
            .then_output(move || DescribeKeyOutput::builder().key_metadata(metadata.clone()).build());
        Self {
            clients: clients([], [kms("eu-west-1", &[&key])]),
            rds: clients_of_rds([in_region("us-east-1", home), in_region("eu-west-1", away)]),
            keys: KeyCache::default(),
            ledger: ledger(&[]),
            audit: Audit::of_function().unwrap(),
            policies: [policy("eu-west-1")],
        }
    }

    fn world(&self) -> Databases<'_> {
        self.world_of(Kind::Instance)
    }

    fn world_of(&self, kind: Kind) -> Databases<'_> {
        let Self { clients, keys, ledger, audit, policies, .. } = self;
        let deadline = Deadline::after(Duration::from_secs(60));
        Databases::new(Aws { clients, keys, ledger, audit, policies, deadline }, &self.rds, kind, Vec::new())
    }

    fn request<'f>(&'f self, source: &'f SourceSnapshot) -> copying::CopyRequest<'f> {
        let [policy] = &self.policies;
        let (name, filter) = (&policy.name, &policy.description);
        copying::CopyRequest { policy: name, filter, source, home: &self.clients.home, target: &policy.targets[0] }
    }
}

fn cluster() -> DbClusterSnapshot {
    DbClusterSnapshot::builder()
        .db_cluster_snapshot_arn(CLUSTER)
        .db_cluster_identifier("orders")
        .db_cluster_resource_id("db-A")
        .snapshot_create_time(moment(CREATED))
        .status("available")
        .storage_encrypted(true)
        .engine("postgres")
        .engine_version("16.4")
        .allocated_storage(20)
        .build()
}

/// What is shared: an instance's on two pages, a cluster's, and one of another owner.
fn all_that_is_shared() -> [Rule; 3] {
    let mut of_another = described();
    of_another.db_snapshot_arn = Some(ARN.replace("111111111111", "999999999999"));
    [
        mock!(aws_sdk_rds::Client::describe_db_snapshots).match_requests(|read| read.marker().is_none()).then_output(
            move || DescribeDbSnapshotsOutput::builder().marker("m 2").db_snapshots(of_another.clone()).build(),
        ),
        mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .match_requests(|read| read.marker() == Some("m 2"))
            .then_output(|| DescribeDbSnapshotsOutput::builder().db_snapshots(described()).build()),
        mock!(aws_sdk_rds::Client::describe_db_cluster_snapshots)
            .match_requests(|read| read.marker().is_none())
            .then_output(|| DescribeDbClusterSnapshotsOutput::builder().db_cluster_snapshots(cluster()).build()),
    ]
}

/// A copy as RDS describes it, of the `attempt`th request for what is shared.
fn made(policy: &Policy, attempt: u32, status: &str, verdict: &str) -> DbSnapshot {
    let source = shared(ARN);
    let request = CopyRequest { attempt, ..request(policy, &source) };
    let mut tags = request.tags("2026-11-22T04:00:00Z".parse().unwrap());
    tags.iter_mut().filter(|(key, _)| key == "snapferry:status").for_each(|tag| tag.1 = verdict.to_owned());
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    DbSnapshot::builder()
        .db_snapshot_arn(format!("arn:aws:rds:eu-west-1:222222222222:snapshot:{}", request.name()))
        .status(status)
        .encrypted(true)
        .kms_key_id(KEY)
        .source_db_snapshot_identifier(ARN)
        .set_tag_list(Some(tags.into_iter().map(tag).collect()))
        .build()
}

fn shows(copies: Vec<DbSnapshot>) -> Rule {
    mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.snapshot_type() == Some("manual"))
        .then_output(move || DescribeDbSnapshotsOutput::builder().set_db_snapshots(Some(copies.clone())).build())
}

#[tokio::test]
async fn a_walk_through_the_pages_finds_what_the_owners_share_of_a_kind() {
    let rules = all_that_is_shared();
    let scene = Scene::new(&rules.each_ref(), &[]);
    let owners = [AccountId::parse("111111111111").unwrap()];
    for (kind, arn, expected) in [(Kind::Instance, ARN, 2), (Kind::Cluster, CLUSTER, 1)] {
        let world = scene.world_of(kind);
        let (mut found, mut next, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = world.shared(&owners, &Shard::all(), next.as_deref()).await.unwrap();
            (found, next, pages) = ([found, page.snapshots].concat(), page.next, pages + 1);
            if next.is_none() {
                break;
            }
        }
        assert_eq!((found, pages), (vec![shared(arn).fact()], expected));
        let ids = [shared(arn).source.id(), SnapshotId::parse("snap-00000001").unwrap()];
        assert_eq!(world.sources(&ids).await.unwrap().snapshots, [shared(arn).fact()]);
    }
}

#[tokio::test]
async fn a_shard_is_what_ends_with_it() {
    let rules = all_that_is_shared();
    let scene = Scene::new(&rules.each_ref(), &[]);
    let owners = [AccountId::parse("111111111111").unwrap()];
    let last = shared(ARN).source.id().as_str().chars().last().unwrap();
    for digit in "0123456789abcdef".chars() {
        let page = scene.world().shared(&owners, &Shard(digit.to_string()), Some("m 2")).await.unwrap();
        assert_eq!(page.snapshots.len(), usize::from(digit == last), "{digit}");
    }
}

#[tokio::test]
async fn copies_are_found_by_source_lineage_and_name() {
    let [policy] = [policy("eu-west-1")];
    let copies = shows(vec![made(&policy, 1, "available", "copying")]);
    let scene = Scene::new(&[], &[&copies]);
    let (world, away, source) = (scene.world(), region("eu-west-1"), shared(ARN).fact());
    let name = request(&policy, &shared(ARN)).name().id();
    let strange = SnapshotId::parse("snap-00000001").unwrap();
    for (found, expected) in [
        (world.copies_of(&away, std::slice::from_ref(&source.id)).await, 1),
        (world.copies_of(&away, std::slice::from_ref(&strange)).await, 0),
        (world.copies_of_lineages(&away, std::slice::from_ref(&source.volume)).await, 1),
        (world.copies_of_lineages(&away, &[Lineage::parse("vol-00000001").unwrap()]).await, 0),
        (world.copies_by_id(&away, &[name]).await, 1),
        (world.copies_by_id(&away, &[strange]).await, 0),
    ] {
        assert_eq!(found.unwrap().copies.len(), expected);
    }
    assert_eq!(world.copies_in(&away, &Shard::all(), 0).await, Ok(CopiesIn::TooMany));
    let CopiesIn::All(all) = world.copies_in(&away, &Shard::all(), 1).await.unwrap() else { panic!("too many") };
    assert_eq!(all.copies[0].source, source.id);
}

/// Another home's copies have a stack of their own, and what Snapferry gave no name is none.
#[tokio::test]
async fn copies_of_others_are_left_out() {
    let policy = policy("eu-west-1");
    let of_another = of_another_home(made(&policy, 1, "available", "verified"));
    let mut nobodys = made(&policy, 1, "available", "verified");
    nobodys.db_snapshot_arn = Some("arn:aws:rds:eu-west-1:222222222222:snapshot:nightly".to_owned());
    let copies = shows(vec![of_another, nobodys]);
    let scene = Scene::new(&[], &[&copies]);
    let found = scene.world().copies_in(&region("eu-west-1"), &Shard::all(), 9).await.unwrap();
    let CopiesIn::All(found) = found else { panic!("too many") };
    assert_eq!((found.copies.len(), found.tampered.len()), (0, 0));
}

fn takes_attempt(attempt: u32) -> Rule {
    let policy = policy("eu-west-1");
    let source = shared(ARN);
    let name = CopyRequest { attempt, ..request(&policy, &source) }.name().to_string();
    mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .match_requests(move |copy| copy.target_db_snapshot_identifier() == Some(&name))
        .then_output(|| CopyDbSnapshotOutput::builder().build())
}

/// One more than the highest that came to nothing: a bad copy's name never blocks the next.
#[tokio::test]
async fn a_copy_is_asked_for_behind_those_that_came_to_nothing() {
    let policy = policy("eu-west-1");
    let lost = KeyState::PendingDeletion;
    let mut untagged = made(&policy, 1, "available", "rejected");
    untagged.tag_list.as_mut().unwrap().retain(|tag| tag.key() != Some("snapferry:source-account"));
    for (state, copies, attempt) in [
        (KeyState::Enabled, vec![], 1),
        (KeyState::Enabled, vec![made(&policy, 1, "copying", "copying")], 1),
        (KeyState::Enabled, vec![made(&policy, 1, "failed", "copying")], 2),
        (KeyState::Enabled, vec![made(&policy, 4, "available", "rejected"), made(&policy, 2, "failed", "failed")], 5),
        (KeyState::Enabled, vec![untagged], 2),
        (lost, vec![made(&policy, 1, "available", "verified")], 2),
    ] {
        let (shows, takes) = (shows(copies), takes_attempt(attempt));
        let rules = all_that_is_shared();
        let scene = Scene::under(state, &rules.each_ref(), &[&shows, &takes]);
        let (world, source) = (scene.world(), shared(ARN).fact());
        let ids = [source.id.clone()];
        assert_eq!(world.sources(&ids).await.unwrap().snapshots.len(), 1);
        world.copies_of(&region("eu-west-1"), &ids).await.unwrap();
        let copy = world.copy(&scene.request(&source), Timestamp::now()).await.unwrap();
        let name = CopyRequest { attempt, ..request(&policy, &shared(ARN)) }.name();
        assert_eq!((copy.as_str(), takes.num_calls()), (name.as_str(), 1));
    }
}

#[tokio::test]
async fn what_has_the_name_decides_what_becomes_of_the_request() {
    let policy = policy("eu-west-1");
    let mut strangers = made(&policy, 1, "available", "verified");
    strangers.source_db_snapshot_identifier = None;
    for (holder, expected) in [
        (made(&policy, 1, "copying", "copying"), "started"),
        (made(&policy, 1, "available", "verified"), "started"),
        (made(&policy, 1, "failed", "copying"), "ambiguous"),
        (made(&policy, 1, "available", "rejected"), "ambiguous"),
        (strangers, "name-taken"),
    ] {
        let exists = mock!(aws_sdk_rds::Client::copy_db_snapshot)
            .then_http_response(|| rds_error(400, "DBSnapshotAlreadyExists", "it exists"));
        let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(holder.clone()).build());
        let rules = all_that_is_shared();
        let scene = Scene::new(&rules.each_ref(), &[&exists, &look]);
        let (world, source) = (scene.world(), shared(ARN).fact());
        world.sources(std::slice::from_ref(&source.id)).await.unwrap();
        let answer = match world.copy(&scene.request(&source), Timestamp::now()).await.map_err(|error| error.failure) {
            Ok(_) => "started",
            Err(CopyFailure::Ambiguous) => "ambiguous",
            Err(CopyFailure::Refused { reason, .. }) => reason.name(),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(answer, expected);
    }
}

/// A copy call names its source by an ARN, and an owner may make another snapshot under it in the meantime.
#[tokio::test(start_paused = true)]
async fn a_source_is_looked_at_again_before_a_request_that_comes_late() {
    let (same, made_again) = (Some(CREATED), Some("2026-11-23T03:00:00Z"));
    for (seconds, then, looks, expected) in [
        (29, None, 1, "started"),
        (31, same, 2, "started"),
        (31, made_again, 2, "source-not-found"),
        (31, None, 2, "source-not-found"),
    ] {
        let (times, takes) = (AtomicUsize::new(0), takes_attempt(1));
        let shown = mock!(aws_sdk_rds::Client::describe_db_snapshots).then_output(move || {
            let shown = if times.fetch_add(1, Ordering::Relaxed) == 0 { same } else { then };
            let snapshot = shown.map(|created| {
                let mut snapshot = described();
                snapshot.snapshot_create_time = Some(moment(created));
                snapshot
            });
            DescribeDbSnapshotsOutput::builder().set_db_snapshots(snapshot.map(|one| vec![one])).build()
        });
        let scene = Scene::new(&[&shown], &[&takes]);
        let (world, source) = (scene.world(), shared(ARN).fact());
        world.sources(std::slice::from_ref(&source.id)).await.unwrap();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let answer = match world.copy(&scene.request(&source), Timestamp::now()).await.map_err(|error| error.failure) {
            Ok(_) => "started",
            Err(CopyFailure::Refused { reason, .. }) => reason.name(),
            Err(other) => panic!("{other:?}"),
        };
        let asked = usize::from(expected == "started");
        assert_eq!((answer, shown.num_calls(), takes.num_calls()), (expected, looks, asked), "{seconds} s, {then:?}");
    }
}

/// RDS lists what everybody shares, and all pages together may take longer than what the first of them say holds.
#[tokio::test(start_paused = true)]
async fn a_source_is_looked_for_again_no_further_than_to_its_page() {
    let (takes, of_source) = (takes_attempt(1), described());
    let shown = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|input| input.marker().is_none())
        .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(of_source.clone()).marker("2").build());
    let others = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|input| input.marker() == Some("2"))
        .then_output(|| DescribeDbSnapshotsOutput::builder().build());
    let scene = Scene::new(&[&shown, &others], &[&takes]);
    let (world, source) = (scene.world(), shared(ARN).fact());
    world.sources(std::slice::from_ref(&source.id)).await.unwrap();
    tokio::time::advance(Duration::from_secs(31)).await;
    world.copy(&scene.request(&source), Timestamp::now()).await.unwrap();
    assert_eq!((shown.num_calls(), others.num_calls(), takes.num_calls()), (2, 1, 1));
}

/// What RDS does not describe in full may be any of those that are looked for, and is not gone.
#[tokio::test]
async fn what_cannot_be_read_may_be_what_is_looked_for() {
    for (account, engine, expected) in
        [("111111111111", None, 1), ("111111111111", Some("mysql"), 0), ("999999999999", None, 0)]
    {
        let mut other = described();
        (other.engine, other.db_snapshot_identifier) = (engine.map(str::to_owned), Some("another".to_owned()));
        other.db_snapshot_arn = Some(format!("arn:aws:rds:us-east-1:{account}:snapshot:another"));
        let shown = mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(other.clone()).build());
        let scene = Scene::new(&[&shown], &[]);
        let source = shared(ARN).fact();
        let found = scene.world().sources(std::slice::from_ref(&source.id)).await.unwrap();
        assert_eq!((found.snapshots.len(), found.unreadable.len()), (0, expected), "{account} {engine:?}");
        assert!(found.unreadable.keys().all(|id| *id == source.id));
    }
}

/// Where RDS does not answer nothing is asked for.
#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_looked_at_again_is_not_copied() {
    for (code, expected) in [("Throttling", CopyFailure::Throttled), ("InternalFailure", CopyFailure::Ambiguous)] {
        let takes = takes_attempt(1);
        let fails = mock!(aws_sdk_rds::Client::describe_db_snapshots)
            .then_http_response(move || rds_error(400, code, "not now"));
        let scene = Scene::new(&[&fails], &[&takes]);
        let source = shared(ARN).fact();
        let error = scene.world().copy(&scene.request(&source), Timestamp::now()).await.unwrap_err();
        assert_eq!((error.failure, takes.num_calls()), (expected, 0));
    }
}
