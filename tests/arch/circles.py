"""Which modules of a crate import which, and which of them import each other in a circle.

A module is a file. An arrow goes from a file to the file in which the imported item is *defined*: a re-export (`pub
use`, or `use` of what the file itself does not mention) of what is below the module is followed and is no arrow of
its own, so a `mod.rs` that only re-exports its children imports nothing. A child that uses an item defined in its
parent imports the parent, and with a parent that uses the child that makes a circle. A glob imports all that its
module defines and re-exports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.arch.source import Import, Names, NotUnderstoodError, Source, read


@dataclass(frozen=True)
class Arrow:
    """One import, with the line on which it stands."""

    importer: str
    line: int
    imported: str

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@dataclass
class Crate:
    """The modules of one crate by their path; the root's is empty."""

    modules: dict[Names, Source] = field(default_factory=dict)
    files: dict[Names, str] = field(default_factory=dict)

    def add(self, path: Names, file: Path, top: Path) -> None:
        """Reads a module's file and those of its children."""
        try:
            source = read(file.read_text())
        except NotUnderstoodError as error:
            message = f"{file.relative_to(top)}: {error}"
            raise NotUnderstoodError(message) from error
        self.modules[path], self.files[path] = source, str(file.relative_to(top))
        folder = file.parent if file.stem in ("lib", "main", "mod") else file.with_suffix("")
        for child in source.children:
            candidates = [folder / f"{child}.rs", folder / child / "mod.rs"]
            found = next((each for each in candidates if each.exists()), None)
            if found is None:
                message = f"{file.relative_to(top)}: module {child} has no file beside it"
                raise NotUnderstoodError(message)
            self.add((*path, child), found, top)

    def resolve(self, at: Names, path: Names, passed: frozenset[tuple[Names, str]] = frozenset()) -> Names | None:
        """Where the item of a path, seen from a module, is defined, followed by the rest of the path: the module alone
        when the path is a module's. Nothing for what is no item of this crate."""
        first, *rest = path
        match first:
            case "crate":
                return self.descend((), tuple(rest), passed)
            case "self":
                return self.descend(at, tuple(rest), passed)
            case "super":
                return self.descend(at[:-1], tuple(rest), passed)
        if first in self.modules[at].children or self.bound(at, first):
            return self.descend(at, path, passed)
        return None

    def descend(self, at: Names, path: Names, passed: frozenset[tuple[Names, str]]) -> Names | None:
        if not path or path == ("*",):
            return (*at, *path)
        first, *rest = path
        if first == "super":
            return self.descend(at[:-1], tuple(rest), passed)
        if first in self.modules[at].children:
            return self.descend((*at, first), tuple(rest), passed)
        bound = self.bound(at, first)
        if bound is not None and (at, first) not in passed:
            return self.resolve(at, (*bound, *rest), passed | {(at, first)})
        return (*at, *path)

    def bound(self, at: Names, name: str) -> Names | None:
        """The path of the item that a `use` declaration of the module binds to a name."""
        source = self.modules[at]
        for each in source.imports:
            if each.name == name:
                return each.path
        for each in source.imports:
            module = self.module(at, each.path[:-1]) if each.name == "*" else None
            if module is not None and self.modules[module].defines(name):
                return (*each.path[:-1], name)
        return None

    def module(self, at: Names, path: Names) -> Names | None:
        """The module of a path that needs no `use` declaration to be understood."""
        for name in path:
            at = () if name == "crate" else at[:-1] if name == "super" else at if name == "self" else (*at, name)
        return at if at in self.modules else None

    def home(self, path: Names) -> Names:
        """The innermost module of a resolved path."""
        return next(path[:end] for end in range(len(path), -1, -1) if path[:end] in self.modules)

    def imported(self, at: Names, each: Import) -> set[Names]:
        """The modules that define what an import binds; none for a module itself, and none for a mere re-export."""
        found = self.resolve(at, each.path)
        if found is None or found in self.modules:
            return set()
        home = self.home(found)
        if each.name == "*" and found[:-1] == home:
            uses = self.modules[home].imports
            through = {self.home(target) for use in uses if (target := self.resolve(home, use.path)) is not None}
            return {home, *(target for target in through if target[: len(home)] == home)}
        is_below = home[: len(at)] == at
        is_mentioned = each.name in self.modules[at].words
        return set() if is_below and not is_mentioned else {home}

    def arrows(self) -> list[Arrow]:
        """All imports between different files, the first of each pair."""
        found: dict[tuple[str, str], Arrow] = {}
        for at, source in self.modules.items():
            targets = [(home, each.line) for each in source.imports for home in self.imported(at, each)]
            mentions = ((self.resolve(at, path), line) for path, line in source.paths)
            targets += [(self.home(target), line) for target, line in mentions if target is not None]
            for home, line in sorted(targets, key=lambda each: each[1]):
                pair = (self.files[at], self.files[home])
                if pair[0] != pair[1]:
                    found.setdefault(pair, Arrow(pair[0], line, pair[1]))
        return list(found.values())


def crate(root: Path, top: Path) -> Crate:
    """The crate whose root file (`lib.rs`, `main.rs`) this is; files are named from `top` on."""
    found = Crate()
    found.add((), root, top)
    return found


def circles(arrows: list[Arrow]) -> list[list[Arrow]]:
    """The arrows of each circle: of files that reach each other."""
    after: dict[str, set[str]] = {}
    for arrow in arrows:
        after.setdefault(arrow.importer, set()).add(arrow.imported)

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for file in after.get(waiting.pop(), set()) - found:
                found.add(file)
                waiting.append(file)
        return found

    reach = {file: reached(file) for file in after}
    rings: dict[frozenset[str], list[Arrow]] = {}
    for arrow in arrows:
        if arrow.importer in reach.get(arrow.imported, set()):
            ring = frozenset(file for file in reach[arrow.importer] if arrow.importer in reach.get(file, set()))
            rings.setdefault(ring, []).append(arrow)
    return [sorted(ring, key=str) for _, ring in sorted(rings.items(), key=lambda each: min(each[0]))]
