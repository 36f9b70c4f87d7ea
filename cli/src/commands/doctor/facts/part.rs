//! The parts of a stack, as infra/sam/template.yaml names them.

/// A part of the stack that Snapferry cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    ShareRule,
    CopyRule,
    CopierQueue,
    CopierDeadLetterQueue,
    UndeliveredQueue,
    VerifierQueue,
    SweepTimer,
    ServeTimer,
    VerifyTimer,
    ExpiryTimer,
    Ledger,
    CopySharedSnapshots,
    VerifyCopies,
    DeleteExpiredCopies,
    CopySharedSnapshotsRole,
    VerifyCopiesRole,
    DeleteExpiredCopiesRole,
    QueueToCopier,
    QueueToVerifier,
    /// Only where contents are proven, as are the next.
    ProveTimer,
    ProveCopies,
    ProveCopiesRole,
    /// Only where databases are copied, as are the next.
    InstanceLedger,
    ClusterLedger,
    DatabaseSweepTimer,
    DatabaseServeTimer,
    DatabaseVerifyTimer,
    DatabaseExpiryTimer,
    CopySharedDatabases,
    VerifyCopiedDatabases,
    DeleteExpiredDatabaseCopies,
    CopySharedDatabasesRole,
    VerifyCopiedDatabasesRole,
    DeleteExpiredDatabaseCopiesRole,
}

impl Part {
    /// All parts that every stack has.
    pub(crate) const ALL: [Self; 19] = [
        Self::ShareRule,
        Self::CopyRule,
        Self::CopierQueue,
        Self::CopierDeadLetterQueue,
        Self::UndeliveredQueue,
        Self::VerifierQueue,
        Self::SweepTimer,
        Self::ServeTimer,
        Self::VerifyTimer,
        Self::ExpiryTimer,
        Self::Ledger,
        Self::CopySharedSnapshots,
        Self::VerifyCopies,
        Self::DeleteExpiredCopies,
        Self::CopySharedSnapshotsRole,
        Self::VerifyCopiesRole,
        Self::DeleteExpiredCopiesRole,
        Self::QueueToCopier,
        Self::QueueToVerifier,
    ];
    /// The parts of a stack that proves contents.
    pub(crate) const OF_PROOFS: [Self; 3] = [Self::ProveTimer, Self::ProveCopies, Self::ProveCopiesRole];
    /// The parts of a stack that copies databases.
    pub(crate) const OF_DATABASES: [Self; 12] = [
        Self::InstanceLedger,
        Self::ClusterLedger,
        Self::DatabaseSweepTimer,
        Self::DatabaseServeTimer,
        Self::DatabaseVerifyTimer,
        Self::DatabaseExpiryTimer,
        Self::CopySharedDatabases,
        Self::VerifyCopiedDatabases,
        Self::DeleteExpiredDatabaseCopies,
        Self::CopySharedDatabasesRole,
        Self::VerifyCopiedDatabasesRole,
        Self::DeleteExpiredDatabaseCopiesRole,
    ];
    /// The ledgers' tables.
    pub(crate) const LEDGERS: [Self; 3] = [Self::Ledger, Self::InstanceLedger, Self::ClusterLedger];
    /// The rules.
    pub(crate) const RULES: [Self; 2] = [Self::ShareRule, Self::CopyRule];
    /// The schedules.
    pub(crate) const SCHEDULES: [Self; 9] = [
        Self::SweepTimer,
        Self::ServeTimer,
        Self::VerifyTimer,
        Self::ExpiryTimer,
        Self::ProveTimer,
        Self::DatabaseSweepTimer,
        Self::DatabaseServeTimer,
        Self::DatabaseVerifyTimer,
        Self::DatabaseExpiryTimer,
    ];
    /// The functions.
    pub(crate) const FUNCTIONS: [Self; 7] = [
        Self::CopySharedSnapshots,
        Self::VerifyCopies,
        Self::DeleteExpiredCopies,
        Self::ProveCopies,
        Self::CopySharedDatabases,
        Self::VerifyCopiedDatabases,
        Self::DeleteExpiredDatabaseCopies,
    ];
    /// The queues.
    pub(crate) const QUEUES: [Self; 4] =
        [Self::CopierQueue, Self::CopierDeadLetterQueue, Self::UndeliveredQueue, Self::VerifierQueue];
    /// The mappings that give a function the messages of a queue.
    pub(crate) const MAPPINGS: [Self; 2] = [Self::QueueToCopier, Self::QueueToVerifier];

    /// The part that does for volumes what this schedule or function does for databases; any other is its own.
    pub(crate) fn of_volumes(self) -> Self {
        match self {
            Self::DatabaseSweepTimer => Self::SweepTimer,
            Self::DatabaseServeTimer => Self::ServeTimer,
            Self::DatabaseVerifyTimer => Self::VerifyTimer,
            Self::DatabaseExpiryTimer => Self::ExpiryTimer,
            Self::CopySharedDatabases => Self::CopySharedSnapshots,
            Self::VerifyCopiedDatabases => Self::VerifyCopies,
            Self::DeleteExpiredDatabaseCopies => Self::DeleteExpiredCopies,
            other => other,
        }
    }

    /// Its type, and its logical ID in infra/sam/template.yaml.
    pub(crate) fn of_template(self) -> (&'static str, &'static str) {
        match self {
            Self::ShareRule => ("AWS::Events::Rule", "ShareRule"),
            Self::CopyRule => ("AWS::Events::Rule", "CopyRule"),
            Self::CopierQueue => ("AWS::SQS::Queue", "CopierQueue"),
            Self::CopierDeadLetterQueue => ("AWS::SQS::Queue", "CopierDeadLetterQueue"),
            Self::UndeliveredQueue => ("AWS::SQS::Queue", "UndeliveredQueue"),
            Self::VerifierQueue => ("AWS::SQS::Queue", "VerifierQueue"),
            Self::SweepTimer => ("AWS::Scheduler::Schedule", "SweepTimer"),
            Self::ServeTimer => ("AWS::Scheduler::Schedule", "ServeTimer"),
            Self::VerifyTimer => ("AWS::Scheduler::Schedule", "VerifyTimer"),
            Self::ExpiryTimer => ("AWS::Scheduler::Schedule", "ExpiryTimer"),
            Self::Ledger => ("AWS::DynamoDB::Table", "Ledger"),
            Self::CopySharedSnapshots => ("AWS::Lambda::Function", "CopySharedSnapshots"),
            Self::VerifyCopies => ("AWS::Lambda::Function", "VerifyCopies"),
            Self::DeleteExpiredCopies => ("AWS::Lambda::Function", "DeleteExpiredCopies"),
            Self::CopySharedSnapshotsRole => ("AWS::IAM::Role", "CopySharedSnapshotsRole"),
            Self::VerifyCopiesRole => ("AWS::IAM::Role", "VerifyCopiesRole"),
            Self::DeleteExpiredCopiesRole => ("AWS::IAM::Role", "DeleteExpiredCopiesRole"),
            Self::QueueToCopier => ("AWS::Lambda::EventSourceMapping", "CopySharedSnapshotsQueue"),
            Self::QueueToVerifier => ("AWS::Lambda::EventSourceMapping", "VerifyCopiesQueue"),
            Self::ProveTimer => ("AWS::Scheduler::Schedule", "ProveTimer"),
            Self::ProveCopies => ("AWS::Lambda::Function", "ProveCopies"),
            Self::ProveCopiesRole => ("AWS::IAM::Role", "ProveCopiesRole"),
            Self::InstanceLedger => ("AWS::DynamoDB::Table", "InstanceLedger"),
            Self::ClusterLedger => ("AWS::DynamoDB::Table", "ClusterLedger"),
            Self::DatabaseSweepTimer => ("AWS::Scheduler::Schedule", "DatabaseSweepTimer"),
            Self::DatabaseServeTimer => ("AWS::Scheduler::Schedule", "DatabaseServeTimer"),
            Self::DatabaseVerifyTimer => ("AWS::Scheduler::Schedule", "DatabaseVerifyTimer"),
            Self::DatabaseExpiryTimer => ("AWS::Scheduler::Schedule", "DatabaseExpiryTimer"),
            Self::CopySharedDatabases => ("AWS::Lambda::Function", "CopySharedDatabases"),
            Self::VerifyCopiedDatabases => ("AWS::Lambda::Function", "VerifyCopiedDatabases"),
            Self::DeleteExpiredDatabaseCopies => ("AWS::Lambda::Function", "DeleteExpiredDatabaseCopies"),
            Self::CopySharedDatabasesRole => ("AWS::IAM::Role", "CopySharedDatabasesRole"),
            Self::VerifyCopiedDatabasesRole => ("AWS::IAM::Role", "VerifyCopiedDatabasesRole"),
            Self::DeleteExpiredDatabaseCopiesRole => ("AWS::IAM::Role", "DeleteExpiredDatabaseCopiesRole"),
        }
    }
}
