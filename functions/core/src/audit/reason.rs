//! Every reason that a record can have, with what it means: the table behind `audit.schema.json` and RUNBOOK.md.
//!
//! A reason that is not listed here cannot be recorded: [`Record::new`](super::Record::new) asserts it in debug builds,
//! which is how every test runs.

use serde::Serialize;

use self::Event::*;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Event {
    /// EC2 took a copy request. The copy is not a backup yet.
    #[serde(rename = "copy.started")]
    CopyStarted,
    /// There was nothing to do.
    #[serde(rename = "copy.skipped")]
    CopySkipped,
    /// Not now; the next sweep looks again.
    #[serde(rename = "copy.deferred")]
    CopyDeferred,
    /// Snapferry will not copy until somebody repairs something.
    #[serde(rename = "copy.refused")]
    CopyRefused,
    /// EC2 refused a request, or gave up on a copy.
    #[serde(rename = "copy.failed")]
    CopyFailed,
    /// The copy is what the policy asked for.
    #[serde(rename = "copy.verified")]
    CopyVerified,
    /// The copy is completed, but not what the policy asked for.
    #[serde(rename = "copy.rejected")]
    CopyRejected,
    /// The copy has been pending for more than a day.
    #[serde(rename = "copy.stalled")]
    CopyStalled,
    /// The copy was locked, or could not be (then with `error`).
    #[serde(rename = "copy.locked")]
    CopyLocked,
    /// The copy was deleted: EC2 said so.
    #[serde(rename = "copy.expired")]
    CopyExpired,
    /// The copy's time is over and it was kept.
    #[serde(rename = "copy.kept")]
    CopyKept,
    /// A sweep has looked at everything.
    #[serde(rename = "sweep.completed")]
    SweepCompleted,
    /// How one target Region stands at the end of a sweep.
    #[serde(rename = "sweep.region")]
    SweepRegion,
    /// When a sweep last heard of one owner.
    #[serde(rename = "sweep.owner")]
    SweepOwner,
    /// Something came in that cannot be read.
    #[serde(rename = "event.invalid")]
    EventInvalid,
    /// The policy is accepted, and something in it deserves a look; said at each cold start.
    #[serde(rename = "policy.warning")]
    PolicyWarning,
}

/// Each event with each of its reasons and their meaning, grouped by event.
pub const REASONS: &[(Event, &[(&str, &str)])] = &[
    (CopyStarted, &[("matched", "A policy wants the snapshot in this Region, and EC2 took the request.")]),
    (
        CopySkipped,
        &[
            ("already-copied", "There is a live copy of the snapshot for this policy and Region."),
            ("already-gone", "The copy was to be deleted, and somebody else had deleted it already."),
            ("description-mismatch", "The description does not match the policy's DescriptionRegex."),
            ("duplicate", "There are several live copies of one snapshot, which Snapferry itself never makes."),
            ("not-completed", "The snapshot is not completed; the sweep copies it once it is."),
            ("not-succeeded", "A share event whose result is not succeeded."),
            ("not-visible", "EC2 does not show the snapshot to this account: not shared yet, or no longer."),
            ("other-event", "A readable event that asks for no copy."),
            ("own-snapshot", "This account owns the snapshot itself."),
            ("owner-not-listed", "The snapshot's owner is not in the policy's SnapshotOwner."),
            ("policy-disabled", "The policy's State is DISABLED."),
        ],
    ),
    (
        CopyDeferred,
        &[
            ("answer-lost", "Nobody knows whether the copy was started, so it is not asked for again now."),
            ("key-unread", "KMS did not say whether the configured key is usable."),
            ("lock-not-noted", "EC2 holds the lock, but the copy's tag does not say so yet."),
            ("not-carried-out", "A decision that nothing carried out: a fault in Snapferry."),
            ("out-of-time", "Too little of the invocation's time remained."),
            ("region-full", "The target Region takes no more copies at the moment."),
            ("region-unreachable", "An earlier call of the same invocation got no answer from the target Region."),
            ("region-unread", "The copies in the target Region could not be read."),
            ("sources-unread", "The shared snapshots could not be read in the home Region."),
            ("throttled", "The target Region kept throttling CopySnapshot."),
            ("verdict-not-written", "A copy was judged, but the verdict could not be written to its tags."),
        ],
    ),
    (
        CopyRefused,
        &[
            ("attempts-exhausted", "Too many copies of the snapshot failed within a day."),
            ("clock-behind", "Nothing is deleted: a copy was started in what the clock takes for the future."),
            ("key-access-denied", "The copier's role may not use the configured key."),
            ("key-aws-managed", "The configured key is managed by AWS."),
            ("key-disabled", "The configured key is disabled."),
            ("key-not-found", "The configured key does not exist."),
            ("key-not-ready", "The configured key is in a state in which it cannot encrypt."),
            ("key-not-symmetric", "The configured key is no symmetric encryption key."),
            ("key-not-the-configured-one", "KMS named another key than the configured one."),
            ("key-pending-deletion", "The configured key is about to be deleted."),
            ("malformed-tags", "Somebody changed Snapferry's tags on a snapshot."),
            ("mass-expiry", "Nothing is deleted: more than half of all verified copies are due at once."),
        ],
    ),
    (
        CopyFailed,
        &[
            ("call-refused", "EC2 refused the request for a reason that this version does not know."),
            ("copy-unsupported", "EC2 does not copy this snapshot between these Regions."),
            ("default-key-not-shareable", "EC2 gave up on the copy: a default key is in the way."),
            ("grant-missing", "EC2 gave up on the copy: it could not be given the use of a key."),
            ("internal-error", "EC2 gave up on the copy because of a failure of its own."),
            ("key-disabled", "EC2 gave up on the copy: a key is disabled or about to be deleted."),
            ("key-refused", "EC2 does not accept the configured key."),
            ("not-authorized", "EC2 refused the request: a role, a key's policy or an SCP does not allow it."),
            ("not-signed", "The request could not be signed, so nothing was sent."),
            ("region-not-enabled", "The target Region is not enabled in this account, or does not exist."),
            ("size-or-region-unsupported", "EC2 gave up on the copy because of its kind, its size or the Region."),
            ("source-gone", "EC2 gave up on the copy: the source is deleted or no longer shared."),
            ("source-key-inaccessible", "EC2 gave up on the copy: the source's key cannot be used from here."),
            ("source-not-found", "EC2 refused the request: the source is deleted or no longer shared."),
            ("unknown-cause", "EC2 gave up on the copy with words that this version does not know."),
        ],
    ),
    (CopyVerified, &[("as-configured", "The copy is what its policy asked for.")]),
    (
        CopyRejected,
        &[
            ("malformed-tags", "The copy is completed, but one of Snapferry's tags on it cannot be read."),
            ("not-encrypted", "The copy is completed and not encrypted, though it should be."),
            ("wrong-key", "The copy is encrypted under another key than the one asked for."),
            ("wrong-owner", "Another account owns the copy."),
            ("wrong-size", "The copy is not of its source's size."),
        ],
    ),
    (CopyStalled, &[("pending-over-a-day", "The copy has been pending for more than 24 hours.")]),
    (
        CopyLocked,
        &[
            ("already-locked", "EC2 held the lock already; only the record of it had been lost."),
            ("lock-failed", "The copy is verified, but EC2 did not lock it: with error."),
            ("lock-rule-gone", "The copy waits for a lock that today's policy no longer asks for: with error."),
            ("locked", "EC2 locked the copy."),
        ],
    ),
    (
        CopyExpired,
        &[
            ("already-gone", "EC2 does not know the copy any more: an attempt whose answer was lost deleted it."),
            ("expired", "Its retention was over, and EC2 deleted it."),
            ("failed", "EC2 had given up on it more than a day before; it was deleted."),
            ("rejected", "It was rejected more than a day before, and another copy of its source stays."),
        ],
    ),
    (
        CopyKept,
        &[
            ("answer-lost", "EC2 did not say whether the copy is deleted."),
            ("foreign-owner", "Another account owns the copy."),
            ("in-use", "EC2 refused: an AMI uses the copy."),
            ("last-verified", "It is one of the last verified copies of its volume."),
            ("locked", "EC2 refused: a lock holds the copy."),
            ("malformed-tags", "Somebody changed Snapferry's tags on it."),
            ("no-longer-due", "Just before deletion its tags or state no longer said that its time is over."),
            ("not-authorized", "EC2 refused: the role or an SCP does not allow it."),
            ("not-read-again", "It could not be looked at once more just before deletion."),
            ("not-settled", "It failed or was rejected, but nothing says since when."),
            ("not-verified", "Its time is over, but it has no verdict yet."),
            ("only-copy", "It was rejected, and there is no better copy of its source in this Region."),
            ("out-of-time", "Too little of the invocation's time remained for these."),
            ("refused", "EC2 refused for a reason that this version does not know."),
            ("region-closed", "EC2 stopped answering in their Region."),
            ("region-unread", "The copies in the Region could not be read."),
            ("run-limit", "One run deletes no more than SNAPFERRY_MAX_DELETES_PER_RUN."),
            ("state-contradicts", "Its verdict and EC2's state of it do not go together."),
            ("survivor-gone", "Just before deletion the copy that made it dispensable was no longer good."),
            ("throttled", "EC2 takes no more requests at the moment."),
            ("volume-unknown", "EC2 named no volume for their sources, so each may be the last copy of its volume."),
        ],
    ),
    (SweepCompleted, &[("swept", "A sweep has looked at everything that is shared and copied.")]),
    (SweepRegion, &[("counted", "How one target Region stands at the end of a sweep.")]),
    (
        SweepOwner,
        &[
            ("never-seen", "Neither a snapshot that a policy wants nor a copy of one is there from this owner."),
            ("seen", "When the newest snapshot that a policy wants from this owner was started."),
        ],
    ),
    (
        EventInvalid,
        &[
            ("no-snapshot", "A share event that names no snapshot."),
            ("not-an-event", "Neither an EventBridge event nor a sweep tick."),
            ("not-json", "Not JSON."),
        ],
    ),
    (
        PolicyWarning,
        &[
            ("description-regex-empty", "DescriptionRegex is empty: it matches only an empty description."),
            ("description-regex-missing", "DescriptionRegex is absent: every description matches."),
            ("keep-none", "KeepAtLeast is 0: the last verified copy of a volume may be deleted."),
            ("no-targets", "An action without a target copies to no Region."),
            ("owners-empty", "No SnapshotOwner: the policy copies nothing."),
            ("region-unknown", "A Region that this version does not know."),
            ("state-error", "The policy's State is ERROR in DLM."),
            ("target-unencrypted", "A target does not demand encryption."),
        ],
    ),
];

/// What a reason of an event means; nothing when it is not listed.
#[must_use]
pub fn meaning(event: Event, reason: &str) -> Option<&'static str> {
    let (_, reasons) = REASONS.iter().find(|(listed, _)| *listed == event)?;
    reasons.iter().find(|(listed, _)| *listed == reason).map(|(_, meaning)| *meaning)
}
