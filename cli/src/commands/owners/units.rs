//! Organizational units as accounts' paths name them.

/// An organizational unit, or a root: the parts of its path, or of the end of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit(Vec<String>);

impl Unit {
    /// Reads a path such as `o-a1b2c3d4e5/r-ab12/ou-ab12-11112222/`, or the IDs at its end.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = text.trim_matches('/').split('/').map(str::to_owned).collect();
        let is_id = |part: &String| {
            let digits = ["o-", "r-", "ou-"].iter().find_map(|kind| part.strip_prefix(kind));
            digits.is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        };
        if parts.iter().all(is_id) {
            return Ok(Self(parts));
        }
        Err("expected the ID of an organizational unit, ou-ab12-11112222, or its path; a name is in no list of accounts"
            .to_owned())
    }

    /// Whether a path of an account's, `o-a1b2c3d4e5/r-ab12/ou-ab12-11112222/111122223333/`, leads through the unit.
    pub(crate) fn is_on(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        parts.windows(self.0.len()).any(|window| window == self.0)
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_on_the_paths_that_lead_through_it() {
        let path = "o-a1b2c3d4e5/r-ab12/ou-ab12-11112222/ou-ab12-33334444/111122223333/";
        for (unit, expected) in [
            ("ou-ab12-33334444", true),
            ("ou-ab12-11112222", true),
            ("r-ab12", true),
            ("o-a1b2c3d4e5", true),
            ("o-a1b2c3d4e5/r-ab12/ou-ab12-11112222/", true),
            ("/ou-ab12-11112222/ou-ab12-33334444/", true),
            ("ou-ab12-1111222", false),
            ("ou-ab12-33334444/ou-ab12-11112222", false),
            ("o-a1b2c3d4e5/ou-ab12-11112222", false),
        ] {
            assert_eq!(Unit::parse(unit).unwrap().is_on(path), expected, "{unit}");
        }
        for text in ["", "/", "Workloads", "ou-", "o-a/Workloads", "ou-ab12-*", "OU-ab12-1", "111122223333"] {
            assert!(Unit::parse(text).is_err(), "{text}");
        }
    }
}
