//! The locks that EC2 holds on snapshots.

use aws_sdk_ec2::types::{LockState, LockedSnapshotsInfo};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use snapferry_core::facts::HeldLock;
use snapferry_core::policy::LockMode;

/// EC2's lock in core's words; none once it has expired.
#[must_use]
pub fn held_lock(lock: &LockedSnapshotsInfo) -> Option<HeldLock> {
    let mode = match lock.lock_state()? {
        LockState::Governance => LockMode::Governance,
        LockState::Compliance | LockState::ComplianceCooloff => LockMode::Compliance,
        _ => return None,
    };
    let time = |at: &DateTime| Timestamp::new(at.secs(), at.subsec_nanos().cast_signed()).ok();
    Some(HeldLock {
        mode,
        days: lock.lock_duration().and_then(|days| u32::try_from(days).ok()),
        since: lock.lock_created_on().and_then(time),
        until: lock.lock_expires_on().and_then(time),
    })
}
