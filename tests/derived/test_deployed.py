"""What is read of a deployed stack's policy, and what is said where that cannot be."""

import io
import json
import zipfile
from typing import Any

import pytest

from infra.sam import deployed, pack


class Stack:
    """CloudFormation and Lambda of a stack whose copier has these variables."""

    def __init__(self, variables: dict[str, str] | None) -> None:
        self.configuration = {"Layers": [{"Arn": "layer"}]} | (
            {} if variables is None else {"Environment": {"Variables": variables}}
        )

    def describe_stacks(self, **_: str) -> Any:
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: str) -> list[Any]:
        copier = {"ResourceType": "AWS::Lambda::Function", "LogicalResourceId": deployed.COPIER}
        return [{"StackResourceSummaries": [{**copier, "PhysicalResourceId": "copier"}]}]

    def get_function(self, **_: str) -> Any:
        return {"Configuration": self.configuration, "Code": {"Location": "code"}}

    def get_layer_version_by_arn(self, **_: str) -> Any:
        return {"Content": {"Location": "layer"}}


def read(stack: Stack) -> str:
    return deployed.document(stack, stack, "vault")


@pytest.mark.parametrize("variables", [None, {}, {"OTHER": "value"}])
def test_a_function_without_the_variable_is_named(variables: dict[str, str] | None) -> None:
    with pytest.raises(LookupError, match="CopySharedSnapshots of the stack vault has no variable SNAPFERRY_POLICY"):
        read(Stack(variables))


def test_a_policy_in_a_layer_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def layer(document: bytes) -> None:
        packed = zipfile.ZipFile(io.BytesIO(pack.policy(document)[1]))
        monkeypatch.setattr(deployed, "_read", {"layer": packed}.__getitem__)

    stack = Stack({"SNAPFERRY_POLICY": "/opt/policy.json"})
    layer(b'{"\xc3\xa4": 1}')
    assert json.loads(read(stack)) == {"ä": 1}
    layer("{}".encode("utf-16"))
    with pytest.raises(LookupError, match=r"the policy /opt/policy\.json is not UTF-8 text"):
        read(stack)
