//! Every decision and outcome of expiring.

use jiff::SignedDuration;
use snapferry_core::audit::Record;
use snapferry_core::dropouts::Dropout;
use snapferry_core::expiring::{
    Alarm, Cause, Change, Deletion, Keep, Kept, Outcome, Refusal, Rest, kept, key_in_doubt, lineage_unknown, name,
    record, refused, rest,
};
use snapferry_core::facts::{Copy, DescribedCopy, Inventory};
use snapferry_core::ids::VolumeId;
use snapferry_core::notices::Notices;
use snapferry_core::tags::ReadTags;

use crate::verifying::candidate;
use crate::world::*;

pub(crate) fn records() -> Vec<Record> {
    let (region, copy) = (region(), held());
    let mut records = Vec::new();
    let causes = every![Cause;
        Cause::Expired => Cause::Expired,
        Cause::Failed => Cause::Failed,
        Cause::Rejected => Cause::Rejected,
        Cause::Unjudged => Cause::Unjudged,
    ];
    for cause in causes {
        for survivor in [None, Some(&copy)] {
            let deletion = Deletion { region: &region, copy: &copy, cause, due: now(), survivor, likely_locked: false };
            records.extend(outcomes().iter().map(|outcome| record(&deletion, outcome, now())));
        }
    }
    let (tampered, error, other) = (tampered(), error(), snapshot(6));
    let keeps = every![Keep<'_>;
        Keep::LastVerified { .. } => Keep::LastVerified { copy: &copy, keep_at_least: 1 },
        Keep::Contested { .. } => Keep::Contested { copy: &copy, others: vec![&other], more: 0 },
        Keep::OnlyCopy(_) => Keep::OnlyCopy(&copy),
        Keep::NotVerified(_) => Keep::NotVerified(&copy),
        Keep::NotSettled(_) => Keep::NotSettled(&copy),
        Keep::StateContradicts(_) => Keep::StateContradicts(&copy),
        Keep::ForeignOwner(_) => Keep::ForeignOwner(&copy),
        Keep::MalformedTags(_) => Keep::MalformedTags(&tampered),
        Keep::PolicyNotNamed { .. } => Keep::PolicyNotNamed { policy: &copy.origin.policy, copies: 40 },
        Keep::RegionUnread(_) => Keep::RegionUnread(&error),
    ];
    records.extend(keeps.into_iter().map(|keep| kept(&Kept { region: &region, keep }, now())));
    let alarms = every![Alarm;
        Alarm::ClockBehind { .. } => Alarm::ClockBehind { newest: now(), deletions: 12 },
        Alarm::MassExpiry { .. } => Alarm::MassExpiry { expiring: 300, verified: 400, deletions: 299 },
    ];
    records.extend(alarms.iter().map(|alarm| refused(alarm, now())));
    let rests = every![Rest;
        Rest::RunLimit => Rest::RunLimit,
        Rest::OutOfTime => Rest::OutOfTime,
        Rest::RegionClosed => Rest::RegionClosed,
    ];
    records.push(lineage_unknown(40, now()));
    records.push(key_in_doubt(40, now()));
    let (account, volume) = (account(SOURCE), VolumeId::parse("vol-0123456789abcdef0").unwrap());
    let (newest, usual) = (at("2026-11-18T03:00:00Z"), SignedDuration::from_hours(24));
    let dropout = Dropout { account: &account, volume: &volume, newest, usual };
    records.extend(name(&[dropout], &mut Notices::default(), now()).into_iter().map(|record| record.scheduled(None)));
    records.extend(rests.into_iter().map(|why| rest(why, Some(&region), 40, now())));
    records
}

fn held() -> Copy {
    let tags: Vec<(&str, String)> = tags().into_iter().filter(|(key, _)| *key != "snapferry:status").collect();
    let settled = [
        ("snapferry:status", "verified"),
        ("snapferry:settled-at", "2026-11-22T10:10:00Z"),
        ("snapferry:copy", "snap-00000000000000005"),
    ];
    let tags = tags.iter().map(|(key, value)| (*key, value.as_str())).chain(settled);
    let tags = ReadTags::read(&snapshot(5), tags);
    let mut inventory = Inventory::default();
    inventory.add(DescribedCopy { id: snapshot(5), tags, start_time: now(), ..candidate() });
    inventory.close().copies.remove(0)
}

fn outcomes() -> Vec<Outcome> {
    let changes = every![Change;
        Change::Gone => Change::Gone,
        Change::NotDue => Change::NotDue,
        Change::SurvivorGone => Change::SurvivorGone,
    ];
    let refusals = every![Refusal;
        Refusal::Locked => Refusal::Locked,
        Refusal::InUse => Refusal::InUse,
        Refusal::NotAuthorized => Refusal::NotAuthorized,
        Refusal::Throttled => Refusal::Throttled,
        Refusal::Other => Refusal::Other,
    ];
    let all = every![Outcome;
        Outcome::Deleted => Outcome::Deleted,
        Outcome::Gone(_) => Outcome::Gone(error()),
        Outcome::Changed(_) => Outcome::Changed(Change::NotDue),
        Outcome::Refused(..) => Outcome::Refused(Refusal::Other, error()),
        Outcome::Unanswered(_) => Outcome::Unanswered(error()),
        Outcome::Unread(_) => Outcome::Unread(error()),
    ];
    let changed = changes.into_iter().map(Outcome::Changed);
    let refused = refusals.into_iter().map(|why| Outcome::Refused(why, error()));
    all.into_iter().chain(changed).chain(refused).collect()
}
