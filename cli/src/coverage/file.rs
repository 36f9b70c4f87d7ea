//! Writing a result where the command line says.

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::input;

/// Whether this names standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == input::STDIN
}

/// Writes to standard output for `-`, else a file that is there whole or not at all.
pub(super) fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if is_stdout(path) {
        let mut out = BufWriter::new(std::io::stdout().lock());
        content(&mut out)?;
        return Ok(out.flush()?);
    }
    let beside = beside(path);
    let done = whole(path, &beside, content);
    if done.is_err() {
        // What stands in the way of writing may stand in the way of this, too.
        let _ = fs::remove_file(&beside);
    }
    done.with_context(|| format!("{} cannot be written", input::shown(path)))
}

fn whole(path: &Path, beside: &Path, content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(beside)?;
    let mut out = BufWriter::new(file);
    content(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(fs::rename(beside, path)?)
}

/// A name in the same directory, so that the renaming stays in one file system.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
