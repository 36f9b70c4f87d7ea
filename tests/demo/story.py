"""Three snapshots are shared; one of them is copied to two Regions."""

from dataclasses import dataclass
from typing import Any

from tests.cloud import LocalAws, until
from tests.demo.show import GREEN, YELLOW, Story, table
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS, Record, Stack, deploy

NEAR, FAR = "us-west-2", "eu-west-1"
# So that one sees copies being pending, as they are on AWS for minutes or hours.
COPY_SECONDS = 2.0


@dataclass(frozen=True)
class Shared:
    """A snapshot that an account shared."""

    snapshot: str
    description: str


@dataclass(frozen=True)
class Ending:
    """What became of the shared snapshots."""

    shared: list[Shared]
    copies: dict[str, list[dict[str, Any]]]  # by Region
    skips: list[Record]

    def as_it_should(self) -> bool:
        """The first one in both Regions, the other two nowhere, each for its own reason."""
        copied = {
            region: [c["tags"]["snapferry:source-snapshot"] for c in found] for region, found in self.copies.items()
        }
        first = self.shared[0].snapshot
        reasons = {record["source"]["snapshot"]: record["reason"] for record in self.skips}
        wanted = {self.shared[1].snapshot: "owner-not-listed", self.shared[2].snapshot: "description-mismatch"}
        return copied == {NEAR: [first], FAR: [first]} and reasons == wanted


def run(story: Story) -> bool:
    """Tell the story, from starting the local AWS to the table; return whether it ended as it should."""
    story.chapter("The stage")
    with LocalAws() as aws:
        story.say(f"A local AWS runs at {aws.endpoint}: an emulator with our model of EBS snapshot sharing.")
        source, target, stranger = (
            Account(aws, "111122223333"),
            Account(aws, "444455556666"),
            Account(aws, "777788889999"),
        )
        stack = _deployed(story, source, target)
        aws.control.configure(copy_seconds=COPY_SECONDS)
        story.chapter("What is shared")
        shared = _share_three(story, source, target, stranger)
        story.chapter("What Snapferry does, as its audit tells it")
        ending = _watch(story, stack, shared)
        _tables(ending)
    story.say("The local AWS is stopped.")
    return ending.as_it_should()


def _deployed(story: Story, source: Account, target: Account) -> Stack:
    keys = {region: target.create_key(region) for region in (NEAR, FAR)}
    story.say(f"Account {target.number} keeps the backups. It has a key of its own in {NEAR} and in {FAR}.")
    policy = policies.details(
        [source.number],
        policies.target(NEAR, key=keys[NEAR], keep=(3, "DAYS")),
        policies.target(FAR, key=keys[FAR], keep=(1, "MONTHS")),
        description=".*production.*",
    )
    story.say(f"Its DLM policy: copy what {source.number} shares and describes as .*production.*")
    story.say(f"to {NEAR} for 3 days and to {FAR} for 1 month, each under the Region's key.")
    stack = deploy(target, policy)
    story.say(f"infra/sam/template.yaml is deployed there in {HOME}, with the release binaries.")
    return stack


def _share_three(story: Story, source: Account, target: Account, stranger: Account) -> list[Shared]:
    shared = []
    for account, whose, description, gib in [
        (source, "the source account", "nightly production orders", 8),
        (stranger, "a stranger", "production, honestly", 1),
        (source, "the source account", "nightly staging orders", 8),
    ]:
        snapshot = account.create_snapshot(description, gib=gib)["SnapshotId"]
        account.share(snapshot, target.number)
        story.say(f"{account.number}, {whose}, shares {snapshot}, “{description}”.")
        shared.append(Shared(snapshot, description))
    return shared


def _watch(story: Story, stack: Stack, shared: list[Shared]) -> Ending:
    """Tell each audit record once, until all is decided and the copies are completed."""
    told: list[Record] = []

    def decided() -> bool:
        records = [record for record in stack.audit() if record["event"].startswith("copy.")]
        for record in records:
            if record not in told:
                story.say(*_sentence(record))
                told.append(record)
        return len({record["source"]["snapshot"] for record in told}) == len(shared)

    until(decided, within=PATIENCE_SECONDS, what="a decision about each snapshot")
    copies = {region: _completed(stack, region) for region in (NEAR, FAR)}
    for region, found in copies.items():
        for copy in found:
            story.say(f"{copy['SnapshotId']} in {region} is completed and encrypted under the key asked for.", GREEN)
    return Ending(shared, copies, [record for record in told if record["event"] == "copy.skipped"])


def _completed(stack: Stack, region: str) -> list[dict[str, Any]]:
    """The copies in a Region, once EC2 has completed each under the key that it was asked for."""

    def found() -> list[dict[str, Any]]:
        copies = stack.copies(region)
        right = [c for c in copies if c["State"] == "completed" and c["KmsKeyId"] == c["tags"]["snapferry:kms-key"]]
        return copies if len(right) == len(copies) else []

    return until(found, within=PATIENCE_SECONDS, what=f"completed copies in {region}")


def _sentence(record: Record) -> tuple[str, str]:
    snapshot = record["source"]["snapshot"]
    if record["event"] == "copy.started":
        copy = record["copy"]
        return f"{record['event']}  {snapshot} -> {copy['snapshot']} in {copy['region']}", GREEN
    return f"{record['event']}  {snapshot}: {record['reason']}", YELLOW


def _tables(ending: Ending) -> None:
    copied = [
        [copy["tags"]["snapferry:source-snapshot"], region, copy["SnapshotId"], _key(copy), _expiry(copy)]
        for region, copies in ending.copies.items()
        for copy in copies
    ]
    table("Copied", ["shared snapshot", "to Region", "copy", "under key", "until"], copied)
    descriptions = {each.snapshot: each.description for each in ending.shared}
    skipped = [
        [record["source"]["snapshot"], descriptions[record["source"]["snapshot"]], record["message"]]
        for record in ending.skips
    ]
    table("Not copied", ["shared snapshot", "description", "why"], skipped)
    print()


def _key(copy: dict[str, Any]) -> str:
    """The first part of the key's ID; the rest of the ARN is the account and the Region."""
    key_id: str = copy["KmsKeyId"].partition(":key/")[2]
    return f"{key_id.partition('-')[0]}-…"


def _expiry(copy: dict[str, Any]) -> str:
    day, _, time = copy["tags"]["snapferry:expire-after"].partition("T")
    return f"{day} {time[:5]} UTC"
