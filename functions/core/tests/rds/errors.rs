//! What RDS's codes mean, with and without the word that its model's shapes end with.

use snapferry_core::copying::CopyFailure;
use snapferry_core::ebs::errors::Failed;
use snapferry_core::expiring::{DeleteFailure, Refusal};
use snapferry_core::rds::errors::{NotStarted, copy_failure, delete_failure, is_not_found};
use snapferry_core::rds::refusal;

fn answered<'e>(status: u16, code: &'e str, message: &'e str) -> Failed<'e> {
    Failed::Answered { status, code, message }
}

#[test]
fn what_a_copy_was_refused_for_is_told_apart() {
    for (code, message, expected) in [
        ("AccessDenied", "not authorized to perform: rds:CopyDBSnapshot", "not-authorized"),
        ("OptInRequired", "", "region-not-enabled"),
        ("DBSnapshotNotFound", "", "source-not-found"),
        ("DBClusterSnapshotNotFoundFault", "", "source-not-found"),
        ("KMSKeyNotAccessibleFault", "", "key-refused"),
        ("InvalidDBSnapshotState", "", "call-refused"),
        ("InvalidDBClusterSnapshotStateFault", "", "call-refused"),
        ("InvalidParameterCombination", "A snapshot with TDE needs an option group", "copy-unsupported"),
        ("InvalidParameterValue", "The tag key 'a' is longer than allowed", "tag-refused"),
        ("InvalidParameterValue", "something else", "call-refused"),
    ] {
        let failure = copy_failure(answered(400, code, message));
        assert!(
            matches!(failure, NotStarted::Failed(CopyFailure::Refused { reason, .. }) if reason.name() == expected),
            "{code}: {failure:?}"
        );
    }
}

#[test]
fn what_is_no_refusal_of_a_copy() {
    for (failed, expected) in [
        (answered(400, "DBSnapshotAlreadyExists", ""), NotStarted::NameTaken),
        (answered(400, "DBClusterSnapshotAlreadyExistsFault", ""), NotStarted::NameTaken),
        (answered(400, "SnapshotQuotaExceeded", ""), NotStarted::Quota),
        (answered(400, "SnapshotQuotaExceededFault", ""), NotStarted::Quota),
        (answered(400, "Throttling", ""), NotStarted::Failed(CopyFailure::Throttled)),
        (answered(503, "ThrottlingException", ""), NotStarted::Failed(CopyFailure::Throttled)),
        (answered(500, "InternalFailure", ""), NotStarted::Failed(CopyFailure::Ambiguous)),
        (answered(400, "", ""), NotStarted::Failed(CopyFailure::Ambiguous)),
        (Failed::Silent, NotStarted::Failed(CopyFailure::Silence)),
    ] {
        assert_eq!(copy_failure(failed), expected, "{failed:?}");
    }
}

#[test]
fn a_region_that_is_busy_or_full_is_one_for_the_line_too() {
    use snapferry_core::rds::Usage;
    for (usage, failure) in [
        (Some((1, 100)), CopyFailure::RegionFull),
        (Some((100, 100)), CopyFailure::QuotaExceeded),
        (None, CopyFailure::RegionFull),
    ] {
        let usage = usage.map(|(used, max)| Usage { used, max });
        assert_eq!(refusal(usage).failure(), failure, "{usage:?}");
    }
}

#[test]
fn what_a_failed_deletion_means() {
    for (failed, expected) in [
        (answered(404, "DBSnapshotNotFound", ""), DeleteFailure::Gone),
        (answered(404, "DBClusterSnapshotNotFoundFault", ""), DeleteFailure::Gone),
        (answered(400, "InvalidDBSnapshotState", ""), DeleteFailure::Refused(Refusal::Other)),
        (answered(403, "AccessDenied", ""), DeleteFailure::Refused(Refusal::NotAuthorized)),
        (answered(400, "Throttling", ""), DeleteFailure::Refused(Refusal::Throttled)),
        (answered(500, "InternalFailure", ""), DeleteFailure::Unknown),
        (answered(400, "", ""), DeleteFailure::Unknown),
        (Failed::Silent, DeleteFailure::Unknown),
        (Failed::NotSent, DeleteFailure::Refused(Refusal::Other)),
    ] {
        assert_eq!(delete_failure(failed), expected, "{failed:?}");
    }
    assert!(is_not_found("DBSnapshotNotFound") && is_not_found("DBClusterSnapshotNotFoundFault"));
    assert!(!is_not_found("DBSnapshotAlreadyExists"));
}
