"""The test's side of the overlay: set how the local AWS behaves, and read what it was asked.

Plain HTTP on the server's own port, no credentials.
"""

import http.client
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

SNAPSHOTS_A_REQUEST = 5_000


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded EC2, KMS, DynamoDB or RDS call; the fields are those of `tests.cloud.overlay.calls.Call`."""

    number: int
    time: str
    account: str
    region: str
    service: str
    action: str
    parameters: dict[str, Any]
    request_id: str
    user_agent: str
    role: str
    outcome: str
    status: int
    fault: str
    executed: bool
    created: str
    request_tags: dict[str, str] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)


class Control:
    """Steers one local AWS."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, verb: str, given: dict[str, Any] | None = None, timeout: float = 120.0) -> Any:
        """Send one request to the overlay and return its answer."""
        return json.loads(self._post(f"/_overlay/{verb}", given or {}, timeout))

    def _post(self, path: str, given: dict[str, Any], timeout: float) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", path, json.dumps(given), {"Content-Type": "application/json"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{path}: {body.decode(errors='replace')}")
        return body

    # Behaviour

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Change behaviour and return all of it; the names are the fields of `overlay.behaviour.Behaviour`."""
        behaviour: dict[str, Any] = self.ask("configure", changes)
        return behaviour

    def reset(self) -> None:
        """Forget snapshots, tags, calls, events, faults, settings and the clock's offset; deployed stacks, volumes,
        queues and keys stay."""
        self.ask("reset")

    def reset_everything(self) -> None:
        """Forget all of that and everything in the emulator too."""
        self._post("/_ministack/reset", {}, 120.0)
        self.ask("reset")

    def advance_clock(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> str:
        """Move the overlay's clock: what is due by then happens now. Functions keep the real time."""
        moved: dict[str, str] = self.ask("advance-clock", {"seconds": days * 86_400 + hours * 3_600 + seconds})
        return moved["time"]

    # What goes wrong

    def inject_fault(self, **fault: Any) -> str:
        """Let calls go wrong and return the fault's ID.

        Where: `service` (EC2 and KMS when none is named; `dynamodb` and `rds` only by name), `action`, `region`,
        `account`, `parameters` (a dict of values that the request must have; `*` and `?` are wildcards, `Item.pk.S` is
        a path).
        How often: `skip`, `times` (default: always), `probability`, `seed`.
        What: `latency` (seconds), `code` with `message`, `status` and `executed` (executed all the same), `drop` or
        `hang` ("before" or "after" executing), `kill` (a function's name: its processes get kill -9; then `drop` or
        `hang` as given, else a drop before); `shows_after`: with what was executed without an answer, EC2 shows the
        copy only that many seconds later.
        """
        return str(self.ask("inject-fault", fault)["id"])

    def take_region_down(self, region: str) -> str:
        """Cut every EC2 and KMS call to a Region before it is executed, until the fault is cleared."""
        return self.inject_fault(region=region, drop="before")

    def disable_region(self, region: str, code: str = "AuthFailure") -> str:
        """Let EC2 and KMS answer as in a Region that the account has not enabled, until the fault is cleared:
        AuthFailure or OptInRequired [EC2 API reference, "Error codes"]."""
        words = {
            "AuthFailure": "AWS was not able to validate the provided access credentials",
            "OptInRequired": "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
        }
        return self.inject_fault(
            region=region, code=code, status=403 if code == "OptInRequired" else 401, message=words[code]
        )

    def take_ledger_down(self, region: str = "", **fault: Any) -> str:
        """Let DynamoDB's calls go wrong until the fault is cleared: cut before they are executed, unless `fault` says
        otherwise."""
        return self.inject_fault(**{"service": "dynamodb", "region": region, "drop": "before", **fault})

    def spoil_copies(self, **spoil: Any) -> str:
        """Let accepted copies end badly and return the rule's ID: `state_message` (ends in error), `kms_key` (another
        key; `aws/ebs` is the default one), `unencrypted`, `volume_size`; where and how often as for faults."""
        return str(self.ask("spoil-copies", spoil)["id"])

    def clear(self, rule: str | None = None) -> None:
        """Take back one fault or spoiling rule, or all."""
        self.ask("clear-rules", {} if rule is None else {"id": rule})

    def rules(self) -> list[dict[str, Any]]:
        """All faults and spoiling rules; `struck` says how often each struck."""
        found: list[dict[str, Any]] = self.ask("rules")
        return found

    # What was asked

    def calls(self, *, since: int = 0, **wanted: str) -> list[Call]:
        """The recorded calls after number `since` whose fields equal what is wanted, as in `action="CopySnapshot"`."""
        return [Call(**each) for each in self.ask("calls", {"since": since, **wanted})]

    def count(self, *, since: int = 0, **wanted: str) -> Counter[tuple[str, str, str]]:
        """How many calls there were of each service's actions in each Region: `count(service="ec2").total()`."""
        found = self.ask("count-calls", {"since": since, **wanted})
        return Counter({(each["service"], each["action"], each["region"]): each["count"] for each in found})

    def last_call(self) -> int:
        """The number of the newest call, for `since`."""
        return int(self.ask("last-call"))

    def events(self, *, since: int = 0) -> list[dict[str, Any]]:
        """The events that EBS emitted, with `lost` on those that were not delivered."""
        found: list[dict[str, Any]] = self.ask("events", {"since": since})
        return found

    # Events

    def deliver_event(self, account: str, region: str, detail: Any, **more: Any) -> str:
        """Put an event onto an account's bus and return its ID; optional: `detail_type`, `source`, `resources`, `id`,
        `count` (the very same event several times)."""
        return str(self.ask("deliver-event", {"account": account, "region": region, "detail": detail, **more})["id"])

    # Snapshots

    def create_snapshots(self, snapshots: Iterable[dict[str, Any]]) -> list[str]:
        """Make snapshots from nothing, any number of them, and return their IDs.

        Required: `account` (the owner), `region`. Optional: `id`, `volume_id`, `volume_size`, `description`,
        `start_time` (ISO 8601 or seconds), `state`, `kms_key`, `encrypted`, `public`, `storage_tier`, `outpost_arn`,
        `availability_zone` (of a Local Zone), `tags` (the owner's), `shared_with` (accounts), `notify` (emit share
        events, default no).
        """
        remaining, ids = iter(snapshots), []
        while batch := list(islice(remaining, SNAPSHOTS_A_REQUEST)):
            ids += self.ask("create-snapshots", {"snapshots": batch})
        return ids

    def create_snapshot(self, account: str, region: str, **more: Any) -> str:
        return self.create_snapshots([{"account": account, "region": region, **more}])[0]

    def change_snapshot(self, snapshot_id: str, region: str, **changes: Any) -> dict[str, Any]:
        """Set `state`, `state_message`, `start_time`, `volume_id`, `volume_size`, `description`, `encrypted`,
        `kms_key`, `storage_tier`, `outpost_arn`, `availability_zone`, `in_use` (by an AMI), `visible_from`,
        `listed_from` (moments), or `shown_as`: elements of EC2's answer as they are to be shown, None to leave one out,
        as in `{"startTime": None}`."""
        changed: dict[str, Any] = self.ask("change-snapshot", {"id": snapshot_id, "region": region, **changes})
        return changed

    def set_blocks(self, snapshot_id: str, region: str, blocks: dict[int, str | None]) -> None:
        """Write blocks of a text each into a snapshot, whatever its state and whoever owns it; None takes one out."""
        self.ask("set-blocks", {"id": snapshot_id, "region": region, "blocks": blocks})

    def age_snapshot(self, snapshot_id: str, region: str, *, days: float) -> dict[str, Any]:
        """Let a snapshot have started and completed that much earlier; its tags stay."""
        changed: dict[str, Any] = self.ask(
            "age-snapshot", {"id": snapshot_id, "region": region, "seconds": days * 86_400}
        )
        return changed

    def release_copies(self, **which: Any) -> list[str]:
        """End pending copies now and return their IDs; optional: `region`, `account`, `ids`, `count`."""
        released: list[str] = self.ask("release-copies", which)
        return released

    def update_copies(self) -> None:
        """Let pending copies show their sizes, as they do before they end."""
        self.ask("update-copies")

    def snapshots(self, **which: str) -> list[dict[str, Any]]:
        """All snapshots, whoever sees them; optional: `account` (the owner), `region`."""
        found: list[dict[str, Any]] = self.ask("snapshots", which)
        return found

    # Snapshots of databases

    def create_db_snapshots(self, snapshots: Iterable[dict[str, Any]]) -> list[str]:
        """Make snapshots of databases from nothing and return their ARNs.

        Required: `account` (the owner), `region`. Optional: `cluster` (true: of a cluster), `id`, `source_id` (the
        instance's or cluster's name), `resource_id`, `engine`, `engine_version`, `allocated_storage`, `created`
        (ISO 8601 or seconds), `status`, `type`, `kms_key`, `option_group`, `tde`, `tags`, `shared_with` (accounts).
        """
        made: list[str] = self.ask("create-db-snapshots", {"snapshots": list(snapshots)})
        return made

    def create_db_snapshot(self, account: str, region: str, **more: Any) -> str:
        return self.create_db_snapshots([{"account": account, "region": region, **more}])[0]

    def change_db_snapshot(self, arn: str, **changes: Any) -> None:
        """Set `status`, `type`, `engine`, `allocated_storage`, `kms_key`, `tde`, `option_group` or `resource_id`."""
        self.ask("change-db-snapshot", {"arn": arn, **changes})

    def release_db_copies(self, *arns: str) -> list[str]:
        """End the copies of databases that run, or those named, and return their ARNs."""
        released: list[str] = self.ask("release-db-copies", {"arns": list(arns)} if arns else {})
        return released

    # Functions

    def functions(self, name: str = "") -> list[dict[str, Any]]:
        """The running function processes: `function`, `arn`, `pid`, `busy`."""
        found: list[dict[str, Any]] = self.ask("functions", {"name": name})
        return found

    def kill_function(self, name: str) -> list[int]:
        """kill -9 a function's processes and return their IDs."""
        killed: list[int] = self.ask("kill-function", {"name": name})
        return killed
