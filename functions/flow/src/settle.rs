//! What an obligation becomes by the copies that EC2 shows of it.

use jiff::{SignedDuration, Timestamp};
use snapferry_core::facts::{Copies, Copy};
use snapferry_core::ledger::{End, Identity, Obligation, State};
use snapferry_core::standing::{Standing, weigh};

/// How long a copy is waited for that EC2 shows by its ID and whose tags do not say whose it is.
const NAMELESS: SignedDuration = SignedDuration::from_hours(24);

/// The copies of an identity.
pub(crate) fn copies_of<'c>(identity: &'c Identity, copies: &'c Copies) -> impl Iterator<Item = &'c Copy> {
    let is_of = |copy: &&Copy| copy.source == identity.source && copy.origin.policy == identity.policy;
    copies.copies.iter().filter(is_of)
}

/// What an obligation that stands in line, or was asked for, becomes by a live copy: over when the copy protects, because the
/// verifier told so before it said so in the tags; else it waits for that copy. Nothing when there is no live copy.
pub(crate) fn found(obligation: &Obligation, copies: &Copies, now: Timestamp) -> Option<Obligation> {
    let weighed = weigh(copies_of(&obligation.identity, copies));
    match (weighed.standing, weighed.copy) {
        (Standing::Protected, _) => obligation.ended(End::Protected, now),
        (Standing::InFlight, Some(copy)) => obligation.copying(copy.id.clone(), now),
        _ => None,
    }
}

/// What an obligation becomes by the copies that were asked for by their IDs, its own among them: owed again when its own is
/// gone, and delayed when it failed. Nothing when it is there.
pub(crate) fn named(obligation: &Obligation, shown: &Copies, now: Timestamp) -> Option<Obligation> {
    let State::Copying { copy: id, at } = &obligation.state else { return None };
    if let Some(copy) = copies_of(&obligation.identity, shown).find(|copy| copy.id == *id) {
        return if copy.is_live() { None } else { obligation.failed(id, now) };
    }
    // One that lost its tags is there all the same; but it will never be verified, nor will a snapshot that somebody wrote into
    // the ledger. Another identity's is none.
    let is_anothers = shown.copies.iter().any(|copy| copy.id == *id);
    let is_nameless = !is_anothers && shown.tampered.iter().any(|copy| copy.id == *id);
    if is_nameless && now.duration_since(*at) < NAMELESS { None } else { obligation.vanished(now) }
}

#[cfg(test)]
mod tests {
    use snapferry_core::facts::{DescribedCopy, Inventory, SourceSnapshot};
    use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
    use snapferry_core::ledger::By;
    use snapferry_core::tags::ReadTags;

    use super::*;

    fn id(text: &str) -> SnapshotId {
        SnapshotId::parse(text).unwrap()
    }

    fn source() -> SourceSnapshot {
        SourceSnapshot {
            kind: snapferry_core::facts::SourceKind::Volume,
            id: id("snap-00000001"),
            owner: AccountId::parse("111111111111").unwrap(),
            volume: VolumeId::parse("vol-00000001").unwrap(),
            size_gib: 1,
            state: snapferry_core::facts::State::Completed,
            start_time: Timestamp::UNIX_EPOCH,
            encrypted: true,
            storage: snapferry_core::facts::Storage::Standard,
            description: "".into(),
        }
    }

    /// The only copy that EC2 shows, in its state and with tags of this source or none.
    fn shown(state: snapferry_core::facts::State, of: Option<&str>) -> Copies {
        let copy = id("snap-0000c0c0");
        let tags = of.map(|of| [("snapferry:policy", "nightly"), ("snapferry:source-snapshot", of)]);
        let mut inventory = Inventory::default();
        inventory.add(DescribedCopy {
            owner: None,
            state,
            state_message: String::new(),
            encrypted: false,
            kms_key: None,
            size_gib: 1,
            start_time: Timestamp::UNIX_EPOCH,
            tags: ReadTags::read(&copy, tags.into_iter().flatten()),
            lock: None,
            description: "".into(),
            database: None,
            id: copy,
        });
        inventory.close()
    }

    #[test]
    fn a_copy_that_the_ledger_names_and_that_is_not_its_own_holds_nothing_up() {
        use snapferry_core::facts::State::{Error, Pending};
        let identity = Identity {
            policy: PolicyName::parse("nightly").unwrap(),
            source: source().id,
            region: Region::parse("eu-west-1").unwrap(),
        };
        let began = Timestamp::UNIX_EPOCH;
        let owed = Obligation::new(identity, &source(), source().volume, By::Sweep, began);
        let waits = owed.copying(id("snap-0000c0c0"), began).unwrap();
        let becomes = |copies: &Copies, minutes: i64| {
            named(&waits, copies, began + SignedDuration::from_mins(minutes)).map(|next| next.state)
        };
        let day = 24 * 60;
        let own = shown(Pending, Some("snap-00000001"));
        assert_eq!(becomes(&own, 2 * day), None);
        let failed = becomes(&shown(Error, Some("snap-00000001")), 11);
        assert_eq!(failed, Some(State::Delayed { since: began + SignedDuration::from_mins(11) }));
        let (anothers, nameless, gone) =
            (shown(Pending, Some("snap-00000002")), shown(Pending, None), Copies::default());
        for (copies, minutes, expected) in [
            (&anothers, 9, None),
            (&anothers, 11, Some(State::Owed)),
            (&nameless, day - 1, None),
            (&nameless, day, Some(State::Owed)),
            (&gone, 9, None),
            (&gone, 11, Some(State::Owed)),
        ] {
            assert_eq!(becomes(copies, minutes), expected, "{minutes} min");
        }
    }
}
