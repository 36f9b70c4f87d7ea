"""The licences of what is in the binaries, with the texts that lie in the crates' own packages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tools.dist.crates import Crate

_ROOT = Path(__file__).resolve().parents[2]
_FILE = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)(?!.*\.rs$)", re.IGNORECASE)
_WIDTH = 120

# https://spdx.org/licenses/MIT.html, for a package that says it is under this licence and has no file of it.
_MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def licences(crates: Sequence[Crate]) -> bytes:
    """A list of all crates that are not Snapferry's own, then each text once, under the crates that it is of.
    ValueError for a crate of which there is no text."""
    others = [crate for crate in crates if not crate.own]
    texts: dict[str, list[str]] = {}
    for crate in others:
        for text in _texts(crate):
            of = texts.setdefault(text, [])
            if crate.key not in of:
                of.append(crate.key)
    listed = [f"{crate.key}  {crate.licence}  {crate.repository}".rstrip() for crate in others]
    parts = [
        "The programs of Snapferry are made of the crates below, of Rust's standard library (MIT OR Apache-2.0,\n"
        "https://github.com/rust-lang/rust) and of Snapferry's own, which are under Apache-2.0.\n",
        "\n".join(listed) + "\n",
        *(f"{'=' * _WIDTH}\n{', '.join(of)}\n{'-' * _WIDTH}\n\n{text}\n" for text, of in texts.items()),
    ]
    return "\n".join(parts).encode()


def _texts(crate: Crate) -> list[str]:
    files = [path for path in crate.folder.rglob("*") if path.is_file() and _FILE.match(path.name)]
    if files:
        return [_read(path) for path in sorted(files)]
    if "Apache-2.0" in crate.licence:
        return [_read(_ROOT / "LICENSE")]
    if crate.licence == "MIT":
        authors = ", ".join(crate.authors) or f"the authors of {crate.repository or crate.name}"
        return [f"Copyright (c) {authors}\n\n{_MIT}".strip("\n")]
    raise ValueError(f"{crate.name} {crate.version} ({crate.licence}) has no file with its licence in its package")


def _read(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")
