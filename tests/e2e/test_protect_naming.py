"""Copies of copies, of which EC2 names no volume: they stay until something names it."""

from typing import Any

from tests.e2e import policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import redeploy
from tests.e2e.protect import EXPIRER, VERIFIER, VOLUME, vault

FAR = "eu-central-1"
NAMED = r"nightly of (?<volume>vol-[0-9a-f]+)"


def test_a_volume_that_the_description_names_is_written_once_and_lets_copies_expire(
    source: Account, target: Account
) -> None:
    entry = policies.target(FAR, key=target.create_key(FAR), keep=(30, "DAYS"))
    guarded = vault(target, policies.details([source.number], entry))
    sent: dict[str, Any] = {"volume_id": "vol-ffffffff", "description": f"nightly of {VOLUME}"}
    older, newer = (guarded.verified(source, FAR, **sent) for _ in range(2))
    silent = guarded.verified(source, FAR, volume_id="vol-ffffffff", description="nightly")
    for copy in (older, silent):
        guarded.let_expire(copy, FAR)
    guarded.expire()
    [unknown] = guarded.stack.audit(EXPIRER, reason="volume-unknown")
    assert unknown["count"] == 2

    redeploy(guarded.stack, policies.details([source.number], entry, description=f"nightly|{NAMED}"))
    guarded.verify()
    guarded.verify()
    named = guarded.stack.audit(VERIFIER, event="copy.named", reason="from-description")
    assert sorted(record["copy"]["snapshot"] for record in named) == sorted([older, newer])
    assert {record["source"]["volume"] for record in named} == {VOLUME}
    volumes = [guarded.describe(copy, FAR)["tags"]["snapferry:source-volume"] for copy in (older, newer, silent)]
    assert volumes == [VOLUME, VOLUME, "vol-ffffffff"]
    guarded.expire()
    assert [guarded.exists(copy, FAR) for copy in (older, newer, silent)] == [False, True, True]
    # What is copied from now on has its volume from the start.
    latest = guarded.copied(source, FAR, **sent)
    assert latest["tags"]["snapferry:source-volume"] == VOLUME
