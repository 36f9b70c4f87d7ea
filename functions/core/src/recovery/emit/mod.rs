//! Points as what makes volumes and databases of them, for those who restore with tools of their own.

pub mod aws_cli;
pub mod cloudformation;
pub mod databases;
pub mod share;

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_leaves_the_quotes() {
        for (text, expected) in
            [("a", "'a'"), ("", "''"), ("$(x) `y` \"z\"", "'$(x) `y` \"z\"'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(text), expected);
        }
    }
}
