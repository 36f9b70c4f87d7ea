//! The invocation's end.

use std::time::{Duration, SystemTime};

/// Nothing is written when less of the invocation remains.
pub use snapferry_core::copying::RESERVE;

/// When the function will be stopped.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(SystemTime);

impl Deadline {
    /// From Lambda's deadline in milliseconds since the epoch (Lambda runtime API, `Lambda-Runtime-Deadline-Ms`).
    #[must_use]
    pub fn from_epoch_ms(ms: u64) -> Self {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX));
        Self(SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(far))
    }

    /// From now on for `time`.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        let now = SystemTime::now();
        Self(now.checked_add(time).unwrap_or(now))
    }

    /// What is left; zero when it is over.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// What is left for reading: all but the last thirty seconds, or half of an invocation that is short itself.
    #[must_use]
    pub fn reading_time(self) -> Duration {
        let left = self.left();
        left.saturating_sub(Duration::from_secs(30)).max(left / 2)
    }
}
