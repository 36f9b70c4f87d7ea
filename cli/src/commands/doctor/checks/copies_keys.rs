//! The keys that the copies are under, whether or not a policy still names them.

use snapferry_core::facts::{Copies, Endangered, KeyFact, KeyLife, KeyProblem};
use snapferry_core::ids::Region;

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::Facts;

/// For each Region whose copies were read and are under keys one check of those that live, and one for each that does not.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let read = facts.copies.iter().filter_map(|(region, copies)| Some((region, copies.as_ref().ok()?)));
    read.flat_map(|(region, copies)| of_region(region, copies)).collect()
}

fn of_region(region: &Region, copies: &Copies) -> Vec<Check> {
    let mut checks: Vec<Check> = copies.endangered().map(|key| endangered(region, &key)).collect();
    let alive = copies.keys.values().filter(|fact| fact.life() == KeyLife::Alive).count();
    if alive > 0 {
        checks.push(Check::pass(
            "copies-key",
            region,
            format!("keys that copies are under and that can decrypt them: {alive}"),
        ));
    }
    checks
}

fn endangered(region: &Region, lost: &Endangered<'_>) -> Check {
    let (check, Endangered { key, fact, copies }) = ("copies-key", lost);
    let message = format!("{copies} copies in {region} are under this key, which {}", fact.clause());
    let found = match fact {
        KeyFact::Unread(error) => return Check::unread(check, key, error),
        KeyFact::Unusable(KeyProblem::AccessDenied(_)) => {
            let message = format!(
                "{copies} copies in {region} are under this key, which these credentials may not look at; the stack's roles \
                 perhaps may"
            );
            Check::unknown(check, key, message).remedy(
                "Repeat with credentials that may call kms:DescribeKey. That the copier may not is told by its records \
                 copy.refused copies-key-in-doubt.",
            )
        }
        _ if fact.life() == KeyLife::Doomed => Check::fail(check, key, message).remedy(lost.remedy()),
        _ => Check::unknown(check, key, message).remedy(lost.remedy()),
    };
    match fact.error() {
        Some(error) => found.because(error),
        None => found,
    }
}
