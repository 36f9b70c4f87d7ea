//! What a copy is asked for with, and how it is known again.

use jiff::Timestamp;
use snapferry_core::policy::Policy;
use snapferry_core::rds::{
    CopyRequest, CopyTags, Disagreement, Held, OWN_TAGS, Own, SOURCE_RESOURCE, Shared, SnapshotArn, judge, next_attempt,
};
use snapferry_core::tags::{COPY, EXPIRE_AFTER, KMS_KEY, Status, TagProblem};

use crate::{SOURCE, encrypted, key, own, policy, shared};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn request<'f>(policy: &'f Policy, source: &'f Shared, attempt: u32) -> CopyRequest<'f> {
    CopyRequest { policy: &policy.name, source, target: &policy.targets[0], attempt }
}

fn read(name: &str, tags: &[(String, String)]) -> Result<CopyTags, Vec<TagProblem>> {
    CopyTags::parse(name, tags.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// What RDS makes of a request.
fn made(request: &CopyRequest<'_>, asked_at: Timestamp) -> Own {
    Own {
        arn: SnapshotArn::parse(&format!("arn:aws:rds:eu-central-1:444455556666:snapshot:{}", request.name())).unwrap(),
        status: "copying".to_owned(),
        tags: request.tags(asked_at),
        source_arn: Some(request.source.source.arn.to_string()),
        encrypted: request.key().is_some(),
        key: request.key().cloned(),
        ..own()
    }
}

#[test]
fn the_tags_of_a_request_are_read_back() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let request = request(&policy, &shared, 3);
    let tags = request.tags(at("2026-11-22T04:00:00Z"));
    assert_eq!(tags.last(), Some(&("team".to_owned(), "a".to_owned())));
    let expected = CopyTags {
        policy: policy.name.clone(),
        source_name: "nightly".to_owned(),
        source_account: shared.source.arn.account.clone(),
        source_region: shared.source.arn.region.clone(),
        source_resource: Some("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned()),
        source_engine: "postgres".to_owned(),
        source_size_gib: 20,
        source_created: at("2026-11-22T03:00:00.123Z"),
        attempt: 3,
        kms_key: Some(key(1)),
        expire_after: Some(at("2026-12-22T04:00:00Z")),
        status: Status::Copying,
        settled_at: None,
        copy: None,
    };
    assert_eq!(read(request.name().as_str(), &tags), Ok(expected));
    assert_eq!(SnapshotArn::parse(SOURCE).as_ref(), Ok(&shared.source.arn));
}

#[test]
fn each_edited_or_missing_tag_is_named() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let request = request(&policy, &shared, 1);
    let (name, tags) = (request.name(), request.tags(at("2026-11-22T04:00:00Z")));
    for (key, _) in tags.iter().filter(|(key, _)| key.starts_with("snapferry:")) {
        let edited: Vec<_> =
            tags.iter().map(|(k, v)| (k.clone(), if k == key { String::new() } else { v.clone() })).collect();
        let problems = read(name.as_str(), &edited).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].key, problems[0].found.as_deref()), (key.as_str(), Some("")));
        let missing: Vec<_> = tags.iter().filter(|(k, _)| k != key).cloned().collect();
        let is_optional = [KMS_KEY, EXPIRE_AFTER, SOURCE_RESOURCE].contains(&key.as_str());
        assert_eq!(read(name.as_str(), &missing).is_ok(), is_optional, "{key}");
    }
}

/// Whatever copies all tags onto another snapshot copies the verdict, too.
#[test]
fn a_verdict_of_another_snapshot_is_none() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let (first, second) = (request(&policy, &shared, 1), request(&policy, &shared, 2));
    let mut tags = first.tags(at("2026-11-22T04:00:00Z"));
    tags.push((COPY.to_owned(), first.name().to_string()));
    assert_eq!(read(first.name().as_str(), &tags).unwrap().copy, Some(first.name()));
    let problems = read(second.name().as_str(), &tags).unwrap_err();
    assert_eq!(problems[0].key, COPY);
}

#[test]
fn the_count_of_own_tags_is_the_largest_possible() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let request = request(&policy, &shared, 1);
    let tags = request.tags(at("2026-11-22T04:00:00Z"));
    let own = tags.iter().filter(|(key, _)| key.starts_with("snapferry:")).count();
    // And what the verdict adds: when, and of which copy it is.
    assert_eq!(own + 2, OWN_TAGS);
}

/// A process that died behind its request asks again, later, and perhaps under an edited policy: its first copy is the one.
#[test]
fn the_copy_of_an_earlier_request_is_known_again() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let first = made(&request(&policy, &shared, 1), at("2026-11-22T04:00:00Z"));
    let mut edited = policy.clone();
    edited.targets[0].tags.clear();
    edited.targets[0].retain = None;
    for policy in [&policy, &edited] {
        let again = request(policy, &shared, 1);
        assert_eq!(again.name().as_str(), first.arn.name);
        for (status, verdict, held) in [
            ("copying", "copying", Held::Ours),
            ("available", "verified", Held::Ours),
            ("available", "edited by somebody", Held::Ours),
            // One that was found bad does not protect because it is there.
            ("available", "rejected", Held::OursUnusable),
            ("available", "failed", Held::OursUnusable),
            ("failed", "copying", Held::OursUnusable),
        ] {
            let mut holder = Own { status: status.to_owned(), ..first.clone() };
            for tag in &mut holder.tags {
                if tag.0 == "snapferry:status" {
                    tag.1 = verdict.to_owned();
                }
            }
            assert_eq!(judge(&again.asked(), &holder), held, "{status} {verdict}");
        }
    }
}

/// The names differ, so RDS would not say that one holds the other's. If it did, they are still told apart.
#[test]
fn what_is_asked_for_anew_is_another_copy() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let first = made(&request(&policy, &shared, 1), at("2026-11-22T04:00:00Z"));
    let second = request(&policy, &shared, 2);
    assert_ne!(second.name().as_str(), first.arn.name);
    assert_eq!(judge(&second.asked(), &first), Held::Taken(Disagreement::Tags));
    let mut made_again = shared.clone();
    made_again.source.created = at("2026-11-23T03:00:00Z");
    let other = request(&policy, &made_again, 1);
    assert_ne!(other.name().as_str(), first.arn.name);
    assert_eq!(judge(&other.asked(), &first), Held::Taken(Disagreement::SourceCreated));
}

/// A name that a bad copy has is not asked for again, also when others of its identity were deleted since.
#[test]
fn the_next_attempt_has_a_name_of_its_own() {
    let (policy, shared) = (policy("", &encrypted()), shared());
    let tags = |attempt| {
        let request = request(&policy, &shared, attempt);
        read(request.name().as_str(), &request.tags(at("2026-11-22T04:00:00Z"))).unwrap()
    };
    for (dead, failed, expected) in [
        (vec![], 0, 1),
        (vec![], 2, 3),
        (vec![tags(1)], 0, 2),
        (vec![tags(3), tags(2)], 0, 4),
        (vec![tags(3)], 1, 4),
        (vec![tags(1)], 5, 6),
        (vec![tags(u32::MAX)], 0, u32::MAX),
    ] {
        assert_eq!(next_attempt(&dead, failed), expected, "{failed}");
    }
}
