//! Diagnostics on standard error. The audit does not pass through here.

use std::io::stderr;
use std::str::FromStr as _;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at `SNAPFERRY_LOG_LEVEL` (default `INFO`) for Snapferry's own crates. Lambda has a variable for that too, but
/// whether a template may set it is not documented, and one that is refused fails the stack's creation.
pub fn start() {
    let level = std::env::var("SNAPFERRY_LOG_LEVEL").unwrap_or_default();
    // A second start (in tests) keeps the first.
    let _ = subscriber(&level, stderr).try_init();
}

/// What logs Snapferry's own crates at `level` to `writer`.
///
/// All other crates stay at `WARN` whatever the level: below it the SDK and the HTTP client print whole requests, and
/// those hold session tokens and presigned URLs.
pub fn subscriber<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let own = LevelFilter::from_str(level).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target("snapferry", own)
        .with_target("copy_shared_snapshots", own)
        .with_target("verify_copies", own)
        .with_target("delete_expired_copies", own);
    let format = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(format).with(targets)
}
