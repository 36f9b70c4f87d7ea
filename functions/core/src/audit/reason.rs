//! Every reason that a record can have, with what it means and what somebody does about it: the table behind
//! `audit.schema.json` and RUNBOOK.md.
//!
//! The reasons of an event stand in the order of their names, because a sweep's counts are printed in the types' order.

use std::fmt;

use compact_str::CompactString;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::table::Next::{self, Itself, Nothing, Somebody};
use super::table::reasons;

reasons! {
    CopyStarted "copy.started" "EC2 took a copy request. The copy is not a backup yet." {
        Matched "matched" "A policy wants the snapshot in this Region, and EC2 took the request." Nothing;
    }
    CopySkipped "copy.skipped" "There was nothing to do." {
        AlreadyCopied "already-copied" "There is a live copy of the snapshot for this policy and Region." Nothing;
        AlreadyGone "already-gone" "The copy was to be deleted, and somebody else had deleted it already." Nothing;
        DescriptionMismatch "description-mismatch"
            "The description does not match the policy's DescriptionRegex, \
             or SourceTypes or DatabaseFilter leave a database's snapshot out."
            Nothing;
        Duplicate "duplicate" "There are several live copies of one snapshot, which Snapferry itself never makes."
            Somebody("Find out what else made copies with Snapferry's tags, and delete the surplus by hand.");
        NotCompleted "not-completed" "The snapshot is not completed; the sweep copies it once it is." Nothing;
        NotSucceeded "not-succeeded" "A share event whose result is not succeeded." Nothing;
        NotVisible "not-visible" "EC2 does not show the snapshot to this account: not shared yet, or no longer."
            Nothing;
        OtherEvent "other-event" "A readable event that asks for no copy." Nothing;
        OtherRegion "other-region" "An event of another Region than the stack's home." Nothing;
        OwnSnapshot "own-snapshot" "This account owns the snapshot itself." Nothing;
        OwnerNotListed "owner-not-listed" "The snapshot's owner is not in the policy's SnapshotOwner." Nothing;
        PolicyDisabled "policy-disabled" "The policy's State is DISABLED." Nothing;
    }
    CopyDeferred "copy.deferred" "Not now." {
        AccountPassedOver "account-passed-over"
            "EC2 refused several copies of one account in a row for the same reason, so others have their turn."
            Itself("The next tick goes on; act on what the refusals say.");
        AnotherNamed "another-named"
            "The copy has the tags of one that the ledger names another copy for: only that one is verified."
            Somebody("Find out what put Snapferry's tags on it, and remove them or delete it by hand.");
        AnswerLost "answer-lost" "EC2's answer was lost; the copy may exist, so the request is not repeated now."
            Itself("It is looked for ten minutes after the request.");
        DurationThroughput "duration-throughput"
            "The throughput that copies with a CompletionDuration share between two Regions is used up."
            Itself("It stands in line; the next tick goes on.");
        InLine "in-line"
            "Other copies have their turn first (of a database also its older one, while that is under way), \
             or a pause after a refusal or failure is not over."
            Itself("It stands in line; the next tick goes on.");
        KeyDoomed "key-doomed" "The copy's key is gone or about to be deleted: it is neither verified nor locked."
            Somebody("Cancel the key's deletion and enable it, or let what is shared be copied under another.");
        KeyUnread "key-unread" "KMS did not say whether the configured key is usable."
            Itself("The next sweep looks again.");
        LedgerUnread "ledger-unread" "The ledger did not answer, and no copy is asked for without it."
            Somebody("See whether the table is there, and whether the role may use it.");
        LockNotNoted "lock-not-noted" "EC2 holds the lock, but the copy's tag does not say so yet."
            Itself("The next run notes it.");
        NotCarriedOut "not-carried-out" "A decision that nothing carried out: a fault in Snapferry."
            Somebody("Report it with the record.");
        NotProved "not-proved" "The copy's blocks could not be read, so nothing is proven of its content."
            Somebody("Act on EC2's words; let the role prove-copies read the copy's blocks and use its key.");
        NotVisibleYet "not-visible-yet" "EC2 does not show the snapshot that an event names: not shared yet, or no longer."
            Itself("It is looked for at each tick for an hour, then four times an hour for a day.");
        OutOfTime "out-of-time" "Too little of the invocation's time remained." Itself("The next run goes on.");
        ProofNotWritten "proof-not-written" "A copy's content was proven, but its tag could not be written."
            Itself("The next run proves it again.");
        ProofStuck "proof-stuck" "The proof of a copy's content began more than eight days ago."
            Somebody("Let prove-copies run more often, or read fewer blocks; see what else its audit says of the copy.");
        QuotaExceeded "quota-exceeded" "This account has as many snapshots in the target Region as its quota allows."
            Somebody("Ask for a higher quota of snapshots there, or delete some by hand.");
        RegionFull "region-full" "The target Region takes no more copies at the moment."
            Itself("It stands in line; the next tick goes on.");
        RegionNotEnabled "region-not-enabled"
            "The copies could not be read: the target Region is not enabled in this account, or does not exist."
            Somebody("Enable the Region in this account, or correct Target in the policy.");
        RegionUnreachable "region-unreachable"
            "An earlier call of the same invocation got no answer from the target Region."
            Itself("It stands in line; the next tick goes on.");
        RegionUnread "region-unread" "The copies in the target Region could not be read."
            Itself("The next run looks again.");
        SourcesUnread "sources-unread" "The shared snapshots could not be read in the home Region."
            Itself("The next sweep looks again.");
        TagLimitExceeded "tag-limit-exceeded"
            "A copy was judged, and has too many tags for its verdict: EC2 allows 50."
            Somebody("Remove two tags that are not Snapferry's from the copy, and find out what puts them there.");
        Throttled "throttled" "The target Region kept throttling the copy call."
            Itself("It stands in line; the next tick goes on.");
        VerdictNotWritten "verdict-not-written" "A copy was judged, but the verdict could not be written to its tags."
            Itself("The next run judges again.");
        VolumeNotWritten "volume-not-written"
            "A copy's description names its source's volume, but that could not be written to its tags."
            Itself("The next run tries again.");
    }
    CopyRefused "copy.refused" "Snapferry will not copy until somebody repairs something." {
        AttemptsExhausted "attempts-exhausted" "Too many copies of the snapshot failed within a day."
            Somebody("Correct what the copies' copy.failed and copy.rejected records name.");
        ClockBehind "clock-behind" "Nothing is deleted: a copy was started in what the clock takes for the future."
            Somebody("Compare the newest copies' start times with today's date.");
        ClusterNotEncrypted "cluster-not-encrypted"
            "The cluster's snapshot is not encrypted, and RDS cannot encrypt its copy as the policy demands."
            Somebody("Restore it into an encrypted cluster in the source account, and share that one's snapshots.");
        CopiesKeyDoomed "copies-key-doomed"
            "Copies are under a key that is gone or about to be deleted: they count as lost."
            Somebody("Cancel the key's deletion and enable it, or let what is shared be copied under another.");
        CopiesKeyInDoubt "copies-key-in-doubt" "Copies are under a key that is disabled, or that KMS does not describe."
            Somebody("Enable the key, or let the roles describe it.");
        KeyAccessDenied "key-access-denied" "The copier's role may not use the configured key."
            Somebody("Name the key in the role's policy and the role in the key's.");
        KeyAwsManaged "key-aws-managed" "The configured key is managed by AWS."
            Somebody("Configure a customer managed key.");
        KeyDisabled "key-disabled" "The configured key is disabled." Somebody("Enable the key.");
        KeyNotFound "key-not-found" "The configured key does not exist." Somebody("Correct CmkArn in the policy.");
        KeyNotNamed "key-not-named" "RDS needs a key for the copy, and the policy names none."
            Somebody("Name a key of the target Region in CmkArn.");
        KeyNotReady "key-not-ready" "The configured key is in a state in which it cannot encrypt."
            Somebody("Import the key material or repair the key store, unless the state passes.");
        KeyNotSymmetric "key-not-symmetric" "The configured key is no symmetric encryption key."
            Somebody("Configure a symmetric encryption key.");
        KeyNotTheConfiguredOne "key-not-the-configured-one" "KMS named another key than the configured one."
            Somebody("Correct CmkArn in the policy.");
        KeyPendingDeletion "key-pending-deletion" "The configured key is about to be deleted."
            Somebody("Cancel the key's deletion at once, then enable it.");
        MalformedTags "malformed-tags" "Somebody changed Snapferry's tags on a snapshot."
            Somebody("Restore the tags from the copy's copy.started record.");
        MassExpiry "mass-expiry" "Nothing is deleted: more than half of all verified copies would go at once."
            Somebody("Find out why so many are due, before they are let go.");
        RegionsOfChina "regions-of-china" "RDS copies no snapshots of databases between the Regions of China."
            Somebody("Name the Region in which they are shared as Target.");
        SourceArchived "source-archived" "The snapshot is in the archive tier, from where EC2 copies nothing."
            Somebody("Restore it from the archive in the source account, for as long as the copies take.");
        SourceInLocalZone "source-in-local-zone" "The snapshot is in a Local Zone, from where EC2 copies to no other Region."
            Somebody("Make snapshots of the volume in the Region, and share those.");
        SourceOnOutpost "source-on-outpost" "The snapshot is on an Outpost, from where EC2 copies nothing."
            Somebody("Make snapshots of the volume in the Region, and share those.");
    }
    CopyFailed "copy.failed" "EC2 refused a request, or gave up on a copy." {
        CallRefused "call-refused" "EC2 refused the request for a reason that this version does not know."
            Somebody("Act on EC2's words.");
        CopyUnsupported "copy-unsupported" "EC2 does not copy this snapshot between these Regions."
            Somebody("Choose another Target.");
        DefaultKeyNotShareable "default-key-not-shareable"
            "EC2 gave up on the copy: the copier's role may not use the source's key, or not this account's default key."
            Somebody("Let this account use the source's key, and name a CmkArn.");
        GrantMissing "grant-missing" "EC2 gave up on the copy: it could not be given the use of a key."
            Somebody("Allow kms:CreateGrant on the source's key and on the copy's.");
        InternalError "internal-error" "EC2 gave up on the copy because of a failure of its own."
            Itself("It is copied again.");
        KeyDisabled "key-disabled" "EC2 gave up on the copy: a key is disabled or about to be deleted."
            Somebody("Cancel the key's deletion if need be, and enable it.");
        KeyRefused "key-refused" "EC2 does not accept the configured key."
            Somebody("Check that the key is enabled, symmetric and in the target Region.");
        NameTaken "name-taken" "Something else has the name that the copy of a database's snapshot would have."
            Somebody("Find out what it is and delete it by hand; Snapferry does not touch it.");
        NotAuthorized "not-authorized" "EC2 refused the request: a role, a key's policy or an SCP does not allow it."
            Somebody("Compare the role, the key's policy and the SCPs with what the copy needs.");
        NotSigned "not-signed" "The request could not be signed, so nothing was sent."
            Somebody("Check the function's credentials.");
        RegionNotEnabled "region-not-enabled" "The target Region is not enabled in this account, or does not exist."
            Somebody("Enable the Region in this account, or correct Target in the policy.");
        SizeOrRegionUnsupported "size-or-region-unsupported"
            "EC2 gave up on the copy because of its kind, its size or the Region."
            Somebody("Choose another Target, or ask AWS Support with EC2's words.");
        SourceGone "source-gone" "EC2 gave up on the copy: the source is deleted or no longer shared."
            Somebody("Share the snapshot again from the source account.");
        SourceKeyInaccessible "source-key-inaccessible"
            "EC2 gave up on the copy: the source's key cannot be used from here."
            Somebody("Let this account use the source's key, and create grants on it.");
        SourceNotFound "source-not-found" "EC2 refused the request: the source is deleted or no longer shared."
            Somebody("Share the snapshot again from the source account.");
        TagLimitExceeded "tag-limit-exceeded" "EC2 refused the request: the copy would have more than 50 tags."
            Somebody("Remove some of the policy's TagsToAdd.");
        TagPolicyViolation "tag-policy-violation"
            "EC2 refused the request: a tag policy of the organization does not allow one of the copy's tags."
            Somebody("Change the policy's TagsToAdd, or let the tag policy allow the tag.");
        TagRefused "tag-refused" "EC2 refused the request: it does not accept a tag's key or value."
            Somebody("Correct the policy's TagsToAdd.");
        UnknownCause "unknown-cause" "EC2 gave up on the copy with words that this version does not know."
            Somebody("Look at KMS events with errors in CloudTrail around that time.");
    }
    CopyMissed "copy.missed" "A snapshot is gone, and no copy of it was good." {
        SourceGone "source-gone" "The source is deleted or no longer shared, and there is no good copy of it."
            Somebody("See why its copy had to wait, and share a later snapshot of the volume or database.");
    }
    CopyWithdrawn "copy.withdrawn" "A copy that was owed is no longer wanted." {
        BeforeSweepSince "before-sweep-since"
            "A sweep had found the snapshot, and it was started before what is now SNAPFERRY_SWEEP_SINCE." Nothing;
        DescriptionMismatch "description-mismatch"
            "The description no longer matches the policy's DescriptionRegex, \
             or SourceTypes or DatabaseFilter now leave a database's snapshot out."
            Nothing;
        OwnerNotListed "owner-not-listed" "The snapshot's owner is no longer in the policy's SnapshotOwner." Nothing;
        PolicyDisabled "policy-disabled"
            "The policy's State is DISABLED now, or its SourceTypes no longer name what the snapshot is of." Nothing;
        PolicyGone "policy-gone" "The document no longer has the policy." Nothing;
        TargetRemoved "target-removed" "The policy no longer has this target Region." Nothing;
    }
    CopyVerified "copy.verified" "The copy is what the policy asked for." {
        AsConfigured "as-configured" "The copy is what its policy asked for." Nothing;
    }
    CopyProved "copy.proved" "The content of a verified copy was read." {
        CopyOnly "copy-only"
            "The copy's blocks were read as EBS gives their digests, and not compared with the source's: proof.alone says why."
            Nothing;
        Full "full" "All blocks have the same bytes as the source's." Nothing;
        Sampled "sampled" "Blocks drawn at random have the same bytes as the source's." Nothing;
        Structure "structure" "Copy and source have the same blocks; their bytes were not compared." Nothing;
        StructureDiffers "structure-differs"
            "Copy or source has blocks that the other lacks; what was compared has the same bytes."
            Somebody("Compare a volume made from each, and ask AWS Support if they differ.");
        Unchanged "unchanged" "EBS says that no block has changed between source and copy." Nothing;
    }
    CopyRejected "copy.rejected" "The copy is completed, but not what the policy asked for." {
        ContentDiffers "content-differs" "A block of the copy has other bytes than its source's, in two readings."
            Somebody("Keep both snapshots' IDs and the block for AWS Support, and see that its source is copied again.");
        MalformedTags "malformed-tags" "The copy is completed, but one of Snapferry's tags on it cannot be read."
            Somebody("Restore the tags from the copy's copy.started record.");
        NotEncrypted "not-encrypted" "The copy is completed and not encrypted, though it should be."
            Somebody("Find the CopySnapshot event in CloudTrail and compare its parameters.");
        WrongEngine "wrong-engine" "The copy of a database's snapshot is of another engine than its source."
            Somebody("Compare the tag with the copy's copy.started record.");
        WrongKey "wrong-key" "The copy is encrypted under another key than the one asked for."
            Somebody("Find the CopySnapshot event in CloudTrail and compare its parameters.");
        WrongOwner "wrong-owner" "Another account owns the copy." Somebody("Treat it as an incident.");
        WrongSize "wrong-size" "The copy is not of its source's size."
            Somebody("Compare the tag with the copy's copy.started record.");
        WrongSource "wrong-source" "The copy of a database's snapshot says that it is of another snapshot, or of none."
            Somebody("Compare its tags with its copy.started record, and find the copy's event in CloudTrail.");
    }
    CopyStalled "copy.stalled" "The copy has been pending for more than a day." {
        PendingOverADay "pending-over-a-day" "The copy has been pending for more than 24 hours."
            Somebody("Ask AWS Support if its progress does not change.");
    }
    CopyLocked "copy.locked" "The copy was locked, or could not be (then with `error`)." {
        AlreadyLocked "already-locked" "EC2 held the lock already; only the record of it had been lost." Nothing;
        LockFailed "lock-failed" "The copy is verified, but EC2 did not lock it: with error."
            Somebody("Act on EC2's words.");
        LockRuleGone "lock-rule-gone" "The copy waits for a lock that today's policy no longer asks for: with error."
            Somebody("Restore the LockRule, or remove the copy's tag snapferry:lock.");
        Locked "locked" "EC2 locked the copy." Nothing;
    }
    CopyNamed "copy.named" "The volume of the copy's source was not known, and is from now on." {
        FromDescription "from-description" "The policy's DescriptionRegex captured it from the copy's own description."
            Nothing;
    }
    CopyExpired "copy.expired" "The copy was deleted: EC2 said so." {
        AlreadyGone "already-gone" "EC2 does not know the copy any more: an attempt whose answer was lost deleted it."
            Nothing;
        Expired "expired" "Its retention was over, and EC2 deleted it." Nothing;
        Failed "failed" "EC2 had given up on it more than a day before; it was deleted." Nothing;
        Rejected "rejected" "It was rejected more than a day before, and another copy of its source stays." Nothing;
        Unjudged "unjudged"
            "Its retention was over for a week without a verdict on its tags, and newer verified copies stay."
            Nothing;
    }
    CopyKept "copy.kept" "The copy's time is over and it was kept." {
        AnswerLost "answer-lost" "EC2 did not say whether the copy is deleted."
            Itself("The next run tries again if it still sees the copy.");
        Contested "contested" "Several live copies claim to be of its source, and their tags do not tell which of them is."
            Somebody("Find out which one is not Snapferry's, and remove its tags or delete it by hand.");
        ForeignOwner "foreign-owner" "Another account owns the copy." Somebody("Treat it as an incident.");
        InUse "in-use" "EC2 refused: an AMI uses the copy." Somebody("Deregister the AMI if it is not needed.");
        KeyInDoubt "key-in-doubt" "Its key is lost or in doubt, and too few newer copies can be restored."
            Somebody("Enable or replace the keys that copy.refused names.");
        LastVerified "last-verified" "It is one of the last verified copies of its volume."
            Itself("It goes once newer ones are verified.");
        Locked "locked" "EC2 refused: a lock holds the copy." Itself("It goes once the lock has ended.");
        MalformedTags "malformed-tags" "Somebody changed Snapferry's tags on it."
            Somebody("Restore the tags from the copy's copy.started record.");
        NoLongerDue "no-longer-due" "Just before deletion its tags or state no longer said that its time is over."
            Somebody("Find out in CloudTrail who changed it.");
        NotAuthorized "not-authorized" "EC2 refused: the role or an SCP does not allow it."
            Somebody("Compare the role with the template's, and the copy's Region with TargetRegions and RetiredRegions.");
        NotReadAgain "not-read-again" "It could not be looked at once more just before deletion."
            Itself("The next run tries again.");
        NotSettled "not-settled" "It failed or was rejected, but nothing says since when."
            Somebody("Restore its tag snapferry:settled-at, or delete it by hand.");
        NotVerified "not-verified" "Its time is over, but it has no verdict yet."
            Somebody("See why verify-copies does not judge it.");
        OnlyCopy "only-copy" "It was rejected, and there is no better copy of its source in this Region."
            Somebody("Correct what it was rejected for; if it is worthless, delete it by hand.");
        OutOfTime "out-of-time" "Too little of the invocation's time remained for these."
            Itself("The next run goes on.");
        PolicyNotNamed "policy-not-named"
            "They are of a policy that the document does not have and that is not named as retired: they stay untouched."
            Somebody("Name the policy in RetiredPolicies, or put it back into the document.");
        Refused "refused" "EC2 refused for a reason that this version does not know." Somebody("Act on EC2's words.");
        RegionClosed "region-closed" "EC2 stopped answering in their Region." Itself("The next run goes on.");
        RegionUnread "region-unread" "The copies in the Region could not be read." Itself("The next run looks again.");
        RunLimit "run-limit" "One run deletes no more than SNAPFERRY_MAX_DELETES_PER_RUN."
            Itself("The next run goes on.");
        StateContradicts "state-contradicts" "Its verdict and EC2's state of it do not go together."
            Somebody("Correct its tag snapferry:status, or delete it by hand.");
        SurvivorGone "survivor-gone" "Just before deletion the copy that made it dispensable was no longer good."
            Somebody("Find out in CloudTrail who changed or deleted that copy.");
        Throttled "throttled" "EC2 takes no more requests at the moment." Itself("The next run tries again.");
        LineageUnknown "volume-unknown"
            "EC2 named no volume for their sources, so each may be the last copy of its volume."
            Somebody("Name the volume in the sources' descriptions, or set KeepAtLeast to 0.");
    }
    SweepCompleted "sweep.completed" "A sweep has looked at everything." {
        Swept "swept" "A sweep has looked at everything that is shared and copied." Nothing;
    }
    SweepRegion "sweep.region" "How one target Region stands at the end of a sweep." {
        Counted "counted" "How one target Region stands at the end of a sweep." Nothing;
    }
    SweepOwner "sweep.owner" "When a sweep last heard of one owner." {
        NeverSeen "never-seen" "Neither a snapshot that a policy wants nor a copy of one is there from this owner."
            Nothing;
        Seen "seen" "When the newest snapshot that a policy wants from this owner was started." Nothing;
    }
    VerifyCompleted "verify.completed" "A run of verify-copies has ended." {
        Complete "complete" "The run looked at every copy that waits for a verdict or a lock." Nothing;
        Incomplete "incomplete"
            "The run ended, and some copies were not looked at: a Region could not be read, or there was no time."
            Itself("The next run goes on.");
    }
    ProveCompleted "prove.completed" "A run of prove-copies has ended." {
        Complete "complete" "The run read every Region's copies, and of those whose content is to be proven as many as it had time for."
            Nothing;
        Incomplete "incomplete"
            "The run ended, and a Region could not be read, or none of the copies whose turn came."
            Itself("The next run goes on.");
    }
    ExpiryCompleted "expiry.completed" "A run of delete-expired-copies has ended." {
        Complete "complete" "The run looked at every copy, and left none whose time is over for lack of time or answers."
            Nothing;
        Incomplete "incomplete"
            "The run ended, and some copies were not looked at: a Region could not be read, or there was no time."
            Itself("The next run goes on.");
    }
    ExpiryVolume "expiry.volume" "What delete-expired-copies, who reads all copies, saw of one volume." {
        DroppedOut "dropped-out"
            "The volume's newest good copy is older than three times the interval in which its copies came."
            Somebody("Ask the source account whether the volume is gone, or why its backups stopped.");
    }
    EventInvalid "event.invalid" "Something came in that cannot be read." {
        NoSnapshot "no-snapshot" "A share event that names no snapshot." Somebody("Find out what sent it.");
        NotAnEvent "not-an-event" "Neither an EventBridge event nor a tick." Somebody("Find out what sent it.");
        NotJson "not-json" "Not JSON." Somebody("Find out what sent it.");
    }
    PolicyWarning "policy.warning" "The policy is accepted, and something in it deserves a look; said at each cold start." {
        DescriptionRegexEmpty "description-regex-empty"
            "DescriptionRegex is empty: it matches only an empty description."
            Nothing;
        DescriptionRegexMissing "description-regex-missing" "DescriptionRegex is absent: every description matches."
            Nothing;
        KeepNone "keep-none" "KeepAtLeast is 0: the last verified copy of a volume may be deleted." Nothing;
        KeyOfSource "key-of-source"
            "A CmkArn is a key of one of the SnapshotOwner accounts, which could destroy every copy under it." Nothing;
        NoTargets "no-targets" "An action without a target copies to no Region." Nothing;
        OwnersEmpty "owners-empty" "No SnapshotOwner: the policy copies nothing." Nothing;
        RegionUnknown "region-unknown" "A Region that this version does not know." Nothing;
        StateError "state-error" "The policy's State is ERROR in DLM." Nothing;
        TargetUnencrypted "target-unencrypted" "A target does not demand encryption." Nothing;
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Reason", 2)?;
        members.serialize_field("event", self.event().name())?;
        members.serialize_field("reason", self.name())?;
        members.end()
    }
}
