//! Snapshots of databases, for the commands that look at them beside those of volumes.

use snapferry_aws::rds::{self, RdsClients};
use snapferry_core::facts::{CallError, DescribedCopy, SourceSnapshot};
use snapferry_core::ids::{AccountId, PolicyName, Region};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{Kind, Usage};
use snapferry_core::recovery::Content;

use crate::account::connection::Account;

/// What the commands read of databases: the kinds that a policy names, or may have named.
pub(crate) struct Databases {
    clients: RdsClients,
    kinds: Vec<Kind>,
}

impl Databases {
    /// In `account`'s home Region and the policies' targets.
    pub(crate) fn new(account: &Account, policies: &[Policy]) -> Self {
        let named = |kind: &Kind| policies.iter().any(|policy| policy.source_types.contains(&kind.source_type()));
        Self::of(account, policies, Kind::ALL.into_iter().filter(named).collect())
    }

    /// The same, of which there may be copies: of either kind where one is named, because a policy may have named the other, and of
    /// policies that are `retired` nobody knows what they named.
    pub(crate) fn besides(account: &Account, policies: &[Policy], retired: &[PolicyName]) -> Self {
        let kinds = if are_named(policies) || !retired.is_empty() { Kind::ALL.to_vec() } else { Vec::new() };
        Self::of(account, policies, kinds)
    }

    /// Of both kinds, whatever the policies name.
    pub(crate) fn of_all_kinds(account: &Account, policies: &[Policy]) -> Self {
        Self::of(account, policies, Kind::ALL.to_vec())
    }

    fn of(account: &Account, policies: &[Policy], kinds: Vec<Kind>) -> Self {
        let regions = policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.clone());
        let clients = RdsClients::new(account.config.clone(), account.home.clone(), regions);
        Self { clients, kinds }
    }

    /// Whether a policy names some.
    pub(crate) fn are_copied(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// The kinds that a policy names.
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// How many manual snapshots of a kind there are and may be in `region`.
    ///
    /// # Errors
    /// When RDS did not say.
    pub(crate) async fn usage(&self, region: &Region, kind: Kind) -> Result<Usage, CallError> {
        rds::usage(&self.clients, region, kind).await
    }

    /// What `owners` share.
    ///
    /// # Errors
    /// The first call that failed.
    pub(crate) async fn shared(&self, owners: &[AccountId]) -> Result<Vec<SourceSnapshot>, CallError> {
        rds::shared_by(&self.clients, &self.kinds, owners).await
    }

    /// Hands over each copy in `region`.
    ///
    /// # Errors
    /// The first call that failed.
    pub(crate) async fn for_each_copy(
        &self,
        region: &Region,
        mut take: impl FnMut(DescribedCopy),
    ) -> Result<(), CallError> {
        self.for_each_copy_with_content(region, |copy, _, _| take(copy)).await
    }

    /// The same, with what its content is, and of which database.
    ///
    /// # Errors
    /// The first call that failed.
    pub(crate) async fn for_each_copy_with_content(
        &self,
        region: &Region,
        mut take: impl FnMut(DescribedCopy, Content, &str),
    ) -> Result<(), CallError> {
        rds::for_each_copy(&self.clients, &self.kinds, region, |copy, own| {
            let content = match own.arn.kind {
                Kind::Instance => Content::Instance,
                Kind::Cluster => Content::Cluster {
                    engine: own.engine.unwrap_or_default(),
                    version: own.engine_version.unwrap_or_default(),
                },
            };
            take(copy, content, own.database.as_deref().unwrap_or_default());
        })
        .await
    }
}

/// Whether a policy names snapshots of databases.
pub(crate) fn are_named(policies: &[Policy]) -> bool {
    Kind::ALL.iter().any(|kind| policies.iter().any(|policy| policy.source_types.contains(&kind.source_type())))
}
