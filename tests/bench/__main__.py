"""`make bench`."""

import sys

from tests.bench import figures, report

ROUNDS = 20


def main() -> None:
    """Measures everything, prints the table and writes it down."""
    rows = figures.every(lambda what: print(f"measuring {what}", file=sys.stderr, flush=True), ROUNDS)
    print(report.write(rows, ROUNDS))


main()
