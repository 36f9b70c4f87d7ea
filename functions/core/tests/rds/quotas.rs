//! One code, two reasons.

use snapferry_core::rds::{Kind, Refusal, Usage, refusal};

#[test]
fn the_usage_tells_why_rds_takes_no_copy() {
    for (usage, reason) in [
        (Some((99, 100)), Refusal::InFlight),
        (Some((0, 100)), Refusal::InFlight),
        (Some((100, 100)), Refusal::ManualSnapshots),
        (Some((101, 100)), Refusal::ManualSnapshots),
        (Some((0, 0)), Refusal::ManualSnapshots),
        (None, Refusal::Unknown),
    ] {
        assert_eq!(refusal(usage.map(|(used, max)| Usage { used, max })), reason, "{usage:?}");
    }
}

#[test]
fn each_kind_has_limits_of_its_own() {
    let of = |kind: Kind| (kind.in_flight_limit(), kind.quota_name(), kind.arn_type());
    assert_eq!(of(Kind::Instance), (20, "ManualSnapshots", "snapshot"));
    assert_eq!(of(Kind::Cluster), (5, "ManualClusterSnapshots", "cluster-snapshot"));
}
