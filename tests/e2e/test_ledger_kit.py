"""The kit's own hand on the ledger: what it reads, poisons, ages and loses."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.accounts import HOME, Account
from tests.e2e.ledger import Ledger

SOURCE, OTHER = "snap-0000000000000000a", "snap-0000000000000000b"
DUE = 1_795_000_000


@pytest.fixture
def ledger(target: Account) -> Ledger:
    """A table with the ledger's keys."""
    target.client("dynamodb", HOME).create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    ledger = Ledger(target, HOME, "ledger")
    for source, state in ((SOURCE, "asked"), (OTHER, "owed")):
        ledger.put(
            {
                "pk": f"O#{source[-1]}",
                "sk": f"{source[::-1]}#us-west-2#default",
                "state": state,
                "start": "2026-11-22T03:00:00Z",
                "wanted": "2026-11-22T04:00:00.123456789Z",
                "revision": 3,
                "lpk": "Q#us-west-2" if state == "asked" else "L#us-west-2#111111111111",
                "lsk": f"{DUE:012}#{source}#default",
                "more": {"at": ["2026-11-22T04:00:00+00:00", "yesterday"]},
            }
        )
    ledger.put({"pk": "A#us-west-2", "sk": "111111111111", "added": "2026-11-22T04:00:00Z"})
    return ledger


def test_it_finds_what_stands_there(ledger: Ledger) -> None:
    assert len(ledger.items()) == 3
    assert [each["sk"] for each in ledger.items("A#")] == ["111111111111"]
    assert ledger.states() == ["asked", "owed"]
    assert ledger.states(source=SOURCE) == ledger.states(source=SOURCE, region="us-west-2") == ["asked"]
    assert ledger.states(region="eu-west-1") == []
    assert ledger.obligations(source=SOURCE)[0]["revision"] == 3


def test_it_ages_times_and_places_and_nothing_else(ledger: Ledger) -> None:
    before = {each["sk"]: each for each in ledger.items()}
    ledger.age(minutes=11, seconds=1)
    after = {each["sk"]: each for each in ledger.items()}
    asked, owed = after[f"{SOURCE[::-1]}#us-west-2#default"], after[f"{OTHER[::-1]}#us-west-2#default"]
    earlier = datetime(2026, 11, 22, 4, 0, 0, 123456, UTC) - timedelta(minutes=11, seconds=1)
    assert datetime.fromisoformat(asked["wanted"]) == datetime.fromisoformat(owed["wanted"]) == earlier
    assert asked["lsk"] == f"{DUE - 661:012}#{SOURCE}#default"
    assert asked["more"] == {"at": ["2026-11-22T03:48:59Z", "yesterday"]}
    assert after["111111111111"]["added"] == "2026-11-22T03:48:59Z"
    for name in ("start", "lpk", "lsk", "state", "revision"):
        assert owed[name] == before[owed["sk"]][name]


def test_it_poisons(ledger: Ledger) -> None:
    ledger.poison(
        ledger.obligations(source=SOURCE), wanted="2099-01-01T00:00:00Z", lpk=None, lsk=None, failed=2**32 - 1
    )
    [poisoned] = ledger.obligations(source=SOURCE)
    assert (poisoned["wanted"], poisoned["failed"]) == ("2099-01-01T00:00:00Z", 2**32 - 1)
    assert poisoned.keys() & {"lpk", "lsk"} == set()
    assert "lpk" in ledger.obligations(source=OTHER)[0]


def test_it_loses_everything(ledger: Ledger) -> None:
    ledger.empty()
    assert ledger.items() == []
