//! `SilentAfterHours` as it is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// `SilentAfterHours` as it stands there. An owner that stands twice is an error: one of its hours would be passed over.
#[derive(Debug, Default)]
pub(super) struct Hours(pub(super) BTreeMap<String, i64>);

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once)
    }
}

/// Reads each member once.
struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Hours;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hours, A::Error> {
        let mut hours = BTreeMap::new();
        while let Some(owner) = map.next_key::<String>()? {
            if hours.contains_key(&owner) {
                // As serde says it of the members that it knows.
                return Err(A::Error::custom(format_args!("duplicate field `{owner}`")));
            }
            hours.insert(owner, map.next_value()?);
        }
        Ok(Hours(hours))
    }
}
