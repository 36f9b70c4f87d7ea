"""A deployed stack that copies snapshots of databases, driven run by run."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import Deployed, Record, deploy
from tests.e2e.protect import moment

COPIER, VERIFIER, EXPIRER = "copy-shared-databases", "verify-copied-databases", "delete-expired-database-copies"
INSTANCE, CLUSTER = "DBSnapshot", "DBClusterSnapshot"
ENCRYPTED = {INSTANCE: "Encrypted", CLUSTER: "StorageEncrypted"}

_ticks = itertools.count(1)


def policy(owner: Account, *targets: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """One about both kinds."""
    document = policies.details([owner.number], *targets)
    document["EventSource"]["Parameters"] |= {"SourceTypes": ["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"], **parameters}
    return document


def vault(target: Account, document: Any, **parameters: str) -> "Databases":
    """Deploy, with schedules that do not strike while a test runs."""
    return Databases(deploy(target, document, **faults.NO_SCHEDULES, **parameters))


@dataclass(frozen=True)
class Databases(Deployed):
    """Snapferry in a target account."""

    # What others do

    def shared(self, owner: Account, kind: str, **how: Any) -> str:
        """The ARN of a snapshot that an account shares with this one."""
        share = {"cluster": kind == CLUSTER, "shared_with": [self.account.number]}
        return self.control.create_db_snapshot(owner.number, HOME, **{**share, **how})

    # What it does

    def sweep(self) -> str:
        """A whole sweep of both kinds; its ID."""
        name = f"sweep {next(_ticks)}"
        self.stack.invoke(COPIER, {"sweep": name})
        self.stack.wait_for_audit(COPIER, count=2, event="sweep.completed", sweep__id=name)
        return name

    def sweep_volumes(self) -> None:
        name = f"sweep {next(_ticks)}"
        self.stack.invoke("copy-shared-snapshots", {"sweep": name})
        self.stack.wait_for_audit("copy-shared-snapshots", event="sweep.completed", sweep__id=name)

    def silent(self) -> list[list[str]]:
        """Who is silent by a sweep of each kind."""
        name = self.sweep()
        return [swept["sweep"]["silentOwners"] for swept in self.audit(event="sweep.completed", sweep__id=name)]

    def serve(self) -> None:
        self.stack.invoke(COPIER, {"serve": f"serve {next(_ticks)}"})

    def verify(self) -> None:
        self.stack.invoke(VERIFIER, {"run": "a run"})

    def expire(self) -> None:
        self.stack.invoke(EXPIRER, {"run": "a run"})

    # What came of it

    def copies(self, region: str, kind: str, **tags: str) -> list[dict[str, Any]]:
        """Snapferry's copies in a Region, the oldest first, with their tags as a dict under `tags`; by tags without
        their prefix."""
        wanted = {f"snapferry:{name.replace('_', '-')}": value for name, value in tags.items()}
        found = [each for each in self._described(region, kind) if wanted.items() <= each["tags"].items()]
        return sorted(found, key=lambda each: each["SnapshotCreateTime"])

    def _described(self, region: str, kind: str) -> Iterator[dict[str, Any]]:
        operation = "describe_db_snapshots" if kind == INSTANCE else "describe_db_cluster_snapshots"
        pages = self.account.client("rds", region).get_paginator(operation).paginate(SnapshotType="manual")
        for each in (each for page in pages for each in page[f"{kind}s"]):
            tags = {tag["Key"]: tag["Value"] for tag in each["TagList"]}
            if "snapferry:policy" in tags:
                yield {**each, "tags": tags}

    def audit(self, function: str = COPIER, **wanted: Any) -> list[Record]:
        return self.stack.audit(function, **wanted)

    def asked(self, kind: str) -> int:
        """How often a copy was asked for, whatever came of it."""
        return len(self.control.calls(account=self.account.number, service="rds", action=f"Copy{kind}"))

    def tag(self, copy: dict[str, Any], region: str, kind: str, **tags: str) -> None:
        """Set Snapferry's tags on a copy, by their names without the prefix and with `_` for `-`."""
        edited = [{"Key": f"snapferry:{name.replace('_', '-')}", "Value": value} for name, value in tags.items()]
        self.account.client("rds", region).add_tags_to_resource(ResourceName=copy[f"{kind}Arn"], Tags=edited)

    def let_expire(self, copy: dict[str, Any], region: str, kind: str) -> None:
        """As if its time was over since yesterday."""
        self.tag(copy, region, kind, expire_after=moment(-1))
