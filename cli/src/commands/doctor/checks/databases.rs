//! Whether what the policy wants of databases is in the stack.

use snapferry_core::policy::Policy;

use super::parts::resource;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Part, Stack};

/// The checks of the parts for databases, and of the policy's SourceTypes against them.
pub(super) fn checks(stack: &Stack, policies: &[Policy]) -> Vec<Check> {
    let has_them = has_them(stack);
    let mut checks = Vec::new();
    if has_them {
        checks.extend(Part::OF_DATABASES.map(|part| resource(stack, part)));
    }
    let are_wanted = policies.iter().any(|policy| policy.source_types.iter().any(|kind| kind.is_of_databases()));
    checks.extend(match (are_wanted, has_them) {
        (false, false) => None,
        (true, true) => Some(Check::pass("databases", "", "the stack has what copies the databases of the policy")),
        (true, false) => Some(
            Check::fail(
                "databases",
                "",
                "the policy's SourceTypes name databases, and the stack has Databases=false: none is copied",
            )
            .remedy("Deploy it with Databases=true, as parameters.py and make deploy do by the policy."),
        ),
        (false, true) => Some(
            Check::unknown(
                "databases",
                "",
                "the stack has Databases=true, and the policy's SourceTypes name none: none is copied",
            )
            .remedy("Once no copy of a database is kept any more, deploy it with Databases=false."),
        ),
    });
    checks
}

/// A stack of the CDK has no parameters, but the parts.
fn has_them(stack: &Stack) -> bool {
    match stack.given("Databases") {
        Some(given) => given == "true",
        None => Part::OF_DATABASES.into_iter().any(|part| stack.part(part).is_some()),
    }
}
