"""What a snapshot of a database instance or of a database cluster is, and who sees it.

The two kinds answer to operations of the same shape under other names, so a kind is data. Members, and the codes of
errors, are those of RDS's service model, 2014-10-31, as botocore ships it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.cloud.overlay.model import Place

ARN = re.compile(r"arn:aws[a-z-]*:rds:([a-z0-9-]+):(\d{12}):(snapshot|cluster-snapshot):(.+)")
EVERYONE = "all"


@dataclass(frozen=True, slots=True)
class Kind:
    """How RDS's operations name one kind of snapshot."""

    name: str  # as operations and their answers write it
    of: str  # what it is a snapshot of: its member and parameter
    resource: str  # the member that names the source for good
    arn_type: str
    encrypted: str  # the member that says whether it is
    not_found: str
    exists: str
    state: str
    quota: str  # its name in DescribeAccountAttributes
    longest: int  # characters of an identifier


# Lengths of names: [RDS API reference, CopyDBSnapshot and CopyDBClusterSnapshot, Target...Identifier].
# Quotas' names: [RDS API reference, AccountQuota].
INSTANCE = Kind(
    "DBSnapshot", "DBInstanceIdentifier", "DbiResourceId", "snapshot", "Encrypted",
    "DBSnapshotNotFound", "DBSnapshotAlreadyExists", "InvalidDBSnapshotState", "ManualSnapshots", 255,
)  # fmt: skip
CLUSTER = Kind(
    "DBClusterSnapshot", "DBClusterIdentifier", "DbClusterResourceId", "cluster-snapshot", "StorageEncrypted",
    "DBClusterSnapshotNotFoundFault", "DBClusterSnapshotAlreadyExistsFault", "InvalidDBClusterSnapshotStateFault",
    "ManualClusterSnapshots", 63,
)  # fmt: skip
KINDS = (INSTANCE, CLUSTER)


@dataclass(slots=True)
class Ending:
    """How a copy that still runs is going to end."""

    source: "Database"
    failed: bool = False
    kms_key: str | None = None
    allocated_storage: int = 0


@dataclass(slots=True)
class Database:
    """One snapshot of a database; `shares` says from when on each recipient can see it."""

    kind: Kind
    id: str
    owner: str
    region: str
    source_id: str  # the instance's or the cluster's identifier
    resource_id: str
    engine: str
    created: float
    original_created: float
    engine_version: str = "16.4"
    allocated_storage: int = 20
    type: str = "manual"
    status: str = "available"
    kms_key: str | None = None
    option_group: str = ""
    tde: bool = False
    copied_from: str = ""  # the source's ARN
    source_region: str = ""
    shares: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    visible_from: float = 0.0
    started: float = 0.0
    ends: float | None = None  # when a copy is to end; None: when it is released
    ending: Ending | None = None

    @property
    def place(self) -> Place:
        return Place(self.owner, self.region)

    @property
    def arn(self) -> str:
        return f"arn:aws:rds:{self.region}:{self.owner}:{self.kind.arn_type}:{self.id}"

    def percent(self, now: float) -> int:
        """How much of a copy has been made; RDS says 100 of what is available [inferred: in even steps]."""
        if self.status != "copying":
            return 100 if self.status == "available" else 0
        if self.ends is None or self.ends <= self.started:
            return 0
        return max(0, min(99, int(100 * (now - self.started) / (self.ends - self.started))))


class Databases:
    """All snapshots of databases, of all accounts and Regions, by kind, place and identifier."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, Place, str], Database] = {}

    def add(self, snapshot: Database) -> None:
        self._all[snapshot.kind.name, snapshot.place, snapshot.id] = snapshot

    def remove(self, snapshot: Database) -> None:
        del self._all[snapshot.kind.name, snapshot.place, snapshot.id]

    def find(self, kind: Kind, place: Place, name: str) -> Database | None:
        """A snapshot by its owner's name for it, in whatever case [RDS API reference: stored in lower case]."""
        return self._all.get((kind.name, place, name.lower()))

    def by_arn(self, arn: str) -> Database | None:
        found = ARN.fullmatch(arn)
        if found is None:
            return None
        kind = next(each for each in KINDS if each.arn_type == found.group(3))
        return self.find(kind, Place(found.group(2), found.group(1)), found.group(4))

    def everything(self) -> Iterator[Database]:
        return iter(list(self._all.values()))

    def owned(self, kind: Kind, place: Place) -> list[Database]:
        return [each for each in self.everything() if each.kind is kind and each.place == place]


def is_shared(snapshot: Database, account: str, now: float) -> bool:
    """Whether the owner shares it with just this account, and that has got around."""
    since = snapshot.shares.get(account)
    return snapshot.owner != account and since is not None and since <= now


def is_public(snapshot: Database, now: float) -> bool:
    return snapshot.shares.get(EVERYONE, now + 1) <= now


def may_copy(snapshot: Database, account: str, now: float) -> bool:
    """Its owner may, whom it is shared with, and everybody if it is public [RDS API reference,
    ModifyDBSnapshotAttribute]."""
    return snapshot.owner == account or is_shared(snapshot, account, now) or is_public(snapshot, now)
