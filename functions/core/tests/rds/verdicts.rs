//! What rejects an available copy, and what is only noted.

use snapferry_core::rds::{Difference, Expected, Mismatch, Own, compare};

use crate::{Change, SOURCE, key, own};

fn expected() -> Expected {
    Expected {
        source_arn: SOURCE.to_owned(),
        key: Some(key(1)),
        engine: "postgres".to_owned(),
        allocated_storage: 20,
        engine_version: Some("16.4".to_owned()),
        resource_id: Some("db-A".to_owned()),
    }
}

fn shown() -> Own {
    let Expected { source_arn, key, engine, allocated_storage, engine_version, resource_id } = expected();
    Own {
        status: "available".to_owned(),
        encrypted: true,
        key,
        source_arn: Some(source_arn),
        engine: Some(engine),
        allocated_storage: Some(allocated_storage),
        engine_version,
        resource_id,
        ..own()
    }
}

#[test]
fn a_copy_that_agrees_has_neither() {
    assert_eq!(compare(&expected(), &shown()), Some((vec![], vec![])));
}

#[test]
fn what_rejects_a_copy() {
    let changes: [(&[Mismatch], Change<Own>); 9] = [
        (&[Mismatch::Unencrypted], |s| (s.encrypted, s.key) = (false, None)),
        (&[Mismatch::Unencrypted], |s| s.encrypted = false),
        (&[Mismatch::Key], |s| s.key = Some(key(2))),
        (&[Mismatch::Key], |s| s.key = None),
        (&[Mismatch::Source], |s| s.source_arn = Some(format!("{SOURCE}-2"))),
        (&[Mismatch::Source], |s| s.source_arn = None),
        (&[Mismatch::Engine], |s| s.engine = Some("mysql".to_owned())),
        (&[Mismatch::AllocatedStorage], |s| s.allocated_storage = Some(19)),
        (&[Mismatch::Engine, Mismatch::AllocatedStorage], |s| (s.engine, s.allocated_storage) = (None, None)),
    ];
    for (mismatches, change) in changes {
        let mut bad = shown();
        change(&mut bad);
        assert_eq!(compare(&expected(), &bad), Some((mismatches.to_vec(), vec![])), "{bad:?}");
    }
}

#[test]
fn what_is_only_noted() {
    let other = Own { engine_version: Some("16.5".to_owned()), resource_id: None, ..shown() };
    let differences = vec![Difference::EngineVersion, Difference::ResourceId];
    assert_eq!(compare(&expected(), &other), Some((vec![], differences)));
}

#[test]
fn a_copy_in_the_clear_may_be_encrypted_all_the_same() {
    assert_eq!(compare(&Expected { key: None, ..expected() }, &shown()), Some((vec![], vec![])));
}

#[test]
fn only_what_is_available_is_judged() {
    for status in ["copying", "creating", "failed", "deleting", ""] {
        let bad = Own { status: status.to_owned(), key: None, engine: None, ..shown() };
        assert_eq!(compare(&expected(), &bad), None, "{status}");
    }
}
