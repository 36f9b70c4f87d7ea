//! One identity and how it stands, and how many stand how.

use jiff::{SignedDuration, Timestamp};

use crate::facts::{Copy, HeldLock, KeyLife, Lineage, SourceSnapshot};
use crate::ids::{AccountId, PolicyName, Region};
use crate::ledger::{Entry, Owed};
use crate::standing::{Standing, Weighed, weigh};
use crate::tags::Proof;

/// One identity: a snapshot, a policy that wants it or wanted it, and a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'f> {
    /// The home Region: where the source is or was shared.
    pub home: &'f Region,
    /// The policy.
    pub policy: &'f PolicyName,
    /// The target Region.
    pub region: &'f Region,
    /// How it stands.
    pub standing: Standing,
    /// The shared snapshot; none when it is history: no longer shared, or no longer wanted.
    pub source: Option<&'f SourceSnapshot>,
    /// The copy that decides: the best live one, else the one that failed last.
    pub copy: Option<&'f Copy>,
    /// The lock that EC2 holds on it.
    pub lock: Option<HeldLock>,
    /// What was proven of its content.
    pub proof: Option<&'f Proof>,
    /// How many copies there are, failed ones included.
    pub copies: usize,
    /// What the ledger says of it.
    pub entry: Option<Entry<'f>>,
}

impl<'f> Row<'f> {
    /// How an identity with these copies stands; the source, the lock, the proof and the ledger's entry are filled in by the
    /// caller.
    pub(super) fn of(home: &'f Region, policy: &'f PolicyName, region: &'f Region, copies: &[&'f Copy]) -> Self {
        let Weighed { standing, copy, .. } = weigh(copies.iter().copied());
        let (source, lock, proof, entry) = (None, None, None, None);
        Self { home, policy, region, standing, source, copy, lock, proof, copies: copies.len(), entry }
    }

    /// The source's ID.
    #[must_use]
    pub fn snapshot(&self) -> &'f str {
        let copied = || self.copy.map(|copy| copy.source.as_str());
        let owed = || self.owed().map(|owed| owed.source.as_str());
        self.source.map(|source| source.id.as_str()).or_else(copied).or_else(owed).unwrap_or_default()
    }

    /// What the owner of a database's snapshot calls it, while it is shared or the ledger knows it.
    #[must_use]
    pub fn arn(&self) -> Option<&'f str> {
        let owed = || self.owed().and_then(|owed| owed.arn.as_deref());
        self.source.and_then(SourceSnapshot::arn).or_else(owed)
    }

    /// The source's owner, as EC2 says, or the copy's tags, or the ledger.
    #[must_use]
    pub fn account(&self) -> Option<&'f str> {
        let copied = || self.copy.and_then(|copy| copy.origin.account.as_ref()).map(AccountId::as_str);
        let owed = || self.owed().map(|owed| owed.account.as_str());
        self.source.map(|source| source.owner.as_str()).or_else(copied).or_else(owed)
    }

    /// The source's lineage, as EC2 says, or where that is a filler, the copy's tags; else the ledger.
    #[must_use]
    pub fn lineage(&self) -> Option<&'f str> {
        let shared = self.source.map(|source| &source.volume);
        let copied = || self.copy.and_then(|copy| copy.lineage.as_ref());
        let owed = || self.owed().map(|owed| &owed.lineage);
        shared.filter(|volume| !volume.is_filler()).or_else(copied).or(shared).or_else(owed).map(Lineage::as_str)
    }

    /// Whether there is a copy of which nobody named the lineage.
    #[must_use]
    pub fn is_lineage_unknown(&self) -> bool {
        self.copy.is_some_and(Copy::is_lineage_unknown)
    }

    /// Whether the copy would count, were its key not gone or about to be deleted.
    #[must_use]
    pub fn is_lost_with_its_key(&self) -> bool {
        self.copy.is_some_and(|copy| copy.origin.life == KeyLife::Doomed && !copy.has_failed())
    }

    /// When the source was started, as EC2 says, or the copy's tags, or the ledger.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        let copied = || self.copy.and_then(|copy| copy.source_start_time.get());
        let owed = || self.owed().map(|owed| owed.start);
        self.source.map(|source| source.start_time).or_else(copied).or_else(owed)
    }

    /// What the ledger owes, or says that it was missed.
    #[must_use]
    pub fn owed(&self) -> Option<&'f Owed> {
        match self.entry {
            Some(Entry::Owed(owed)) => Some(owed),
            Some(Entry::Protected(_)) | None => None,
        }
    }

    /// Whether the source went before there was a good copy, as the ledger tells for a week.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        !self.is_shared() && self.standing != Standing::Protected && self.owed().is_some_and(Owed::is_missed)
    }

    /// Whether nothing is known of it but that the ledger owes it: the source is not among what is shared and wanted now.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.source.is_none() && self.copy.is_none() && !self.is_missed()
    }

    /// How it stands, in one name for machines.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match () {
            () if self.is_missed() => "missed",
            () if self.is_unseen() => "owed",
            () => self.standing.as_str(),
        }
    }

    /// Whether the source is still shared and wanted.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.source.is_some()
    }

    /// Whether somebody has to look at it. What is no longer shared cannot be copied again: it is history, but for what was
    /// missed.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        (self.is_shared() && self.standing.is_finding()) || self.is_missed()
    }

    /// Since when it is, or was, to be protected: since its copy is wanted, as the ledger says; where it does not, since the source
    /// was started.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.entry.map(|entry| entry.wanted()).or_else(|| self.started())
    }

    /// From when it was to be protected to the verdict.
    #[must_use]
    pub fn time_to_protect(&self) -> Option<SignedDuration> {
        let copy = self.copy.filter(|_| self.standing == Standing::Protected)?;
        let settled = copy.settled_at.get()?;
        // Wanted anew after its verdict: that says nothing of how long this copy took.
        let since = self.since().filter(|since| *since <= settled).or_else(|| self.started())?;
        Some(settled.duration_since(since))
    }
}

/// How many identities stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Shared, copies failed or rejected.
    pub failed: usize,
    /// Shared, no copy.
    pub missing: usize,
    /// Shared, a copy under way.
    pub in_flight: usize,
    /// Shared and protected.
    pub protected: usize,
    /// No longer shared or wanted, and still protected.
    pub history: usize,
    /// No longer shared or wanted, without a good copy.
    pub lost: usize,
    /// No longer shared, and told as missed within a week. Nothing where the ledger was not read.
    pub missed: usize,
    /// Owed, and not among what is shared and wanted. Nothing where the ledger was not read.
    pub unseen: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, row: &Row<'_>) {
        *(match (row.is_shared(), row.standing) {
            (true, Standing::Failed) => &mut self.failed,
            (true, Standing::Missing) => &mut self.missing,
            (true, Standing::InFlight) => &mut self.in_flight,
            (true, Standing::Protected) => &mut self.protected,
            (false, Standing::Protected) => &mut self.history,
            (false, _) if row.is_missed() => &mut self.missed,
            (false, _) if row.is_unseen() => &mut self.unseen,
            (false, _) => &mut self.lost,
        }) += 1;
    }

    /// How many are to be looked at.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.failed + self.missing + self.missed
    }

    /// How many identities are shared.
    #[must_use]
    pub fn shared(&self) -> usize {
        self.failed + self.missing + self.in_flight + self.protected
    }
}
