//! The owners in a policy document, letter by letter.

use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use snapferry_core::ids::AccountId;
use snapferry_core::policy::{self, Policy};

use crate::terminal::input;

/// Where they stand in `PolicyDetails`.
const MEMBER: &str = "EventSource.Parameters.SnapshotOwner";

/// The owners of one policy of a document.
#[derive(Debug)]
pub(crate) struct Owners<'d> {
    /// The policy's name.
    pub(crate) name: String,
    /// The owners, in the order in which they stand there.
    pub(crate) until_now: Vec<AccountId>,
    document: &'d str,
    policies: Vec<Policy>,
    index: usize,
    place: Range<usize>,
}

impl<'d> Owners<'d> {
    /// Finds those of the policy with this ID, or of the only one.
    ///
    /// # Errors
    /// When the document is not valid, or there is no such policy.
    pub(crate) fn find(document: &'d str, path: &Path, id: Option<&str>) -> anyhow::Result<Self> {
        let shown = input::shown(path);
        let policies = policy::parse(document)
            .with_context(|| format!("{shown} is no valid policy (see `snapferry check`)"))?
            .policies;
        let index = match id {
            Some(id) => policies.iter().position(|policy| policy.name.as_str() == id),
            None => (policies.len() == 1).then_some(0),
        };
        let names = || policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
        let index =
            index.with_context(|| format!("{shown} has the policies {}: name one with --policy-id", names()))?;
        let name = policies.get(index).map(|policy| policy.name.to_string()).unwrap_or_default();
        let paths = [
            format!("[{index}].Policy.PolicyDetails.{MEMBER}"),
            format!("Policy.PolicyDetails.{MEMBER}"),
            MEMBER.to_owned(),
        ];
        let place = paths.iter().find_map(|path| policy::bytes_of(document, path));
        let place = place.with_context(|| format!("{shown}: SnapshotOwner is not found"))?;
        let text = document.get(place.clone()).unwrap_or_default();
        let until_now = serde_json::from_str(text).with_context(|| format!("{shown}: SnapshotOwner"))?;
        Ok(Self { name, until_now, document, policies, index, place })
    }

    /// The document with these owners in the place of those until now, and all else as it is.
    ///
    /// # Errors
    /// When that would mean something else.
    pub(crate) fn replaced_by(&self, owners: &[AccountId]) -> anyhow::Result<String> {
        if owners == self.until_now {
            return Ok(self.document.to_owned());
        }
        let Range { start, end } = self.place.clone();
        let (before, behind) = (self.document.get(..start), self.document.get(end..));
        let old = self.document.get(start..end).unwrap_or_default();
        let text = [before.unwrap_or_default(), &array(old, owners), behind.unwrap_or_default()].concat();
        let mut expected = self.policies.clone();
        if let Some(policy) = expected.get_mut(self.index) {
            let of_hours = policy.silent_after_hours.keys().filter(|owner| !owners.contains(owner));
            let of_hours: Vec<String> = of_hours.map(ToString::to_string).collect();
            anyhow::ensure!(
                of_hours.is_empty(),
                "SilentAfterHours still has {}, which would be no SnapshotOwner any more: take it out there first",
                of_hours.join(", ")
            );
            policy.owners = owners.iter().cloned().collect();
        }
        let found = policy::parse(&text).map(|parsed| parsed.policies);
        anyhow::ensure!(
            found.as_ref() == Ok(&expected),
            "the place of SnapshotOwner is in doubt, so nothing is changed"
        );
        Ok(text)
    }
}

/// An array of accounts, laid out as the one that was there.
fn array(old: &str, owners: &[AccountId]) -> String {
    let inner = old.trim_start_matches('[').trim_end_matches(']');
    let first = inner.get(..inner.len() - inner.trim_start().len()).unwrap_or_default();
    let last = inner.get(inner.trim_end().len()..).unwrap_or_default();
    // An empty array has all its white space in front, and none to lay out others by.
    let (first, last) = if inner.trim().is_empty() { ("", "") } else { (first, last) };
    let between = if first.contains('\n') { format!(",{first}") } else { ", ".to_owned() };
    let owners: Vec<String> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
    format!("[{first}{}{last}]", owners.join(&between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_laid_out_as_it_was() {
        let owners = ["111111111111", "222222222222"].map(|id| AccountId::parse(id).unwrap());
        let inline = r#"["111111111111", "222222222222"]"#;
        for (old, expected) in [
            ("[]", inline),
            ("[ \n ]", inline),
            (r#"["333333333333"]"#, inline),
            (r#"["333333333333","444444444444"]"#, inline),
            (r#"[ "333333333333" ]"#, r#"[ "111111111111", "222222222222" ]"#),
            ("[\n  \"333333333333\"\n]", "[\n  \"111111111111\",\n  \"222222222222\"\n]"),
            ("[\r\n\t\"333333333333\"\r\n]", "[\r\n\t\"111111111111\",\r\n\t\"222222222222\"\r\n]"),
        ] {
            assert_eq!(array(old, &owners), expected, "{old}");
        }
        assert_eq!(array(r#"["333333333333"]"#, &[]), "[]");
    }
}
