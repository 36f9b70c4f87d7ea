"""What nobody has seen: the list, and a probe for each question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.live.probes import copies, databases, odds, rights, sharing
from tests.live.probes.ground import Ground


@dataclass(frozen=True)
class Question:
    """A question, what of Snapferry hangs on it, and the probe that answers it."""

    id: str
    asks: str
    matters: str
    probe: Callable[[Ground], dict[str, Any]]


QUESTIONS = [
    Question(
        "cross-copy",
        "Does an encrypted copy across accounts and Regions, with a presigned URL, end under the key asked for?",
        "it is what Snapferry does; the verifier rejects a copy under another key",
        copies.cross_copy,
    ),
    Question(
        "cross-copy-without-url",
        "And without a presigned URL?",
        "why Snapferry always sends one",
        copies.cross_copy_without_url,
    ),
    Question(
        "share-event",
        "Which members and JSON types has a shareSnapshot event, and is the snapshot there by its ID when it comes?",
        "the copier takes the account as a string or a number, and defers what is not there",
        sharing.share_event,
    ),
    Question(
        "share-lag",
        "How far are lists behind a share and its end?",
        "the sweep finds by lists what events missed",
        sharing.share_lag,
    ),
    Question(
        "copy-lag",
        "How far are lists, by tag and with wildcards, behind a new copy?",
        "the ledger holds what lists do not show yet",
        copies.copy_lag,
    ),
    Question(
        "changed-blocks",
        "What does ListChangedBlocks say between a source and its re-encrypted copy?",
        "whether content could be compared without reading it",
        copies.changed_blocks,
    ),
    Question(
        "copy-conditions",
        "Which condition keys are there on the source and the destination of a copy from another Region?",
        "the copier's role uses ec2:Owner unless a parameter drops it",
        rights.copy_conditions,
    ),
    Question(
        "via-service",
        "Through which Region's EC2 are the two keys used, and does IAM know whose the source's is?",
        "the conditions of key policies; without SourceKeyArns the copier's role uses aws:ResourceAccount",
        rights.via_service,
    ),
    Question(
        "several-users",
        "Does ForAllValues on ec2:Add/userId allow sharing with several accounts in one call?",
        "guardrails of source accounts",
        rights.several_users,
    ),
    Question(
        "descriptions",
        "Which odd characters may a description hold, and how does EC2 show them?",
        "a description is read from XML, matched and sent to another Region",
        odds.descriptions,
    ),
    Question(
        "locked-deletion",
        "With which code is the deletion of a locked snapshot refused?",
        "any refusal keeps a copy; the audit tells the code",
        odds.locked_deletion,
    ),
    Question(
        "database-copy",
        "How does a copy of a database's snapshot across accounts and Regions begin and end, and what does it keep?",
        "its name makes a request safe to repeat; the verifier compares key, source, engine and size",
        databases.database_copy,
    ),
]

# What stays open, and why it is not asked here.
NOT_ASKED = {
    "How DLM matches a DescriptionRegex": "DLM would have to copy, for hours, what each expression matches",
    "Whether DLM takes its home Region as a target": "a question about DLM, whose policies Snapferry only reads",
    "How long lists with wildcards take over a large vault": "needs a large vault; copy-lag measures a small one",
    "Whether a function's session token works in an opt-in Region": "only a function has one: make live-test tells",
    "With which codes archived, Outpost and Local Zone sources are refused": "archiving is paid for 90 days, the "
    "others need hardware or zones of one's own; Snapferry asks for no such copy",
    "With which code a used-up throughput quota is refused": "the quota would have to be used up",
    "With which words RDS refuses a copy too many in flight, and one above the quota": "needs 21 copies at a time, or "
    "a full Region; Snapferry tells them apart by DescribeAccountAttributes",
    "Which events tell of a database's copy": "Snapferry takes none of them",
    "Which of RDS's condition keys hold for copies": "the template names those that its roles rest on",
}
