//! Which volumes are made, and which are taken back.

use snapferry_core::recovery::made::{How, Kept, Name, Volume, VolumeState, may_go};
use snapferry_core::recovery::restore::{self, Restore};

use super::*;

const ZONE: &str = "eu-west-1a";

fn how(name: &str) -> How {
    How { name: Name::parse(name).unwrap(), zone: ZONE.to_owned(), volume_type: "gp3".to_owned(), key: None }
}

fn made(how: &How, restore: &Restore<'_>) -> Volume {
    Volume {
        id: volume(77),
        state: VolumeState::Available,
        zone: how.zone.clone(),
        snapshot: Some(restore.snapshot.clone()),
        size_gib: 8,
        is_attached: false,
        tags: how.tags(restore).into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

fn edited(volume: &Volume, key: &str, value: &str) -> Volume {
    let mut volume = volume.clone();
    volume.tags.iter_mut().filter(|(found, _)| found == key).for_each(|(_, found)| *found = value.to_owned());
    volume
}

fn with_point(check: impl FnOnce(&Restore<'_>)) {
    let (facts, wanted) = (ireland(vec![copy(1, 1, ago(HOUR), &[])]), wanted());
    let recovery = recover(&wanted, &facts);
    check(&Restore::of(&recovery.points[0], None));
}

#[test]
fn names() {
    for good in ["a", "drill-2026-11", "A_b.9", &"x".repeat(64)] {
        assert_eq!(Name::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "a b", "a*", "ä", "a/b", &"x".repeat(65)] {
        assert_eq!(Name::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_volume_is_made_once_for_a_name_a_point_and_a_zone() {
    with_point(|restore| {
        let (how, volume) = (how("drill"), made(&how("drill"), restore));
        assert_eq!(how.made(restore, &[]), None);
        assert_eq!(how.made(restore, std::slice::from_ref(&volume)), Some(&volume));
        let other = SnapshotId::parse("snap-00000099").ok();
        for not_it in [
            Volume { state: VolumeState::Deleting, ..volume.clone() },
            Volume { state: VolumeState::Error, ..volume.clone() },
            Volume { zone: "eu-west-1b".to_owned(), ..volume.clone() },
            Volume { snapshot: other, ..volume.clone() },
            edited(&volume, restore::RESTORE, "other"),
            edited(&volume, restore::SNAPSHOT, "snap-00000099"),
        ] {
            assert_eq!(how.made(restore, std::slice::from_ref(&not_it)), None, "{not_it:?}");
        }
        for state in [VolumeState::Creating, VolumeState::InUse] {
            assert!(how.made(restore, &[Volume { state, ..volume.clone() }]).is_some());
        }
    });
}

#[test]
fn a_token_is_of_name_point_and_zone_and_of_nothing_else() {
    with_point(|restore| {
        let token = how("drill").token(restore);
        assert_eq!((token.len(), how("drill").token(restore)), (50, token.clone()));
        let zone = How { zone: "eu-west-1b".to_owned(), ..how("drill") };
        // Of another type or key EC2 says that it does not fit, rather than making a second volume.
        let key = How { key: Some(KEY.to_owned()), volume_type: "gp2".to_owned(), ..how("drill") };
        assert_eq!(key.token(restore), token);
        let snapshot = id(9);
        let other = Restore { snapshot: &snapshot, ..restore.clone() };
        for other in [how("drill2").token(restore), zone.token(restore), how("drill").token(&other)] {
            assert_ne!(other, token);
        }
    });
}

#[test]
fn nothing_goes_but_what_the_restore_made() {
    with_point(|restore| {
        let (how, volume) = (how("drill"), made(&how("drill"), restore));
        let may_go = |volume: &Volume| may_go(&how.name, volume);
        let with = |state| Volume { state, ..volume.clone() };
        assert_eq!(may_go(&volume), Some(Ok(())));
        assert_eq!(may_go(&with(VolumeState::Error)), Some(Ok(())));
        assert_eq!(may_go(&with(VolumeState::Deleting)), None);
        assert_eq!(may_go(&with(VolumeState::Creating)), Some(Err(Kept::NotReady)));
        assert_eq!(may_go(&with(VolumeState::InUse)), Some(Err(Kept::Attached)));
        assert_eq!(may_go(&Volume { is_attached: true, ..volume.clone() }), Some(Err(Kept::Attached)));
        // Tags that were copied onto another volume, or edited.
        let blank = Volume { snapshot: None, ..volume.clone() };
        let other = Volume { snapshot: SnapshotId::parse("snap-00000099").ok(), ..volume.clone() };
        let mut bare = volume.clone();
        bare.tags.retain(|(key, _)| key == restore::RESTORE);
        for not_ours in [blank, other, bare, edited(&volume, restore::SNAPSHOT, "")] {
            assert_eq!(may_go(&not_ours), Some(Err(Kept::NotOurs)), "{not_ours:?}");
        }
        for others in ["drill2", "DRILL", ""] {
            assert_eq!(may_go(&edited(&volume, restore::RESTORE, others)), None);
        }
        assert_eq!(may_go(&Volume { tags: Vec::new(), ..volume.clone() }), None);
    });
}
