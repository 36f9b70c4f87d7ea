//! What a copy is asked for with: its tags, its description, its key, its expiry.

use insta::assert_snapshot;
use serde_json::json;
use snapferry_core::copying::{CopyRequest, DESCRIPTION_LIMIT, Scope, Verdict, decide};
use snapferry_core::facts::SourceSnapshot;
use snapferry_core::ids::VolumeId;
use snapferry_core::policy::MAX_TAGS_TO_ADD;
use snapferry_core::tags::CopyTags;

use crate::world::{IRELAND, World, like_nightly, nightly, now, source, world};

/// Asks for all copies of `snapshot` and gives what `show` makes of each.
fn requests(
    document: serde_json::Value,
    snapshot: SourceSnapshot,
    show: impl Fn(&CopyRequest<'_>) -> String,
) -> String {
    let mut world: World = world(Scope::Events, &[document]);
    world.name(1).shows([snapshot]);
    let plan = decide(&world.policies, &world.facts, now());
    let copies = plan.decisions.iter().filter_map(|decision| match &decision.verdict {
        Verdict::Copy(request) => Some(show(request)),
        _ => None,
    });
    copies.collect::<Vec<String>>().join("\n\n")
}

fn whole(request: &CopyRequest<'_>) -> String {
    let tags = request.tags(now());
    let read = CopyTags::parse(&request.source.id, tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    assert!(read.is_ok(), "{read:?}");
    let tags = tags.iter().map(|(key, value)| format!("\n  {key} = {value}"));
    format!("{}: {}{}", request.target.region, request.description(), tags.collect::<String>())
}

#[test]
fn the_description_names_the_volume_where_ec2_names_none() {
    let policy =
        || like_nightly("nightly", &[("/EventSource/Parameters/DescriptionRegex", json!("nightly of (?<volume>.*)"))]);
    let described = |volume: &str, text: &str| SourceSnapshot {
        volume: VolumeId::parse(volume).unwrap(),
        description: format!("nightly of {text}").into(),
        ..source(1)
    };
    for (ec2s, text, volume) in [
        ("vol-ffffffff", "vol-00000002", "vol-00000002"),
        ("vol-fffffffffffffffff", "vol-00000002", "vol-00000002"),
        ("vol-ffffffff", "a database", "vol-ffffffff"),
        // EC2's word counts before the sender's.
        ("vol-00000001", "vol-00000002", "vol-00000001"),
    ] {
        let tag = |request: &CopyRequest<'_>| {
            let tags = request.tags(now());
            tags.into_iter().find(|(key, _)| key == "snapferry:source-volume").unwrap().1
        };
        let told = requests(policy(), described(ec2s, text), tag);
        assert_eq!(told, format!("{volume}\n\n{volume}"), "{ec2s} {text}");
    }
}

#[test]
fn tags_name_the_source_the_policy_and_the_key() {
    assert_snapshot!(requests(nightly(), source(1), whole), @r"
    eu-west-1: Snapferry copy of snap-00000001 from eu-central-1 (account 111111111111): nightly
      snapferry:policy = nightly
      snapferry:source-snapshot = snap-00000001
      snapferry:source-account = 111111111111
      snapferry:source-region = eu-central-1
      snapferry:source-volume = vol-00000001
      snapferry:source-size-gib = 8
      snapferry:source-start-time = 2026-11-22T11:00:00Z
      snapferry:kms-key = arn:aws:kms:eu-west-1:222222222222:key/backup
      snapferry:status = copying

    us-east-2: Snapferry copy of snap-00000001 from eu-central-1 (account 111111111111): nightly
      snapferry:policy = nightly
      snapferry:source-snapshot = snap-00000001
      snapferry:source-account = 111111111111
      snapferry:source-region = eu-central-1
      snapferry:source-volume = vol-00000001
      snapferry:source-size-gib = 8
      snapferry:source-start-time = 2026-11-22T11:00:00Z
      snapferry:status = copying
    ");
}

#[test]
fn expiry_lock_and_tags_to_add_are_in_the_request() {
    let target = json!([{"Target": IRELAND, "EncryptionConfiguration": {"Encrypted": true},
        "RetainRule": {"Interval": 3, "IntervalUnit": "MONTHS"},
        "LockRule": {"Mode": "governance", "Interval": 7, "IntervalUnit": "DAYS"},
        "TagsToAdd": [{"Key": "team", "Value": "backup"}]}]);
    let document = like_nightly("locked", &[("/Actions/0/CrossRegionCopy", target)]);
    assert_snapshot!(requests(document, source(1), whole), @r"
    eu-west-1: Snapferry copy of snap-00000001 from eu-central-1 (account 111111111111): nightly
      snapferry:policy = locked
      snapferry:source-snapshot = snap-00000001
      snapferry:source-account = 111111111111
      snapferry:source-region = eu-central-1
      snapferry:source-volume = vol-00000001
      snapferry:source-size-gib = 8
      snapferry:source-start-time = 2026-11-22T11:00:00Z
      snapferry:expire-after = 2027-02-22T12:00:00Z
      snapferry:status = copying
      snapferry:lock = pending
      team = backup
    ");
}

#[test]
fn all_tags_that_a_policy_may_add_leave_others_room_in_ec2s_fifty() {
    let tags: Vec<_> = (0..MAX_TAGS_TO_ADD).map(|number| json!({"Key": format!("k{number}"), "Value": ""})).collect();
    let key = json!({"Encrypted": true, "CmkArn": crate::world::KEY});
    let target = json!([{"Target": IRELAND, "EncryptionConfiguration": key, "TagsToAdd": tags,
        "RetainRule": {"Interval": 3, "IntervalUnit": "MONTHS"},
        "LockRule": {"Mode": "governance", "Interval": 7, "IntervalUnit": "DAYS"}}]);
    let document = like_nightly("tagged", &[("/Actions/0/CrossRegionCopy", target)]);
    // snapferry:settled-at and snapferry:copy come later, and seven places are left to others.
    assert_eq!(requests(document, source(1), |request| request.tags(now()).len().to_string()), "41");
}

#[test]
fn a_description_is_cut_at_ec2s_limit_between_characters() {
    let start = "Snapferry copy of snap-00000001 from eu-central-1 (account 111111111111)";
    for (description, expected) in [
        (String::new(), start.to_owned()),
        ("nightly".to_owned(), format!("{start}: nightly")),
        ("ü".repeat(255), format!("{start}: {}", "?".repeat(DESCRIPTION_LIMIT - start.len() - 2))),
        ("a\u{0}b\n\u{1b}[2J\u{202e}c\u{7f}".to_owned(), format!("{start}: a?b??[2J?c?")),
    ] {
        let everything = like_nightly("all", &[("/EventSource/Parameters/DescriptionRegex", json!(".*"))]);
        let snapshot = SourceSnapshot { description: description.into(), ..source(1) };
        let descriptions = requests(everything, snapshot, |request| request.description());
        let first = descriptions.split("\n\n").next().unwrap();
        assert_eq!(first, expected);
        assert!(first.chars().count() <= 255);
    }
}
