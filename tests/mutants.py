"""Change core's decisions place by place and see its tests fail: `make mutants`, within an hour.

cargo-mutants does the changing, of the areas below. What no test notices must stand in
`tests/mutants.txt` with a reason, and at least 95 % must be noticed. `make mutants AREAS="order expiring"` looks at
these areas only.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "tests/mutants.txt"
OUTPUT = ROOT / "target/mutants"
# The quick tests that judge each file or folder of functions/core/src.
AREAS = {
    "order": ["--lib"],
    "expiring": ["--test", "expiring", "--test", "audit"],
    "verifying": ["--lib", "--test", "verifying", "--test", "audit"],
    "copying": ["--test", "copying", "--test", "audit"],
}
NOTICED = 95.0
# A mutant that loops for ever is noticed after this long.
TIMEOUT_SECONDS = 120
# The copy that is changed is built apart: the dependencies optimized, once, because the tests spend their time in them.
BUILT_QUICKLY = {
    "CARGO_TARGET_DIR": str(OUTPUT / "build"),
    "CARGO_PROFILE_DEV_DEBUG": "none",
    "RUST_BACKTRACE": "0",
    "INSTA_UPDATE": "no",
}
OPTIMIZED = """--cargo-arg=--config=profile.dev.package."*".opt-level=2"""


def name(line: str) -> str:
    """A mutant as cargo-mutants prints it, without its place in the file, which every edit moves."""
    return re.sub(r":\d+:\d+: ", ": ", line.strip(), count=1)


def listed(areas: list[str]) -> Counter[str]:
    """The mutants of these areas that may survive; below each, indented, stands why."""
    lines = (line for line in LISTED.read_text().splitlines() if line and not line.startswith(("#", " ")))
    return Counter(
        name(line) for line in lines if re.split("[/.]", line.removeprefix("functions/core/src/"))[0] in areas
    )


def run(area: str) -> tuple[Counter[str], Counter[str]]:
    """The mutants that the tests noticed, and those that they did not."""
    output = OUTPUT / area
    output.mkdir(parents=True, exist_ok=True)
    command = [
        "cargo",
        "mutants",
        "--jobs=1",
        "--baseline=skip",
        f"--timeout={TIMEOUT_SECONDS}",
        "--no-shuffle",
        OPTIMIZED,
    ]
    command += [
        f"--file=functions/core/src/{area}.rs",
        f"--file=functions/core/src/{area}/**/*.rs",
        f"--output={output}",
        "--",
        *AREAS[area],
    ]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | BUILT_QUICKLY, check=False)
    # 2 and 3: some were missed, some timed out. Anything else is no result.
    if ran.returncode not in (0, 2, 3):
        sys.exit(f"cargo mutants ended with {ran.returncode}")

    def found(kind: str) -> Counter[str]:
        return Counter(name(line) for line in (output / f"mutants.out/{kind}.txt").read_text().splitlines())

    return found("caught") + found("timeout"), found("missed")


def main(areas: list[str]) -> int:
    """Run, compare, print; 1 when an unlisted mutant survives, a listed one does not, or too many do."""
    noticed: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for area in areas:
        noticed_here, missed_here = run(area)
        noticed, missed = noticed + noticed_here, missed + missed_here
    share = 100 * noticed.total() / max(1, noticed.total() + missed.total())
    print(f"{noticed.total()} of {noticed.total() + missed.total()} mutants were noticed: {share:.1f} %")
    unlisted, stale = missed - listed(areas), listed(areas) - missed
    for what, mutants in (
        (f"No test notices these; write one, or list them in {LISTED.relative_to(ROOT)} with the reason:", unlisted),
        (f"These are noticed now, or are gone; strike them from {LISTED.relative_to(ROOT)}:", stale),
    ):
        if mutants:
            print("\n  ".join([what, *sorted(mutants.elements())]))
    return int(bool(unlisted or stale) or share < NOTICED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(AREAS)))
