//! Answers in the shapes that AWS gave over ten years (fixtures/recordings/README.md), through the SDK and the readers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{KEY, clients, ec2_saying, kms_saying, region};
use snapferry_aws::clients::Clients;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::reads;
use snapferry_core::facts::{KeyFact, SourceSnapshot};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::ledger::Shard;

const SNAPSHOTS: [&str; 3] = [
    include_str!("fixtures/recordings/snapshots-2016.xml"),
    include_str!("fixtures/recordings/snapshots-2017.xml"),
    include_str!("fixtures/recordings/snapshots-2024.xml"),
];

/// EC2 at home that gives this answer.
fn home(answer: &str) -> Clients {
    clients([ec2_saying("us-east-1", answer)], [])
}

/// What matters of a source, in a line.
fn line(source: &SourceSnapshot) -> String {
    let SourceSnapshot { kind: _, id, owner, volume, size_gib, state, start_time, encrypted, storage, description } =
        source;
    format!("{id} {owner} {volume} {size_gib} {state:?} {start_time} {encrypted} {storage:?} {description}")
}

#[tokio::test]
async fn snapshots_of_every_year_are_read_and_an_odd_one_spoils_only_itself() {
    let owners = [AccountId::parse("111111111111").unwrap()];
    let expected: [(&[&str], &[&str]); 3] = [
        (
            &[
                "snap-1a2b3c41 111111111111 vol-1a2b3c4d 8 Completed 2016-03-09T14:15:16Z false Standard ",
                "snap-1a2b3c42 111111111111 vol-1a2b3c4d 100 Pending 2016-03-09T15:15:16Z false Standard Created by \
                 CreateImage(i-1a2b3c4d) for ami-1a2b3c4d from vol-1a2b3c4d",
            ],
            &["owner of snap-1a2b3c43: "],
        ),
        (
            &[
                "snap-0a1b2c3d4e5f60701 111111111111 vol-ffffffff 8 Completed 2017-10-31T08:17:04.58Z true Standard \
                 Copied for DestinationAmi ami-1a2b3c4d from SourceAmi ami-1a2b3c4e for SourceSnapshot \
                 snap-0a1b2c3d4e5f60700. Task created on 1,509,437,824,580.",
                "snap-0a1b2c3d4e5f60702 111111111111 vol-0a1b2c3d4e5f60718 1 Completed 2017-11-01T08:17:04.581Z true \
                 Standard nightly & weekly",
            ],
            &[],
        ),
        (
            &[
                "snap-0a1b2c3d4e5f60711 111111111111 vol-0a1b2c3d4e5f60718 20 Completed 2024-01-30T10:33:22.036Z true \
                 Standard nightly",
                "snap-0a1b2c3d4e5f60712 111111111111 vol-ffffffff 0 Other 2024-01-30T11:33:22.036Z false Standard ",
                "snap-0a1b2c3d4e5f60714 111111111111 vol-0a1b2c3d4e5f60718 20 Error 2024-01-30T13:33:22.036Z true \
                 Archive nightly",
            ],
            &["owner of snap-0a1b2c3d4e5f60713: "],
        ),
    ];
    for (answer, (read, unread)) in SNAPSHOTS.iter().zip(expected) {
        let clients = home(answer);
        let page = reads::shared_page(&clients, &owners, &Shard::all(), None).await.unwrap();
        assert_eq!(page.snapshots.iter().map(line).collect::<Vec<_>>(), read);
        assert_eq!(page.unreadable.len(), unread.len());
        for (found, expected) in page.unreadable.iter().zip(unread) {
            assert!(found.starts_with(expected), "{found}");
        }
        let all = reads::shared_by(&clients, &owners).await.unwrap();
        assert_eq!(all.iter().map(line).collect::<Vec<_>>(), read);
        let asked = [SnapshotId::parse("snap-1a2b3c41").unwrap()];
        let named = reads::by_id(&clients, &asked).await.unwrap();
        assert_eq!(named.snapshots.iter().map(line).collect::<Vec<_>>(), read);
        let unreadable: Vec<String> = named.unreadable.into_values().collect();
        assert_eq!(unreadable, page.unreadable);
    }
}

/// One item of each kind that EC2 should not give, between two good ones, in every reader of sources.
#[tokio::test]
async fn one_bad_source_spoils_only_itself_and_is_named() {
    let good = |number: u32| item(number, "2026-11-22T03:00:00.000Z", "8", "true");
    let clients = |bad: &str| home(&answer(&format!("{}{bad}{}", good(1), good(3))));
    let owners = [AccountId::parse("111111111111").unwrap()];
    for (bad, expected) in [
        (item(2, "2026-02-30T03:00:00.000Z", "8", "true"), Some("no start time for snap-00000002")),
        (item(2, "yesterday", "8", "true"), Some("no start time for snap-00000002")),
        (item(2, "", "8", "true"), Some("no start time for snap-00000002")),
        (item(2, "9999-12-31T23:59:59.999Z", "8", "true"), Some("no start time for snap-00000002")),
        (item(2, "2026-11-22T03:00:00.000Z", "8.5", "true"), None),
        (item(2, "2026-11-22T03:00:00.000Z", "99999999999", "true"), None),
        (item(2, "2026-11-22T03:00:00.000Z", "-8", "yes"), None),
        (good(2).replace("snap-00000002", "snap-2"), Some("\"snap-2\"")),
        (good(2).replace("snap-00000002", "SNAP-00000002"), Some("\"SNAP-00000002\"")),
        (good(2).replace("<snapshotId>snap-00000002</snapshotId>", ""), Some("\"\"")),
        (good(2).replace("111111111111", "self"), Some("owner of snap-00000002")),
        (good(2).replace("completed", "recovering"), None),
        (good(2).replace("vol-0a1b2c3d4e5f60718", "vol-ffffffffffffffffffffffff"), None),
    ] {
        let clients = clients(&bad);
        let page = reads::shared_page(&clients, &owners, &Shard::all(), None).await.unwrap();
        let read: Vec<&str> = page.snapshots.iter().map(|source| source.id.as_str()).collect();
        let all = reads::shared_by(&clients, &owners).await.unwrap();
        assert_eq!(all.iter().map(|source| source.id.as_str()).collect::<Vec<_>>(), read);
        match expected {
            None => assert_eq!((read.len(), page.unreadable.len()), (3, 0), "{bad}"),
            Some(words) => {
                assert_eq!(read, ["snap-00000001", "snap-00000003"], "{bad}");
                assert!(page.unreadable.len() == 1 && page.unreadable[0].contains(words), "{:?}", page.unreadable);
            }
        }
        let asked: Vec<SnapshotId> = (1..=3).map(common::snapshot_id).collect();
        let named = reads::by_id(&clients, &asked).await.unwrap();
        assert_eq!(named.snapshots.len(), read.len());
    }
}

/// A copy that EC2 describes in part counts by its identity, so that no second one is made, and proves nothing.
#[tokio::test]
async fn one_bad_copy_spoils_only_itself_and_is_named() {
    let tags = "<tagSet><item><key>snapferry:policy</key><value>default</value></item><item>\
                <key>snapferry:source-snapshot</key><value>snap-000000a1</value></item></tagSet></item>";
    let good = |number: u32| item(number, "2026-11-22T03:00:00.000Z", "8", "true");
    for (bad, problem) in [
        (item(2, "2026-02-30T03:00:00.000Z", "8", "true"), "no start time for snap-00000002"),
        (item(2, "2026-11-22T03:00:00.000Z", "8.5", "true"), "no size for snap-00000002"),
        (item(2, "2026-11-22T03:00:00.000Z", "8", "yes"), "nothing says whether snap-00000002 is encrypted"),
        (good(2).replace("<encrypted>true</encrypted>", ""), "nothing says whether snap-00000002 is encrypted"),
    ] {
        let all = format!("{}{bad}{}", good(1), good(3)).replace("</item>", tags);
        let there = region("eu-west-1");
        let clients = clients([ec2_saying("eu-west-1", &answer(&all))], []);
        let by_source = reads::copies(&clients, &there, &[common::snapshot_id(0xa1)]).await.unwrap();
        let by_id = reads::copies_by_id(&clients, &there, &[common::snapshot_id(1)]).await.unwrap();
        let everything = reads::all_copies(&clients, &there).await.unwrap();
        for found in [by_source, by_id, everything] {
            assert_eq!((found.copies.len(), found.unreadable), (3, vec![problem.to_owned()]), "{bad}");
            assert!(found.copies[1].is_tampered, "it is never deleted, and lets no other go");
        }
        let mut handed = Vec::new();
        reads::for_each_own_copy(&clients, &there, vec![], |copy| handed.push(copy.id)).await.unwrap();
        assert_eq!(handed, [common::snapshot_id(1), common::snapshot_id(3)], "nothing is done to it");
    }
    // What is not completed yet is not judged.
    let pending = item(2, "2026-11-22T03:00:00.000Z", "8", "").replace("completed", "pending").replace("</item>", tags);
    let clients = clients([ec2_saying("eu-west-1", &answer(&pending))], []);
    let found = reads::all_copies(&clients, &region("eu-west-1")).await.unwrap();
    assert_eq!((found.copies.len(), found.unreadable.len()), (1, 0));
}

#[tokio::test]
async fn keys_of_every_year_are_judged() {
    let multi_region = KEY.replace("1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab");
    let not_found = r#"{"__type": "NotFoundException", "message": "Alias arn:aws:kms:eu-west-1:222222222222:alias/gone is not found."}"#;
    let no_key = r#"{"__type": "NotFoundException", "message": "Invalid keyId 'auto'"}"#;
    let denied = r#"{"__type": "AccessDeniedException", "Message": "User: arn:aws:sts::222222222222:assumed-role/copier/s is not authorized to perform: kms:DescribeKey on resource: k"}"#;
    for (status, answer, key, expected) in [
        (200, include_str!("fixtures/recordings/key-2017.json"), KEY, None),
        (200, include_str!("fixtures/recordings/key-2018.json"), KEY, None),
        (200, include_str!("fixtures/recordings/key-2020.json"), KEY, None),
        (200, include_str!("fixtures/recordings/key-2022.json"), KEY, None),
        (200, include_str!("fixtures/recordings/key-2025.json"), KEY, None),
        (200, include_str!("fixtures/recordings/key-2022-multi-region.json"), &multi_region, None),
        (200, include_str!("fixtures/recordings/key-of-ebs.json"), KEY, Some("key-aws-managed")),
        (200, include_str!("fixtures/recordings/key-imported.json"), KEY, Some("key-not-ready")),
        (200, include_str!("fixtures/recordings/key-disabled.json"), KEY, Some("key-disabled")),
        // Nothing says that it can be used.
        (200, include_str!("fixtures/recordings/key-bare.json"), KEY, Some("key-not-ready")),
        (400, not_found, KEY, Some("key-not-found")),
        (400, no_key, KEY, Some("key-not-found")),
        (400, denied, KEY, Some("key-access-denied")),
    ] {
        let clients = clients([], [kms_saying("eu-west-1", status, answer)]);
        let key = KeyArn::parse(key).unwrap();
        let reason = match KeyCache::default().look(&clients, &region("eu-west-1"), &key).await {
            KeyFact::Usable => None,
            KeyFact::Unusable(problem) => Some(problem.reason().name()),
            KeyFact::Unread(error) => panic!("{answer}: {error:?}"),
        };
        assert_eq!(reason, expected, "{answer}");
    }
}

fn answer(items: &str) -> String {
    format!("<DescribeSnapshotsResponse><snapshotSet>{items}</snapshotSet></DescribeSnapshotsResponse>")
}

fn item(number: u32, started: &str, size: &str, encrypted: &str) -> String {
    format!(
        "<item><snapshotId>snap-{number:08x}</snapshotId><volumeId>vol-0a1b2c3d4e5f60718</volumeId>\
         <status>completed</status><startTime>{started}</startTime><ownerId>111111111111</ownerId>\
         <volumeSize>{size}</volumeSize><encrypted>{encrypted}</encrypted></item>"
    )
}
