//! Small vaults, written down by their tags as EC2 gives them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::expiring::{Facts, Limits, Plan, decide};
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, KeyLife, KeyProblem, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::ReadTags;

use crate::databases::{self, Database};

/// This account.
pub(crate) const OURS: &str = "222222222222";
/// The only Region of most vaults.
pub(crate) const REGION: &str = "eu-west-1";

/// The home of all stacks here, and one that it has taken over.
pub(crate) const HOMES: [&str; 2] = ["us-east-1", "us-east-2"];

/// Nothing unusual is allowed.
pub(crate) const LIMITS: Limits = Limits { max_deletes: 100, allow_mass_expiry: false };

/// The guard is lifted.
pub(crate) const LIFTED: Limits = Limits { max_deletes: 100, allow_mass_expiry: true };

/// 2026-11-22, noon.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A moment so many days from now.
pub(crate) fn day(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

pub(crate) fn region(code: &str) -> Region {
    Region::parse(code).unwrap()
}

/// One snapshot as EC2 or RDS shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) state: State,
    pub(crate) start: Timestamp,
    /// What has become of its key.
    pub(crate) key: KeyLife,
    pub(crate) tags: BTreeMap<&'static str, String>,
    /// What RDS says besides, if it is of a database.
    pub(crate) database: Option<Database>,
}

/// A verified copy of volume 1 that was started at `start` days and expires at `expiry` days, from now.
pub(crate) fn copy(number: u32, start: i64, expiry: i64) -> Shown {
    let tags = [
        ("snapferry:policy", "default".to_owned()),
        ("snapferry:source-snapshot", format!("snap-5{number:07x}")),
        ("snapferry:source-account", "111111111111".to_owned()),
        ("snapferry:source-region", "us-east-1".to_owned()),
        ("snapferry:source-volume", "vol-00000001".to_owned()),
        ("snapferry:source-size-gib", "8".to_owned()),
        ("snapferry:source-start-time", day(start).to_string()),
        ("snapferry:expire-after", day(expiry).to_string()),
        ("snapferry:status", "verified".to_owned()),
        ("snapferry:settled-at", day(start).to_string()),
        ("snapferry:copy", format!("snap-c{number:07x}")),
    ];
    Shown {
        id: format!("snap-c{number:07x}"),
        owner: OURS.to_owned(),
        state: State::Completed,
        start: day(start),
        key: KeyLife::Alive,
        tags: tags.into_iter().collect(),
        database: None,
    }
}

impl Shown {
    pub(crate) fn tag(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.tags.insert(key, value.into());
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.tags.remove(key);
        self
    }

    pub(crate) fn of_policy(self, name: &str) -> Self {
        self.tag("snapferry:policy", name)
    }

    pub(crate) fn volume(self, number: u32) -> Self {
        self.tag("snapferry:source-volume", format!("vol-{number:08x}"))
    }

    pub(crate) fn under(mut self, key: KeyLife) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// With another verdict, given so many days from now.
    pub(crate) fn judged(self, status: &str, settled: i64) -> Self {
        let state = if status == "failed" { State::Error } else { State::Completed };
        self.tag("snapferry:status", status).tag("snapferry:settled-at", day(settled).to_string()).state(state)
    }

    /// Another snapshot with the same tags, started so many days from now.
    pub(crate) fn renumbered(mut self, number: u32, start: i64) -> Self {
        self.id = format!("snap-c{number:07x}");
        self.tags.insert("snapferry:copy", self.id.clone());
        self.start = day(start);
        self
    }

    pub(crate) fn of_source(self, number: u32) -> Self {
        self.tag("snapferry:source-snapshot", format!("snap-5{number:07x}"))
    }
}

/// What a Region with these snapshots is read as.
pub(crate) fn vault(shown: &[Shown]) -> Copies {
    let mut inventory = Inventory::default();
    shown.iter().filter_map(described).for_each(|snapshot| inventory.add(snapshot));
    let mut copies = inventory.close();
    let gone = CallError { code: "NotFoundException".to_owned(), ..CallError::not_read() };
    let facts =
        [KeyFact::Usable, KeyFact::Unusable(KeyProblem::Disabled), KeyFact::Unusable(KeyProblem::NotFound(gone))];
    copies.note_keys(facts.into_iter().map(|fact| (key_named(fact.life()).into_boxed_str(), fact)).collect());
    copies
}

/// A key that stands for what has become of it.
pub(crate) fn key_named(life: KeyLife) -> String {
    format!("arn:aws:kms:{REGION}:{OURS}:key/{}", format!("{life:?}").to_lowercase())
}

fn described(shown: &Shown) -> Option<DescribedCopy> {
    if let Some(database) = shown.database {
        return databases::described(shown, database);
    }
    let id = SnapshotId::parse(&shown.id).unwrap();
    Some(DescribedCopy {
        owner: AccountId::parse(&shown.owner).ok(),
        state: shown.state,
        state_message: String::new(),
        encrypted: true,
        kms_key: Some(key_named(shown.key)),
        size_gib: 8,
        start_time: shown.start,
        tags: ReadTags::read(&id, shown.tags.iter().map(|(key, value)| (*key, value.as_str()))),
        lock: None,
        description: Box::default(),
        database: None,
        id,
    })
}

pub(crate) fn facts(shown: &[Shown]) -> Facts {
    regions([(REGION, Ok(vault(shown)))])
}

pub(crate) fn regions<const N: usize>(regions: [(&str, Result<Copies, CallError>); N]) -> Facts {
    let regions = regions.into_iter().map(|(code, vault)| (region(code), vault)).collect();
    let homes = HOMES.map(region).into();
    let retired_policies = [PolicyName::parse("retired").unwrap()].into();
    Facts { account: AccountId::parse(OURS).ok(), homes, retired_policies, regions }
}

/// The policy `default` with a target in [`REGION`]; `rule` is its RetainRule beyond the interval.
pub(crate) fn policies(rule: &str) -> Vec<Policy> {
    // Compiling a regex takes longer than all that the laws do with the policy.
    static PLAIN: LazyLock<Vec<Policy>> = LazyLock::new(|| retaining(""));
    if rule.is_empty() { PLAIN.clone() } else { retaining(rule) }
}

/// The plain policy and one called `other` that is the same.
pub(crate) fn two_policies() -> Vec<Policy> {
    let [default] = policies("").try_into().unwrap();
    let other = Policy { name: PolicyName::parse("other").unwrap(), ..default.clone() };
    vec![default, other]
}

/// The plain policy with another `KeepAtLeast`.
pub(crate) fn keeping(keep_at_least: usize) -> Vec<Policy> {
    let mut policies = policies("");
    let rule = policies[0].targets[0].retain.as_mut().unwrap();
    rule.keep_at_least = u32::try_from(keep_at_least).unwrap();
    policies
}

fn retaining(rule: &str) -> Vec<Policy> {
    policies_with(&format!(", \"RetainRule\": {{\"Interval\": 30, \"IntervalUnit\": \"DAYS\"{rule}}}"))
}

pub(crate) fn policies_with(target: &str) -> Vec<Policy> {
    let document = format!(
        "{{\"PolicyType\": \"EVENT_BASED_POLICY\", \"EventSource\": {{\"Type\": \"MANAGED_CWE\", \"Parameters\": \
         {{\"EventType\": \"shareSnapshot\", \"SnapshotOwner\": [\"111111111111\"]}}}}, \"Actions\": [{{\"Name\": \"copy\", \
         \"CrossRegionCopy\": [{{\"Target\": \"{REGION}\", \"EncryptionConfiguration\": {{\"Encrypted\": true}}{target}}}]}}]}}"
    );
    policy::parse(&document).unwrap().policies
}

/// Of `snap-c0000007` 7.
pub(crate) fn number(id: &SnapshotId) -> u32 {
    u32::from_str_radix(&id.as_str()["snap-c".len()..], 16).unwrap()
}

/// The numbers of the copies that go, in order, and of those that stay with the reasons.
pub(crate) fn told(plan: &Plan<'_>) -> (Vec<u32>, Vec<String>) {
    let gone = plan.deletions.iter().map(|deletion| number(&deletion.copy.id)).collect();
    let kept = plan.kept.iter().map(|kept| match (&kept.keep, kept.keep.copy()) {
        (_, Some(copy)) => format!("{} {}", number(&copy.id), kept.keep.reason()),
        (snapferry_core::expiring::Keep::MalformedTags(copy), _) => format!("{} malformed-tags", number(&copy.id)),
        (keep, None) => format!("{} {}", kept.region, keep.reason()),
    });
    (gone, kept.collect())
}

/// Decides on these snapshots under the plain policy.
pub(crate) fn outcome(shown: &[Shown]) -> (Vec<u32>, Vec<String>) {
    told(&decide(&policies(""), &facts(shown), LIMITS, now()))
}
