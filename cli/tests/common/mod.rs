//! The command as it runs on a machine that knows nothing of AWS.

use std::path::PathBuf;

use snapbox::cmd::{Command, cargo_bin};

/// The command among the policies that core is tested with, without any credentials or Region of this machine.
pub(crate) fn snapferry() -> Command {
    let policies = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/core/tests/fixtures/policies");
    Command::new(cargo_bin!("snapferry"))
        .current_dir(policies)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
}
