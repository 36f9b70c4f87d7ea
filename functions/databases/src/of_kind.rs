//! What the functions have of each kind of snapshot by itself.

use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::ledger::Table;
use snapferry_aws::rds::RdsClients;
use snapferry_aws::settings;
use snapferry_core::ids::Region;
use snapferry_core::policy::{Policy, of_kind};
use snapferry_core::rds::Kind;

/// One kind's policies, clients and audit. Its metrics stand in a namespace of its own: what one kind says must not hide that the other
/// says nothing.
pub(crate) struct OfKind {
    pub(crate) kind: Kind,
    pub(crate) policies: Vec<Policy>,
    pub(crate) rds: RdsClients,
    pub(crate) audit: Audit,
}

impl OfKind {
    /// For `kind`, in the home Region and `regions`.
    pub(crate) fn new(
        kind: Kind,
        policies: &[Policy],
        clients: &Clients,
        regions: impl IntoIterator<Item = Region>,
    ) -> anyhow::Result<Self> {
        let name = match kind {
            Kind::Instance => "instances",
            Kind::Cluster => "clusters",
        };
        Ok(Self {
            kind,
            policies: of_kind(policies, kind.source_type()),
            rds: RdsClients::new(clients.config().clone(), clients.home.clone(), regions),
            audit: Audit::of_kind(kind.source_type(), name)?,
        })
    }
}

/// The ledger of a kind: what waits for one of RDS's 5 copies of clusters must not hold up what waits for one of 20 of instances.
pub(crate) fn ledger(kind: Kind, clients: &Clients) -> anyhow::Result<Table> {
    let name = match kind {
        Kind::Instance => settings::ledger()?,
        Kind::Cluster => settings::cluster_ledger()?,
    };
    Ok(Table::new(clients.config(), name))
}
