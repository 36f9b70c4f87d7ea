//! What the copier asks EC2 for, and what becomes of answers of which something is wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;

use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsInput, DescribeSnapshotsOutput};
use aws_sdk_ec2::types::{Snapshot, SnapshotState, Tag};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use common::{clients, ec2, ec2_error, ec2_saying, region, snapshot_id, source};
use snapferry_aws::reads;
use snapferry_core::ids::{AccountId, SnapshotId, VolumeId};
use snapferry_core::ledger::Shard;
use snapferry_flow::CopiesIn;

fn snapshot(number: u32) -> Snapshot {
    let started: jiff::Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
    Snapshot::builder()
        .snapshot_id(snapshot_id(number).to_string())
        .owner_id("111111111111")
        .volume_id("vol-0123456789abcdef0")
        .volume_size(8)
        .state(SnapshotState::Completed)
        .start_time(DateTime::from_secs(started.as_second()))
        .encrypted(true)
        .description("nightly")
        .build()
}

/// A copy of a source, in as many tags as it takes to know whose copy it is.
fn copy(number: u32, source: u32) -> Snapshot {
    let tags = [
        ("snapferry:policy", "default".to_owned()),
        ("snapferry:source-snapshot", snapshot_id(source).to_string()),
        ("snapferry:source-start-time", "2026-11-21T03:00:00Z".to_owned()),
    ];
    let mut copy = snapshot(number);
    copy.tags = Some(tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).to_vec());
    copy
}

fn page(snapshots: Vec<Snapshot>, next: Option<&str>) -> DescribeSnapshotsOutput {
    DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots)).set_next_token(next.map(str::to_owned)).build()
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<SnapshotId> {
    numbers.into_iter().map(snapshot_id).collect()
}

/// The filters of a request, each as its name and values.
fn filters(request: &DescribeSnapshotsInput) -> Vec<(String, Vec<String>)> {
    request.filters().iter().map(|filter| (filter.name().unwrap().to_owned(), filter.values().to_vec())).collect()
}

fn filtered(name: &str, values: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
}

/// EC2 that shows the even ones of the snapshots that it is asked for, and fails as EC2 does when there is another among them:
/// with the first of them named, if `is_named`.
fn even_ones(code: &'static str, is_named: bool) -> Vec<Rule> {
    let asked = |request: &DescribeSnapshotsInput| -> Vec<u32> {
        assert_eq!((request.max_results(), request.filters().len(), request.owner_ids().len()), (None, 0, 0));
        let number = |id: &String| u32::from_str_radix(id.strip_prefix("snap-").unwrap(), 16).unwrap();
        assert!((1..=200).contains(&request.snapshot_ids().len()), "never all that there is");
        request.snapshot_ids().iter().map(number).collect()
    };
    let first_odd = move |request: &DescribeSnapshotsInput| asked(request).into_iter().find(|number| number % 2 == 1);
    let missing = (0..1024).filter(|number| number % 2 == 1).map(|odd| {
        let id = if is_named { snapshot_id(odd).to_string() } else { "one of them".to_owned() };
        mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(move |request| first_odd(request) == Some(odd))
            .then_http_response(move || ec2_error(400, code, &format!("The snapshot '{id}' does not exist.")))
    });
    let all = (0..1024).filter(|number| number % 2 == 0).map(snapshot).collect::<Vec<_>>();
    let found = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(move |request| first_odd(request).is_none())
        .then_compute_output(move |request| {
            let asked: BTreeSet<u32> = asked(request).into_iter().collect();
            let is_asked = |shown: &&Snapshot| {
                let id = shown.snapshot_id().unwrap();
                asked.iter().any(|number| snapshot_id(*number).as_str() == id)
            };
            page(all.iter().filter(is_asked).cloned().collect(), None)
        });
    missing.chain([found]).collect()
}

#[tokio::test]
async fn what_an_event_names_is_asked_for_by_its_id_alone() {
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| {
            r.snapshot_ids() == ["snap-00000001"]
                && (r.max_results(), r.filters().len(), r.owner_ids().len()) == (None, 0, 0)
                && r.restorable_by_user_ids().is_empty()
        })
        .then_output(|| page(vec![snapshot(1)], None));
    let clients = clients([ec2("us-east-1", &[&rule])], []);
    let shown = reads::by_id(&clients, &[snapshot_id(1), snapshot_id(1)]).await.unwrap();
    assert_eq!((shown.snapshots, clients.calls()), (vec![source(1)], 1));
    assert_eq!(reads::by_id(&clients, &[]).await.map(|shown| shown.snapshots), Ok(vec![]));
    assert_eq!(clients.calls(), 1, "without an ID EC2 would give everything");
}

#[tokio::test]
async fn ids_that_ec2_does_not_know_cost_the_others_nothing_but_calls() {
    for (code, is_named) in [
        ("InvalidSnapshot.NotFound", true),
        ("InvalidSnapshot.NotFound", false),
        ("InvalidSnapshotID.Malformed", true),
        ("InvalidSnapshotID.Malformed", false),
    ] {
        // Up to how many calls: one for each missing ID and some, or twice as many where none is named.
        for (wanted, calls) in
            [(vec![2], 1), (vec![1], 2), (vec![1, 2, 4], 6), ((0..30).collect(), 62), ((0..500).collect(), 1100)]
        {
            let rules = even_ones(code, is_named);
            let clients = clients([ec2("us-east-1", &rules.iter().collect::<Vec<_>>())], []);
            let shown = reads::by_id(&clients, &ids(wanted.clone())).await.unwrap();
            let expected: Vec<_> = wanted.iter().filter(|number| *number % 2 == 0).map(|n| source(*n)).collect();
            assert_eq!(shown.snapshots, expected, "{code} {is_named}");
            assert!(clients.calls() <= calls, "{} calls for {} IDs, {code} {is_named}", clients.calls(), wanted.len());
        }
    }
}

#[tokio::test]
async fn an_error_that_is_about_no_id_is_the_answer_in_its_own_words() {
    for code in ["AuthFailure", "OptInRequired", "RequestLimitExceeded", "UnauthorizedOperation", "InternalError"] {
        let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
            .then_http_response(move || ec2_error(403, code, "snap-00000001 does not exist"));
        let clients = clients([ec2("us-east-1", &[&rule]), ec2("eu-west-1", &[&rule])], []);
        let there = region("eu-west-1");
        let codes = [
            reads::by_id(&clients, &ids(1..9)).await.unwrap_err().code,
            reads::copies(&clients, &there, &ids(1..9)).await.unwrap_err().code,
            reads::copies_in(&clients, &there, &Shard::all(), 9).await.unwrap_err().code,
            reads::copies_by_id(&clients, &there, &ids(1..9)).await.unwrap_err().code,
        ];
        assert_eq!((codes, rule.num_calls()), ([code; 4].map(str::to_owned), 4));
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_named_and_not_gone() {
    let mut bad = snapshot(2);
    bad.start_time = None;
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .then_output(move || page(vec![snapshot(3), bad.clone(), snapshot(1)], None));
    let clients = clients([ec2("us-east-1", &[&rule])], []);
    let shown = reads::by_id(&clients, &ids(1..4)).await.unwrap();
    assert_eq!(shown.snapshots, [source(1), source(3)]);
    assert_eq!(
        shown.unreadable.into_iter().collect::<Vec<_>>(),
        [(snapshot_id(2), "no start time for snap-00000002".to_owned())]
    );
    let owner = AccountId::parse("111111111111").unwrap();
    let page = reads::shared_page(&clients, &[owner], &Shard::all(), None).await.unwrap();
    assert_eq!((page.snapshots.len(), page.unreadable), (2, vec!["no start time for snap-00000002".to_owned()]));
}

#[tokio::test]
async fn a_page_of_what_owners_share_is_one_call() {
    let shard = Shard("a".to_owned());
    for (shard, expected) in [(Shard::all(), vec![]), (shard, vec![filtered("snapshot-id", &["*a"])])] {
        let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(move |r| {
                r.owner_ids() == ["111111111111"]
                    && r.restorable_by_user_ids() == ["self"]
                    && r.max_results() == Some(1000)
                    && r.next_token() == Some("here")
                    && filters(r) == expected
            })
            .then_output(|| page(vec![snapshot(1)], Some("there")));
        let clients = clients([ec2("us-east-1", &[&rule])], []);
        let owner = AccountId::parse("111111111111").unwrap();
        let page = reads::shared_page(&clients, &[owner], &shard, Some("here")).await.unwrap();
        assert_eq!((page.snapshots, page.next.as_deref()), (vec![source(1)], Some("there")));
        assert_eq!(clients.calls(), 1);
        let nobodys = reads::shared_page(&clients, &[], &shard, None).await.unwrap();
        assert_eq!((nobodys.snapshots.len(), clients.calls()), (0, 1));
    }
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_an_error_and_not_the_end() {
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(|| page(vec![], Some("here")));
    let clients = clients([ec2("us-east-1", &[&rule]), ec2("eu-west-1", &[&rule])], []);
    let (there, owner) = (region("eu-west-1"), AccountId::parse("111111111111").unwrap());
    let words = "DescribeSnapshots gave the same page token twice";
    assert_eq!(reads::shared_page(&clients, &[owner], &Shard::all(), Some("here")).await.unwrap_err().message, words);
    assert_eq!(reads::copies(&clients, &there, &ids([1])).await.unwrap_err().message, words);
    assert_eq!(reads::copies_in(&clients, &there, &Shard::all(), 9).await.unwrap_err().message, words);
}

#[tokio::test]
async fn copies_of_sources_are_asked_for_without_a_pages_size_and_read_to_the_end() {
    let sources: Vec<u32> = (1..=201).collect();
    let rule = |token: Option<&'static str>, count: usize, answer: DescribeSnapshotsOutput| {
        mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(move |r| {
                let [(name, values), home] = &filters(r)[..] else { return false };
                r.owner_ids() == ["self"]
                    && r.max_results().is_none()
                    && r.next_token() == token
                    && (name.as_str(), values.len()) == ("tag:snapferry:source-snapshot", count)
                    && *home == filtered("tag:snapferry:source-region", &["us-east-1"])
            })
            .then_output(move || answer.clone())
    };
    let first = rule(None, 200, page(vec![], Some("more")));
    let second = rule(Some("more"), 200, page(vec![copy(0xc1, 1)], None));
    let third = rule(None, 1, page(vec![copy(0xc2, 201)], None));
    let clients = clients([ec2("eu-west-1", &[&first, &second, &third])], []);
    let found = reads::copies(&clients, &region("eu-west-1"), &ids(sources)).await.unwrap();
    let found: Vec<_> = found.copies.iter().map(|copy| copy.source.clone()).collect();
    assert_eq!((found, clients.calls()), (ids([1, 201]), 3));
}

#[tokio::test]
async fn copies_of_a_shard_are_read_until_there_are_too_many_or_their_pages_are_mostly_empty() {
    let home = filtered("tag:snapferry:source-region", &["us-east-1"]);
    let of_shard = filtered("tag:snapferry:source-snapshot", &["*1"]);
    let of_all = filtered("tag-key", &["snapferry:source-snapshot"]);
    // Which shard, how many pages there are with how many copies each, up to how many are wanted; what comes, by how many calls.
    let cases = [
        ("1", 3, 2, 6, "all", 3),
        ("1", 3, 2, 5, "too many", 3),
        ("1", 30, 2, 9, "too many", 5),
        ("1", 30, 1, 9, "mostly empty", 5),
        ("1", 4, 0, 9, "all", 4),
        ("", 30, 0, 9, "mostly empty", 5),
        ("", 4, 0, 9, "all", 4),
    ];
    for (shard, pages, each, most, expected, calls) in cases {
        let wanted = vec![if shard.is_empty() { of_all.clone() } else { of_shard.clone() }, home.clone()];
        let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(move |r| r.owner_ids() == ["self"] && r.max_results() == Some(1000) && filters(r) == wanted)
            .then_compute_output(move |r| {
                let number: u32 = r.next_token().map_or(0, |token| token.parse().unwrap());
                let copies = (0..each).map(|one| copy(0xc00 + number * each + one, 1)).collect();
                page(copies, (number + 1 < pages).then(|| (number + 1).to_string()).as_deref())
            });
        let clients = clients([ec2("eu-west-1", &[&rule])], []);
        let read = reads::copies_in(&clients, &region("eu-west-1"), &Shard(shard.to_owned()), most).await.unwrap();
        let read = match read {
            CopiesIn::All(copies) => {
                assert_eq!(copies.copies.len(), usize::try_from(pages * each).unwrap());
                "all"
            }
            CopiesIn::TooMany => "too many",
            CopiesIn::MostlyEmpty => "mostly empty",
        };
        assert_eq!((read, clients.calls()), (expected, calls), "{pages} pages of {each}");
    }
}

#[tokio::test]
async fn copies_of_volumes_are_asked_for_by_their_tags() {
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| {
            r.owner_ids() == ["self"]
                && filters(r)
                    == [
                        filtered("tag:snapferry:source-volume", &["vol-00000001"]),
                        filtered("tag:snapferry:source-region", &["us-east-1"]),
                    ]
        })
        .then_output(|| page(vec![copy(0xc1, 1)], None));
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let volumes = [VolumeId::parse("vol-00000001").unwrap()];
    let found = reads::copies_of_lineages(&clients, &region("eu-west-1"), &volumes).await.unwrap();
    assert_eq!(found.copies.len(), 1);
}

#[tokio::test]
async fn copies_that_ec2_named_are_asked_for_by_their_ids_whatever_their_tags_are() {
    let missing = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| r.snapshot_ids().len() == 3)
        .then_http_response(|| {
            ec2_error(400, "InvalidSnapshot.NotFound", "The snapshot 'snap-000000c2' does not exist.")
        });
    let found = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .match_requests(|r| {
            r.snapshot_ids() == ["snap-000000c1", "snap-000000c3"]
                && r.owner_ids() == ["self"]
                && r.max_results().is_none()
        })
        .then_output(|| page(vec![copy(0xc1, 1), snapshot(0xc3)], None));
    let clients = clients([ec2("eu-west-1", &[&missing, &found])], []);
    let found = reads::copies_by_id(&clients, &region("eu-west-1"), &ids([0xc1, 0xc2, 0xc3])).await.unwrap();
    assert_eq!(found.copies.iter().map(|copy| copy.id.clone()).collect::<Vec<_>>(), ids([0xc1]));
    let tampered: Vec<_> = found.tampered.iter().map(|copy| copy.id.clone()).collect();
    assert!(tampered.contains(&snapshot_id(0xc3)), "one without its tags is there all the same");
}

#[tokio::test]
async fn a_copy_that_cannot_be_read_still_counts_by_its_identity_and_proves_nothing() {
    let mut bad = copy(0xc1, 1);
    bad.start_time = None;
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots)
        .then_output(move || page(vec![bad.clone(), copy(0xc2, 2)], None));
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let found = reads::copies(&clients, &region("eu-west-1"), &ids([1, 2])).await.unwrap();
    assert_eq!(found.unreadable, ["no start time for snap-000000c1"]);
    let sources: Vec<_> = found.copies.iter().map(|copy| copy.source.clone()).collect();
    assert_eq!(sources, ids([1, 2]));
    assert!(found.copies[0].is_tampered, "it is never deleted");
    let started: jiff::Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
    assert_eq!(found.copies[0].start_time, started, "as old as its source");
}

#[tokio::test]
async fn a_copy_without_an_id_fails_the_read_because_nobody_knows_whose_it_is() {
    let mut nameless = copy(0xc1, 1);
    nameless.snapshot_id = None;
    let rule = mock!(aws_sdk_ec2::Client::describe_snapshots).then_output(move || page(vec![nameless.clone()], None));
    let clients = clients([ec2("eu-west-1", &[&rule])], []);
    let there = region("eu-west-1");
    let errors = [
        reads::copies(&clients, &there, &ids([1])).await.unwrap_err(),
        reads::all_copies(&clients, &there).await.unwrap_err(),
    ];
    assert_eq!(errors.map(|error| error.code), ["UnreadableAnswer"; 2].map(str::to_owned));
    // None of those that are asked for by their IDs.
    let found = reads::copies_by_id(&clients, &there, &ids([0xc1])).await.unwrap();
    assert_eq!((found.copies.len(), found.tampered.len()), (0, 0));
}

/// One snapshot as EC2 writes it, from its ID on.
fn item(id: &str, members: &str) -> String {
    format!(
        "<item><snapshotId>{id}</snapshotId><volumeId>vol-0123456789abcdef0</volumeId><status>completed</status>\
         <ownerId>111111111111</ownerId><volumeSize>8</volumeSize>{members}</item>"
    )
}

#[tokio::test]
async fn what_is_odd_in_a_page_spoils_only_itself() {
    let started = "<startTime>2026-11-22T03:00:00.000Z</startTime>";
    let items = [
        item("snap-00000001", &format!("{started}<description>raw \u{1}\u{1b}[2J</description>")),
        item("snap-00000002", &format!("{started}<description>as &#x1; reference&#0;</description>")),
        item("snap-00000003", "<description>never started</description>"),
        item("snap-EVERYTHING", started),
        item("snap-00000005", &format!("{started}<description>&lt;good&gt;</description>")),
    ];
    let body =
        format!("<DescribeSnapshotsResponse><snapshotSet>{}</snapshotSet></DescribeSnapshotsResponse>", items.concat());
    let clients = clients([ec2_saying("us-east-1", &body)], []);
    let owners = [AccountId::parse("111111111111").unwrap()];
    let described = |found: &[snapferry_core::facts::SourceSnapshot]| -> Vec<(String, String)> {
        found.iter().map(|found| (found.id.to_string(), found.description.to_string())).collect()
    };
    let expected = [
        ("snap-00000001", "raw \u{fffd}\u{fffd}[2J"),
        ("snap-00000002", "as \u{fffd} reference\u{fffd}"),
        ("snap-00000005", "<good>"),
    ]
    .map(|(id, description)| (id.to_owned(), description.to_owned()));
    let page = reads::shared_page(&clients, &owners, &Shard::all(), None).await.unwrap();
    assert_eq!((described(&page.snapshots), page.unreadable.len()), (expected.to_vec(), 2));
    assert_eq!(described(&reads::shared_by(&clients, &owners).await.unwrap()), expected);
    let named = reads::by_id(&clients, &ids([1, 2, 3, 5])).await.unwrap();
    assert_eq!(described(&named.snapshots), expected);
    assert_eq!(named.unreadable.keys().cloned().collect::<Vec<_>>(), ids([3]));
}

#[tokio::test]
async fn where_a_source_is_kept_is_read() {
    use snapferry_core::facts::Storage;
    let started = "<startTime>2026-11-22T03:00:00.000Z</startTime>";
    let items = [
        item("snap-00000001", &format!("{started}<storageTier>standard</storageTier>")),
        item("snap-00000002", &format!("{started}<storageTier>archive</storageTier>")),
        item("snap-00000003", &format!("{started}<outpostArn>arn:aws:ec2:us-east-1:1:outpost/op-1</outpostArn>")),
        item("snap-00000004", &format!("{started}<availabilityZone>us-east-1-bos-1a</availabilityZone>")),
        item("snap-00000005", &format!("{started}<availabilityZone>us-east-1a</availabilityZone>")),
    ];
    let body =
        format!("<DescribeSnapshotsResponse><snapshotSet>{}</snapshotSet></DescribeSnapshotsResponse>", items.concat());
    let clients = clients([ec2_saying("us-east-1", &body)], []);
    let shown = reads::by_id(&clients, &ids(1..=5)).await.unwrap().snapshots;
    let storages: Vec<Storage> = shown.iter().map(|source| source.storage).collect();
    use Storage::{Archive, LocalZone, Outpost, Standard};
    assert_eq!(storages, [Standard, Archive, Outpost, LocalZone, Standard]);
}
