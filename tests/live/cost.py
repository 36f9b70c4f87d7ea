"""What the test may cost, at most, from AWS's public price formulas."""

from dataclasses import dataclass, fields

from tests.prices import source, usd

EBS = source("volume_gib_month")
TRANSFER = source("transfer_gib")
KMS = source("key_month")

GIB = 1
HOURS_IN_A_MONTH = 720.0  # the 30 days of the examples on EBS's price page


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars. The defaults are US East (N. Virginia)'s; every one is a parameter, because prices
    differ between Regions and change: the pages above have yours."""

    volume_gib_month: float = usd("volume_gib_month")  # EBS, gp3 volumes
    snapshot_gib_month: float = usd("snapshot_gib_month")  # EBS, standard snapshots
    transfer_gib: float = usd("transfer_gib")  # EC2, data transfer to another Region
    key_month: float = usd("key_month")  # KMS, a customer managed key
    requests_10000: float = usd("requests_10000")  # KMS, requests with a symmetric key
    # Not a price but a guess that is meant to be too high: nobody says how often EBS asks KMS.
    requests_a_resource: float = 100


@dataclass(frozen=True)
class Item:
    """One row of the estimate."""

    what: str
    formula: str
    dollars: float


def prices(given: list[str]) -> Prices:
    """The default prices with some replaced, each given as NAME=VALUE."""
    names = [each.name for each in fields(Prices)]
    replaced = {}
    for each in given:
        name, _, value = each.partition("=")
        if name not in names:
            raise ValueError(f"there is no price {name}; there are {', '.join(names)}")
        replaced[name] = float(value)
    return Prices(**replaced)


def estimate(*, copies: int, elsewhere: int, hours: float, new_key: bool, at: Prices) -> list[Item]:
    """The most that a run can cost: everything is as full as it can be, and there until the last deadline; `elsewhere`
    counts the copies that leave the source's Region. EBS stores and transfers used blocks only, and the volume of the
    test is empty, so the bill will say less."""
    month = hours / HOURS_IN_A_MONTH
    during = f"{hours:.2g} h / {HOURS_IN_A_MONTH:.0f} h"
    resources = 2 + copies
    rows = [
        Item("volume", f"{GIB} GiB * volume_gib_month {at.volume_gib_month} * {during}", at.volume_gib_month * month),
        Item(
            "snapshot and copies",
            f"{1 + copies} * {GIB} GiB * snapshot_gib_month {at.snapshot_gib_month} * {during}",
            (1 + copies) * GIB * at.snapshot_gib_month * month,
        ),
        Item(
            "transfer to other Regions",
            f"{elsewhere} * {GIB} GiB * transfer_gib {at.transfer_gib}",
            elsewhere * GIB * at.transfer_gib,
        ),
        Item(
            "requests to KMS",
            f"{resources} * requests_a_resource {at.requests_a_resource:g}"
            f" * requests_10000 {at.requests_10000} / 10000",
            resources * at.requests_a_resource * at.requests_10000 / 10_000,
        ),
    ]
    if new_key:
        rows.append(Item("key", f"key_month {at.key_month} * {during}", at.key_month * month))
    return rows


def printed(rows: list[Item]) -> str:
    """The estimate as it is shown."""
    wide = max(len(row.what) for row in rows)
    lines = [f"  {row.what:{wide}}  {row.dollars:8.4f} USD = {row.formula}" for row in rows]
    return "\n".join(
        [
            "Cost estimate, an upper limit; taxes and the stack's own invocations and logs not included:",
            *lines,
            f"  {'together':{wide}}  {sum(row.dollars for row in rows):8.4f} USD",
            "The prices are parameters (--price NAME=VALUE); they are preset to those of US East (N. Virginia), from",
            f"{EBS}, {TRANSFER}",
            f"and {KMS}. Look there for those of your Regions.",
        ]
    )
