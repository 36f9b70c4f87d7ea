"""A Rust file as far as its imports go: child modules, `use` declarations, and paths in the code.

No compiler is asked: comments, texts and code for tests are blanked, and the rest is searched. What a method call or a
macro refers to without a path is not seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Names = tuple[str, ...]

# What never holds an import. A lifetime is no text, so a quotation mark has to come after one character or an escape.
OPAQUE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*" | b?'(?:\\(?:u\{\w+\}|.)|[^'\\\n])'""",
    re.DOTALL | re.VERBOSE,
)
FOR_TESTS = re.compile(r"#\[cfg\(test\)\]")
USE = re.compile(r"\buse\s+([^;]+);")
MODULE = re.compile(r"\bmod\s+(\w+)\s*([;{])")
PATH = re.compile(r"(?<![\w:.])[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+")
TREE = re.compile(r"::|[{},*]|\w+")
# Neither the name of a function where it is defined, nor of a method or a member.
WORD = re.compile(r"(?<!\bfn )(?<!\.)\b\w+")


class NotUnderstoodError(Exception):
    """A file is written in a way that this tool does not know."""


@dataclass(frozen=True)
class Import:
    """One name that a `use` declaration binds, or `*` for all of a module's."""

    path: Names
    name: str
    line: int


@dataclass(frozen=True)
class Source:
    """What a file imports and mentions."""

    children: frozenset[str]
    tests: frozenset[str]
    imports: tuple[Import, ...]
    paths: tuple[tuple[Names, int], ...]
    words: frozenset[str]
    text: str

    def defines(self, name: str) -> bool:
        """Whether an item of that name stands in the file."""
        return bool(re.search(rf"\b(struct|enum|fn|const|static|type|trait|union)\s+{name}\b", self.text))


def read(text: str) -> Source:
    """Reads a file."""
    bare = OPAQUE.sub(lambda found: blank(found[0]), text)
    code = without_tests(bare)
    for inline in [each for each in MODULE.finditer(code) if each[2] == "{"]:
        end = end_of_item(code, inline.start())
        # The parent of a module in the file is the file; the length stays, for the numbers of the lines.
        code = code[: inline.start()] + code[inline.start() : end].replace("super::", " self::") + code[end:]
    modules = [each for each in MODULE.finditer(code) if each[2] == ";"]
    imports = [
        Import(path, name, line_of(code, use.start()))
        for use in USE.finditer(code)
        for path, name in tree(TREE.findall(use[1]))
    ]
    body = USE.sub(lambda found: blank(found[0]), code)
    paths = [(tuple(re.findall(r"\w+", each[0])), line_of(body, each.start())) for each in PATH.finditer(body)]
    children = frozenset(each[1] for each in modules)
    tests = frozenset(each[1] for each in MODULE.finditer(bare) if each[2] == ";") - children
    return Source(children, tests, tuple(imports), tuple(paths), frozenset(WORD.findall(body)), body)


def tree(tokens: list[str], before: Names = ()) -> list[tuple[Names, str]]:
    """The paths of a `use` declaration, each with the name that it binds."""
    found: list[tuple[Names, str]] = []
    path: list[str] = []
    while tokens and tokens[0] != "}":
        token = tokens.pop(0)
        if token == "{":
            found += tree(tokens, (*before, *path))
            tokens.pop(0)
            path = []
        elif token == ",":
            found += leaf((*before, *path)) if path else []
            path = []
        elif token == "as":
            found.append(((*before, *path), tokens.pop(0)))
            path = []
        elif token != "::":
            path.append(token)
    return found + (leaf((*before, *path)) if path else [])


def leaf(path: Names) -> list[tuple[Names, str]]:
    whole = path[:-1] if path[-1] == "self" and len(path) > 1 else path
    return [(whole, whole[-1])]


def without_tests(code: str) -> str:
    """Blanks each item under `#[cfg(test)]`: up to its semicolon or the end of its block."""
    while found := FOR_TESTS.search(code):
        end = end_of_item(code, found.end())
        code = code[: found.start()] + blank(code[found.start() : end]) + code[end:]
    return code


def end_of_item(code: str, start: int) -> int:
    depth = 0
    for offset, character in enumerate(code[start:], start):
        depth += (character in "{([") - (character in "})]")
        if depth == 0 and character in ";}":
            return offset + 1
    return len(code)


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
