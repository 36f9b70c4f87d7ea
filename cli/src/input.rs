//! Reading what the command line names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The name of standard input on the command line.
pub(crate) const STDIN: &str = "-";

/// Opens a file, or standard input for `-`.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    // Linux opens a directory and fails at the first read, with less to say.
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(file))
}

/// Reads a file, but no more than `most` bytes and one.
pub(crate) fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file's name as it may stand in a line of text.
pub(crate) fn shown(path: &Path) -> String {
    if path.as_os_str() == STDIN {
        return "<stdin>".to_owned();
    }
    snapferry_core::text::printable(&path.to_string_lossy(), 1024)
}
