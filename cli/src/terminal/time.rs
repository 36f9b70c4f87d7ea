//! Times for people.

use jiff::SignedDuration;

/// A time span for people: its two greatest units.
pub(crate) fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days @ 1..=13, hours, _) => format!("{days} d {hours} h"),
        (days, _, _) => format!("{days} d"),
    }
}
