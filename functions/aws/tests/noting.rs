//! What the verifier reads in the ledger and notes there, against a table that keeps what is written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_ec2::operation::create_tags::CreateTagsOutput;
use aws_sdk_ec2::types::{Snapshot, SnapshotState, Tag};
use aws_smithy_mocks::mock;
use common::copies::{clients, copy, reads};
use common::table::Kept;
use common::{ec2, region, snapshot_id, source};
use jiff::{SignedDuration, Timestamp};
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::ledger::Table;
use snapferry_aws::verifying::{Notes, execute, gather};
use snapferry_core::facts::CallError;
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{By, End, Identity, Obligation, State, Turn};
use snapferry_core::verifying::{Facts, decide, record};
use snapferry_flow::Written;

const LONG: Duration = Duration::from_secs(120);

/// The key of the obligation of source 1, and its partition's.
const OBLIGATION: (&str, &str) = ("O#1", "10000000-pans#eu-west-1#default");

/// When the tests began, the same for all of them.
fn now() -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    *NOW.get_or_init(|| Timestamp::from_second(Timestamp::now().as_second()).unwrap())
}

/// What is owed for a source, in this state.
fn obligation(number: u32, state: State) -> Obligation {
    let source = source(number);
    let identity = Identity { policy: common::name("default"), source: source.id.clone(), region: region("eu-west-1") };
    let wanted = now() - SignedDuration::from_mins(7);
    Obligation { state, ..Obligation::new(identity, &source, source.volume.clone(), By::Event, wanted) }
}

fn copying(number: u32) -> State {
    State::Copying { copy: snapshot_id(number), at: now() - SignedDuration::from_mins(6) }
}

fn over(why: End, copy: Option<u32>) -> State {
    State::Ended { at: now(), why, copy: copy.map(snapshot_id) }
}

/// A finished copy of a source that has no verdict.
fn copy_of(number: u32, source: u32) -> Snapshot {
    let mut snapshot = copy(number, "copying", None);
    let tags = snapshot.tags.as_mut().unwrap();
    tags.retain(|tag| tag.key() != Some("snapferry:source-snapshot"));
    tags.push(Tag::builder().key("snapferry:source-snapshot").value(format!("snap-{source:08x}")).build());
    snapshot
}

/// The same, but EC2 gave up on it.
fn failed(number: u32, source: u32) -> Snapshot {
    let mut snapshot = copy_of(number, source);
    snapshot.state = Some(SnapshotState::Error);
    snapshot.state_message = Some("Given key ID is not accessible".to_owned());
    snapshot
}

async fn store(ledger: &Table, obligations: &[Obligation]) {
    for obligation in obligations {
        assert_eq!(ledger.write(obligation).await, Ok(Written::Done));
    }
}

/// What the ledger holds for a source.
async fn stands(ledger: &Table, number: u32) -> Obligation {
    let stands = ledger.obligation(&obligation(number, State::Owed).identity).await.unwrap();
    stands.unwrap().obligation
}

/// EC2 that shows these copies and takes all tags.
fn showing(kept: &Kept, copies: Vec<Snapshot>) -> Clients {
    let [copying, unlocked] = reads(copies, vec![]);
    let kept = kept.clone();
    let tags = mock!(aws_sdk_ec2::Client::create_tags)
        .match_requests(move |request| {
            let [status, ..] = request.tags() else { return false };
            kept.note(format!("tag {} {}", request.resources()[0], status.value().unwrap()));
            true
        })
        .then_output(|| CreateTagsOutput::builder().build());
    clients([ec2("eu-west-1", &[&copying, &unlocked, &tags])])
}

/// How a run ended.
struct Ran {
    left: u64,
    unread: Option<(u64, CallError)>,
    wanted: Vec<Option<i64>>,
}

/// One run; `meanwhile` happens between its look at the ledger and its verdicts.
async fn run(kept: &Kept, ledger: &Table, clients: &Clients, meanwhile: impl AsyncFnOnce(&Facts)) -> Ran {
    let notes = Notes::new(ledger);
    let regions: BTreeSet<_> = [region("eu-west-1")].into();
    let (account, deadline) = (AccountId::parse("222222222222").ok(), Deadline::after(LONG));
    let mut facts = gather(clients, &KeyCache::default(), &regions, account, deadline).await;
    notes.look(&mut facts, LONG).await;
    meanwhile(&facts).await;
    let policies = common::policies(&["eu-west-1"]);
    let decisions = decide(&policies, &facts, Timestamp::now());
    let wanted = std::cell::RefCell::new(Vec::new());
    let left = execute(clients, &notes, &facts, &decisions, deadline, |decision, outcome| {
        let copy = record(decision, outcome, facts.account.as_ref(), Timestamp::now());
        let reason = copy.reason;
        let copy = copy.copy.unwrap();
        kept.note(format!("tell {} {} {}", copy.snapshot.unwrap(), reason.event().name(), reason.name()));
        wanted.borrow_mut().push(copy.seconds_since_wanted);
    })
    .await;
    Ran { left, unread: notes.unread(), wanted: wanted.into_inner() }
}

async fn nothing(_: &Facts) {}

#[tokio::test]
async fn a_verdict_is_told_then_tagged_and_then_its_obligation_ends() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    let asked = State::Asked { at: now() };
    for (number, state) in [(1, copying(0xc1)), (2, State::Owed), (3, State::Delayed { since: now() }), (4, asked)] {
        store(&ledger, &[obligation(number, state)]).await;
        kept.happened();
        let copy = 0xc0 + number;
        let ran = run(&kept, &ledger, &showing(&kept, vec![copy_of(copy, number)]), nothing).await;
        let expected = [
            format!("get {number}0000000-pans#eu-west-1#default"),
            // Once more, because another run may have told it meanwhile.
            format!("get {number}0000000-pans#eu-west-1#default"),
            format!("tell snap-{copy:08x} copy.verified as-configured"),
            format!("tag snap-{copy:08x} verified"),
            format!("put O#{number} ended"),
        ];
        assert_eq!(kept.happened(), expected);
        assert_eq!((ran.left, ran.unread), (0, None));
        assert!(matches!(ran.wanted[..], [Some(seconds)] if (420..600).contains(&seconds)), "{:?}", ran.wanted);
        let ended = stands(&ledger, number).await;
        assert!(
            matches!(&ended.state, State::Ended { why: End::Protected, copy: Some(named), .. } if *named == snapshot_id(copy)),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn what_somebody_wrote_meanwhile_is_no_error_and_stays_where_the_verdict_says_nothing_of_it() {
    type Step = fn(&Obligation) -> Obligation;
    let steps: [(&str, Step, bool); 5] = [
        ("it was not seen in a round", |read| Obligation { gone: Some("round".to_owned()), ..read.clone() }, true),
        ("it was put back in line", |read| Obligation { state: State::Owed, ..read.clone() }, true),
        ("it ended", |read| Obligation { state: over(End::Protected, Some(0xc1)), ..read.clone() }, false),
        ("another copy was named", |read| Obligation { state: copying(0xc2), ..read.clone() }, false),
        ("it is wanted again", |read| Obligation { state: State::Owed, generation: 1, ..read.clone() }, false),
    ];
    for (what, step, ends) in steps {
        let kept = Kept::default();
        let ledger = kept.ledger();
        store(&ledger, &[obligation(1, copying(0xc1))]).await;
        let after = Obligation { revision: 1, ..step(&stands(&ledger, 1).await) };
        let clients = showing(&kept, vec![copy_of(0xc1, 1)]);
        let ran = run(&kept, &ledger, &clients, async |_| store(&ledger, std::slice::from_ref(&after)).await).await;
        assert_eq!((ran.left, ran.unread), (0, None), "{what}");
        let happened = kept.happened();
        assert!(happened.contains(&"tag snap-000000c1 verified".to_owned()), "{what}");
        // A run beside this one ended it, and told that.
        assert_eq!(happened.iter().any(|each| each.starts_with("tell")), what != "it ended", "{what}");
        let stands = stands(&ledger, 1).await;
        if ends {
            let is_over = matches!(&stands.state, State::Ended { copy: Some(copy), .. } if *copy == snapshot_id(0xc1));
            assert!(is_over && stands.revision == 2, "{what}: {stands:?}");
        } else {
            assert_eq!(stands, after, "{what}");
        }
    }
}

#[tokio::test]
async fn without_the_ledger_verdicts_are_given_and_nothing_more_is_asked_of_it() {
    for (reads, writes, asked) in [(true, false, 25), (true, true, 25), (false, true, 1)] {
        let kept = Kept::default();
        let ledger = kept.ledger();
        let numbers = 0x10..0x40_u32;
        for number in numbers.clone() {
            store(&ledger, &[obligation(number, copying(0xc00 + number))]).await;
        }
        let copies = numbers.clone().map(|number| copy_of(0xc00 + number, number)).collect();
        kept.happened();
        kept.down(reads, writes);
        let ran = run(&kept, &ledger, &showing(&kept, copies), nothing).await;
        kept.down(false, false);
        let happened = kept.happened();
        let count = |what: &str| happened.iter().filter(|each| each.starts_with(what)).count();
        assert_eq!((count("tell"), count("tag")), (48, 48), "{happened:?}");
        assert_eq!(if reads { count("get") } else { count("put") }, asked, "{happened:?}");
        let (count, error) = ran.unread.unwrap();
        assert_eq!((ran.left, count, error.code.as_str()), (0, 48, "InternalServerError"));
        for number in numbers {
            assert_eq!(stands(&ledger, number).await.state, copying(0xc00 + number), "nothing ends");
        }
    }
}

#[tokio::test]
async fn of_two_that_claim_one_identity_the_one_that_the_ledger_names_is_verified() {
    for state in [copying(0xc1), over(End::Protected, Some(0xc1))] {
        let kept = Kept::default();
        let ledger = kept.ledger();
        store(&ledger, &[obligation(1, state.clone())]).await;
        kept.happened();
        let ran = run(&kept, &ledger, &showing(&kept, vec![copy_of(0xc1, 1), copy_of(0xc2, 1)]), nothing).await;
        let happened = kept.happened();
        assert!(happened.contains(&"tell snap-000000c2 copy.deferred another-named".to_owned()), "{happened:?}");
        let tagged: Vec<_> = happened.iter().filter(|each| each.starts_with("tag")).collect();
        assert_eq!((tagged, ran.left), (vec![&"tag snap-000000c1 verified".to_owned()], 0));
        assert!(
            matches!(&stands(&ledger, 1).await.state, State::Ended { copy: Some(copy), .. } if *copy == snapshot_id(0xc1))
        );
    }
}

#[tokio::test]
async fn what_the_ledger_names_stays_named_as_long_as_something_passes_for_it() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    let six_days_ago = now() - SignedDuration::from_hours(6 * 24);
    let named = |at| State::Ended { at, why: End::Protected, copy: Some(snapshot_id(0xc1)) };
    store(&ledger, &[obligation(1, named(six_days_ago))]).await;
    kept.happened();
    let told = "tell snap-000000c2 copy.deferred another-named";
    let clients = showing(&kept, vec![copy_of(0xc2, 1)]);
    run(&kept, &ledger, &clients, nothing).await;
    assert_eq!(kept.happened()[1..], ["put O#1 ended", told].map(str::to_owned));
    assert!(matches!(stands(&ledger, 1).await.state, State::Ended { at, .. } if at >= now()));
    kept.happened();
    run(&kept, &ledger, &clients, nothing).await;
    assert_eq!(kept.happened()[1..], [told.to_owned()], "once a day");
}

#[tokio::test]
async fn a_copy_that_failed_goes_back_in_line_behind_its_accounts_turn() {
    let (hour_ago, just_now) = (now() - SignedDuration::from_hours(1), Timestamp::now());
    let turn = |added, revision| Turn {
        added,
        tried: Some(hour_ago),
        lineage: Some("vol-1".to_owned()),
        revision,
        ..Turn::new(source(1).owner, now())
    };
    for (before, puts, kept_turn) in [
        (None, vec!["put A#eu-west-1 a turn", "put O#1 delayed"], None),
        (Some(turn(just_now, 0)), vec!["put A#eu-west-1 a turn in vain", "put O#1 delayed"], Some(turn(just_now, 0))),
        // Long unused: a tick that found its line empty would remove it.
        (
            Some(turn(hour_ago, 0)),
            vec!["put A#eu-west-1 a turn in vain", "put A#eu-west-1 a turn", "put O#1 delayed"],
            Some(turn(now(), 1)),
        ),
    ] {
        let kept = Kept::default();
        let ledger = kept.ledger();
        store(&ledger, &[obligation(1, copying(0xc1))]).await;
        if let Some(turn) = &before {
            assert_eq!(ledger.write_turn(&region("eu-west-1"), turn).await, Ok(Written::Done));
        }
        kept.happened();
        let ran = run(&kept, &ledger, &showing(&kept, vec![failed(0xc1, 1)]), nothing).await;
        let happened = kept.happened();
        let told = ["tell snap-000000c1 copy.failed source-key-inaccessible", "tag snap-000000c1 failed"];
        let expected: Vec<String> = told.into_iter().chain(puts).map(str::to_owned).collect();
        assert_eq!((&happened[1..], ran.unread), (&expected[..], None));
        let delayed = stands(&ledger, 1).await;
        assert_eq!((delayed.failed, delayed.copy()), (1, None));
        assert!(
            matches!(delayed.state, State::Delayed { .. }) && delayed.due() <= Some(Timestamp::now()),
            "{delayed:?}"
        );
        let [turn] = &kept.items("A#")[..] else { panic!("one turn expected") };
        let kept_turn = kept_turn.unwrap_or_else(|| Turn::new(source(1).owner, now()));
        let (added, revision) = (&turn["added"], &turn["revision"]);
        let added: Timestamp = added.as_s().unwrap().parse().unwrap();
        assert!(added.duration_since(kept_turn.added).as_secs().abs() < 600, "{turn:?}");
        assert_eq!(revision.as_n().unwrap(), &kept_turn.revision.to_string());
        assert_eq!(turn.get("lineage").map(|lineage| lineage.as_s().unwrap().clone()), kept_turn.lineage);
    }
}

#[tokio::test]
async fn a_copy_that_failed_and_is_another_than_the_ledger_names_puts_nothing_in_line() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    store(&ledger, &[obligation(1, copying(0xc1))]).await;
    kept.happened();
    run(&kept, &ledger, &showing(&kept, vec![failed(0xc2, 1)]), nothing).await;
    assert!(kept.happened().iter().all(|each| !each.starts_with("put")));
    assert_eq!(stands(&ledger, 1).await.state, copying(0xc1));
    assert!(kept.items("A#").is_empty());
}

#[tokio::test]
async fn a_run_gives_a_thousand_verdicts_and_leaves_the_rest_to_the_next() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    let numbers = 1..=1002_u32;
    for number in numbers.clone() {
        store(&ledger, &[obligation(number, copying(0x1_0000 + number))]).await;
    }
    kept.happened();
    let copies: Vec<Snapshot> = numbers.map(|number| copy_of(0x1_0000 + number, number)).collect();
    let ran = run(&kept, &ledger, &showing(&kept, copies.clone()), nothing).await;
    let happened = kept.happened();
    let count = |what: &str| happened.iter().filter(|each| each.starts_with(what)).count();
    assert_eq!((ran.left, count("tell"), count("tag"), count("put")), (2, 1000, 1000, 1000));
    let ran = run(&kept, &ledger, &showing(&kept, copies[1000..].to_vec()), nothing).await;
    assert_eq!(ran.left, 0);
    let open = kept.items("O#").iter().filter(|item| item["state"].as_s().unwrap() != "ended").count();
    assert_eq!(open, 0);
}

#[tokio::test]
async fn what_has_ended_is_tagged_again_and_not_told_again() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    store(&ledger, &[obligation(1, over(End::Protected, Some(0xc1)))]).await;
    kept.happened();
    run(&kept, &ledger, &showing(&kept, vec![copy_of(0xc1, 1)]), nothing).await;
    assert_eq!(kept.happened(), [format!("get {}", OBLIGATION.1), "tag snap-000000c1 verified".to_owned()]);
    // One that ended otherwise has a record of that, and none of this copy.
    for (number, why) in [(2, End::Missed), (3, End::Withdrawn)] {
        store(&ledger, &[obligation(number, over(why, None))]).await;
        kept.happened();
        run(&kept, &ledger, &showing(&kept, vec![copy_of(0xc0 + number, number)]), nothing).await;
        let told = format!("tell snap-{:08x} copy.verified as-configured", 0xc0 + number);
        assert!(kept.happened().contains(&told));
    }
}

#[tokio::test]
async fn only_the_items_of_copies_that_may_get_a_verdict_are_read_each_by_its_key() {
    let kept = Kept::default();
    let ledger = kept.ledger();
    for number in 1..=9 {
        store(&ledger, &[obligation(number, copying(0xc0 + number))]).await;
    }
    kept.happened();
    let mut pending = copy_of(0xc2, 2);
    pending.state = Some(SnapshotState::Pending);
    let mut nobodys = copy_of(0xc3, 3);
    nobodys.tags.as_mut().unwrap().retain(|tag| tag.key() != Some("snapferry:policy"));
    // A query would find no rule to answer it, and fail the run's look.
    let clients = showing(&kept, vec![copy_of(0xc1, 1), pending, nobodys, failed(0xc4, 4)]);
    assert_eq!(run(&kept, &ledger, &clients, nothing).await.unread, None);
    let happened = kept.happened();
    let read: Vec<&str> = happened.iter().filter_map(|each| each.strip_prefix("get ")).collect();
    // The first once more before it is told that it is verified.
    assert_eq!(read, [OBLIGATION.1, "40000000-pans#eu-west-1#default", OBLIGATION.1]);
}
