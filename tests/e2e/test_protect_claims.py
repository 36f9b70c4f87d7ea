"""A backup tool copies the tags of an unjudged copy onto another snapshot: by their tags nothing tells the two apart,
and only the verifier has the ledger, which does."""

import pytest

from tests.e2e import policies
from tests.e2e.accounts import Account
from tests.e2e.protect import EXPIRER, Vault, tick, told, vault

FAR = "eu-central-1"


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


@pytest.fixture
def guarded(source: Account, target: Account, key: str) -> Vault:
    return vault(target, policies.details([source.number], policies.target(FAR, key=key, keep=(30, "DAYS"))))


def tagged_alike(guarded: Vault, copy: str, key: str) -> str:
    """A snapshot of something else, encrypted under the copies' key, with all tags that the copy has now."""
    else_made = guarded.control.create_snapshot(guarded.account.number, FAR)
    client = guarded.account.client("ec2", FAR)
    made = client.copy_snapshot(SourceRegion=FAR, SourceSnapshotId=else_made, Encrypted=True, KmsKeyId=key)
    impostor: str = made["SnapshotId"]
    client.create_tags(Resources=[impostor], Tags=guarded.describe(copy, FAR)["Tags"])
    return impostor


def contested(guarded: Vault, source: Account, key: str) -> tuple[str, str, str]:
    """An older copy, a copy, and what got that one's tags before both were judged without the ledger; the time of all
    is over."""
    older = guarded.verified(source, FAR)
    copy: str = guarded.copied(source, FAR)["SnapshotId"]
    impostor = tagged_alike(guarded, copy, key)
    guarded.ledger.empty()
    guarded.verify()
    for each in (copy, impostor):
        tags = guarded.describe(each, FAR)["tags"]
        assert (tags["snapferry:status"], tags["snapferry:copy"]) == ("verified", each)
    tick(guarded, "both")
    [duplicate] = guarded.stack.audit(event="copy.skipped", reason="duplicate")
    assert {duplicate["copy"]["snapshot"], *duplicate["copy"]["others"]} == {copy, impostor}
    for each, days in ((older, 3), (copy, 2), (impostor, 2)):
        guarded.let_expire(each, FAR, days_ago=days)
    return older, copy, impostor


def test_while_the_ledger_names_the_copy_the_other_gets_no_verdict(source: Account, guarded: Vault, key: str) -> None:
    older = guarded.verified(source, FAR)
    copy: str = guarded.copied(source, FAR)["SnapshotId"]
    impostor = tagged_alike(guarded, copy, key)
    for _ in range(2):
        guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured"]
    [deferred] = guarded.verdicts(impostor)
    assert told([deferred]) == ["copy.deferred another-named"]
    assert copy in deferred["message"]
    tags = guarded.describe(impostor, FAR)["tags"]
    assert (tags["snapferry:status"], "snapferry:copy" in tags) == ("copying", False)
    for each, days in ((older, 3), (copy, 2), (impostor, 1)):
        guarded.let_expire(each, FAR, days_ago=days)
    # Who deletes has no ledger: by the tags alone both claim to be the copy.
    guarded.expire()
    assert [guarded.exists(each, FAR) for each in (older, copy, impostor)] == [True] * 3
    fates = [told(guarded.fates(each)) for each in (older, copy, impostor)]
    assert fates == [["copy.kept last-verified"], ["copy.kept contested"], ["copy.kept not-verified"]]

    newest = guarded.verified(source, FAR)
    guarded.expire()
    assert [guarded.exists(each, FAR) for each in (older, copy, impostor, newest)] == [False, False, True, True]


def test_neither_lets_a_copy_go_and_both_go_once_a_newer_one_is_verified(
    source: Account, guarded: Vault, key: str
) -> None:
    older, copy, impostor = contested(guarded, source, key)
    guarded.expire()
    assert [guarded.exists(each, FAR) for each in (older, copy, impostor)] == [True] * 3
    assert told(guarded.fates(older)) == ["copy.kept last-verified"]
    for each, other in ((copy, impostor), (impostor, copy)):
        [kept] = guarded.fates(each)
        assert (kept["event"], kept["reason"], kept["copy"]["others"]) == ("copy.kept", "contested", [other])
        assert other in kept["message"]
    guarded.expire()
    assert len(guarded.fates(copy)) == 1, "once a day"
    runs = [run["expiry"] for run in guarded.stack.audit(EXPIRER, event="expiry.completed")]
    assert [(run["deleted"], run["kept"]) for run in runs] == [(0, {"contested": 2, "last-verified": 1})] * 2

    newest = guarded.verified(source, FAR)
    guarded.expire()
    assert [guarded.exists(each, FAR) for each in (older, copy, impostor, newest)] == [False, False, False, True]


def test_once_somebody_takes_the_tags_from_the_other_the_copy_is_the_last_one(
    source: Account, guarded: Vault, key: str
) -> None:
    older, copy, impostor = contested(guarded, source, key)
    guarded.expire()
    own = [{"Key": name} for name in guarded.describe(impostor, FAR)["tags"] if name.startswith("snapferry:")]
    guarded.account.client("ec2", FAR).delete_tags(Resources=[impostor], Tags=own)
    guarded.expire()
    assert [guarded.exists(each, FAR) for each in (older, copy, impostor)] == [False, True, True]
    assert told(guarded.fates(copy)) == ["copy.kept contested", "copy.kept last-verified"]
