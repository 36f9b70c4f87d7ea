"""How the demo talks: lines with the time since it began, and tables."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

BOLD, DIM, GREEN, YELLOW = "1", "2", "32", "33"


def _coloured() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, colour: str) -> str:
    """Text in a colour, on a terminal that wants colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if _coloured() else text


@dataclass
class Story:
    """Tells what happens when it happens."""

    began: float = field(default_factory=time.monotonic)

    def chapter(self, title: str) -> None:
        """Begin a new part."""
        print(f"\n{paint(title, BOLD)}", flush=True)

    def say(self, text: str, colour: str = "") -> None:
        """One line, with the time since the beginning."""
        clock = paint(f"{time.monotonic() - self.began:6.1f} s", DIM)
        print(f"{clock}  {paint(text, colour) if colour else text}", flush=True)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head, each column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    line = "─" * (sum(widths) + 3 * (len(widths) - 1))
    print(f"\n{paint(title, BOLD)}\n{line}")
    for row in [head, *rows]:
        cells = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print(paint(cells, DIM) if row is head else cells)
    print(line, flush=True)
