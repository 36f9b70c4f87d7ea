//! `AlreadyExists` is success only for the very copy that was asked for.

use snapferry_core::rds::{Asked, Disagreement, Held, Own, judge};

use crate::{Change, SOURCE, key, own};

fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn asked() -> Asked {
    Asked {
        tags: vec![tag("snapferry:policy", "policy-1"), tag("team", "a")],
        source_arn: SOURCE.to_owned(),
        source_created: "2026-11-22T03:00:00Z".parse().unwrap(),
        key: Some(key(1)),
    }
}

fn holder() -> Own {
    let Asked { mut tags, source_arn, source_created, key } = asked();
    tags.push(tag("snapferry:source-start-time", &source_created.to_string()));
    Own { status: "available".to_owned(), tags, source_arn: Some(source_arn), encrypted: true, key, ..own() }
}

#[test]
fn the_status_of_the_copy_that_was_asked_for_decides() {
    for (status, held) in [
        ("available", Held::Ours),
        ("copying", Held::Ours),
        ("failed", Held::OursUnusable),
        ("deleting", Held::OursUnusable),
        ("", Held::OursUnusable),
        ("Available", Held::OursUnusable),
    ] {
        assert_eq!(judge(&asked(), &Own { status: status.to_owned(), ..holder() }), held, "{status}");
    }
}

#[test]
fn tags_that_others_added_do_no_harm() {
    let mut more = holder();
    more.tags.insert(0, tag("backup-plan", "x"));
    assert_eq!(judge(&asked(), &more), Held::Ours);
}

#[test]
fn what_differs_in_anything_is_something_else_whatever_its_status() {
    let changes: [(Disagreement, Change<Own>); 9] = [
        (Disagreement::Tags, |h| drop(h.tags.remove(0))),
        (Disagreement::Tags, |h| h.tags[1].1.push('b')),
        (Disagreement::Source, |h| h.source_arn = None),
        (Disagreement::Source, |h| h.source_arn = Some(format!("{SOURCE}-2"))),
        (Disagreement::SourceCreated, |h| h.tags.clear()),
        (Disagreement::SourceCreated, |h| h.tags[2].1 = "2026-11-23T03:00:00Z".to_owned()),
        (Disagreement::Key, |h| h.key = Some(key(2))),
        (Disagreement::Key, |h| h.key = None),
        (Disagreement::Key, |h| h.encrypted = false),
    ];
    for (disagreement, change) in changes {
        for status in ["available", "copying", "failed"] {
            let mut other = Own { status: status.to_owned(), ..holder() };
            change(&mut other);
            assert_eq!(judge(&asked(), &other), Held::Taken(disagreement), "{other:?}");
        }
    }
}

#[test]
fn a_copy_in_the_clear_is_not_an_encrypted_one() {
    let plain = Asked { key: None, ..asked() };
    assert_eq!(judge(&plain, &Own { encrypted: false, key: None, ..holder() }), Held::Ours);
    for (encrypted, key) in [(true, Some(key(1))), (true, None), (false, Some(key(1)))] {
        let holder = Own { encrypted, key, ..holder() };
        assert_eq!(judge(&plain, &holder), Held::Taken(Disagreement::Key), "{holder:?}");
    }
}
