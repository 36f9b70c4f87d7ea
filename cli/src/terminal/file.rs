//! Writing a result where the command line says.

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::terminal::input;

/// Whether this names standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == input::STDIN
}

/// Writes to standard output for `-`, else a file that is there whole or not at all.
pub(crate) fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if is_stdout(path) {
        let mut out = BufWriter::new(std::io::stdout().lock());
        content(&mut out)?;
        return Ok(out.flush()?);
    }
    // A link stays a link, and what it leads to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return through(&target, content).with_context(|| format!("{} cannot be written", input::shown(path)));
    }
    let beside = beside(&target);
    let done = whole(&target, &beside, content);
    if done.is_err() {
        // What stands in the way of writing may stand in the way of this, too.
        let _ = fs::remove_file(&beside);
    }
    done.with_context(|| format!("{} cannot be written", input::shown(path)))
}

/// Into a device or a pipe, which a renamed file would replace.
fn through(path: &Path, content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
    content(&mut out)?;
    Ok(out.flush()?)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;

    use super::*;

    #[test]
    fn whole_or_not_at_all() {
        let directory = std::env::temp_dir().join(format!("snapferry-file-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (file, link) = (directory.join("a.html"), directory.join("link.html"));
        write(&file, |out| Ok(write!(out, "one")?)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, |out| Ok(write!(out, "two")?)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let broken = write(&file, |out| {
            write!(out, "half")?;
            anyhow::bail!("no more")
        });
        assert!(broken.is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
        assert!(write(&directory, |_| Ok(())).is_err());
        assert!(write(&directory.join("none/a.html"), |_| Ok(())).is_err());
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_device_stays_a_device() {
        write(Path::new("/dev/null"), |out| Ok(write!(out, "gone")?)).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
