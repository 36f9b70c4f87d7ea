"""All snapshots of all accounts and Regions, who sees which of them, and the tags."""

import itertools
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache

from tests.cloud.overlay.behaviour import Behaviour
from tests.cloud.overlay.calls import Calls
from tests.cloud.overlay.clock import Clock
from tests.cloud.overlay.dbmodel import Databases
from tests.cloud.overlay.model import AskedVolume, Place, Snapshot
from tests.cloud.overlay.rules import Fault, Spoil

CURSORS_KEPT = 1_000

# The crowd: public snapshots of an account that nobody knows, which are not kept but made when they are looked at.
PUBLISHER = "099999999999"
_CROWD = "snap-0b0000000000"


@lru_cache(maxsize=4)
def _crowd(count: int) -> list[str]:
    return [f"{_CROWD}{number:05x}" for number in range(count)]


def _is_of_crowd(snapshot_id: str, count: int) -> bool:
    number = snapshot_id.removeprefix(_CROWD)
    return number != snapshot_id and re.fullmatch(r"[0-9a-f]{5}", number) is not None and int(number, 16) < count


def _of_crowd(region: str, snapshot_id: str) -> Snapshot:
    return Snapshot(
        id=snapshot_id,
        owner=PUBLISHER,
        region=region,
        volume_id="vol-0b000000000000000",
        volume_size=8,
        description="public",
        start_time=1_600_000_000.0,
        completed_at=1_600_000_000.0,
        public=True,
    )


class World:
    """The state of the overlay. Snapshots are indexed by owner, by recipient and by tag, so that reading the few that
    a question is about does not scan the hundred thousand others."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls = Calls()
        self.reset()

    def reset(self) -> None:
        """Forget every snapshot, tag, fault, call and setting."""
        self.clock.forget()
        self.calls.forget()
        self.behaviour = Behaviour()
        for fault in getattr(self, "faults", []):
            fault.lifted.set()
        self.faults: list[Fault] = []
        self.spoils: list[Spoil] = []
        self.events: list[dict[str, object]] = []
        self.default_keys: dict[Place, str] = {}
        self.encrypted_by_default: set[Place] = set()
        self.in_flight: dict[Place, set[str]] = {}
        self.databases = Databases()
        self.asked_volumes: dict[tuple[Place, str], AskedVolume] = {}
        self._by_id: dict[tuple[str, str], Snapshot] = {}
        self._owned: dict[Place, dict[str, Snapshot]] = {}
        self._shared: dict[Place, dict[str, Snapshot]] = {}
        self._public: dict[str, dict[str, Snapshot]] = {}
        self._tags: dict[Place, dict[str, dict[str, str]]] = {}
        self._tagged: dict[Place, dict[tuple[str, str], dict[str, None]]] = {}
        self._cursors: OrderedDict[str, tuple[Place, list[str]]] = OrderedDict()
        self._rule_ids = itertools.count(1)
        self._scanned: dict[tuple[Place, str], list[str]] = {}

    # Snapshots

    def add(self, snapshot: Snapshot) -> None:
        self._scanned.clear()
        self._by_id[snapshot.region, snapshot.id] = snapshot
        self._owned.setdefault(snapshot.place, {})[snapshot.id] = snapshot
        for recipient in snapshot.shares:
            self._shared.setdefault(Place(recipient, snapshot.region), {})[snapshot.id] = snapshot
        if snapshot.public:
            self._public.setdefault(snapshot.region, {})[snapshot.id] = snapshot

    def remove(self, snapshot: Snapshot) -> None:
        """Delete a snapshot and all accounts' tags on it."""
        self._scanned.clear()
        del self._by_id[snapshot.region, snapshot.id]
        del self._owned[snapshot.place][snapshot.id]
        for recipient in [*snapshot.shares, *snapshot.lingers]:
            self._forget(snapshot, recipient)
        self.publish(snapshot, False)
        self.in_flight.get(snapshot.place, set()).discard(snapshot.id)
        for place, by_snapshot in self._tags.items():
            if place.region == snapshot.region and snapshot.id in by_snapshot:
                self.untag(place, snapshot.id, list(by_snapshot[snapshot.id]))

    def find(self, region: str, snapshot_id: str) -> Snapshot | None:
        """A snapshot in that Region, whoever may see it."""
        found = self._by_id.get((region, snapshot_id))
        if found is None and _is_of_crowd(snapshot_id, self.behaviour.public_snapshots):
            return _of_crowd(region, snapshot_id)
        return found

    def everything(self) -> Iterable[Snapshot]:
        return self._by_id.values()

    @staticmethod
    def new_id(prefix: str = "snap") -> str:
        return f"{prefix}-0{secrets.token_hex(8)}"

    # Who sees what

    def share(self, snapshot: Snapshot, recipient: str) -> None:
        """Give a recipient create-volume permission; it sees the snapshot after the share delay."""
        self._scanned.clear()
        snapshot.lingers.pop(recipient, None)
        snapshot.shares[recipient] = self.clock.now() + self.behaviour.share_seconds
        self._shared.setdefault(Place(recipient, snapshot.region), {})[snapshot.id] = snapshot

    def unshare(self, snapshot: Snapshot, recipient: str) -> None:
        """Take the permission back; lists may show the snapshot a while longer [observed: sharing_data]."""
        self._scanned.clear()
        if snapshot.shares.pop(recipient, None) is not None and self.behaviour.unshare_list_seconds:
            snapshot.lingers[recipient] = self.clock.now() + self.behaviour.unshare_list_seconds
        else:
            self._forget(snapshot, recipient)

    def _forget(self, snapshot: Snapshot, recipient: str) -> None:
        snapshot.shares.pop(recipient, None)
        snapshot.lingers.pop(recipient, None)
        self._shared.get(Place(recipient, snapshot.region), {}).pop(snapshot.id, None)

    def publish(self, snapshot: Snapshot, public: bool) -> None:
        self._scanned.clear()
        snapshot.public = public
        everyone = self._public.setdefault(snapshot.region, {})
        if public:
            everyone[snapshot.id] = snapshot
        else:
            everyone.pop(snapshot.id, None)

    def sees(self, viewer: Place, snapshot: Snapshot) -> bool:
        """Whether DescribeSnapshots shows the snapshot to this account now: its owner, those it is shared with, and
        everyone for a public one [EC2 API reference, DescribeSnapshots]. A share was there at once [observed:
        sharing_data_contract]; that it, or a new copy, may be late is inferred from EC2's eventual consistency [EC2 API
        reference, "Eventual consistency"]."""
        now = self.clock.now()
        if snapshot.region != viewer.region:
            return False
        if snapshot.owner == viewer.account:
            return snapshot.visible_from <= now
        since = snapshot.shares.get(viewer.account)
        return snapshot.public or (since is not None and since <= now)

    def lists(self, viewer: Place, snapshot: Snapshot) -> bool:
        """Whether it also shows it to this account when nobody asks for it by its ID. Lists may be behind [observed:
        sharing_data]."""
        now = self.clock.now()
        if snapshot.region == viewer.region and snapshot.lingers.get(viewer.account, now) > now:
            return True
        if not self.sees(viewer, snapshot):
            return False
        if snapshot.owner == viewer.account:
            return snapshot.listed_from <= now
        since = snapshot.shares.get(viewer.account)
        return snapshot.public or (since is not None and since + self.behaviour.share_list_seconds <= now)

    def visible(self, viewer: Place, snapshot_id: str) -> Snapshot | None:
        snapshot = self.find(viewer.region, snapshot_id)
        return snapshot if snapshot is not None and self.sees(viewer, snapshot) else None

    def listed(self, viewer: Place, snapshot_id: str) -> Snapshot | None:
        snapshot = self.find(viewer.region, snapshot_id)
        return snapshot if snapshot is not None and self.lists(viewer, snapshot) else None

    def all_listed(self, viewer: Place, *, crowd: bool) -> Iterator[Snapshot]:
        """Every snapshot that lists show this account in this Region, once; the crowd's only if they are asked for."""
        own = self._owned.get(viewer, {})
        shared = self._shared.get(viewer, {})
        for snapshot in own.values():
            if self.lists(viewer, snapshot):
                yield snapshot
        for snapshot in shared.values():
            if snapshot.id not in own and self.lists(viewer, snapshot):
                yield snapshot
        for snapshot in self._public.get(viewer.region, {}).values():
            if snapshot.id not in own and snapshot.id not in shared:
                yield snapshot
        if crowd:
            for each in _crowd(self.behaviour.public_snapshots):
                yield _of_crowd(viewer.region, each)

    def own(self, owner: Place) -> Collection[Snapshot]:
        return self._owned.get(owner, {}).values()

    def scanned(self, viewer: Place, scope: str, selected: Callable[[Snapshot], bool] | None) -> list[str]:
        """The IDs of all that this account may ever see in this Region, in the order in which pages are cut from them
        before anything applies to them; or, under the name of a scope, of those that it selects. Kept until something
        is made, deleted or shared."""
        key = (viewer, f"{self.behaviour.public_snapshots} {scope}")
        if key not in self._scanned:
            own, shared = self._owned.get(viewer, {}), self._shared.get(viewer, {})
            public = self._public.get(viewer.region, {})
            ids = [*{**own, **shared, **public}, *_crowd(self.behaviour.public_snapshots)]
            if selected is not None:
                ids = [each for each in ids if (snapshot := self.find(viewer.region, each)) and selected(snapshot)]
            self._scanned[key] = ids
        return self._scanned[key]

    # Tags: each account has its own on a snapshot, the owner as well as a recipient; nobody sees another's
    # [observed: sharing_data_contract; EBS user guide, "Share an Amazon EBS snapshot": tags are not shared].

    def tags(self, place: Place, snapshot_id: str) -> dict[str, str]:
        return self._tags.get(place, {}).get(snapshot_id, {})

    def tag(self, place: Place, snapshot_id: str, tags: dict[str, str]) -> None:
        own = self._tags.setdefault(place, {}).setdefault(snapshot_id, {})
        index = self._tagged.setdefault(place, {})
        for key, value in tags.items():
            if key in own:
                index[key, own[key]].pop(snapshot_id, None)
            own[key] = value
            index.setdefault((key, value), {})[snapshot_id] = None

    def untag(self, place: Place, snapshot_id: str, keys: Iterable[str]) -> None:
        own = self._tags.get(place, {}).get(snapshot_id, {})
        for key in keys:
            if key in own:
                self._tagged[place][key, own.pop(key)].pop(snapshot_id, None)

    def tagged(self, place: Place, key: str, value: str) -> Iterable[str]:
        """The IDs of the snapshots on which this account has exactly this tag."""
        return self._tagged.get(place, {}).get((key, value), {})

    def all_tags(self, place: Place) -> Iterator[tuple[str, str, str]]:
        for snapshot_id, tags in self._tags.get(place, {}).items():
            for key, value in tags.items():
                yield snapshot_id, key, value

    # Pages: an answer is computed once, and its pages are cut from it. A page can be asked for again, as clients do
    # when a connection breaks.

    def keep(self, place: Place, ids: list[str]) -> str:
        cursor = secrets.token_hex(16)
        self._cursors[cursor] = (place, ids)
        while len(self._cursors) > CURSORS_KEPT:
            self._cursors.popitem(last=False)
        return cursor

    def kept(self, place: Place, cursor: str) -> list[str] | None:
        whose, ids = self._cursors.get(cursor, (None, []))
        return ids if whose == place else None

    def new_rule_id(self) -> str:
        return f"rule-{next(self._rule_ids)}"
