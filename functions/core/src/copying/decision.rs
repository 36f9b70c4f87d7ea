//! One decision: about what, what is to be done, and why.

use jiff::Timestamp;

use super::{CopyRequest, Deferral, Refusal, Skip};
use crate::event::ShareEvent;
use crate::facts::SourceSnapshot;
use crate::ids::{PolicyName, Region};
use crate::ledger::Identity;
use crate::standing::Standing;

/// The snapshot that a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'f> {
    /// As EC2 describes it.
    Seen(&'f SourceSnapshot),
    /// Known from an event only.
    Named(&'f ShareEvent),
    /// No single snapshot.
    All,
}

/// One decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'f> {
    /// The policy that it follows from; `None` when it holds for all.
    pub policy: Option<&'f PolicyName>,
    /// The snapshot.
    pub subject: Subject<'f>,
    /// The target Region; `None` when it holds for all.
    pub region: Option<&'f Region>,
    /// What is to be done.
    pub verdict: Verdict<'f>,
    /// How the identity stands before that is done; `None` where the decision is about none, or its copies are not known.
    pub stands: Option<Stands>,
}

/// What is to be done with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// Ask EC2 for a copy.
    Copy(CopyRequest<'f>),
    /// Nothing.
    Skip(Skip<'f>),
    /// Nothing now.
    Defer(Deferral),
    /// Nothing until somebody repairs something.
    Refuse(Refusal<'f>),
}

impl Verdict<'_> {
    /// Whether there is no copy and nothing that holds one up for a while: only a request is missing, or what it needs. A sweep leaves
    /// those whose source is older than its retention.
    #[must_use]
    pub fn is_of_no_copy(&self) -> bool {
        matches!(
            self,
            Self::Copy(_) | Self::Defer(Deferral::KeyUnread(_)) | Self::Refuse(Refusal::Key(..) | Refusal::Source(..))
        )
    }
}

impl<'f> Decision<'f> {
    /// Of what is known from an event only.
    #[must_use]
    pub fn of_event(event: &'f ShareEvent, verdict: Verdict<'f>) -> Self {
        Self { policy: None, subject: Subject::Named(event), region: None, verdict, stands: None }
    }

    /// Of what is shared, or a part of it.
    #[must_use]
    pub fn of_sources(deferral: Deferral) -> Self {
        Self { policy: None, subject: Subject::All, region: None, verdict: Verdict::Defer(deferral), stands: None }
    }

    pub(super) fn of_region(region: &'f Region, verdict: Verdict<'f>) -> Self {
        Self { policy: None, subject: Subject::All, region: Some(region), verdict, stands: None }
    }

    /// What it is about, where that is one copy that a policy wants or may want.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let Subject::Seen(source) = self.subject else { return None };
        let (policy, region) = (self.policy?.clone(), self.region?.clone());
        Some(Identity { policy, source: source.id.clone(), region })
    }

    /// For what is said once a day and not at every sweep: a text that names the fact.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let (reason, about) = match &self.verdict {
            Verdict::Refuse(refusal @ Refusal::AttemptsExhausted { last, .. }) => {
                (refusal.reason().name(), last.as_str())
            }
            Verdict::Refuse(refusal @ Refusal::Source(source, _)) => (refusal.reason().name(), source.as_str()),
            Verdict::Refuse(refusal @ Refusal::MalformedTags(copy)) => (refusal.reason().name(), copy.id.as_str()),
            Verdict::Refuse(refusal @ Refusal::KeyOfCopies(key)) => (refusal.reason().name(), key.key),
            Verdict::Skip(skip @ Skip::Duplicate(copies)) => (skip.reason().name(), copies.first()?.id.as_str()),
            _ => return None,
        };
        Some(format!("{reason} {} {about}", self.region?))
    }
}

/// How an identity stands, and since when it is so if it is not protected: since it is wanted. Where the ledger does not say, what
/// has its first copy under way counts from that copy's start, all else from the start of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    /// How.
    pub standing: Standing,
    /// Since when.
    pub since: Timestamp,
}
