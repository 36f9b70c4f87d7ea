//! Who is an owner, and what becomes of those who are owners until now.

use std::collections::BTreeSet;
use std::fmt;

use snapferry_core::ids::AccountId;

use super::accounts::Listed;
use super::units::Unit;

/// Which accounts are wanted.
#[derive(Debug)]
pub(crate) struct Wish<'w> {
    pub(crate) target: &'w AccountId,
    /// Of all units when it is empty.
    pub(crate) units: &'w [Unit],
    pub(crate) exclude: &'w [AccountId],
    pub(crate) exclude_management: bool,
    /// Owners that stay whatever the list says of them.
    pub(crate) keep: &'w [AccountId],
}

/// Why an account is no owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    Target,
    Management,
    Excluded,
    /// Organizations' word for its state.
    State(String),
    OtherUnit,
    NotListed,
}

/// An account, with its name if it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) account: AccountId,
    pub(crate) name: Option<String>,
}

/// The owners, and what is different.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Those who stay, in their order, and behind them those who are added.
    pub(crate) owners: Vec<AccountId>,
    pub(crate) added: Vec<Member>,
    pub(crate) removed: Vec<(Member, Reason)>,
    /// Who stays because the wish says so, and would not otherwise.
    pub(crate) kept: Vec<(Member, Reason)>,
    /// Who is listed, was no owner and becomes none.
    pub(crate) left_out: Vec<(Member, Reason)>,
    /// How many owners there are until now, each once.
    pub(crate) until_now: usize,
}

impl Change {
    /// Decides about each account.
    ///
    /// # Errors
    /// When the list does not say what the wish asks for, or nothing is in one of its units: then it is most likely not the unit that
    /// was meant.
    pub(crate) fn new(until_now: &[AccountId], listed: &[Listed], wish: &Wish<'_>) -> anyhow::Result<Self> {
        wish.check(until_now, listed)?;
        let before: BTreeSet<&AccountId> = until_now.iter().collect();
        let member = |account: &Listed| Member { account: account.id.clone(), name: Some(account.name.clone()) };
        let (mut added, mut removed, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for account in listed {
            match (wish.against(account), before.contains(&account.id)) {
                (None, true) => {}
                (None, false) => added.push(member(account)),
                (Some(reason), true) => removed.push((member(account), reason)),
                (Some(reason), false) => left_out.push((member(account), reason)),
            }
        }
        let is_listed = |owner: &AccountId| listed.iter().any(|account| account.id == *owner);
        let gone = before.iter().filter(|owner| !is_listed(owner));
        removed.extend(gone.map(|owner| {
            let is_excluded = wish.exclude.contains(owner);
            let reason = if is_excluded { Reason::Excluded } else { Reason::NotListed };
            (Member { account: (*owner).clone(), name: None }, reason)
        }));
        let (kept, removed): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|(member, _)| wish.keep.contains(&member.account));
        let is_removed = |owner: &&AccountId| removed.iter().any(|(member, _)| member.account == **owner);
        let stay = until_now.iter().filter(|owner| !is_removed(owner));
        let owners = stay.chain(added.iter().map(|member| &member.account)).cloned().collect();
        Ok(Self { owners, added, removed, kept, left_out, until_now: before.len() })
    }

    /// Why the change is not made: it would remove more than so many percent of the owners, or leave none.
    pub(crate) fn refused(&self, most_removed: u8) -> Option<String> {
        let (removed, all) = (self.removed.len(), self.until_now);
        if self.owners.is_empty() && all > 0 {
            return Some("no owner would be left, and the policy would copy nothing".to_owned());
        }
        (removed * 100 > all * usize::from(most_removed)).then(|| {
            format!(
                "{removed} of {all} owners would be removed, which is more than {most_removed} %; if that is right, say so with \
                 --most-removed {}",
                (removed * 100).div_ceil(all)
            )
        })
    }
}

impl Wish<'_> {
    fn check(&self, until_now: &[AccountId], listed: &[Listed]) -> anyhow::Result<()> {
        let is_listed = |id: &AccountId| listed.iter().any(|account| account.id == *id);
        if let Some(id) = self.exclude.iter().find(|id| !is_listed(id) && !until_now.contains(id)) {
            anyhow::bail!("--exclude: {id} is neither in the organization nor an owner until now; check its number");
        }
        for id in self.keep {
            anyhow::ensure!(until_now.contains(id), "--keep: {id} is no owner until now; check its number");
            let is_left_out = self.exclude.contains(id) || id == self.target;
            anyhow::ensure!(!is_left_out, "--keep: {id} is the target account or excluded, and cannot be kept, too");
        }
        if self.exclude_management {
            let is_known = listed.iter().all(|account| account.management.is_some());
            anyhow::ensure!(
                is_known,
                "--exclude-management: the accounts have no ARN, which names the management account"
            );
        }
        for unit in self.units {
            if let Some(account) = listed.iter().find(|account| account.paths.is_none()) {
                anyhow::bail!(
                    "--ou: {} has no Paths, so nothing says in which unit it is (list again with a newer AWS CLI, or with --live)",
                    account.id
                );
            }
            anyhow::ensure!(
                listed.iter().any(|account| account.is_in(unit)),
                "--ou: no account is in {unit}; check its ID"
            );
        }
        Ok(())
    }

    /// Why the account is no owner.
    fn against(&self, account: &Listed) -> Option<Reason> {
        if account.id == *self.target {
            return Some(Reason::Target);
        }
        if self.exclude.contains(&account.id) {
            return Some(Reason::Excluded);
        }
        if self.exclude_management && account.management.as_ref() == Some(&account.id) {
            return Some(Reason::Management);
        }
        if let Some(state) = &account.out_of_use {
            return Some(Reason::State(state.clone()));
        }
        let is_in_one = self.units.is_empty() || self.units.iter().any(|unit| account.is_in(unit));
        (!is_in_one).then_some(Reason::OtherUnit)
    }
}

impl Listed {
    fn is_in(&self, unit: &Unit) -> bool {
        self.paths.iter().flatten().any(|path| unit.is_on(path))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Target => "the target account",
            Self::Management => "the management account",
            Self::Excluded => "excluded",
            Self::State(state) => state,
            Self::OtherUnit => "in another organizational unit",
            Self::NotListed => "not in the organization",
        })
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} {name:?}", self.account),
            None => self.account.fmt(f),
        }
    }
}
