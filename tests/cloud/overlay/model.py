"""What a snapshot is to the overlay."""

from dataclasses import dataclass, field
from typing import NamedTuple

# The volume that a copy claims to come from [EBS user guide, "Copy an Amazon EBS snapshot"].
COPIED_VOLUME = "vol-ffffffff"

# What a pending copy says as soon as it shows its size [observed: copy_data].
UPDATED = "Metadata updated"


class Place(NamedTuple):
    """One account in one Region: what a caller is, and where a snapshot lives."""

    account: str
    region: str


@dataclass(slots=True)
class Copy:
    """How a snapshot that CopySnapshot made is going to end."""

    source_id: str
    source_region: str
    failure: str = ""  # the StateMessage it will end with; empty when it will succeed
    volume_size: int = 0
    blocks: dict[int, bytes] = field(default_factory=dict)
    origin: str = ""
    encrypted: bool = False
    kms_key: str | None = None
    shown_key: str | None = None  # the key as it is shown until the copy has ended
    minutes: int | None = None  # CompletionDurationMinutes


@dataclass(slots=True)
class Lock:
    """A snapshot lock as LockSnapshot set it [EC2 API reference, LockSnapshot]."""

    mode: str
    created: float
    days: int | None  # LockDuration, which starts when the snapshot completes
    expires_on: float | None  # or ExpirationDate
    cool_off_hours: int | None

    def starts(self, completed: float | None) -> float | None:
        return None if completed is None else max(self.created, completed)

    def expires(self, completed: float | None) -> float | None:
        if self.expires_on is not None:
            return self.expires_on
        start = self.starts(completed)
        return None if start is None or self.days is None else start + self.days * 86_400

    def cools_until(self) -> float | None:
        return None if self.cool_off_hours is None else self.created + self.cool_off_hours * 3_600

    def state(self, now: float, completed: float | None) -> str:
        end = self.expires(completed)
        if end is not None and end <= now:
            return "expired"
        cool = self.cools_until()
        if self.mode == "compliance" and cool is not None and now < cool:
            return "compliance-cooloff"
        return self.mode

    def holds(self, now: float, completed: float | None) -> bool:
        """Whether the lock still forbids deletion."""
        return self.state(now, completed) != "expired"


@dataclass(slots=True)
class Snapshot:
    """One snapshot; `shares` says from when on each recipient can see it."""

    id: str
    owner: str
    region: str
    volume_id: str
    volume_size: int
    description: str
    start_time: float
    state: str = "completed"
    state_message: str = ""
    encrypted: bool = False
    kms_key: str | None = None
    storage_tier: str = "standard"
    outpost_arn: str = ""  # of the Outpost that it is on
    availability_zone: str = ""  # as it is shown, of a snapshot in a Local Zone
    completed_at: float | None = None
    visible_from: float = 0.0
    listed_from: float = 0.0  # the same for lists, which may be behind
    was_shown: bool = False  # to its owner
    # Elements as they are shown in place of what they are; None leaves one out.
    shown_as: dict[str, str | None] | None = None
    shares: dict[str, float] = field(default_factory=dict)
    lingers: dict[str, float] = field(
        default_factory=dict
    )  # until when lists still show it to whom it is not shared with
    public: bool = False
    in_use: bool = False
    copy: Copy | None = None
    lock: Lock | None = None
    blocks: dict[int, bytes] = field(default_factory=dict)
    origin: str = ""  # the snapshot that it is of one lineage with

    @property
    def lineage(self) -> str:
        """The same for snapshots whose changes can be listed."""
        return self.origin or self.id

    @property
    def place(self) -> Place:
        return Place(self.owner, self.region)

    @property
    def progress(self) -> str:
        if self.state == "pending" and self.state_message == UPDATED:
            return "99%"
        return "100%" if self.state == "completed" else "0%"

    @property
    def in_local_zone(self) -> bool:
        """An Availability Zone's name is the Region's and one letter [EC2 user guide, "Regions and Zones"]."""
        return len(self.availability_zone) > len(self.region) + 1

    @property
    def full_size(self) -> int:
        """In bytes: of the blocks that were written, or as if all of them had been."""
        return sum(map(len, self.blocks.values())) or self.volume_size * 1_024**3

    @property
    def arn(self) -> str:
        return snapshot_arn(self.region, self.id)


def snapshot_arn(region: str, snapshot_id: str) -> str:
    """A snapshot's ARN, with no account in it [Service Authorization Reference, Amazon EC2, resource types]."""
    return f"arn:aws:ec2:{region}::snapshot/{snapshot_id}"


@dataclass(frozen=True, slots=True)
class AskedVolume:
    """A CreateVolume with a client token, and what it was answered."""

    what: dict[str, str]
    answer: tuple[int, dict[str, str], bytes]
