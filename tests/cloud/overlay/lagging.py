"""Indexes of DynamoDB's tables as they were a moment ago: the emulator's follow at once, DynamoDB's when they are ready
[DynamoDB developer guide, "Data synchronization between tables and global secondary indexes"].
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay.emulator import dynamodb
from tests.cloud.overlay.world import World

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Write:
    """One write, and what stood there before it; nothing if nothing did."""

    time: float
    table: Any
    key: tuple[Any, Any]
    before: Any


def install(world: World) -> None:
    """Let queries of an index see what stood in the table some time ago."""
    put, remove, query = dynamodb._set_item, dynamodb._remove_item, dynamodb._query
    writes: deque[_Write] = deque(maxlen=_KEPT)

    def noted_put(table: Any, first: Any, second: Any, item: Any) -> Any:
        before = put(table, first, second, item)
        writes.append(_Write(world.clock.now(), table, (first, second), before))
        return before

    def noted_remove(table: Any, first: Any, second: Any) -> Any:
        before = remove(table, first, second)
        writes.append(_Write(world.clock.now(), table, (first, second), before))
        return before

    def write(table: Any, key: tuple[Any, Any], item: Any) -> None:
        if item is None:
            remove(table, *key)
        else:
            put(table, *key, item)

    @contextmanager
    def as_of(moment: float) -> Iterator[None]:
        """Take back the later writes, the last one first, and put them there again. Nothing else runs meanwhile."""
        later = [each for each in reversed(writes) if each.time > moment]
        after: dict[Any, tuple[_Write, Any]] = {}
        for each in later:
            place = (id(each.table), each.key)
            after.setdefault(place, (each, each.table["items"].get(each.key[0], {}).get(each.key[1])))
            write(each.table, each.key, each.before)
        try:
            yield
        finally:
            for each, item in after.values():
                write(each.table, each.key, item)

    def lagging_query(data: dict[str, Any]) -> Any:
        lag = world.behaviour.index_lag_seconds
        if not lag or not data.get("IndexName"):
            return query(data)
        with as_of(world.clock.now() - lag):
            return query(data)

    dynamodb._set_item, dynamodb._remove_item, dynamodb._query = noted_put, noted_remove, lagging_query
