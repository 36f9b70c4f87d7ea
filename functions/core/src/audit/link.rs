//! Tamper evidence: every audit line of an environment vouches for the one before it.
//!
//! An *environment* is one life of a function's process. Each of its lines carries a [`Link`]: the environment's ID, the
//! line's number, counted from 1, and `previous`, the SHA-256 of the whole line before it: the bytes as they were
//! printed, without the line break, that line's own link included. The first line has 64 zeros there. So a line that is
//! missing, altered or exchanged in the middle of a life does not go unnoticed, for every function alike and whether or
//! not a sweep followed, and `sha256sum` is all it takes to check a line by hand.
//!
//! What this proves: the lines that are there, from the first to the last but one, are what one process wrote, in that
//! order and without a gap.
//!
//! What it does not prove:
//! - The last line of each environment is vouched for by nothing yet, and when lines are cut off at the end, nothing says
//!   that there were more.
//! - An environment all of whose lines are gone leaves no trace in the others.
//! - There is no secret in it: whoever can write to the log group, or runs code under a function's role, can write a chain
//!   of its own, or continue one. Whoever can delete and write can replace a whole life by another. Against them
//!   helps a copy of the lines that they cannot reach, such as a subscription to another account: any line of it vouches
//!   for all before it.
//! - It says nothing of what was never written: a line that standard output did not take is a gap.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::strtime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// How an environment's ID writes the time of its beginning.
const BEGAN: &str = "%Y%m%dT%H%M%SZ";

/// The longest ID that is read.
const MAX_ENVIRONMENT: usize = 64;

/// Where a line stands in its environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The environment.
    pub environment: Environment,
    /// The line's number in it, counted from 1.
    pub line: u64,
    /// The hash of the line before; zeros in the first.
    pub previous: Hash,
}

/// The ID of an environment: when it began and something random, such as `20261122T030000Z-9f86d081884c7d65`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Environment(String);

/// The SHA-256 of a line.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Environment {
    /// The ID of an environment that began at this time.
    #[must_use]
    pub fn new(began: Timestamp, random: u64) -> Self {
        let began = strtime::format(BEGAN, began).unwrap_or_default();
        Self(format!("{began}-{random:016x}"))
    }

    /// When it began, in whole seconds.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        let (began, _) = self.0.split_once('-')?;
        let civil = strtime::parse(BEGAN, began).ok()?.to_datetime().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    }
}

impl Hash {
    /// The hash of a line, without its end.
    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        Self(Sha256::digest(line).into())
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        // It is repeated in reports: nothing in it that a terminal would obey.
        let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_valid = is_plain && (1..=MAX_ENVIRONMENT).contains(&id.len());
        if is_valid { Ok(Self(id)) } else { Err(de::Error::custom("an environment's ID expected")) }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "64 hexadecimal digits, in lower case, expected";
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some(digit(high)? * 16 + digit(low)?),
                _ => None,
            })
            .collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(EXPECTED)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
