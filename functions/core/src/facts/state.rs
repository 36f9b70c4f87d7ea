//! The states of snapshots.

/// The state of a snapshot (EC2 API reference, `Snapshot.State`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Being made.
    Pending,
    /// Whole and usable.
    Completed,
    /// EC2 gave up.
    Error,
    /// In the recycle bin, on its way there or back, or a state that did not exist when this was written.
    Other,
}
