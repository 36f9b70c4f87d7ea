//! What EC2's error codes say of a Region.

/// Whether a Region answered a read in such a way as one does that is not enabled in this account, or that does not exist.
#[must_use]
pub fn is_region_not_enabled(code: &str) -> bool {
    matches!(code, "AuthFailure" | "OptInRequired" | "InvalidRegion")
}
