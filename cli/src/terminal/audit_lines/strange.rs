//! Files that hold audit lines in a form that is not read: what they are, and what to give instead.

use std::io::{self, Read};

use regex::bytes::Regex;

/// What a file that begins so is, and what to do with it; nothing where it may be read.
pub(super) fn what(head: &[u8]) -> anyhow::Result<Option<&'static str>> {
    let packed: [(&[u8], _); 4] = [
        (b"PK\x03\x04", "is a zip archive: unpack it, and give the files in it"),
        (b"\x28\xb5\x2f\xfd", "is compressed with zstd: give what `zstd -dc` makes of it"),
        (b"BZh", "is compressed with bzip2: give what `bzip2 -dc` makes of it"),
        (b"\xfd7zXZ\0", "is compressed with xz: give what `xz -dc` makes of it"),
    ];
    if let Some((_, words)) = packed.into_iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok(Some(words));
    }
    let written = [
        (
            r#"^\s*\{\s*"awslogs"\s*:\s*\{\s*"data"\s*:"#,
            "is the event of a subscription that a Lambda function gets: give what is in it, `jq -r .awslogs.data FILE | base64 -d`",
        ),
        (
            r#"^\s*(("?@?\w+"?;)+"?@?message"?|"?@?message"?;"?@?\w+"?)(;"?@?\w+"?)*\r?\n"#,
            "is a table with semicolons between its columns, as spreadsheet programs save one: give it as the console downloaded it",
        ),
        (
            r#"^\s*\{\s*"@\w+"\s*:"#,
            "has a row of Logs Insights on each line: give them in an array, as the console downloads them, `jq -s . FILE`",
        ),
    ];
    for (beginning, words) in written {
        if Regex::new(beginning)?.is_match(head) {
            return Ok(Some(words));
        }
    }
    Ok(None)
}

/// What is decompressed, and says so where the compressed bytes end too soon.
pub(super) struct Whole<R>(pub(super) R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the compressed data ends too soon: a part of the file is missing, so get it again",
            ),
            _ => error,
        })
    }
}
