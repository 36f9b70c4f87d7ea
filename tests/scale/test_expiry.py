"""A hundred thousand copies in each of three Regions: what expiry costs when none is due, and when all are."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.scale.rounds import MEMORY_LIMIT_MIB, ROOT, TARGETS, policy
from tests.scale.runtime import Function
from tests.stub.stub import PAGE, Stub, written

BINARY = ROOT / "target/lambda/delete-expired-copies/bootstrap"
COUNT = 100_000
COPIES = COUNT * len(TARGETS)
OF_A_VOLUME = 20
VOLUMES = COPIES // OF_A_VOLUME


@pytest.mark.parametrize("due", [False, True], ids=["none is due", "all are due"])
def test_expiry_over_300_000_copies(due: bool) -> None:
    """Every page once, nothing deleted, in 128 MiB."""
    changes = {"expires": written(datetime.now(UTC) - timedelta(hours=1))} if due else {}
    with Stub(shared=COUNT, copied=COUNT, of_a_volume=OF_A_VOLUME, **changes) as aws:
        environment = aws.environment | {"SNAPFERRY_POLICY": json.dumps(policy())}
        with Function(BINARY, environment) as expirer:
            answer = expirer.invoke({"run": "scale"})
            memory = expirer.peak_memory_mib()
            records = expirer.audit()
        seen = aws.seen()
    assert answer.payload == {}
    assert [seen.pages(region) for region in TARGETS] == [COUNT // PAGE] * len(TARGETS)
    assert seen.of("ec2") == COPIES // PAGE
    assert seen.unexpected == []
    refused = [(each["reason"], each["count"]) for each in records if each["event"] == "copy.refused"]
    assert refused == ([("mass-expiry", COPIES - VOLUMES)] if due else [])
    kept = [each["reason"] for each in records if each["event"] == "copy.kept"]
    assert kept == ["last-verified"] * (VOLUMES if due else 0)
    print(f"\nexpiry over {COPIES} copies: {answer.seconds:.2f} s, {memory:.0f} MiB")
    assert memory < MEMORY_LIMIT_MIB
