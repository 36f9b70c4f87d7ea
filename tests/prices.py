"""Public list prices, all from one file that names each one's source and date: `prices.toml`."""

import tomllib
from pathlib import Path

_PRICES = tomllib.loads((Path(__file__).parent / "prices.toml").read_text())


def usd(name: str) -> float:
    """A price in US dollars."""
    return float(_PRICES[name]["usd"])


def source(name: str) -> str:
    """The page that has it."""
    return str(_PRICES[name]["source"])
