//! What started copies turn out to be, and what the audit says of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod keys;
mod locks;
mod named;
mod naming;
mod world;

use jiff::SignedDuration;
use snapferry_core::facts::{CallError, DescribedCopy, KeyFact, State};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{Locking, Outcome, decide, out_of_time, record};

use crate::world::*;

#[test]
fn a_good_copy_is_verified() {
    let mut record = settled(&under_key(""), copy(&tags())).unwrap().scheduled(None);
    record.version = "1.2.3";
    insta::assert_snapshot!(serde_json::to_string(&record).unwrap(), @r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-01-31T12:00:00Z","event":"copy.verified","reason":"as-configured","trigger":"schedule","policy":"default","source":{"snapshot":"snap-00000001","account":"111111111111","region":"us-east-1","volume":"vol-00000001","sizeGib":8,"startTime":"2026-01-31T11:00:00Z"},"copy":{"snapshot":"snap-0000c001","region":"eu-west-1","kmsKey":"arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab","expireAfter":"2026-02-28T11:30:00Z","status":"verified","secondsSinceStart":1800,"secondsSinceSource":3600}}"#);
}

#[test]
fn every_difference_is_told() {
    let policies = under_key("");
    let under = |key: Option<&str>| DescribedCopy { kms_key: key.map(str::to_owned), ..copy(&tags()) };
    for (copy, expected) in [
        (
            DescribedCopy { owner: AccountId::parse("999999999999").ok(), ..copy(&tags()) },
            "copy.rejected wrong-owner [\"owned by 999999999999, not by 222222222222\"] []",
        ),
        (
            DescribedCopy { owner: None, ..copy(&tags()) },
            "copy.rejected wrong-owner [\"owned by nobody known, not by 222222222222\"] []",
        ),
        (
            DescribedCopy { encrypted: false, kms_key: None, ..copy(&tags()) },
            &format!("copy.rejected not-encrypted [\"not encrypted, instead of under {KEY}\"] []"),
        ),
        (
            under(Some(OTHER_KEY)),
            &format!("copy.rejected wrong-key [\"encrypted under {OTHER_KEY}, not under {KEY}\"] []"),
        ),
        (
            under(Some("arn:aws:kms:eu-west-1:222222222222:alias/aws/ebs")),
            &format!(
                "copy.rejected wrong-key [\"encrypted under arn:aws:kms:eu-west-1:222222222222:alias/aws/ebs, not under {KEY}\"] []"
            ),
        ),
        (
            under(None),
            &format!("copy.rejected wrong-key [\"encrypted under no key that AWS names, not under {KEY}\"] []"),
        ),
        (
            DescribedCopy { size_gib: 9, ..copy(&tags()) },
            "copy.rejected wrong-size [\"9 GiB, not 8 GiB as the source\"] []",
        ),
        // EC2 did not say how large the source is.
        (copy(&with("snapferry:source-size-gib", "0")), "copy.verified as-configured [] []"),
        (
            copy(&with("snapferry:expire-after", "soon\u{7}")),
            "copy.rejected malformed-tags [\"tag snapferry:expire-after cannot be read: \\\"soon\\\\\\\\u{7}\\\"\"] []",
        ),
        (
            copy(&without("snapferry:source-volume")),
            "copy.rejected malformed-tags [\"tag snapferry:source-volume is missing\"] []",
        ),
    ] {
        assert_eq!(told(&policies, copy), expected);
    }
    let all = DescribedCopy {
        owner: None,
        kms_key: Some(OTHER_KEY.to_owned()),
        size_gib: 9,
        ..copy(&with("snapferry:source-start-time", "?"))
    };
    assert_eq!(settled(&policies, all).unwrap().differences.len(), 4);
}

#[test]
fn without_a_key_todays_target_says_whether_encryption_was_demanded() {
    let plain = || DescribedCopy { encrypted: false, kms_key: None, ..copy(&without("snapferry:kms-key")) };
    let by_default = || DescribedCopy { kms_key: Some(OTHER_KEY.to_owned()), ..copy(&without("snapferry:kms-key")) };
    let as_source = policies("\"Encrypted\": false", "");
    let default_key = policies("\"Encrypted\": true", "");
    let verified = "copy.verified as-configured [] []";
    let rejected = "copy.rejected not-encrypted [\"not encrypted, although the policy demands it\"]";
    assert_eq!(told(&as_source, plain()), verified);
    assert_eq!(told(&as_source, by_default()), verified);
    assert_eq!(told(&default_key, by_default()), verified);
    assert!(told(&default_key, plain()).starts_with(rejected));
    assert!(told(&under_key(""), plain()).starts_with(rejected));
    assert_eq!(
        told(&[], plain()),
        "copy.verified as-configured [] [\"the copy's policy is no longer in the document\"]"
    );
}

#[test]
fn a_policy_that_moved_on_is_a_warning() {
    let moved = |policies: &[Policy], tags: &Tags| settled(policies, copy(tags)).unwrap();
    let other_key = policies(&format!("\"Encrypted\": true, \"CmkArn\": \"{OTHER_KEY}\""), "");
    for (policies, tags, warning) in [
        (vec![], tags(), "the copy's policy is no longer in the document".to_owned()),
        (under_key(""), with("snapferry:policy", "gone"), "the copy's policy is no longer in the document".to_owned()),
        (other_key, tags(), format!("the policy now names the key {OTHER_KEY} for this Region")),
        (policies("\"Encrypted\": true", ""), tags(), "the policy now names no CmkArn for this Region".to_owned()),
        (
            under_key(""),
            with("snapferry:source-start-time", "2026-01-31T11:30:01Z"),
            "the tag snapferry:source-start-time is later than the copy's own start time".to_owned(),
        ),
    ] {
        let record = moved(&policies, &tags);
        assert_eq!((record.reason.name(), record.warnings), ("as-configured", vec![warning]));
    }
    let simultaneous = with("snapferry:source-start-time", "2026-01-31T11:30:00Z");
    assert!(moved(&under_key(""), &simultaneous).warnings.is_empty());
    let mut elsewhere = facts(vec![]);
    elsewhere.keys = [(KEY.into(), KeyFact::Usable)].into();
    elsewhere.regions = [(Region::parse("eu-north-1").unwrap(), Ok(vec![copy(&tags())]))].into();
    let policies = under_key("");
    let decisions = decide(&policies, &elsewhere, now());
    let record = record(&decisions[0], &Outcome::Judged, None, now());
    assert_eq!(record.warnings, ["the copy's policy no longer has this Region as a Target"]);
    // The key in the copy's own tag counts all the same.
    let wrong = DescribedCopy { kms_key: Some(OTHER_KEY.to_owned()), ..copy(&tags()) };
    assert!(told(&[], wrong).starts_with("copy.rejected wrong-key"));
}

#[test]
fn nothing_is_judged_while_a_copy_is_pending() {
    let pending = |minutes: i64| DescribedCopy {
        state: State::Pending,
        state_message: "Metadata not updated".to_owned(),
        encrypted: false,
        kms_key: None,
        size_gib: 0,
        start_time: now() - SignedDuration::from_mins(minutes),
        ..copy(&tags())
    };
    for (minutes, expected) in [(0, "nothing"), (1440, "nothing"), (1441, "copy.stalled pending-over-a-day [] []")] {
        assert_eq!(told(&under_key(""), pending(minutes)), expected, "{minutes}");
        let other = DescribedCopy { state: State::Other, ..pending(minutes) };
        assert_eq!(told(&under_key(""), other), expected, "{minutes}");
    }
    let malformed = DescribedCopy { tags: copy(&without("snapferry:policy")).tags, ..pending(1) };
    assert_eq!(told(&under_key(""), malformed), "nothing");
}

#[test]
fn a_copy_in_error_is_failed_with_its_cause() {
    let broken = DescribedCopy {
        state: State::Error,
        state_message: "Given key ID is not accessible".to_owned(),
        encrypted: false,
        kms_key: None,
        size_gib: 0,
        ..copy(&tags())
    };
    let record = settled(&under_key(""), broken.clone()).unwrap();
    assert_eq!((record.reason.event().name(), record.reason.name()), ("copy.failed", "source-key-inaccessible"));
    let error = record.error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("error", "Given key ID is not accessible"));
    let message = record.message.unwrap();
    assert!(message.contains("source account 111111111111") && message.contains("target account 222222222222"));
    let no_policy = DescribedCopy { tags: copy(&without("snapferry:policy")).tags, ..broken };
    assert!(told(&under_key(""), no_policy).starts_with("copy.failed source-key-inaccessible"));
}

#[test]
fn a_verdict_that_does_not_name_its_copy_is_given_again_and_another_snapshots_is_none() {
    let named = |status: &str, copy: &str| {
        let more = [("snapferry:status", status.to_owned()), ("snapferry:copy", copy.to_owned())];
        tags().into_iter().chain(more).collect::<Tags>()
    };
    let unbound = with("snapferry:status", "verified");
    let record = settled(&under_key(""), copy(&unbound)).unwrap();
    let described = record.copy.unwrap();
    assert_eq!(
        (record.reason.name(), described.seconds_since_start, described.seconds_since_source),
        ("as-configured", None, None)
    );
    let smaller = DescribedCopy { size_gib: 1, ..copy(&unbound) };
    assert!(told(&under_key(""), smaller).starts_with("copy.rejected wrong-size"));
    for status in ["copying", "verified", "failed", "rejected"] {
        for state in [State::Pending, State::Completed, State::Error, State::Other] {
            let old = now() - SignedDuration::from_hours(48);
            let impostor = DescribedCopy { state, start_time: old, ..copy(&named(status, "snap-0000c002")) };
            assert_eq!(told(&under_key(""), impostor), "nothing", "{status}");
        }
    }
    let mut waiting = named("verified", "snap-0000c002");
    waiting.insert("snapferry:lock", "pending".to_owned());
    assert_eq!(locking(&under_key(GOVERNANCE), copy(&waiting)), Locking::None);
}

#[test]
fn a_verdict_is_given_once() {
    for status in ["verified", "failed", "rejected"] {
        for state in [State::Pending, State::Completed, State::Error, State::Other] {
            let mut tags = with("snapferry:status", status);
            tags.insert("snapferry:copy", "snap-0000c001".to_owned());
            let settled = DescribedCopy { state, size_gib: 1, ..copy(&tags) };
            assert_eq!(told(&under_key(""), settled), "nothing", "{status}");
        }
    }
    assert_eq!(told(&under_key(""), copy(&with("snapferry:status", "?"))), "nothing");
    assert_eq!(told(&under_key(""), copy(&without("snapferry:status"))), "nothing");
}

#[test]
fn what_has_no_policy_tag_is_told_and_never_written_to() {
    for tags in [without("snapferry:policy"), with("snapferry:policy", "not a name")] {
        let facts = facts(vec![copy(&tags)]);
        let policies = under_key("");
        let decisions = decide(&policies, &facts, now());
        assert_eq!((decisions[0].settlement(), decisions[0].lock()), (None, Locking::None));
        let notice = decisions[0].notice(&Outcome::Stands).unwrap();
        assert_eq!(notice, "not-ours eu-west-1 snap-0000c001");
    }
}

#[test]
fn what_becomes_of_a_decision_is_told_as_it_went() {
    let error = |answered: bool| CallError {
        code: "UnauthorizedOperation".to_owned(),
        message: "no".to_owned(),
        request_id: answered.then(|| "r-1".to_owned()),
    };
    let policies = under_key(GOVERNANCE);
    let facts = facts(vec![copy(&with("snapferry:lock", "pending"))]);
    let decisions = decide(&policies, &facts, now());
    let told = |outcome: &Outcome| {
        let record = record(&decisions[0], outcome, None, now());
        let copy = record.copy.unwrap();
        let lock = serde_json::to_value(copy.lock).unwrap();
        let status = serde_json::to_value(copy.status).unwrap();
        let notice = decisions[0].notice(outcome);
        format!(
            "{} {} {status} {lock} {} {notice:?}",
            record.reason.event().name(),
            record.reason.name(),
            record.error.is_some()
        )
    };
    for (outcome, expected) in [
        (Outcome::Judged, r#"copy.verified as-configured "verified" "pending" false None"#),
        (Outcome::Locked, r#"copy.locked locked "verified" "locked" false None"#),
        (
            Outcome::NotSettled(error(true)),
            r#"copy.deferred verdict-not-written "copying" "pending" true Some("verdict-not-written UnauthorizedOperation eu-west-1 snap-0000c001")"#,
        ),
        (Outcome::NotSettled(error(false)), r#"copy.deferred verdict-not-written "copying" "pending" true None"#),
        (
            Outcome::NotLocked(error(true)),
            r#"copy.locked lock-failed "verified" "pending" true Some("lock-failed UnauthorizedOperation eu-west-1 snap-0000c001")"#,
        ),
        (Outcome::LockNotNoted(error(false)), r#"copy.deferred lock-not-noted "verified" "pending" true None"#),
    ] {
        assert_eq!(told(&outcome), expected);
    }
    let full = CallError { code: "TagLimitExceeded".to_owned(), ..error(true) };
    let full = record(&decisions[0], &Outcome::NotSettled(full), None, now());
    assert_eq!(full.reason.name(), "tag-limit-exceeded");
    assert!(full.message.unwrap().contains("Remove two tags"));
    let once: Vec<_> = [Outcome::Judged, Outcome::Locked, Outcome::Stands].map(|o| decisions[0].told_once(&o)).into();
    let told = |what: &str| Some(format!("{what} eu-west-1 snap-0000c001"));
    assert_eq!(once, [told("verified"), told("locked"), None]);
    let message = record(&decisions[0], &Outcome::Locked, None, now()).message.unwrap();
    assert_eq!(message, "Locked in governance mode for 28 days.");
    assert_eq!((out_of_time(3, now()).reason.name(), out_of_time(3, now()).count), ("out-of-time", Some(3)));
}

#[test]
fn an_unread_region_is_told_and_the_others_are_judged_the_oldest_first() {
    let mut facts = facts(vec![]);
    let started = |number: u32, minutes| DescribedCopy {
        id: SnapshotId::parse(&format!("snap-{number:08x}")).unwrap(),
        start_time: now() - SignedDuration::from_mins(minutes),
        ..copy(&tags())
    };
    facts.regions.insert(Region::parse(REGION).unwrap(), Ok(vec![started(1, 5), started(2, 9), started(3, 5)]));
    facts.regions.insert(Region::parse("us-west-2").unwrap(), Err(CallError::not_read()));
    let policies = under_key("");
    let decisions = decide(&policies, &facts, now());
    let ids: Vec<Option<&str>> = decisions.iter().map(|d| d.copy.map(|copy| copy.id.as_str())).collect();
    assert_eq!(ids, [Some("snap-00000002"), Some("snap-00000001"), Some("snap-00000003"), None]);
    let record = record(&decisions[3], &Outcome::Stands, None, now());
    assert_eq!((record.reason.name(), record.copy.unwrap().region.unwrap().as_str()), ("region-unread", "us-west-2"));
}

#[test]
fn other_homes_copies_get_neither_a_verdict_nor_a_lock() {
    let of = |home: &str| with("snapferry:source-region", home);
    for (home, is_ours) in [("us-east-1", true), ("us-east-2", true), ("eu-central-1", false)] {
        let expected = if is_ours { "copy.verified as-configured [] []" } else { "nothing" };
        assert_eq!(told(&under_key(""), copy(&of(home))), expected, "{home}");
        let mut waiting = waiting_for_its_lock();
        waiting.insert("snapferry:source-region", home.to_owned());
        assert_eq!(locking(&under_key(GOVERNANCE), copy(&waiting)) != Locking::None, is_ours, "{home}");
    }
    assert!(told(&under_key(""), copy(&of("nowhere"))).starts_with("copy.rejected malformed-tags"));
}

#[test]
fn copies_of_a_policy_that_nobody_names_get_neither_a_verdict_nor_a_lock() {
    for (name, is_ours) in [("default", true), ("gone", true), ("other", false)] {
        let has_verdict = told(&under_key(""), copy(&with("snapferry:policy", name))) != "nothing";
        let mut waiting = waiting_for_its_lock();
        waiting.insert("snapferry:policy", name.to_owned());
        let has_lock = locking(&under_key(GOVERNANCE), copy(&waiting)) != Locking::None;
        assert_eq!((has_verdict, has_lock), (is_ours, is_ours), "{name}");
    }
}
