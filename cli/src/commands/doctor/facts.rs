//! What doctor knows when it has looked: facts only, no opinion.

mod part;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use snapferry_core::copying::CopyError;
use snapferry_core::facts::{CallError, Copies, KeyFact, SourceSnapshot};
use snapferry_core::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId};
use snapferry_core::rds::{Kind, Usage};

pub(crate) use self::part::Part;

/// All facts.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The account of the credentials.
    pub(crate) account: AccountId,
    /// Whose the credentials are.
    pub(crate) arn: String,
    /// The Region of the stack.
    pub(crate) home: Region,
    /// When it was looked at.
    pub(crate) now: Timestamp,
    /// All Regions of the partition with their `OptInStatus`.
    pub(crate) regions: Result<BTreeMap<String, String>, CallError>,
    /// The keys that the policies name.
    pub(crate) keys: Vec<TargetKey>,
    /// What EBS encrypts by itself, in each target Region.
    pub(crate) defaults: BTreeMap<Region, Result<Defaults, CallError>>,
    /// All copies, whatever their home, in each target Region and in those that the stack's RetiredRegions names.
    pub(crate) copies: BTreeMap<Region, Result<Copies, CallError>>,
    /// What RDS shows, where a policy names databases.
    pub(crate) rds: Option<Rds>,
    /// The snapshot that was named.
    pub(crate) source: Option<Source>,
    /// The stack that was named.
    pub(crate) stack: Option<(String, Result<Stack, CallError>)>,
}

/// What RDS shows of databases.
#[derive(Debug)]
pub(crate) struct Rds {
    /// What the policies' owners share in the home Region.
    pub(crate) shared: Result<Vec<SourceSnapshot>, CallError>,
    /// The room for copies of each kind that a policy names, in each target Region.
    pub(crate) rooms: BTreeMap<(Region, Kind), Result<Room, CallError>>,
}

/// The room for copies of one kind in a Region.
#[derive(Debug)]
pub(crate) struct Room {
    /// Of the quota of manual snapshots.
    pub(crate) usage: Usage,
    /// Of which sources there is a copy, and under which policies.
    pub(crate) copied: BTreeSet<(PolicyName, SnapshotId)>,
}

/// A key that encrypts copies.
#[derive(Debug)]
pub(crate) struct TargetKey {
    pub(crate) key: KeyArn,
    pub(crate) region: Region,
    /// What DescribeKey said.
    pub(crate) fact: KeyFact,
    /// What a DryRun of GenerateDataKeyWithoutPlaintext said.
    pub(crate) try_use: Result<(), CallError>,
}

/// EBS's own settings of a Region.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    /// Whether new volumes and copies are encrypted without being asked for.
    pub(crate) by_default: bool,
    /// The key that is used when none is named: its ARN, ID or alias.
    pub(crate) key: String,
    /// Whether AWS manages that key, when KMS told.
    pub(crate) is_aws_managed: Option<bool>,
}

/// A shared snapshot.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) id: SnapshotId,
    /// `None` when it cannot be seen.
    pub(crate) seen: Result<Option<SourceSnapshot>, CallError>,
    /// The key that it is encrypted under, and what DescribeKey said of that; the ARN as EC2 writes it.
    pub(crate) key: Option<(String, Option<KeyFact>)>,
    /// What a DryRun of each copy said.
    pub(crate) tries: Vec<Try>,
}

/// A DryRun of a copy.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) policy: PolicyName,
    pub(crate) region: Region,
    pub(crate) answer: Result<(), CopyError>,
}

/// A deployed stack.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// As it was given, and the Region that it is in.
    pub(crate) name: String,
    pub(crate) region: String,
    /// `StackStatus`; `None` where `parameters` could not be read either.
    pub(crate) status: Option<String>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) parameters: Option<Result<BTreeMap<String, String>, CallError>>,
    /// By the role of the part in the stack; those parts only that are there.
    pub(crate) rules: BTreeMap<Part, Result<Rule, CallError>>,
    pub(crate) schedules: BTreeMap<Part, Result<Schedule, CallError>>,
    /// The functions, and the mappings that give them the queues' messages.
    pub(crate) functions: BTreeMap<Part, Result<Function, CallError>>,
    pub(crate) mappings: BTreeMap<Part, Result<Mapping, CallError>>,
    pub(crate) queues: BTreeMap<Part, Result<BTreeMap<String, String>, CallError>>,
    pub(crate) ledgers: BTreeMap<Part, Result<Table, CallError>>,
    /// What each rule and schedule starts.
    pub(crate) targets: BTreeMap<Part, Result<Vec<Target>, CallError>>,
    /// The concurrency that is reserved for each function, by its logical ID; `None` where none is.
    pub(crate) reserved: BTreeMap<String, Result<Option<i32>, CallError>>,
    /// The log groups, by their logical IDs; `None` for one that is gone.
    pub(crate) logs: BTreeMap<String, Result<Option<Retention>, CallError>>,
    /// The policy document that each function works by.
    pub(crate) documents: BTreeMap<Part, Document>,
    /// The topic that alarms notify, with the ARNs of its subscriptions.
    pub(crate) topic: Option<(String, Result<Vec<String>, CallError>)>,
    /// The alarms, by their logical IDs; `None` for one that is gone. One answer, or refusal, for all.
    pub(crate) alarms: Option<Result<BTreeMap<String, Option<Alarm>>, CallError>>,
}

/// An alarm of CloudWatch's, on a metric or on other alarms. Words are the API's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// `StateValue`.
    pub(crate) state: String,
    /// `ActionsEnabled`.
    pub(crate) is_on: bool,
    /// What it notifies when it rings: `AlarmActions`.
    pub(crate) actions: Vec<String>,
}

/// For how many days a log group keeps its records; `None` is for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention(pub(crate) Option<i32>);

/// A function's policy document.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    /// Its text.
    Text(String),
    /// The function names none, or one that is not where it says.
    Missing(String),
    /// It may be in the function's own package, which is not read.
    Elsewhere(String),
    /// It could not be read.
    Unread(CallError),
}

/// A rule of EventBridge's. Words are the API's own.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// `State`.
    pub(crate) state: String,
    /// `EventPattern`.
    pub(crate) pattern: String,
}

/// A schedule of EventBridge Scheduler's. Words are the API's own.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// `State`.
    pub(crate) state: String,
    /// `ScheduleExpression`.
    pub(crate) expression: String,
    /// `StartDate` and `EndDate`.
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

/// What a rule or a schedule starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) arn: String,
    pub(crate) input: Input,
    /// `MessageGroupId`.
    pub(crate) group: Option<String>,
    /// The ARN of the queue that takes what cannot be delivered.
    pub(crate) dead_letters: Option<String>,
}

/// What it is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The event as it comes.
    Event,
    /// This instead: `Input`.
    Constant(String),
    /// A part of the event, or what is made of it: `InputPath`, `InputTransformer`.
    Changed,
}

/// A function of Lambda's. Words are the API's own.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    /// `State`.
    pub(crate) state: String,
    /// The ARN of its `Role`.
    pub(crate) role: String,
    /// `Environment`.
    pub(crate) variables: Result<BTreeMap<String, String>, CallError>,
}

/// A mapping that gives a function the messages of a queue.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// `State`.
    pub(crate) state: String,
    /// `EventSourceArn` and `FunctionArn`.
    pub(crate) queue: String,
    pub(crate) function: String,
    /// The patterns of `FilterCriteria`.
    pub(crate) filters: Vec<String>,
}

/// A table of DynamoDB's. Words are the API's own.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// `TableStatus`.
    pub(crate) status: String,
    pub(crate) keys: Keys,
    /// Those of each global secondary index, with its `IndexStatus` and its `ProjectionType`.
    pub(crate) indexes: BTreeMap<String, (Keys, String, String)>,
    pub(crate) is_deletion_protected: bool,
    /// `SSEDescription`'s status; `None` where the table is under a key of DynamoDB's own.
    pub(crate) encryption: Option<String>,
    /// `PointInTimeRecoveryStatus`.
    pub(crate) recovery: Result<String, CallError>,
}

/// A key schema: attributes with their `KeyType`s.
pub(crate) type Keys = Vec<(String, String)>;

/// A resource of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) logical_id: String,
    pub(crate) kind: String,
    /// Its name, URL or ARN; empty while there is none.
    pub(crate) physical_id: String,
    pub(crate) status: String,
}

impl Facts {
    /// What a parameter of the stack lists; nothing when that is not known.
    pub(crate) fn listed(&self, parameter: &str) -> Option<impl Iterator<Item = &str>> {
        let (_, stack) = self.stack.as_ref()?;
        let given = stack.as_ref().ok()?.parameters.as_ref()?.as_ref().ok()?.get(parameter)?;
        Some(given.split(',').map(str::trim).filter(|each| !each.is_empty()))
    }
}

impl Stack {
    /// A parameter of the template, where it is known.
    pub(crate) fn given(&self, parameter: &str) -> Option<&str> {
        self.parameters.as_ref()?.as_ref().ok()?.get(parameter).map(String::as_str)
    }

    /// The resource that is this part.
    pub(crate) fn part(&self, part: Part) -> Option<&Resource> {
        let (kind, name) = part.of_template();
        self.resources.iter().find(|resource| resource.kind == kind && resource.logical_id == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_the_templates_names() {
        let resource = |kind: &str, id: &str| Resource {
            logical_id: id.to_owned(),
            kind: kind.to_owned(),
            physical_id: String::new(),
            status: "CREATE_COMPLETE".to_owned(),
        };
        let stack = Stack {
            resources: vec![
                resource("AWS::SQS::Queue", "CopierDeadLetterQueue"),
                resource("AWS::SQS::Queue", "CopierQueue"),
                resource("AWS::Events::Rule", "ShareRule"),
                resource("AWS::Lambda::EventSourceMapping", "CopySharedSnapshotsQueue"),
            ],
            ..Stack::default()
        };
        let found = |part| stack.part(part).map(|resource| resource.logical_id.as_str());
        assert_eq!(found(Part::CopierQueue), Some("CopierQueue"));
        assert_eq!(found(Part::CopierDeadLetterQueue), Some("CopierDeadLetterQueue"));
        assert_eq!(found(Part::ShareRule), Some("ShareRule"));
        assert_eq!(found(Part::QueueToCopier), Some("CopySharedSnapshotsQueue"));
        assert_eq!(found(Part::UndeliveredQueue), None);
    }
}
