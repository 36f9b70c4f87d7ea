//! The stack's ledger, as far as these credentials may read it: what is owed, and why it waits.

use std::collections::BTreeSet;

use anyhow::Context as _;
use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_aws::errors::call_error;
use snapferry_aws::ledger::Table;
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::{Extract, Obligation, Shard};
use snapferry_core::policy::{Policy, SourceType};

use crate::account::connection::{Account, words};

/// The stack's output that names the table.
const OUTPUT: &str = "LedgerTable";
/// Those of the tables of databases, where the stack copies them.
const OF_DATABASES: [&str; 2] = ["InstanceLedgerTable", "ClusterLedgerTable"];
/// The variable that names it to the functions.
const VARIABLE: &str = "SNAPFERRY_LEDGER";

/// Which ledger.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Ledger {
    /// The ledger's table: say what is owed, too, and why it waits (may be repeated: those of databases) [default: SNAPFERRY_LEDGER]
    #[arg(long, value_name = "TABLE")]
    ledger: Vec<String>,
    /// The name of the deployed stack, to ask it for its ledger's table
    #[arg(long, value_name = "NAME", conflicts_with = "ledger")]
    stack: Option<String>,
}

/// What was read of it.
#[derive(Debug)]
pub(crate) enum Reading {
    /// All that was asked for.
    Read(Extract),
    /// Nothing, because no table was named.
    NotNamed,
    /// Nothing, for the reason that is given in a sentence.
    Failed(String),
}

/// Of which sources.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'s> {
    /// Of all.
    All,
    /// Of these.
    These(&'s [SnapshotId]),
}

impl Ledger {
    /// Reads it, as it stands at `now`, and shows each obligation to `see`. What cannot be read ends nothing: EC2 is the truth about
    /// copies, and says most. Each kind of snapshots that `policies` name has a table of its own, and one that is not named is as one
    /// that cannot be read.
    pub(crate) async fn read(
        &self,
        account: &Account,
        policies: &[Policy],
        of: Of<'_>,
        now: Timestamp,
        mut see: impl FnMut(&Obligation),
    ) -> Reading {
        let tables = match self.tables(account).await {
            Ok(tables) if tables.is_empty() => return Reading::NotNamed,
            Ok(tables) => tables,
            Err(error) => return Reading::Failed(format!("{error:#}; --ledger names its table")),
        };
        if let Some(incomplete) = self.incomplete(&tables, policies) {
            return Reading::Failed(incomplete);
        }
        let mut extract = Extract::default();
        for name in tables {
            if let Err(error) = read(account, &name, of, now, &mut see, &mut extract).await {
                return Reading::Failed(format!("the ledger {name} cannot be read: {}", words(&error)));
            }
        }
        Reading::Read(extract.close())
    }

    /// Reads those of several homes, whose stacks have the same name: a table's name says nothing of the others' tables.
    ///
    /// # Errors
    /// When one table is named for several homes.
    pub(crate) async fn read_all(
        &self,
        accounts: &[Account],
        policies: &[Policy],
        now: Timestamp,
    ) -> anyhow::Result<Vec<Reading>> {
        if let [account] = accounts {
            return Ok(vec![self.read(account, policies, Of::All, now, |_| ()).await]);
        }
        anyhow::ensure!(self.ledger.is_empty(), "--ledger names one home's table: for several --region give --stack");
        let each = accounts.iter().map(async |account| match &self.stack {
            Some(_) => self.read(account, policies, Of::All, now, |_| ()).await,
            None => Reading::NotNamed,
        });
        Ok(join_all(each).await)
    }

    /// Why what these tables say is not all that is owed, if that shows.
    fn incomplete(&self, tables: &[String], policies: &[Policy]) -> Option<String> {
        let kinds: BTreeSet<SourceType> = policies.iter().flat_map(|policy| &policy.source_types).copied().collect();
        let named: BTreeSet<&String> = tables.iter().collect();
        if named.len() >= kinds.len() {
            return None;
        }
        let kinds = kinds.into_iter().map(SourceType::as_str).collect::<Vec<_>>().join(", ");
        let named = named.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(match &self.stack {
            Some(stack) => format!(
                "the policies name {kinds}, and the stack {stack} has no ledgers of databases: deploy it with Databases=true"
            ),
            None => format!(
                "the policies name {kinds}, each of which has a ledger of its own, and named is {named}: --stack finds all of them, or \
                 --ledger names each (the stack's outputs {OUTPUT}, {})",
                OF_DATABASES.join(", ")
            ),
        })
    }

    async fn tables(&self, account: &Account) -> anyhow::Result<Vec<String>> {
        let Some(stack) = self.stack.as_ref().filter(|_| self.ledger.is_empty()) else {
            let mut named = self.ledger.clone();
            if named.is_empty() {
                named.extend(std::env::var(VARIABLE));
            }
            named.retain(|name| !name.is_empty());
            return Ok(named);
        };
        let stacks = aws_sdk_cloudformation::Client::new(&account.config).describe_stacks().stack_name(stack).send();
        let stacks = stacks
            .await
            .map_err(|error| anyhow::anyhow!("the stack {stack} cannot be read: {}", words(&call_error(&error))))?;
        let outputs = || stacks.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::outputs);
        let named =
            |key| outputs().find(|output| output.output_key() == Some(key)).and_then(|output| output.output_value());
        let table = named(OUTPUT).with_context(|| format!("the stack {stack} has no output {OUTPUT}"))?;
        Ok(std::iter::once(table).chain(OF_DATABASES.into_iter().filter_map(named)).map(str::to_owned).collect())
    }
}

async fn read(
    account: &Account,
    name: &str,
    of: Of<'_>,
    now: Timestamp,
    see: &mut impl FnMut(&Obligation),
    extract: &mut Extract,
) -> Result<(), CallError> {
    let table = Table::with(aws_sdk_dynamodb::Client::new(&account.config), name);
    let shards: Vec<Shard> = match of {
        Of::All => vec![Shard::all()],
        Of::These(sources) => sources.iter().map(Shard::of).collect(),
    };
    for shard in &shards {
        let take = |obligation: Result<Obligation, String>| match obligation {
            Ok(obligation) => {
                see(&obligation);
                extract.add(&obligation, now);
            }
            Err(_) => extract.unreadable += 1,
        };
        table.look(shard, take).await?;
    }
    extract.hints.extend(table.hints().await?);
    if let Of::These(sources) = of {
        extract.hints.retain(|hint| sources.contains(&hint.source));
    }
    Ok(())
}

impl Reading {
    /// What there is to say of it besides what was read.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Read(extract) if extract.unreadable > 0 => Some(format!(
                "Items of the ledger that cannot be read and are left out: {}; the next sweep puts them right.",
                extract.unreadable
            )),
            Self::Read(_) => None,
            Self::NotNamed => Some(format!(
                "What is owed is not said, because the ledger was not read: --stack, --ledger or {VARIABLE} names it."
            )),
            Self::Failed(why) => Some(format!("What is owed is not said: {why}")),
        }
    }

    /// What was read.
    pub(crate) fn extract(&self) -> Option<&Extract> {
        match self {
            Self::Read(extract) => Some(extract),
            Self::NotNamed | Self::Failed(_) => None,
        }
    }

    /// What was read, to keep.
    pub(crate) fn into_extract(self) -> Option<Extract> {
        match self {
            Self::Read(extract) => Some(extract),
            Self::NotNamed | Self::Failed(_) => None,
        }
    }
}
