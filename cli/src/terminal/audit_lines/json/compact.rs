//! A message that is JSON itself. The console of Logs Insights downloads it as an object with white space in it, no longer as
//! text; the functions printed it without, its members in the same order.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A message: the text that it is, or the JSON that it is, without white space. `None` for null.
pub(super) struct Text(pub(super) Option<String>);

/// Appends any value to a text.
struct Compact<'t>(&'t mut String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::new();
        Compact(&mut text).deserialize(deserializer)?;
        Ok(Self(if text.starts_with('"') {
            serde_json::from_str(&text).ok()
        } else {
            (text != "null").then_some(text)
        }))
    }
}

impl Compact<'_> {
    fn push<E: Error>(self, value: &impl serde::Serialize) -> Result<(), E> {
        self.0.push_str(&serde_json::to_string(value).map_err(E::custom)?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Compact<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Compact<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut before = '{';
        while let Some(name) = members.next_key::<String>()? {
            self.0.push(std::mem::replace(&mut before, ','));
            Compact(&mut *self.0).push(&name)?;
            self.0.push(':');
            members.next_value_seed(Compact(&mut *self.0))?;
        }
        self.0.push_str(if before == '{' { "{}" } else { "}" });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        self.0.push('[');
        let start = self.0.len();
        while values.next_element_seed(Element(&mut *self.0, start))?.is_some() {}
        self.0.push(']');
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(&())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(&value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(&value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(&value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(&value)
    }
}

/// Appends an array's value, with a comma in front when something stands behind `start`.
struct Element<'t>(&'t mut String, usize);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0.len() > self.1 {
            self.0.push(',');
        }
        Compact(self.0).deserialize(deserializer)
    }
}
