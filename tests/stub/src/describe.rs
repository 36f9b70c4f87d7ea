//! DescribeSnapshots.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::PoisonError;

use crate::form;
use crate::http::Answer;
use crate::numbers::{Numbers, number};
use crate::shared::Shared;
use crate::snapshots::{Made, put_copy, put_made, put_source};
use crate::world::World;

/// What is asked for.
struct Ask {
    /// Whether this account's own snapshots are meant, and not what is shared with it.
    is_own: bool,
    owners: Vec<String>,
    ids: Vec<String>,
    numbers: Numbers,
    /// The value of `snapferry:status` that is asked for.
    status: Option<Vec<String>>,
    /// Whether the filters leave nothing.
    is_nothing: bool,
    page: Option<usize>,
    next: u64,
}

/// The answer, and how many seconds it takes; nothing where this is no request that can be understood.
pub(crate) fn answer(body: &str, region: &str, shared: &Shared) -> Option<(Answer, f64)> {
    let world = shared.world();
    let ask = Ask::read(body, &world)?;
    let is_hit = |owner: &Option<String>| owner.as_ref().is_none_or(|owner| ask.owners.contains(owner));
    let mut seconds = if ask.page.is_some() { world.page_seconds } else { world.call_seconds };
    for fault in world.faults.iter().filter(|fault| fault.region == region && is_hit(&fault.owner)) {
        seconds += fault.seconds;
        if let Some(code) = &fault.code {
            return Some((Answer::refused(code, "This is how it was asked for."), seconds));
        }
    }
    let made = shared.made.read().unwrap_or_else(PoisonError::into_inner);
    let none = BTreeMap::new();
    let seen = Seen { world: &world, region, made: made.get(region).unwrap_or(&none) };
    if let Some(missing) = ask.ids.iter().find(|id| !seen.has(&ask, id)) {
        let message = format!("The snapshot '{missing}' does not exist.");
        return Some((Answer::refused("InvalidSnapshot.NotFound", &message), seconds));
    }
    Some((Answer::ok(seen.page(&ask)), seconds))
}

impl Ask {
    fn read(body: &str, world: &World) -> Option<Self> {
        let members = form::members(body);
        let (ids, owners) = (form::numbered(&members, "SnapshotId"), form::numbered(&members, "Owner"));
        let page = members.get("MaxResults").map(|most| most.parse()).transpose().ok()?;
        let next = members.get("NextToken").map_or(Ok(0), |next| next.parse()).ok()?;
        // EC2 takes no page's size with IDs; and without an owner or an ID it would show what is public, too.
        if page.is_some() && !ids.is_empty() || owners.is_empty() && ids.is_empty() {
            return None;
        }
        let is_own = owners.iter().any(|owner| owner == "self");
        let mut ask =
            Self { is_own, owners, ids, numbers: Numbers::all(), status: None, is_nothing: false, page, next };
        for number in (1_u32..).take_while(|number| members.contains_key(&format!("Filter.{number}.Name"))) {
            let name = members.get(&format!("Filter.{number}.Name"))?;
            ask.filter(name, form::numbered(&members, &format!("Filter.{number}.Value")), world)?;
        }
        if !ask.ids.is_empty() {
            ask.numbers = Numbers::These(ask.ids.iter().filter_map(|id| number(id)).collect());
        }
        Some(ask)
    }

    fn filter(&mut self, name: &str, values: Vec<String>, world: &World) -> Option<()> {
        match name {
            "snapshot-id" => self.numbers = Numbers::matching(&values)?,
            // The second is the tag of the benchmark's other contender.
            "tag:snapferry:source-snapshot" | "tag:source-snapshot" if self.is_own => {
                self.numbers = Numbers::matching(&values)?;
            }
            "tag:snapferry:source-volume" if self.is_own => {
                let volumes = values.iter().filter_map(|volume| volume.strip_prefix("vol-0"));
                let volumes = volumes.filter_map(|digits| u64::from_str_radix(digits, 16).ok());
                let size = world.of_a_volume.max(1);
                let numbers = volumes.flat_map(|volume| volume * size..volume.saturating_add(1) * size);
                self.numbers = Numbers::These(numbers.collect());
            }
            "tag:snapferry:status" if self.is_own => self.status = Some(values),
            // Every copy has these tags, and none has a lock.
            "tag-key" if self.is_own => {}
            "tag:snapferry:source-region" if self.is_own => self.is_nothing |= !values.contains(&world.home),
            "tag:snapferry:lock" if self.is_own => self.is_nothing = true,
            _ => return None,
        }
        Some(())
    }
}

/// A Region as one request sees it.
struct Seen<'w> {
    world: &'w World,
    region: &'w str,
    made: &'w BTreeMap<u64, Made>,
}

impl Seen<'_> {
    fn has(&self, ask: &Ask, id: &str) -> bool {
        let prefix = if ask.is_own { "snap-f" } else { "snap-0" };
        id.starts_with(prefix) && number(id).is_some_and(|number| number < self.world.shared && self.shows(ask, number))
    }

    /// Whether a snapshot, or the copy of it, is among what was asked for.
    fn shows(&self, ask: &Ask, number: u64) -> bool {
        let world = self.world;
        if ask.is_nothing {
            return false;
        }
        if !ask.is_own {
            let is_owners = ask.owners.is_empty() || ask.owners.iter().any(|owner| owner == world.owner(number));
            return self.region == world.home && is_owners;
        }
        let is_verified = number < world.copied && self.region != world.home;
        let is_made = self.made.contains_key(&number);
        let has = |status: &str| ask.status.as_ref().is_none_or(|wanted| wanted.iter().any(|each| each == status));
        is_verified && has("verified") || is_made && has("copying")
    }

    fn page(&self, ask: &Ask) -> String {
        let world = self.world;
        let cut = ask.page.and(world.cuts).map_or(world.shared, |size| ask.next.saturating_add(size).min(world.shared));
        let most = ask.page.filter(|_| world.cuts.is_none()).unwrap_or(usize::MAX);
        let mut page = String::with_capacity(2 << 20);
        page.push_str("<DescribeSnapshotsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><snapshotSet>");
        let (mut shown, mut next) = (0, (cut < world.shared).then_some(cut));
        for number in ask.numbers.between(ask.next, cut).filter(|number| self.shows(ask, *number)) {
            if shown == most {
                next = Some(number);
                break;
            }
            shown += 1;
            match self.made.get(&number) {
                _ if !ask.is_own => put_source(&mut page, world, number),
                Some(made) => put_made(&mut page, made),
                None => put_copy(&mut page, world, self.region, number),
            }
        }
        page.push_str("</snapshotSet>");
        if let Some(next) = next {
            _ = write!(page, "<nextToken>{next}</nextToken>");
        }
        page.push_str("</DescribeSnapshotsResponse>");
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELF: &str = "Owner.1=self&Filter.1.Name=tag%3Asnapferry%3Asource-snapshot&Filter.1.Value.1=";
    const SHARED: &str = "Owner.1=111111111111&RestorableBy.1=self";

    fn world(cuts: Option<u64>) -> Shared {
        let shared = Shared::default();
        shared.set_world(World { shared: 5000, copied: 4000, cuts, ..World::default() });
        shared
    }

    /// How many snapshots are on each page.
    fn pages(shared: &Shared, region: &str, body: &str) -> Vec<usize> {
        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let (answer, _) = super::answer(&format!("{body}{token}"), region, shared).unwrap();
            pages.push(answer.text().matches("<snapshotId>").count());
            match answer.text().split_once("<nextToken>").and_then(|(_, next)| next.split_once('<')) {
                Some((next, _)) => token = format!("&NextToken={next}"),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_are_full_unless_they_are_cut_before_they_are_filtered() {
        let (whole, cut) = (world(None), world(Some(1000)));
        let sized = |body: &str| format!("{body}&MaxResults=1000");
        assert_eq!(pages(&whole, "us-east-1", &sized(SHARED)), [1000; 5]);
        assert_eq!(pages(&whole, "eu-west-1", &sized(&format!("{SELF}*a"))), [250]);
        assert_eq!(pages(&cut, "eu-west-1", &sized(&format!("{SELF}*0a"))), [4, 4, 4, 4, 0], "which only looks empty");
        assert_eq!(pages(&cut, "eu-west-1", &format!("{SELF}*0a")), [16], "nothing is cut unasked");
        assert_eq!(pages(&whole, "us-east-1", &sized(&format!("{SELF}*a"))), [0], "no copies at home");
        assert_eq!(pages(&whole, "us-east-1", &sized("Owner.1=333333333333")), [0], "another's");
    }

    #[test]
    fn an_id_that_is_not_there_is_named() {
        let answered = |region, body: &str| super::answer(body, region, &world(None)).unwrap().0.text().to_owned();
        let there = "SnapshotId.1=snap-00000000000000001";
        assert!(answered("us-east-1", there).contains("<ownerId>111111111111<"));
        let missing = answered("us-east-1", &format!("{there}&SnapshotId.2=snap-0000000000000ffff"));
        assert!(
            missing.contains("InvalidSnapshot.NotFound") && missing.contains("'snap-0000000000000ffff'"),
            "{missing}"
        );
    }

    #[test]
    fn what_would_list_everything_public_is_refused() {
        for body in ["", "MaxResults=1000", "RestorableBy.1=self&MaxResults=1000", "Owner.1=self&Filter.1.Name=other"] {
            assert!(super::answer(body, "us-east-1", &world(None)).is_none(), "{body}");
        }
    }
}
