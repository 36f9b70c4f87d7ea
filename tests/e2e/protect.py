"""A deployed stack whose copies are verified, locked and expired, run by run."""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e import faults
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import Deployed, Record, deploy
from tests.e2e.ledger import Ledger

VERIFIER, EXPIRER = "verify-copies", "delete-expired-copies"
VOLUME = "vol-0123456789abcdef0"


def vault(target: Account, document: Any, **parameters: str) -> "Vault":
    """Deploy, with schedules that do not strike while a test runs."""
    return Vault(deploy(target, document, **faults.NO_SCHEDULES, **parameters))


@dataclass(frozen=True)
class Vault(Deployed):
    """Snapferry in a target account."""

    # What others do

    def shared(self, owner: Account, **how: Any) -> str:
        """A snapshot that an account shares with this one, of always the same volume unless told otherwise."""
        share = {"shared_with": [self.account.number], "notify": True, "volume_id": VOLUME}
        return self.control.create_snapshot(owner.number, HOME, **{**share, **how})

    def copied(self, owner: Account, region: str, **how: Any) -> dict[str, Any]:
        """The copy of a new snapshot, as soon as it is started."""
        snapshot = self.shared(owner, **how)
        return self.copy_of(snapshot, region)

    def copy_of(self, snapshot: str, region: str, *, nth: int = 1) -> dict[str, Any]:
        """The nth copy that was started of a snapshot in a Region."""
        wanted = {"event": "copy.started", "source__snapshot": snapshot, "copy__region": region}
        started = self.stack.wait_for_audit(count=nth, **wanted)[nth - 1]
        return self.describe(started["copy"]["snapshot"], region)

    @property
    def ledger(self) -> Ledger:
        return self.stack.ledger

    # What it does

    def verify(self) -> None:
        self.stack.invoke(VERIFIER, {"run": "a run"})

    def expire(self) -> None:
        self.stack.invoke(EXPIRER, {"run": "a run"})

    def verified(self, owner: Account, region: str, **how: Any) -> str:
        """The ID of a new, verified copy."""
        copy: str = self.copied(owner, region, **how)["SnapshotId"]
        self.verify()
        assert self.status(copy, region) == "verified"
        return copy

    # What came of it

    def describe(self, copy: str, region: str) -> dict[str, Any]:
        """A copy as EC2 describes it, with its tags as a dict under `tags`; empty when it is gone."""
        wanted = [{"Name": "snapshot-id", "Values": [copy]}]
        found = self.account.client("ec2", region).describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"]
        return {**found[0], "tags": {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", [])}} if found else {}

    def status(self, copy: str, region: str) -> str:
        return str(self.describe(copy, region)["tags"]["snapferry:status"])

    def exists(self, copy: str, region: str) -> bool:
        return bool(self.describe(copy, region))

    def verdicts(self, copy: str) -> list[Record]:
        """What verify-copies told of a copy."""
        return self.stack.audit(VERIFIER, copy__snapshot=copy)

    def fates(self, copy: str) -> list[Record]:
        """What delete-expired-copies told of a copy."""
        return self.stack.audit(EXPIRER, copy__snapshot=copy)

    # Time

    def tag(self, copy: str, region: str, **tags: str) -> None:
        """Set Snapferry's tags on a copy, by their names without the prefix and with `_` for `-`."""
        edited = [{"Key": f"snapferry:{name.replace('_', '-')}", "Value": value} for name, value in tags.items()]
        self.account.client("ec2", region).create_tags(Resources=[copy], Tags=edited)

    def let_expire(self, copy: str, region: str, *, days_ago: float = 1) -> None:
        """As if the copy had been made long ago: its time is over."""
        self.control.age_snapshot(copy, region, days=days_ago + 30)
        self.tag(copy, region, expire_after=moment(-days_ago))

    def old_copies(self, region: str, count: int, **tags: str) -> list[str]:
        """Verified copies from long ago, whose time is over, as Snapferry would have left them."""

        def each(number: int) -> dict[str, Any]:
            snapshot = f"snap-0{secrets.token_hex(8)}"
            own = {
                "policy": "default",
                "source-snapshot": f"snap-0{secrets.token_hex(8)}",
                "source-account": "111111111111",
                "source-region": HOME,
                "source-volume": VOLUME,
                "source-size-gib": "1",
                "source-start-time": moment(-90 + number / 1000),
                "expire-after": moment(-60 + number / 1000),
                "status": "verified",
                "settled-at": moment(-90),
                "copy": snapshot,
                **tags,
            }
            return {
                "id": snapshot,
                "account": self.account.number,
                "region": region,
                "start_time": moment(-90 + number / 1000),
                "tags": {f"snapferry:{name}": value for name, value in own.items()},
            }

        return self.control.create_snapshots(each(number) for number in range(1, count + 1))


def moment(days: float) -> str:
    """A moment so many days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


def told(records: list[Record]) -> list[str]:
    """Event and reason of each record."""
    return [f"{record['event']} {record['reason']}" for record in records]


def tick(vault: Vault, name: str) -> None:
    """A sweep, and its end."""
    vault.stack.send(json.dumps({"sweep": name}))
    vault.stack.wait_for_audit(event="sweep.completed", sweep__id=name)
