//! Reads the copies in a Region, of all homes, as all commands that take account of them do.

use std::time::Duration;

use aws_sdk_ec2::types::Filter;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use snapferry_aws::clients::Clients;
use snapferry_aws::reads;
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::Region;
use snapferry_core::tags;

use crate::account::connection::not_enabled;

/// Hands over each copy in `region`. One that EC2 does not describe in full is left out, and named in the log.
///
/// # Errors
/// The first call that failed.
pub(crate) async fn read(
    clients: &Clients,
    region: &Region,
    bar: &ProgressBar,
    mut take: impl FnMut(DescribedCopy),
) -> Result<(), CallError> {
    let take = |copy| {
        bar.inc(1);
        take(copy);
    };
    reads::for_each_copy(clients, region, vec![ours()], take).await
}

/// The same, and with one that EC2 does not describe in full what is missing.
///
/// # Errors
/// The first call that failed.
pub(crate) async fn read_in_doubt_too(
    clients: &Clients,
    region: &Region,
    bar: &ProgressBar,
    mut take: impl FnMut(DescribedCopy, Option<String>),
) -> Result<(), CallError> {
    let take = |copy, missing| {
        bar.inc(1);
        take(copy, missing);
    };
    reads::for_each_copy_in_doubt_too(clients, region, vec![ours()], take).await
}

/// By the same tag that the copier looks for; all values, as with it.
fn ours() -> Filter {
    reads::filter("tag-key", [tags::SOURCE_SNAPSHOT])
}

/// What was not read, and why; `named` is what names the Region.
pub(crate) fn unread_line(what: &str, error: &CallError, named: &str) -> String {
    let request = error.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
    let message = snapferry_core::text::printable(&error.message, 500);
    let remedy = not_enabled(error, named).map(|remedy| format!("\n        {remedy}")).unwrap_or_default();
    format!("    {what}: {}: {message}{request}{remedy}", snapferry_core::text::printable(&error.code, 100))
}

/// A sign of life on a terminal; draws nothing elsewhere.
pub(crate) fn bar(progress: &MultiProgress, what: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos} {elapsed}");
    let bar = progress.add(ProgressBar::no_length()).with_message(what);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
