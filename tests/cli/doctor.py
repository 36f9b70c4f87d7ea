"""A source account and a target account with a stack in it, and what `doctor` says of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Done, run_as
from tests.cloud import LocalAws
from tests.e2e import deploy, policies
from tests.e2e.accounts import HOME, Account

AWAY = "eu-central-1"
# What nobody can know beforehand.
ALWAYS_UNKNOWN = {"key-use", "copy-result"}
STACK = ("--stack", deploy.STACK)


@dataclass(frozen=True)
class Scene:
    """A source account, and a target account with a stack in it."""

    aws: LocalAws
    source: Account
    target: Account
    key: str
    folder: Path

    def doctor(self, *args: str, document: Any = None, account: Account | None = None) -> Done:
        """Run it in the target account."""
        path = self.folder / "policy.json"
        path.write_text(json.dumps(document or self.policy()))
        return run_as(account or self.target, "doctor", path, *args)

    def policy(self, key: str | None = None, region: str = AWAY) -> dict[str, Any]:
        return policies.details([self.source.number], policies.target(region, key=key or self.key, keep=(1, "DAYS")))

    def findings(self, *args: str, document: Any = None) -> set[tuple[str, str, str]]:
        """What does not pass, but for what nobody can know: verdict, check, subject."""
        done = self.doctor("--json", *args, document=document)
        report = done.json()
        assert report["format"] == "snapferry-doctor/1", done.err
        found = {
            (each["verdict"], each["check"], each["subject"])
            for each in report["checks"]
            if each["verdict"] != "pass" and each["check"] not in ALWAYS_UNKNOWN
        }
        failed = any(verdict == "fail" for verdict, _, _ in found)
        assert done.code == (1 if failed else 0), done
        assert all("remedy" in each for each in report["checks"] if each["verdict"] == "fail")
        return found

    def resource(self, logical_id: str) -> str:
        """The physical ID of a resource of the stack."""
        answer = self.target.client("cloudformation").describe_stack_resource(
            StackName=deploy.STACK, LogicalResourceId=logical_id
        )
        physical: str = answer["StackResourceDetail"]["PhysicalResourceId"]
        return physical


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with LocalAws() as aws:
        source, target = Account(aws), Account(aws)
        key = target.create_key(AWAY)
        made = Scene(aws, source, target, key, tmp_path_factory.mktemp("doctor"))
        source_key = source.create_key(HOME, used_by=target.number)
        deploy.deploy(target, made.policy(), SourceKeyArns=source_key, AlarmTopicArn=heard(target))
        yield made
        # Its role is refused a key on purpose, so only the audit is held to anything.
        deploy.read_all(aws)


def heard(target: Account) -> str:
    """A topic with a subscription, which of a queue needs no confirmation."""
    sqs, topics = target.client("sqs"), target.client("sns")
    queue = sqs.create_queue(QueueName="pager")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic: str = topics.create_topic(Name="alarms")["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic


def shared(scene: Scene, key: str | None) -> str:
    snapshot: str = scene.source.create_snapshot(key=key)["SnapshotId"]
    scene.source.share(snapshot, scene.target.number)
    return snapshot
