//! For how long an owner may share nothing before somebody must look.

use std::collections::{BTreeMap, BTreeSet};

use super::hours::Hours;
use super::path::{Path, Problem};
use super::{Policy, PolicyState, accounts};
use crate::ids::AccountId;
use crate::kind::SourceType;

/// The most hours of `SilentAfterHours`: a year.
const MAX_HOURS: i64 = 8760;

/// After how many hours without a wanted snapshot `owner` counts as silent; nothing: never.
///
/// Its own hours in an enabled policy come before `otherwise`, the fewest of them where several policies name it; 0 is never.
#[must_use]
pub fn silent_after(policies: &[Policy], owner: &AccountId, otherwise: u32) -> Option<u32> {
    let enabled = policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let own: Vec<u32> = enabled.filter_map(|policy| policy.silent_after_hours.get(owner)).copied().collect();
    if own.is_empty() {
        return Some(otherwise).filter(|hours| *hours > 0);
    }
    own.into_iter().filter(|hours| *hours > 0).min()
}

/// Whether `owner`, of which nothing of this kind was ever seen, is silent: a policy that names it is about this kind and no other but
/// those of which nothing was ever seen of it either. One of several kinds need not have each of them.
#[must_use]
pub fn has_to_share(policies: &[Policy], owner: &AccountId, unheard: &BTreeSet<SourceType>) -> bool {
    policies.iter().any(|policy| {
        let others = policy.source_types.iter().filter(|kind| !unheard.contains(kind));
        policy.state == PolicyState::Enabled && policy.owners.contains(owner) && others.count() <= 1
    })
}

/// Reads `SilentAfterHours` at `path`, whose members are some of the policy's owners.
pub(super) fn check(
    hours: Hours,
    owners: &BTreeSet<AccountId>,
    path: &Path,
) -> Result<BTreeMap<AccountId, u32>, Problem> {
    let each = |(owner, hours): (String, i64)| {
        let path = path.member(&owner);
        let account = accounts::account(&owner.into(), &path)?;
        if !owners.contains(&account) {
            return Err(path.wrong("no SnapshotOwner of this policy", "some of its SnapshotOwner"));
        }
        let hours = u32::try_from(hours).ok().filter(|_| hours <= MAX_HOURS);
        let hours = hours.ok_or_else(|| path.wrong("not within a year", "0 to 8760 hours, 0 being never"))?;
        Ok((account, hours))
    };
    hours.0.into_iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(hours: [(&str, &str); 3]) -> Vec<Policy> {
        let policy = |(index, (state, hours)): (usize, (&str, &str))| {
            format!(
                r#"{{"Policy": {{"PolicyId": "p{index}", "State": "{state}", "PolicyDetails": {{"PolicyType": "EVENT_BASED_POLICY",
                    "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {{"EventType": "shareSnapshot",
                        "SnapshotOwner": ["111111111111", "222222222222"], "SilentAfterHours": {hours}}}}},
                    "Actions": [{{"Name": "copy", "CrossRegionCopy": []}}]}}}}}}"#
            )
        };
        let all: Vec<String> = hours.into_iter().enumerate().map(policy).collect();
        crate::policy::parse(&format!("[{}]", all.join(","))).unwrap().policies
    }

    #[test]
    fn each_owner_has_its_own_hours() {
        let owner = AccountId::parse("111111111111").unwrap();
        let named = |hours: u32| format!(r#"{{"111111111111": {hours}, "222222222222": 1}}"#);
        let never = named(0);
        for (first, second, disabled, otherwise, expected) in [
            ("null", "{}", named(5), 48, Some(48)),
            ("null", "{}", named(5), 0, None),
            (&named(200), "null", named(5), 48, Some(200)),
            (&named(200), &named(30), named(5), 0, Some(30)),
            (&never, "null", named(5), 48, None),
            (&never, &named(30), named(5), 48, Some(30)),
            (&never, &never, named(5), 48, None),
        ] {
            let policies = policies([("ENABLED", first), ("ERROR", second), ("DISABLED", &disabled)]);
            assert_eq!(silent_after(&policies, &owner, otherwise), expected, "{first} {second} {otherwise}");
        }
    }
}
