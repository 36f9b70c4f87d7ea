//! What an answer to these credentials says of the copier's.

use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Facts, Part};

/// Whether the credentials are those of the copier's own role, as far as the stack tells.
pub(super) fn is_copier(facts: &Facts) -> bool {
    let Some((_, Ok(stack))) = &facts.stack else { return false };
    let role = stack.part(Part::CopySharedSnapshotsRole).map(|role| role.physical_id.as_str()).unwrap_or_default();
    // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
    !role.is_empty() && facts.arn.contains(":assumed-role/") && facts.arn.split('/').nth(1) == Some(role)
}

/// Whether a refusal says something about everybody, and not only about who asked (IAM User Guide, "Troubleshoot access
/// denied error messages").
pub(super) fn is_about_everybody(error: &CallError, is_copier: bool) -> bool {
    is_copier
        || error.message.contains("service control policy")
        || error.message.contains("resource-based policy")
        || error.message.contains("resource-based policies")
}
