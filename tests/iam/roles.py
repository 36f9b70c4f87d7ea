"""The roles and queues of the target account's template, as they are with given parameters."""

import re
from collections.abc import Mapping
from typing import Any

from tests.e2e.translate import translated
from tests.iam.evaluator import Document
from tests.parity.resolve import Resolver

ACCOUNT = "222222222222"
REGION = "eu-central-1"

_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
}
_KNOWN = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
_REFERENCE = re.compile(r"\$\{(\w[\w:]*)(?:\.Arn)?\}")


class Roles:
    """Each one's ARN and policies, by its logical ID."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._resources = Resolver(translated(), parameters).resources()

    def names(self) -> list[str]:
        """The logical IDs."""
        return [name for name, each in self._resources.items() if each["Type"] == "AWS::IAM::Role"]

    def policies(self, name: str) -> list[Document]:
        """The role's policy documents."""
        return [*self.inline(name), *self.managed(name)]

    def inline(self, name: str) -> list[Document]:
        """Those that are part of the role."""
        return [self._deployed(each["PolicyDocument"]) for each in self._resources[name]["Properties"]["Policies"]]

    def managed(self, name: str) -> list[Document]:
        """Those that are attached to it."""
        attached = [each[2:-1] for each in self._resources[name]["Properties"].get("ManagedPolicyArns", [])]
        return [self._deployed(self._resources[each]["Properties"]["PolicyDocument"]) for each in attached]

    def trust(self, name: str) -> Document:
        """Who may act in the role; with a resource, which such a document has none of, for the evaluator."""
        document = self._deployed(self._resources[name]["Properties"]["AssumeRolePolicyDocument"])
        return {**document, "Statement": [{**each, "Resource": "*"} for each in document["Statement"]]}

    def queue_policies(self) -> dict[str, list[Document]]:
        """The documents that each queue has, by its logical ID."""
        found: dict[str, list[Document]] = {
            name: [] for name, each in self._resources.items() if each["Type"] == "AWS::SQS::Queue"
        }
        for each in self._resources.values():
            if each["Type"] == "AWS::SQS::QueuePolicy":
                for queue in each["Properties"]["Queues"]:
                    found[queue[2:-1]].append(self._deployed(each["Properties"]["PolicyDocument"]))
        return found

    def topic_policy(self) -> Document:
        """The document of the topic for alarms."""
        [found] = [each for each in self._resources.values() if each["Type"] == "AWS::SNS::TopicPolicy"]
        policy: Document = self._deployed(found["Properties"]["PolicyDocument"])
        return policy

    def arn(self, name: str) -> str:
        """The ARN of a role, rule, queue, topic, table, function or log group."""
        return _ARNS[self._resources[name]["Type"]].format(f"snapferry-{name}-1A2B3C4D5E6F")

    def _deployed(self, value: Any) -> Any:
        """With ARNs in place of references."""
        if isinstance(value, dict):
            return {key: self._deployed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._deployed(each) for each in value]
        return _REFERENCE.sub(self._meaning, value) if isinstance(value, str) else value

    def _meaning(self, reference: re.Match[str]) -> str:
        return _KNOWN.get(reference[1]) or self.arn(reference[1])
