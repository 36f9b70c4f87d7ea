"""The part of CloudWatch Logs Insights' query language that the saved queries use, over audit lines.

After Amazon CloudWatch Logs' User Guide, "CloudWatch Logs Insights language query syntax": `fields` (with
`coalesce(…) as`), `filter` (`and`, `or`, comparisons, `in`, `ispresent`), `stats` (`count(*)`, `max`, `pct`, `latest`,
with `by`), `sort`, `limit`. Members of JSON are discovered as fields, with a dot between levels. All else is an error
here, and so is an unknown field.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.audit.lines import SCHEMA, Line, moment

Row = dict[str, Any]
Test = Callable[[Row], bool]

_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z_@][\w@.]*|\d+|!=|[=(),*\[\]])""")


def run(query: str, lines: Iterable[Line]) -> list[Row]:
    """The rows that a query finds."""
    rows: list[Row] = [{"@timestamp": moment(each), **_flat(each)} for each in lines]
    shown: list[str] | None = None
    made: set[str] = set()
    for command in (part.strip() for part in query.split("|")):
        name, _, rest = command.partition(" ")
        tokens = _Tokens(_tokens(rest), made)
        match name:
            case "fields":
                shown = _fields(tokens, rows)
            case "filter":
                wanted = _either(tokens)
                rows = [row for row in rows if wanted(row)]
            case "stats":
                rows, shown = _stats(tokens, rows)
            case "sort":
                key, order = tokens.name(), tokens.word("asc", "desc")
                rows = sorted(rows, key=lambda row: _order(row.get(key)), reverse=order == "desc")
            case "limit":
                rows = rows[: int(tokens.take())]
            case _:
                raise ValueError(f"{name} is not known")
        tokens.end()
    return [{name: row.get(name) for name in shown} for row in rows] if shown else rows


def _flat(value: Any, path: str = "") -> Row:
    if not isinstance(value, dict):
        return {path: value}
    return {
        name: each for key, inner in value.items() for name, each in _flat(inner, f"{path}.{key}".lstrip(".")).items()
    }


def _order(value: Any) -> tuple[bool, Any]:
    """Rows without the field come first."""
    return value is not None, value


def known_fields() -> set[str]:
    """The fields of audit lines, as the schema has them."""
    return {"@timestamp", *_members(SCHEMA, "")}


def _members(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, member in schema.get("properties", {}).items():
        inner = f"{path}.{name}".lstrip(".")
        yield inner
        yield from _members(member, inner)


def _tokens(text: str) -> list[str]:
    found, end = [], 0
    while text[end:].strip():
        token = _TOKEN.match(text, end)
        if token is None:
            raise ValueError(f"not understood: {text[end:]}")
        found.append(token[1])
        end = token.end()
    return found


@dataclass
class _Tokens:
    """What is left of a command."""

    left: list[str]
    made: set[str]

    def peek(self) -> str:
        return self.left[0] if self.left else ""

    def take(self, *expected: str) -> str:
        if not self.left or (expected and self.left[0] not in expected):
            raise ValueError(f"{expected or 'something'} expected, found {self.peek()!r}")
        return self.left.pop(0)

    def word(self, *words: str) -> str:
        """One of these words, or nothing."""
        return self.take() if self.peek() in words else ""

    def name(self) -> str:
        name = self.take()
        if not re.match(r"[A-Za-z_@]", name):
            raise ValueError(f"a field expected, found {name}")
        return name

    def names(self) -> list[str]:
        names = [self.name()]
        while self.word(","):
            names.append(self.name())
        for name in names:
            self.check(name)
        return names

    def check(self, name: str) -> None:
        if name not in self.made and name not in known_fields():
            raise ValueError(f"no line has a field {name}")

    def end(self) -> None:
        if self.left:
            raise ValueError(f"not understood: {self.left}")


def _fields(tokens: _Tokens, rows: list[Row]) -> list[str]:
    """The fields that are shown, those among them made that `coalesce` gives a name."""
    names: list[str] = []
    while not names or tokens.word(","):
        if tokens.word("coalesce"):
            tokens.take("(")
            of = tokens.names()
            tokens.take(")")
            tokens.take("as")
            name = tokens.name()
            tokens.made.add(name)
            for row in rows:
                row[name] = next((row[each] for each in of if row.get(each) is not None), None)
        else:
            name = tokens.name()
            tokens.check(name)
        names.append(name)
    return names


def _literal(token: str) -> Any:
    return token[1:-1] if token[0] in "\"'" else int(token)


def _either(tokens: _Tokens) -> Test:
    tests = [_both(tokens)]
    while tokens.word("or"):
        tests.append(_both(tokens))
    return lambda row: any(test(row) for test in tests)


def _both(tokens: _Tokens) -> Test:
    tests = [_one(tokens)]
    while tokens.word("and"):
        tests.append(_one(tokens))
    return lambda row: all(test(row) for test in tests)


def _one(tokens: _Tokens) -> Test:
    if tokens.word("("):
        inner = _either(tokens)
        tokens.take(")")
        return inner
    name = tokens.name()
    if name == "ispresent":
        tokens.take("(")
        present = tokens.name()
        tokens.check(present)
        tokens.take(")")
        return lambda row: row.get(present) is not None
    tokens.check(name)
    operator = tokens.take("=", "!=", "in")
    if operator == "in":
        values = _list(tokens)
        return lambda row: row.get(name) in values
    value = _literal(tokens.take())
    return lambda row: (row.get(name) == value) == (operator == "=")


def _list(tokens: _Tokens) -> list[Any]:
    tokens.take("[")
    values = [_literal(tokens.take())]
    while tokens.word(","):
        values.append(_literal(tokens.take()))
    tokens.take("]")
    return values


def _percentile(values: list[Any], percent: int) -> Any:
    """The value at that rank; CloudWatch's own is an approximation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None


def _aggregate(tokens: _Tokens) -> tuple[str, Callable[[list[Row]], Any]]:
    """One function of `stats`, under the name after `as`."""
    function = tokens.take("count", "max", "pct", "latest")
    tokens.take("(")
    if function == "count":
        tokens.take("*")
        result: Callable[[list[Row]], Any] = len
    else:
        name = tokens.name()
        tokens.check(name)

        def values(rows: list[Row]) -> list[Any]:
            return [row[name] for row in sorted(rows, key=lambda row: row["@timestamp"]) if row.get(name) is not None]

        if function == "pct":
            tokens.take(",")
            percent = int(tokens.take())
            result = lambda rows: _percentile(values(rows), percent)  # noqa: E731
        elif function == "max":
            result = lambda rows: max(values(rows), default=None)  # noqa: E731
        else:
            result = lambda rows: (values(rows) or [None])[-1]  # noqa: E731
    tokens.take(")")
    tokens.take("as")
    return tokens.name(), result


def _stats(tokens: _Tokens, rows: list[Row]) -> tuple[list[Row], list[str]]:
    columns = [_aggregate(tokens)]
    while tokens.word(","):
        columns.append(_aggregate(tokens))
    keys = tokens.names() if tokens.word("by") else []
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    made = [
        {**dict(zip(keys, group, strict=True)), **{name: result(members) for name, result in columns}}
        for group, members in groups.items()
    ]
    return made, [*keys, *(name for name, _ in columns)]
