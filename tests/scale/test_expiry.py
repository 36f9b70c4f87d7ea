"""A hundred thousand copies in each of three Regions: what expiry costs when none is due, and when all are."""

import json

import pytest

from tests.scale.pages import PAGE, Pages
from tests.scale.runtime import Function
from tests.scale.test_sweep import HOME, MEMORY_LIMIT_MIB, PAGES, POLICY, ROOT, TARGETS

BINARY = ROOT / "target/lambda/delete-expired-copies/bootstrap"
COPIES = PAGES * PAGE * len(TARGETS)
VOLUMES = PAGES * 50 * len(TARGETS)


class AllExpired(Pages):
    """The same copies with their time over."""

    def page(self, region: str, token: str) -> bytes:
        """One page of a Region."""
        return super().page(region, token).replace(b"2027-11-01T03:00:00Z", b"2026-11-02T03:00:00Z")


@pytest.mark.parametrize(("vault", "due"), [(Pages, False), (AllExpired, True)], ids=["none is due", "all are due"])
def test_expiry_over_300_000_copies(vault: type[Pages], due: bool) -> None:
    """Every page once, nothing deleted, in 128 MiB."""
    with vault(home=HOME, targets=TARGETS, pages=PAGES) as aws:
        environment = {"AWS_ENDPOINT_URL": aws.url, "SNAPFERRY_POLICY": json.dumps(POLICY)}
        with Function(BINARY, environment) as expirer:
            answer = expirer.invoke({"run": "scale"})
            memory = expirer.peak_memory_mib()
            records = expirer.audit()
    assert answer.payload == {}
    assert set(aws.reads.values()) == {1}
    assert len(aws.reads) == PAGES * len(TARGETS)
    assert aws.others == []
    refused = [(each["reason"], each["count"]) for each in records if each["event"] == "copy.refused"]
    assert refused == ([("mass-expiry", COPIES - VOLUMES)] if due else [])
    kept = [each["reason"] for each in records if each["event"] == "copy.kept"]
    assert kept == ["last-verified"] * (VOLUMES if due else 0)
    print(f"\nexpiry over {COPIES} copies: {answer.seconds:.2f} s, {memory:.0f} MiB")
    assert memory < MEMORY_LIMIT_MIB
