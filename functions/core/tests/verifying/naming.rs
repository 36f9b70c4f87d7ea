//! Copies made before their policy's DescriptionRegex had a group `(?<volume>…)` get their lineage by it.

use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{named, namings};

use crate::world::*;

const BEGIN: &str = "Snapferry copy of snap-00000001 from us-east-1 (account 111111111111)";

fn policies(regex: &str) -> Vec<Policy> {
    let mut document: serde_json::Value = serde_json::from_str(&document("\"Encrypted\": true", "")).unwrap();
    document["EventSource"]["Parameters"]["DescriptionRegex"] = regex.into();
    snapferry_core::policy::parse(&document.to_string()).unwrap().policies
}

fn described(tags: &Tags, description: &str) -> DescribedCopy {
    DescribedCopy { description: description.into(), ..copy(tags) }
}

fn unnamed() -> Tags {
    with("snapferry:source-volume", "vol-ffffffff")
}

/// The lineage that the copy gets.
fn lineage(regex: &str, copy: DescribedCopy) -> Option<String> {
    let facts = facts(vec![copy]);
    namings(&policies(regex), &facts).first().map(|naming| naming.lineage.to_string())
}

#[test]
fn a_filler_becomes_what_the_group_captures_of_the_sources_description() {
    let named = Some("vol-00000002".to_owned());
    let regex = "nightly of (?<volume>vol-[0-9a-f]+)(, .*)?";
    for (what, filler, description, expected) in [
        ("it names it", "vol-ffffffff", format!("{BEGIN}: nightly of vol-00000002"), named.clone()),
        ("any filler", "vol-fffffffffffffffff", format!("{BEGIN}: nightly of vol-00000002"), named.clone()),
        ("among other words", "vol-ffffffff", format!("{BEGIN}: nightly of vol-00000002, eu"), named),
        ("a filler again", "vol-ffffffff", format!("{BEGIN}: nightly of vol-ffffffffff"), None),
        ("no volume's ID", "vol-ffffffff", format!("{BEGIN}: nightly of vol-0002"), None),
        ("not the whole", "vol-ffffffff", format!("{BEGIN}: a nightly of vol-00000002"), None),
        ("another text before it", "vol-ffffffff", "nightly of vol-00000002".to_owned(), None),
        ("nothing", "vol-ffffffff", BEGIN.to_owned(), None),
        ("perhaps cut", "vol-ffffffff", format!("{:x<255}", format!("{BEGIN}: nightly of vol-00000002, ")), None),
    ] {
        assert!(description.len() <= 255, "{what}: {}", description.len());
        let tags = with("snapferry:source-volume", filler);
        assert_eq!(lineage(regex, described(&tags, &description)), expected, "{what}");
    }
    let description = format!("{BEGIN}: nightly of vol-00000002");
    assert_eq!(lineage("nightly of vol-.*", described(&unnamed(), &description)), None, "no group");
}

#[test]
fn what_ec2_named_what_others_own_and_what_was_edited_stays_as_it_is() {
    let description = format!("{BEGIN}: vol-00000002");
    let told = |tags: &Tags| lineage("(?<volume>.*)", described(tags, &description));
    assert_eq!(told(&unnamed()).as_deref(), Some("vol-00000002"));
    let but = |key: &'static str, value: &str| {
        let mut tags = unnamed();
        tags.insert(key, value.to_owned());
        tags
    };
    for (what, tags) in [
        ("named by EC2", tags()),
        ("another home's", but("snapferry:source-region", "us-west-1")),
        ("of a policy that the document does not have", but("snapferry:policy", "weekly")),
        ("an impostor", but("snapferry:copy", "snap-0000c002")),
        ("edited", but("snapferry:expire-after", "never")),
        ("of another source than it says", but("snapferry:source-snapshot", "snap-00000009")),
    ] {
        assert_eq!(told(&tags), None, "{what}");
    }
    for status in ["copying", "verified", "failed", "rejected"] {
        assert_eq!(told(&but("snapferry:status", status)).as_deref(), Some("vol-00000002"), "{status}");
    }
}

#[test]
fn the_record_says_what_the_tag_says_now() {
    let facts = facts(vec![described(&unnamed(), &format!("{BEGIN}: vol-00000002"))]);
    let policies = policies("(?<volume>.*)");
    let [naming] = namings(&policies, &facts).try_into().unwrap();
    let refused = CallError { code: "UnauthorizedOperation".to_owned(), message: String::new(), request_id: None };
    for (written, expected) in [
        (Ok(()), "copy.named from-description vol-00000002"),
        (Err(refused), "copy.deferred volume-not-written vol-ffffffff"),
    ] {
        let record = named(&naming, &written, now());
        let volume = record.source.unwrap().volume.unwrap();
        assert_eq!(format!("{} {} {volume}", record.reason.event().name(), record.reason.name()), expected);
    }
}
