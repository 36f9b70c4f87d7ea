"""The ledger of a deployed stack, looked at and tampered with from outside: what stands in it, poison, age, loss."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.e2e.accounts import Account

Item = dict[str, Any]

KEYS = ("pk", "sk")
OBLIGATIONS, TURNS, HINTS, ROUND = "O#", "A#", "H", "R"
# When the source was started, which is no matter of the ledger's.
_NOT_OURS = {"start"}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Lines whose order is that of time: what is delayed, and what was asked for.
_BY_TIME = re.compile(r"[DQ]#")
_SECONDS = re.compile(r"\d{12}(?=#)")


@dataclass(frozen=True)
class Ledger:
    """The table, past all roles."""

    account: Account
    region: str
    table: str

    def items(self, kind: str = "") -> list[Item]:
        """All items whose partition key begins with the kind's, as plain values; numbers are ints."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        found = [_plain(each) for page in pages for each in page["Items"]]
        return [each for each in found if each["pk"].startswith(kind)]

    def obligations(self, *, source: str = "", region: str = "") -> list[Item]:
        """What is or was owed, of a source snapshot and a target Region or of all."""
        wanted = f"{source[::-1]}#"
        return [
            each
            for each in self.items(OBLIGATIONS)
            if (not source or each["sk"].startswith(wanted)) and (not region or f"#{region}#" in each["sk"])
        ]

    def states(self, **which: str) -> list[str]:
        """How those obligations stand, in the order of the alphabet."""
        return sorted(str(each["state"]) for each in self.obligations(**which))

    def poison(self, items: Iterable[Item], **attributes: Any) -> None:
        """Set attributes of items to whatever is given, and take out those that are None."""
        for item in items:
            self.put({**item, **attributes})

    def put(self, item: Item) -> None:
        """Write an item, whatever stood there; what is None in it is left out."""
        whole = {name: TypeSerializer().serialize(value) for name, value in item.items() if value is not None}
        self._client.put_item(TableName=self.table, Item=whole)

    def empty(self) -> None:
        """Delete all items: the ledger is lost."""
        for each in self.items():
            key = {name: {"S": each[name]} for name in KEYS}
            self._client.delete_item(TableName=self.table, Key=key)

    def age(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """As if all that stands in the ledger had been written so much earlier: holds and pauses end that much sooner.
        EC2 and the functions keep their time."""
        by = timedelta(minutes=minutes, seconds=seconds)
        for each in self.items():
            self.put(_aged(each, by))

    @property
    def _client(self) -> Any:
        return self.account.client("dynamodb", self.region)


def _plain(item: dict[str, Any]) -> Item:
    read: Callable[[Any], Any] = TypeDeserializer().deserialize
    return {name: _number(read(value)) for name, value in item.items()}


def _number(value: Any) -> Any:
    """DynamoDB's numbers are decimals."""
    match value:
        case dict():
            return {name: _number(each) for name, each in value.items()}
        case list():
            return [_number(each) for each in value]
        case str() | bytes() | bool() | None | set():
            return value
        case _:
            return int(value)


def _aged(item: Item, by: timedelta) -> Item:
    aged = {name: value if name in _NOT_OURS else _earlier(value, by) for name, value in item.items()}
    if "lsk" in aged and _BY_TIME.match(str(aged.get("lpk", ""))):
        seconds = int(by.total_seconds())
        aged["lsk"] = _SECONDS.sub(lambda found: f"{max(int(found[0]) - seconds, 0):012}", aged["lsk"], count=1)
    return aged


def _earlier(value: Any, by: timedelta) -> Any:
    match value:
        case dict():
            return {name: each if name in _NOT_OURS else _earlier(each, by) for name, each in value.items()}
        case list():
            return [_earlier(each, by) for each in value]
        case str() if _TIME.fullmatch(value):
            # The fraction may have more digits than a datetime has.
            moment = datetime.fromisoformat(re.sub(r"\.(\d{1,6})\d*", r".\1", value)) - by
            return moment.isoformat().replace("+00:00", "Z")
        case _:
            return value
