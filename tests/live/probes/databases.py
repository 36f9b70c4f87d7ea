"""A probe of a copy of a database's snapshot across accounts and Regions at once, of one that the user names."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.live.probes import ground as on
from tests.live.probes.ground import Ground

NOT_NAMED = "no snapshot of a database was named (DB_SNAPSHOT=…)"
CLUSTER = ":cluster-snapshot:"


class _Rds:
    """The calls of one kind, under the names that the other has, too."""

    def __init__(self, client: Any, *, cluster: bool) -> None:
        self._client = client
        self._of = "cluster_" if cluster else ""
        self._kind = "DBClusterSnapshot" if cluster else "DBSnapshot"
        self.missing = {"DBClusterSnapshotNotFoundFault", "DBClusterSnapshotNotFound", "DBSnapshotNotFound"}

    def call(self, verb: str, what: str = "", **request: Any) -> Any:
        return getattr(self._client, f"{verb}_db_{self._of}snapshot{what}")(**request)

    def named(self, name: str, prefix: str = "") -> dict[str, str]:
        return {f"{prefix}{self._kind}Identifier": name}

    def shown(self, **request: Any) -> list[dict[str, Any]]:
        pages = self._client.get_paginator(f"describe_db_{self._of}snapshots").paginate(**request)
        return [each for page in pages for each in page[f"{self._kind}s"]]

    def one(self, name: str) -> dict[str, Any]:
        try:
            found = self.shown(**self.named(name))
        except ClientError as error:
            if error.response["Error"]["Code"] in self.missing:
                return {}
            raise
        return found[0] if found else {}


def database_copy(ground: Ground) -> dict[str, Any]:
    """How a copy of the named snapshot begins, what is shown of it meanwhile, and how it ends."""
    arn = ground.database
    if not arn:
        return {"not asked": NOT_NAMED}
    cluster = CLUSTER in arn
    theirs = _Rds(ground.setting.source("rds", ground.home), cluster=cluster)
    here = _Rds(ground.setting.target("rds", ground.home), cluster=cluster)
    there = _Rds(ground.setting.target("rds", ground.away), cluster=cluster)
    original = theirs.one(arn.split(":", 6)[-1])
    _share(ground, theirs, arn.split(":", 6)[-1])
    seen = _seconds(ground, lambda: any(_arn(each) == arn for each in here.shown(SnapshotType="shared")), "the share")
    name = ground.name("db").lower()
    request: dict[str, Any] = {
        **there.named(arn, "Source"),
        **there.named(name, "Target"),
        "KmsKeyId": on.target_key(ground, ground.away),
        "Tags": ground.tags,
        "SourceRegion": ground.home,
    }
    ground.will_make(
        f"copy {name} of a database's snapshot in {ground.away} of the target account",
        f"aws rds delete-db-{'cluster-' if cluster else ''}snapshot --region {ground.away} "
        f"--db-{'cluster-' if cluster else ''}snapshot-identifier {name}",
        lambda: there.call("delete", **there.named(name)),
    )
    first = on.outcome(lambda: there.call("copy", **request))
    answer: dict[str, Any] = {"shared_seen_seconds": seen, "first": first}
    if first != "accepted":
        return answer
    answer["asked again"] = on.outcome(lambda: there.call("copy", **request))
    answer["while copying"] = _compared(there.one(name), original, arn, request)
    states: list[str] = []

    def ended() -> bool:
        state = str(there.one(name).get("Status"))
        states.extend([state] if not states or states[-1] != state else [])
        return state in {"available", "failed"}

    ground.setting.until(ended, within=ground.setting.copy_within, what=f"{name} to be copied")
    return {**answer, "states": states, "ended": _compared(there.one(name), original, arn, request)}


def _share(ground: Ground, theirs: _Rds, name: str) -> None:
    attribute: dict[str, Any] = {**theirs.named(name), "AttributeName": "restore"}
    ground.will_make(
        f"share of {name} with {ground.target_account}",
        f"aws rds modify-db-snapshot-attribute --region {ground.home} --db-snapshot-identifier {name} --attribute-name "
        f"restore --values-to-remove {ground.target_account}",
        lambda: theirs.call("modify", "_attribute", **attribute, ValuesToRemove=[ground.target_account]),
    )
    theirs.call("modify", "_attribute", **attribute, ValuesToAdd=[ground.target_account])


def _seconds(ground: Ground, condition: Callable[[], bool], what: str) -> float:
    began = time.monotonic()
    ground.setting.until(condition, within=ground.setting.other_within, what=f"{what} to be seen")
    return round(time.monotonic() - began, 1)


def _arn(shown: dict[str, Any]) -> str:
    return str(shown.get("DBSnapshotArn") or shown.get("DBClusterSnapshotArn"))


def _compared(copy: dict[str, Any], original: dict[str, Any], arn: str, request: dict[str, Any]) -> dict[str, Any]:
    """What Snapferry's verifier looks at, and what it only notes."""
    same = {
        member: copy[member] == original[member]
        for member in (
            "Engine",
            "EngineVersion",
            "AllocatedStorage",
            "DbiResourceId",
            "DbClusterResourceId",
            "OriginalSnapshotCreateTime",
        )
        if member in copy and member in original
    }
    source = copy.get("SourceDBSnapshotIdentifier") or copy.get("SourceDBClusterSnapshotArn")
    return {
        "status": copy.get("Status"),
        "encrypted": copy.get("Encrypted", copy.get("StorageEncrypted")),
        "under the key asked for": copy.get("KmsKeyId") == request["KmsKeyId"],
        "names its source": source == arn,
        "has the tags": all(tag in copy.get("TagList", []) for tag in request["Tags"]),
        "as the source": same,
    }
