//! Which volumes must have a point, and what is said of one that has no copy.

use std::collections::BTreeMap;

use snapferry_core::ids::{AccountId, Region, VolumeId};
use snapferry_core::recovery::{Facts, Wanted};

/// Takes the volumes of other accounts than the chosen ones out of the inventory. Whose a volume is, its copies say; one of which there
/// is none, or only such as nobody can read, stays: it may be of a chosen account, and lost. So does what --volume names.
pub(super) fn narrow(wanted: &mut Wanted, facts: &Facts) {
    if wanted.accounts.is_empty() {
        return;
    }
    let mut is_chosen: BTreeMap<&VolumeId, bool> = BTreeMap::new();
    let copies = facts.regions.values().flat_map(|vault| &vault.copies.copies);
    for copy in copies.filter(|copy| !copy.is_tampered) {
        if let Some(volume) = &copy.lineage {
            let account = copy.origin.account.as_ref();
            *is_chosen.entry(volume).or_default() |= account.is_none_or(|account| wanted.accounts.contains(account));
        }
    }
    let Wanted { attachments, volumes, .. } = wanted;
    attachments.retain(|volume, _| volumes.contains(volume) || is_chosen.get(volume) != Some(&false));
}

/// That there is no copy, where the options leave others out: there may be one elsewhere.
pub(super) fn none(accounts: &[AccountId], targets: &[Region]) -> String {
    if accounts.is_empty() && targets.is_empty() {
        return "no copy".to_owned();
    }
    let mut words = "none".to_owned();
    for (word, names) in [
        (" of ", accounts.iter().map(AccountId::as_str).collect::<Vec<_>>()),
        (" in ", targets.iter().map(Region::as_str).collect()),
    ] {
        if !names.is_empty() {
            words += word;
            words += &names.join(", ");
        }
    }
    words
}
