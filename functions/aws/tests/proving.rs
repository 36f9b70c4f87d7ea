//! Reading blocks: what comes over the wire against what EBS says of it, and a proof that stops and goes on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_ebs::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::legible::legible;
use snapferry_aws::proving::{Blocks, Goes, KEPT_EVERY, Sides, go_on};
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::{Extent, ProofRule};
use snapferry_core::proving::{Finding, Level, Progress, Seed};

const LONG: Duration = Duration::from_secs(600);

/// What a snapshot's blocks are, and what goes wrong.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    blocks: BTreeMap<u32, Vec<u8>>,
    /// Blocks that come with another digest than theirs.
    broken: Vec<u32>,
    /// What a block is at its first reading.
    at_first: BTreeMap<u32, Vec<u8>>,
    /// Every request is refused with this code.
    refuses: Option<&'static str>,
    /// It is refused from this reading on.
    refuses_from: Option<u32>,
    /// Its lists begin with the first block, whatever is asked for.
    lists_all: bool,
    reads: u32,
}

/// The EBS direct APIs of one snapshot, in pages of five.
#[derive(Debug, Clone)]
struct Ebs(Arc<Mutex<Snapshot>>);

impl HttpConnector for Ebs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(answer(&mut self.0.lock().unwrap(), request.uri())))
    }
}

fn answer(snapshot: &mut Snapshot, uri: &str) -> HttpResponse {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let is_over = snapshot.refuses_from.is_some_and(|from| snapshot.reads >= from);
    if let Some(code) = snapshot.refuses.or(is_over.then_some("AccessDeniedException")) {
        let mut response = said(400, json!({"Message": "no"}).to_string().into_bytes());
        response.headers_mut().insert("x-amzn-errortype", code);
        return response;
    }
    let last = path.rsplit('/').next().unwrap();
    if last == "blocks" {
        let from: u32 = asked("startingBlockIndex").map_or(0, |from| from.parse().unwrap());
        let from = if snapshot.lists_all { 0 } else { from };
        let left: Vec<u32> = snapshot.blocks.range(from..).map(|(index, _)| *index).collect();
        let blocks: Vec<_> =
            left.iter().take(5).map(|index| json!({"BlockIndex": index, "BlockToken": format!("t{index}")})).collect();
        let next = (left.len() > 5).then_some("more");
        return said(200, json!({"Blocks": blocks, "NextToken": next}).to_string().into_bytes());
    }
    let index: u32 = last.parse().unwrap();
    assert_eq!(asked("blockToken"), Some(format!("t{index}").as_str()));
    snapshot.reads += 1;
    let data = snapshot.at_first.remove(&index).unwrap_or_else(|| snapshot.blocks[&index].clone());
    let digest = Sha256::digest(if snapshot.broken.contains(&index) { b"other".as_slice() } else { &data });
    let mut response = said(200, data.clone());
    response.headers_mut().insert("x-amz-Checksum", base64::encode(digest));
    response.headers_mut().insert("x-amz-Checksum-Algorithm", "SHA256");
    response.headers_mut().insert("x-amz-Data-Length", data.len().to_string());
    response
}

fn said(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

impl Snapshot {
    fn of(blocks: u32) -> Self {
        let block = |index: u32| (index * 2, format!("<a>\u{1}{index}\u{ffff}</a>").into_bytes());
        Self { blocks: (0..blocks).map(block).collect(), ..Self::default() }
    }

    fn served(self) -> (Blocks, Arc<Mutex<Self>>) {
        let shared = Arc::new(Mutex::new(self));
        let connector = SharedHttpConnector::new(Ebs(Arc::clone(&shared)));
        let config = aws_sdk_ebs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(legible(http_client_fn(move |_, _| connector.clone())))
            .build();
        let id = SnapshotId::parse("snap-00000001").unwrap();
        (Blocks::new(aws_sdk_ebs::Client::from_conf(config), id), shared)
    }
}

fn sides(copy: &Snapshot, source: &Snapshot) -> Sides {
    Sides { copy: copy.clone().served().0, source: Some(source.clone().served().0) }
}

fn began(extent: Extent) -> Progress {
    Progress::new(ProofRule { extent, compare: true }, Seed(7), Timestamp::UNIX_EPOCH)
}

async fn here(_: &Progress) -> Goes {
    Goes::Here
}

/// What is found, in a word, and how far the proof is.
async fn prove(sides: &Sides, mut progress: Progress) -> (String, Progress) {
    let found = match go_on(sides, &mut progress, Deadline::after(LONG), here).await {
        Ok(Some(Finding::Proved(level, _))) => level.as_str().to_owned(),
        Ok(Some(Finding::Differs(differing, _))) => format!("differs at {}", differing.index),
        Ok(Some(Finding::Unread(error))) | Err(error) => error.code,
        Ok(None) => "no time".to_owned(),
    };
    (found, progress)
}

#[tokio::test(start_paused = true)]
async fn blocks_come_as_they_are_whatever_they_begin_with() {
    let equal = Snapshot::of(12);
    let (found, progress) = prove(&sides(&equal, &equal), began(Extent::All)).await;
    assert_eq!((found.as_str(), progress.read, progress.compared), (Level::Full.as_str(), 12, 12));
    let mut other = equal.clone();
    other.blocks.insert(14, b"<a>\x027\xef\xbf\xbf</a>".to_vec());
    assert_eq!(prove(&sides(&other, &equal), began(Extent::All)).await.0, "differs at 14");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_not_those_of_the_digest_prove_nothing() {
    let equal = Snapshot::of(12);
    let broken = Snapshot { broken: vec![14], ..equal.clone() };
    for sides in [sides(&broken, &equal), sides(&equal, &broken)] {
        assert_eq!(prove(&sides, began(Extent::All)).await.0, "ChecksumMismatch");
    }
}

#[tokio::test(start_paused = true)]
async fn a_block_that_differs_in_one_reading_alone_rejects_nothing_and_is_read_again() {
    let equal = Snapshot::of(12);
    let unstable = Snapshot { at_first: [(14, b"?".to_vec())].into(), ..equal.clone() };
    for sides in [sides(&unstable, &equal), sides(&equal, &unstable)] {
        let (found, progress) = prove(&sides, began(Extent::All)).await;
        assert_eq!(found, "UnstableRead");
        assert_eq!(prove(&sides, progress.clone()).await.0, "full");
        assert!(progress.drawn.contains(&14), "it stands out still: {progress:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_refuses_leaves_the_copy_alone_and_another_error_does_not() {
    let equal = Snapshot::of(12);
    for (code, expected) in [
        ("AccessDeniedException", "copy-only"),
        // EBS finds what EC2 shows some minutes later.
        ("ResourceNotFoundException", "ResourceNotFoundException"),
        // A token that has ended.
        ("ValidationException", "ValidationException"),
        ("RequestThrottledException", "RequestThrottledException"),
        ("InternalServerException", "InternalServerException"),
    ] {
        let refusing = Snapshot { refuses: Some(code), ..equal.clone() };
        assert_eq!(prove(&sides(&equal, &refusing), began(Extent::All)).await.0, expected, "{code}");
        assert_eq!(prove(&sides(&refusing, &equal), began(Extent::All)).await.0, code);
    }
    // One that refuses only after it was listed.
    let (source, shared) = equal.clone().served();
    let sides = Sides { copy: equal.served().0, source: Some(source) };
    let mut progress = began(Extent::Sample(5));
    let listed = snapferry_core::proving::Listed { copy: vec![0, 2, 4], source: vec![0, 2, 4], until: None };
    progress.list(&listed);
    shared.lock().unwrap().refuses = Some("AccessDeniedException");
    let (found, progress) = prove(&sides, progress).await;
    assert_eq!((found.as_str(), progress.read), ("copy-only", 3));
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_could_not_be_confirmed_is_not_forgotten() {
    let equal = Snapshot::of(12);
    let mut damaged = equal.clone();
    damaged.blocks.insert(14, b"?".to_vec());
    // The first two pages are read once, and then the source is refused.
    let refusing = Snapshot { refuses_from: Some(10), ..equal.clone() };
    let (found, progress) = prove(&sides(&damaged, &refusing), began(Extent::All)).await;
    assert_eq!((found.as_str(), progress.suspect), ("AccessDeniedException", Some(14)));
    // The source is gone for good: neither proven nor rejected.
    let mut alone = progress.clone();
    alone.leave_source("gone");
    let copy = Sides { copy: damaged.clone().served().0, source: None };
    assert_eq!(prove(&copy, alone).await.0, "Unconfirmed");
    // It can be read again.
    assert_eq!(prove(&sides(&damaged, &equal), progress.clone()).await.0, "differs at 14");
    assert_eq!(prove(&sides(&equal, &equal), progress).await.0, "full");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_begins_before_what_was_asked_for_proves_nothing() {
    let equal = Snapshot::of(12);
    let odd = Snapshot { lists_all: true, ..equal.clone() };
    for sides in [sides(&odd, &equal), sides(&equal, &odd)] {
        assert_eq!(prove(&sides, began(Extent::All)).await.0, "UnreadableAnswer");
    }
}

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_read_and_the_next_run_goes_on() {
    let equal = Snapshot::of(40);
    for extent in [Extent::All, Extent::Sample(17), Extent::Sample(0)] {
        let whole = prove(&sides(&equal, &equal), began(extent)).await;
        let mut progress = began(extent);
        let over = Deadline::after(Duration::ZERO);
        assert_eq!(go_on(&sides(&equal, &equal), &mut progress, over, here).await, Ok(None));
        assert_eq!(progress, began(extent));
        // As it comes back from the ledger.
        let kept = serde_json::from_str(&serde_json::to_string(&progress).unwrap()).unwrap();
        assert_eq!(prove(&sides(&equal, &equal), kept).await, whole);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_two_hundred_blocks_a_second_are_read() {
    let (copy, shared) = Snapshot::of(160).served();
    let begun = tokio::time::Instant::now();
    let mut progress = Progress::new(ProofRule { extent: Extent::All, compare: false }, Seed(7), Timestamp::UNIX_EPOCH);
    go_on(&Sides { copy, source: None }, &mut progress, Deadline::after(LONG), here).await.unwrap().unwrap();
    assert_eq!(shared.lock().unwrap().reads, 160);
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
}

/// Each five blocks take 80 ms, so that 2,500 take forty seconds.
#[tokio::test(start_paused = true)]
async fn a_place_is_kept_every_half_minute_and_whoever_goes_on_from_there_proves_the_same() {
    let equal = Snapshot::of(2_500);
    let begun = tokio::time::Instant::now();
    let mut kept = Vec::new();
    let keep = async |progress: &Progress| {
        kept.push((begun.elapsed(), serde_json::to_string(progress).unwrap()));
        Goes::Here
    };
    let mut progress = began(Extent::All);
    let whole = go_on(&sides(&equal, &equal), &mut progress, Deadline::after(LONG), keep).await.unwrap();
    let [(when, place)] = kept.as_slice() else { panic!("{} places", kept.len()) };
    assert!((KEPT_EVERY..KEPT_EVERY + Duration::from_secs(1)).contains(when), "{when:?}");
    let place: Progress = serde_json::from_str(place).unwrap();
    assert!((1_800..1_900).contains(&place.read), "{}", place.read);
    let mut goes_on = place.clone();
    let rest = go_on(&sides(&equal, &equal), &mut goes_on, Deadline::after(LONG), here).await.unwrap();
    assert_eq!(rest, whole);
    // Where another run keeps the place, this one leaves it to that.
    let elsewhere = async |_: &Progress| Goes::Elsewhere;
    let mut progress = began(Extent::All);
    assert_eq!(go_on(&sides(&equal, &equal), &mut progress, Deadline::after(LONG), elsewhere).await, Ok(None));
    assert_eq!(progress, place);
}
