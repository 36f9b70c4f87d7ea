"""`python -m tools.dist --built x86_64=target/dist/x86_64 dist FILE…`: writes the folder of a release.

`make dist` builds what it needs and says in the environment what it is (tools.dist.identity).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from infra.sam import pack
from tools.dist import cdk, command, folder, identity

# What this machine runs, by Lambda's names.
_MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())


def main() -> None:
    """Write the folder and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m tools.dist")
    parser.add_argument("target", type=Path)
    parser.add_argument("--built", action="append", default=[], metavar="ARCHITECTURE=FOLDER")
    parser.add_argument("--policy", type=Path, action="append", default=[])
    parser.add_argument("--cdk", type=Path, help="the folder that npm packed the constructs into")
    parser.add_argument("files", type=Path, nargs="*")
    given = parser.parse_args()
    built = {name: Path(place) for name, _, place in (each.partition("=") for each in given.built)}
    if sys.platform != "linux" or _MACHINE not in built:
        sys.exit("a release is made on Linux, where the command that is built runs: it prints its manual pages")
    what = identity.given(os.environ)
    bill, texts = folder.materials(what, has_cdk=given.cdk is not None)
    pages = command.pages(built[_MACHINE] / folder.COMMAND / "bootstrap")
    files = {
        **folder.programs(built, pages, texts, what),
        **folder.documents(given.files, what),
        **dict(pack.policy(document.read_bytes()) for document in given.policy),
        **(cdk.package(given.cdk, what) if given.cdk else {}),
        "template.json": folder.template(what),
        "sbom.cdx.json": bill,
        folder.LICENCES: texts,
    }
    folder.write(given.target, files)
    for name in sorted(files):
        print(f"{len(files[name]):8} bytes  {given.target / name}")
    print(f"Snapferry {what.version} ({what.commit}), for {' and '.join(built)}: {given.target / folder.SUMS} has the checksums.")


if __name__ == "__main__":
    main()
