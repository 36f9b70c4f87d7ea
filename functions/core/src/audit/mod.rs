//! The audit: one JSON object a line, `snapferry/1`, described in `audit.schema.json`.

mod line;
mod link;
mod lives;
mod metrics;
mod proof;
mod reason;
mod record;
mod run;
mod sweep;
mod table;

pub use self::line::Chain;
pub use self::link::{Environment, Hash, Link};
pub use self::lives::{Added, Finding, Life, Line, Lives, Position, Run};
pub use self::metrics::{Metric, Metrics, NAMESPACE, NEVER_SEEN_HOURS, Unit};
pub use self::proof::Proof;
pub use self::reason::{
    CopyDeferred, CopyExpired, CopyFailed, CopyKept, CopyLocked, CopyMissed, CopyNamed, CopyProved, CopyRefused,
    CopyRejected, CopySkipped, CopyStalled, CopyStarted, CopyVerified, CopyWithdrawn, Event, EventInvalid,
    ExpiryCompleted, ExpiryVolume, PolicyWarning, ProveCompleted, Reason, SweepCompleted, SweepOwner, SweepRegion,
    VerifyCompleted,
};
pub use self::record::{Copy, Error, FORMAT, Record, Source};
pub use self::run::{Expiry, Proofs, Ran, Told, Verification, Volume};
pub use self::sweep::{Coverage, Owner, Sweep};
pub use self::table::Next;

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("../../audit.schema.json");
