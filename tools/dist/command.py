"""The operator's command as an archive: what /usr/local takes, with its manual pages and completions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.dist.archive import PLAIN, PROGRAM, tar_gz

_COMPLETIONS = {
    "bash": "share/bash-completion/completions/snapferry",
    "fish": "share/fish/vendor_completions.d/snapferry.fish",
    "zsh": "share/zsh/site-functions/_snapferry",
}


def pages(command: Path) -> dict[str, bytes]:
    """The manual pages and completions that a command prints, by their places; it has to run on this machine."""
    made = {place: _said(command, "completions", shell) for shell, place in _COMPLETIONS.items()}
    for words in _commands(command, []):
        made[f"share/man/man1/{'-'.join(('snapferry', *words))}.1"] = _said(command, "man", *words)
    return made


def archive(command: bytes, pages: Mapping[str, bytes], licences: Mapping[str, bytes], time: int) -> bytes:
    """The archive of a command, which may be built for another machine than the one that printed the pages."""
    members = {"bin/snapferry": (command, PROGRAM)}
    members |= {place: (page, PLAIN) for place, page in pages.items()}
    members |= {f"share/doc/snapferry/{name}": (text, PLAIN) for name, text in licences.items()}
    return tar_gz(members, time)


def _commands(command: Path, words: list[str]) -> list[list[str]]:
    """The program itself, its commands and theirs."""
    listed = _said(command, *words, "--help").decode().partition("\nCommands:\n")[2].partition("\n\n")[0]
    names = [name for name in re.findall(r"^  ([a-z][a-z-]*)(?:  |$)", listed, re.MULTILINE) if name != "help"]
    return [words, *(found for name in names for found in _commands(command, [*words, name]))]


def _said(command: Path, *arguments: str) -> bytes:
    return subprocess.run([str(command), *arguments], stdout=subprocess.PIPE, check=True).stdout
