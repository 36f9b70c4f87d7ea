//! The decision over all Regions, and the guard over it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::claims::Claims;
use super::plan::{Kept, Plan};
use super::reasons::Keep;
use super::{guard, survivors};
use crate::facts::{CallError, Copies};
use crate::ids::{AccountId, PolicyName, Region};
use crate::policy::Policy;

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account; owners are not compared with it when it is not known.
    pub account: Option<AccountId>,
    /// This home and the retired ones: other homes' copies are neither deleted nor counted.
    pub homes: BTreeSet<Region>,
    /// Policies whose document is gone and whose copies expire all the same.
    pub retired_policies: BTreeSet<PolicyName>,
    /// The copies in each Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Copies, CallError>>,
}

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `SNAPFERRY_MAX_DELETES_PER_RUN`.
    pub max_deletes: usize,
    /// `SNAPFERRY_ALLOW_MASS_EXPIRY`: lifts the [`guard`](Alarm) altogether.
    pub allow_mass_expiry: bool,
}

/// Decides for every copy whose time is over. What could not be read is not touched.
#[must_use]
pub fn decide<'f>(policies: &[Policy], facts: &'f Facts, limits: Limits, now: Timestamp) -> Plan<'f> {
    let mut plan = Plan::default();
    let mut census = guard::Census::default();
    for (region, vault) in &facts.regions {
        match vault {
            Ok(vault) => {
                let account = facts.account.as_ref();
                let (homes, retired) = (&facts.homes, &facts.retired_policies);
                let claims = Claims::of(vault, account, homes);
                let scene = survivors::Scene { policies, retired, account, homes, region, now, claims };
                survivors::judge(&scene, vault, &mut plan, &mut census);
            }
            Err(error) => plan.kept.push(Kept { region, keep: Keep::RegionUnread(error) }),
        }
    }
    plan.deletions.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    if !plan.deletions.is_empty() && !limits.allow_mass_expiry {
        plan.alarm = census.alarm(now, plan.deletions.len());
    }
    if plan.alarm.is_some() {
        plan.deletions.clear();
    }
    plan
}
