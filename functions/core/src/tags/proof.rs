//! What was proven of a copy's content, as its tag says.

use std::fmt;

use jiff::Timestamp;

/// The longest level that is taken for one, in bytes.
const LONGEST: usize = 32;

/// How far the content of a copy was compared, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The level's name: small letters and hyphens.
    pub level: Box<str>,
    /// When the proof was made.
    pub at: Timestamp,
}

impl Proof {
    /// Reads the tag's value; nothing where it is none. A proof that cannot be read proves nothing, and spoils nothing else.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (level, at) = value.split_once(' ')?;
        let is_level =
            (1..=LONGEST).contains(&level.len()) && level.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        Some(Self { level: is_level.then(|| level.into())?, at: at.parse().ok()? })
    }

    /// Whether bytes were read, or EBS itself said that none differ. To have looked at the list of blocks is less.
    #[must_use]
    pub fn is_of_content(&self) -> bool {
        matches!(&*self.level, "sampled" | "full" | "unchanged")
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_proof_and_what_is_none() {
        let at = "2026-11-29T10:00:00Z".parse().unwrap();
        for (value, level, is_of_content) in [
            ("sampled 2026-11-29T10:00:00Z", "sampled", true),
            ("full 2026-11-29T10:00:00Z", "full", true),
            ("unchanged 2026-11-29T10:00:00Z", "unchanged", true),
            ("structure 2026-11-29T10:00:00Z", "structure", false),
            ("structure-differs 2026-11-29T11:00:00+01:00", "structure-differs", false),
        ] {
            let proof = Proof::parse(value).unwrap();
            assert_eq!((&*proof.level, proof.at, proof.is_of_content()), (level, at, is_of_content), "{value}");
        }
        for none in
            ["", "sampled", "sampled ", " 2026-11-29T10:00:00Z", "Sampled 2026-11-29T10:00:00Z", "sampled yesterday"]
        {
            assert_eq!(Proof::parse(none), None, "{none}");
        }
        assert_eq!(Proof::parse(&format!("{} 2026-11-29T10:00:00Z", "a".repeat(LONGEST + 1))), None);
    }
}
