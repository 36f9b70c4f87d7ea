//! The audit's lines: every reason there is, the schema that describes them, the metrics on them, hostile text in them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod chain;
mod copying;
mod expiring;
mod hostile;
mod incoming;
mod metrics;
mod proving;
mod recorded;
mod runbook;
mod runs;
mod schema;
mod sweeps;
mod verifying;
mod world;

use snapferry_core::audit::Record;

/// Records with every reason that the library can give, each as its own functions make it.
fn every_record() -> Vec<Record> {
    [
        copying::records(),
        incoming::records(),
        verifying::records(),
        proving::records(),
        expiring::records(),
        runs::records(),
    ]
    .concat()
}
