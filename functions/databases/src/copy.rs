//! Copies what is shared: each tick for both kinds at the same time.

use std::cell::OnceCell;

use futures_util::future::join_all;
use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::ledger::Table;
use snapferry_aws::rds::Databases;
use snapferry_aws::settings;
use snapferry_aws::world::Aws;
use snapferry_core::event::{self, Message};
use snapferry_core::facts::CallError;
use snapferry_core::ids::AccountId;
use snapferry_core::policy::SourceType;
use snapferry_core::rds::Kind;
use snapferry_flow::{Handled, Kept, Setup, Work, handle};
use snapferry_runtime::Failure;

use crate::of_kind::{OfKind, ledger};

/// What a sweep holds of each part that it reads, of which four are read at a time. RDS allows some hundreds of snapshots.
const RECORDS: usize = 20_000;

/// The function, and what it keeps from one invocation to the next.
pub(crate) struct Copier {
    clients: Clients,
    keys: KeyCache,
    since: Option<Timestamp>,
    silent_after_hours: u32,
    lines: Vec<Line>,
    /// The ledger of volumes, which the copier of volumes keeps.
    volumes: Table,
}

/// The copying of one kind.
struct Line {
    of: OfKind,
    ledger: Table,
    kept: Kept,
    /// Made at the first invocation, which names the account.
    setup: OnceCell<Setup>,
}

impl Copier {
    /// As the environment has it.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let parsed = settings::policies()?;
        let targets = settings::targets(&parsed.policies);
        let clients = Clients::of_function(targets.clone())?;
        let line = |kind| -> anyhow::Result<Line> {
            let of = OfKind::new(kind, &parsed.policies, &clients, targets.clone())?;
            Ok(Line { of, ledger: ledger(kind, &clients)?, kept: Kept::default(), setup: OnceCell::new() })
        };
        let lines = Kind::ALL.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
        if let Some(line) = lines.first() {
            let now = Timestamp::now();
            parsed.warnings.iter().for_each(|warning| line.of.audit.write(&warning.record(now)));
        }
        let (since, silent_after_hours) = (settings::sweep_since()?, settings::silent_owner_hours()?);
        let volumes = Table::new(clients.config(), settings::volume_ledger()?);
        Ok(Self { clients, keys: KeyCache::default(), since, silent_after_hours, lines, volumes })
    }

    /// Handles one tick: nothing tells of a share, so there are no events.
    ///
    /// # Errors
    /// What is no tick, and a tick for which a ledger or the home Region did not answer.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let work = work(&event.payload)?;
        let runs =
            self.lines.iter().map(async |line| failure(line.of.kind, self.run(line, &work, &event.context).await));
        match join_all(runs).await.into_iter().flatten().next() {
            Some(failure) => Err(failure),
            None => Ok(json!({})),
        }
    }

    async fn run(&self, line: &Line, work: &Work, context: &Context) -> Handled {
        let OfKind { kind, policies, rds, audit } = &line.of;
        let aws = Aws {
            clients: &self.clients,
            keys: &self.keys,
            ledger: &line.ledger,
            audit,
            policies,
            deadline: Deadline::from_epoch_ms(context.deadline),
        };
        let setup = line.setup.get_or_init(|| Setup {
            policies: policies.clone(),
            account: AccountId::of_arn(&context.invoked_function_arn),
            home: self.clients.home.clone(),
            since: self.since,
            records: RECORDS,
            silent_after_hours: self.silent_after_hours,
            retired_policies: self.clients.retired_policies.clone(),
            unserved: Vec::new(),
        });
        let other_lines = self.lines.iter().filter(|other| other.of.kind != *kind);
        let others = other_lines
            .map(|other| (other.of.kind.source_type(), &other.ledger))
            .chain([(SourceType::EbsSnapshot, &self.volumes)])
            .collect();
        // Boxed: the steps are futures in futures, deeper than the compiler lays out at once.
        Box::pin(handle(&Databases::new(aws, rds, *kind, others), setup, &line.kept, work)).await
    }
}

/// The tick that the input is.
fn work(input: &Value) -> Result<Work, Failure> {
    let refused = |message| Failure { kind: "InvalidEvent", message };
    match event::parse_input(input) {
        Ok(Message::Sweep { id }) => Ok(Work { sweeps: vec![id], ..Work::default() }),
        Ok(Message::Serve { id }) => Ok(Work { serves: vec![id], ..Work::default() }),
        Ok(_) => Err(refused("a tick expected: {\"sweep\": \"ID\"} or {\"serve\": \"ID\"}".to_owned())),
        Err(invalid) => Err(refused(invalid.to_string())),
    }
}

/// What the tick could not be done for.
fn failure(kind: Kind, handled: Handled) -> Option<Failure> {
    let unread = |name, what: &str, error: Option<CallError>| {
        let CallError { code, message, .. } = error?;
        Some(Failure { kind: name, message: format!("{what} could not be read: {code}: {message}") })
    };
    let (ledger, shared) = match kind {
        Kind::Instance => ("the ledger of DB snapshots", "the shared DB snapshots"),
        Kind::Cluster => ("the ledger of DB cluster snapshots", "the shared DB cluster snapshots"),
    };
    unread("LedgerUnread", ledger, handled.ledger_unread)
        .or_else(|| unread("SourcesUnread", shared, handled.home_unread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ticks_is_work() {
        assert_eq!(work(&json!({"sweep": "t"})).unwrap().sweeps, ["t"]);
        assert_eq!(work(&json!({"serve": "t"})).unwrap().serves, ["t"]);
        let share = json!({"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification",
            "detail": {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": "snap-00000001"}});
        for other in [share, json!({}), json!("x"), json!({"Records": []})] {
            assert_eq!(work(&other).unwrap_err().kind, "InvalidEvent", "{other}");
        }
    }

    #[test]
    fn what_was_not_read_is_named() {
        let error = || Some(CallError { code: "Denied".to_owned(), message: "no".to_owned(), request_id: None });
        let ledger = failure(Kind::Cluster, Handled { ledger_unread: error(), ..Handled::default() }).unwrap();
        assert_eq!(ledger.kind, "LedgerUnread");
        assert_eq!(ledger.message, "the ledger of DB cluster snapshots could not be read: Denied: no");
        let home = failure(Kind::Instance, Handled { home_unread: error(), ..Handled::default() }).unwrap();
        assert_eq!((home.kind, home.message.contains("the shared DB snapshots")), ("SourcesUnread", true));
        assert_eq!(failure(Kind::Instance, Handled::default()), None);
    }
}
