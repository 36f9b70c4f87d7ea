"""The promise as a law: every matching snapshot that is still shared has exactly one live copy for each (policy, target
Region), each under the right key and with the right tags, and nothing else is copied.

It is judged from the outside, on all snapshots of all accounts as nobody in AWS sees them, with nothing of Snapferry's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Snapshot = dict[str, Any]
SLACK = timedelta(seconds=2)


@dataclass(frozen=True)
class Rule:
    """What one policy asks for in one target Region."""

    policy: str
    owners: frozenset[str]
    description: re.Pattern[str]
    region: str
    key: str | None
    keep_days: int | None
    adds: dict[str, str]

    def wants(self, snapshot: Snapshot, account: str) -> bool:
        """Whether the policy of this account asks for copies of this snapshot, be it shared or not."""
        return (
            snapshot["owner"] in self.owners - {account}
            and self.description.fullmatch(snapshot["description"]) is not None
            and snapshot["state"] == "completed"
        )


@dataclass(frozen=True)
class Scope:
    """Whose copies are judged, by which rules, and when they were asked for."""

    account: str
    home: str
    rules: tuple[Rule, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Verdict:
    """What breaks the law, each in words; `failed` holds the copies that ended in error, which by itself does not."""

    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the law is kept and nothing is under way any more."""
        return not (self.lost or self.duplicates or self.wrong or self.unfinished)


def rules(document: Any) -> tuple[Rule, ...]:
    """The rules of a policy document or of an array of them."""
    documents = document if isinstance(document, list) else [document]
    return tuple(rule for each in documents for rule in _rules(each.get("Policy", each)))


def _rules(policy: Any) -> Iterator[Rule]:
    if policy.get("State") == "DISABLED":
        return
    details = policy.get("PolicyDetails", policy)
    parameters = details["EventSource"]["Parameters"]
    for entry in (entry for action in details["Actions"] for entry in action["CrossRegionCopy"]):
        retain = entry.get("RetainRule")
        if retain and retain["IntervalUnit"] != "DAYS":
            raise ValueError(f"only days are judged here, not {retain['IntervalUnit']}")
        yield Rule(
            policy=policy.get("PolicyId", "default"),
            owners=frozenset(parameters["SnapshotOwner"]),
            description=re.compile(parameters.get("DescriptionRegex", ".*"), re.DOTALL),
            region=entry["Target"],
            key=entry["EncryptionConfiguration"].get("CmkArn"),
            keep_days=retain["Interval"] if retain else None,
            adds={tag["Key"]: tag["Value"] for tag in entry.get("TagsToAdd", [])},
        )


def judge(scope: Scope, snapshots: Iterable[Snapshot]) -> Verdict:
    """Hold all snapshots of all accounts against the law."""
    everything = list(snapshots)
    sources = {each["id"]: each for each in everything if each["region"] == scope.home}
    copies = [each for each in everything if each["owner"] == scope.account and each["copy"] is not None]
    verdict = Verdict()
    live: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for copy in copies:
        if copy["state"] == "error":
            verdict.failed.append(copy["id"])
        if copy["state"] == "pending":
            verdict.unfinished.append(copy["id"])
        if _is_live(copy):
            policy = copy["tags"].get("snapferry:policy", "")
            live[policy, copy["copy"]["source_id"], copy["region"]].append(copy["id"])
        verdict.wrong.extend(f"{copy['id']} in {copy['region']}: {what}" for what in _wrong(scope, copy, sources))
    for rule in scope.rules:
        for source in sources.values():
            shared = scope.account in source["shares"]
            if shared and rule.wants(source, scope.account) and not live[rule.policy, source["id"], rule.region]:
                verdict.lost.append(f"{source['id']} has no live copy in {rule.region} for {rule.policy}")
    for (policy, source_id, region), ids in live.items():
        if len(ids) > 1:
            verdict.duplicates.append(f"{source_id} has {len(ids)} live copies in {region} for {policy}: {ids}")
    return verdict


def _is_live(copy: Snapshot) -> bool:
    return copy["state"] != "error" and copy["tags"].get("snapferry:status") not in ("failed", "rejected")


def _wrong(scope: Scope, copy: Snapshot, sources: dict[str, Snapshot]) -> Iterator[str]:
    """All that is wrong with one copy."""
    policy = copy["tags"].get("snapferry:policy")
    rule = next((each for each in scope.rules if (each.policy, each.region) == (policy, copy["region"])), None)
    source = sources.get(copy["copy"]["source_id"])
    if copy["copy"]["source_region"] != scope.home or source is None:
        yield f"a copy of {copy['copy']['source_id']} of {copy['copy']['source_region']}"
        return
    if rule is None or not rule.wants(source, scope.account):
        yield f"nobody asked for a copy of {source['id']} for {policy}"
        return
    yield from _wrong_tags(scope, rule, copy["tags"], source)
    if not copy["description"].startswith(f"Snapferry copy of {source['id']} from {scope.home}"):
        yield f"description {copy['description']!r}"
    if copy["state"] == "completed":
        yield from _wrong_content(rule, copy, source)


def _wrong_tags(scope: Scope, rule: Rule, tags: dict[str, str], source: Snapshot) -> Iterator[str]:
    expected = {
        "snapferry:policy": rule.policy,
        "snapferry:source-snapshot": source["id"],
        "snapferry:source-account": source["owner"],
        "snapferry:source-region": scope.home,
        "snapferry:source-volume": source["volume_id"],
        "snapferry:source-size-gib": str(source["volume_size"]),
        **({"snapferry:kms-key": rule.key} if rule.key else {}),
        **rule.adds,
    }
    for key, value in expected.items():
        if tags.get(key) != value:
            yield f"tag {key} is {tags.get(key)!r}, not {value!r}"
    moments = {"snapferry:source-start-time", *(["snapferry:expire-after"] if rule.keep_days else [])}
    later = {"snapferry:status", "snapferry:settled-at", "snapferry:copy", "snapferry:lock"}
    if (keys := set(tags) - later) != {*expected, *moments}:
        yield f"tags {sorted(keys)}, not {sorted({*expected, *moments})}"
        return
    start = _moment(source["start_time"])
    if not start - SLACK <= _moment(tags["snapferry:source-start-time"]) <= start + SLACK:
        yield f"tag snapferry:source-start-time is {tags['snapferry:source-start-time']}, not {source['start_time']}"
    if rule.keep_days:
        keep = timedelta(days=rule.keep_days)
        if not scope.since - SLACK <= _moment(tags["snapferry:expire-after"]) - keep <= scope.until + SLACK:
            yield f"tag snapferry:expire-after is {tags['snapferry:expire-after']}"


def _wrong_content(rule: Rule, copy: Snapshot, source: Snapshot) -> Iterator[str]:
    if rule.key and (copy["encrypted"], copy["kms_key"]) != (True, rule.key):
        yield f"key {copy['kms_key']}, not {rule.key}"
    if not rule.key and copy["encrypted"] != source["encrypted"]:
        yield f"encrypted is {copy['encrypted']}, not as the source's"
    if copy["volume_size"] != source["volume_size"]:
        yield f"{copy['volume_size']} GiB, not {source['volume_size']}"


def _moment(text: str) -> datetime:
    """The moment that a text names; what names none is far off."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
