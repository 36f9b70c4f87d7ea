//! What is said once a day and not at every run.
//!
//! The memory is the warm environment's own: a cold start forgets it and says everything once more. It costs nothing
//! to keep, and what it saves is only repetition.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

/// How long a notice is not repeated.
const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The notices given within the last day.
#[derive(Debug, Default)]
pub struct Notices(HashMap<String, Timestamp>);

impl Notices {
    /// Those given within the last day, at `now`.
    pub fn recall(&mut self, now: Timestamp) -> HashSet<String> {
        self.forget(now);
        self.0.keys().cloned().collect()
    }

    /// Forgets those that are older than a day at `now`.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, at| now < *at + EVERY);
    }

    /// Notes that this is said at `now`; tells whether it was not said within the last day.
    pub fn note(&mut self, notice: String, now: Timestamp) -> bool {
        let mut is_new = false;
        self.0.entry(notice).or_insert_with(|| {
            is_new = true;
            now
        });
        is_new
    }

    /// Whether this was said within the last day, at `now`.
    #[must_use]
    pub fn is_said(&self, notice: &str, now: Timestamp) -> bool {
        self.0.get(notice).is_some_and(|at| now < *at + EVERY)
    }

    /// As [`note`](Self::note), and what was said already is not said again for another day.
    pub fn renew(&mut self, notice: String, now: Timestamp) -> bool {
        self.0.insert(notice, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_new_once_a_day() {
        let start: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let mut notices = Notices::default();
        let mut says = |hours: i64, notice: &str| {
            let now = start + SignedDuration::from_hours(hours);
            notices.forget(now);
            notices.note(notice.to_owned(), now)
        };
        assert!(says(0, "a"));
        assert!(!says(1, "a"));
        assert!(says(1, "b"));
        assert!(!says(23, "a"));
        assert!(says(24, "a"));
        assert!(!says(24, "b"));
        assert_eq!(notices.recall(start + SignedDuration::from_hours(47)).len(), 1);
    }

    #[test]
    fn what_is_renewed_within_each_day_is_new_once() {
        let start: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let mut notices = Notices::default();
        let mut says = |hours: i64| {
            let now = start + SignedDuration::from_hours(hours);
            notices.forget(now);
            notices.renew("verified".to_owned(), now)
        };
        assert!(says(0));
        assert!((1..100).all(|run| !says(run * 23)));
        assert!(says(99 * 23 + 24));
    }
}
