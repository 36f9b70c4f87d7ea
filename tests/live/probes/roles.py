"""Roles for a while, and sessions of them with fewer rights."""

import json
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.live.probes.ground import Ground
from tests.live.setting import Clients

POLICY = "probe"

Statements = list[dict[str, Any]]


def role(ground: Ground, whose: str, statements: Statements) -> str:
    """A role with these rights, which its own account may assume with the run's name as external ID."""
    clients, account = _side(ground, whose)
    iam, name = clients("iam", ground.home), ground.name(whose)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{ground.partition}:iam::{account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": ground.run}},
    }

    def make() -> str:
        ground.will_make(
            f"role {name} of the {whose} account",
            f"aws iam delete-role-policy --role-name {name} --policy-name {POLICY}; "
            f"aws iam delete-role --role-name {name}",
            lambda: _remove(iam, name),
        )
        trusting = {"AssumeRolePolicyDocument": _document([trust]), "Tags": ground.tags}
        made: str = iam.create_role(RoleName=name, **trusting)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=_document(statements))
        return made

    return ground.once(f"role {whose}", make)


def as_role(ground: Ground, whose: str, arn: str, statements: Statements) -> Clients:
    """Clients of a session of the role, with no more rights than these statements give."""
    clients, _ = _side(ground, whose)

    def assume() -> dict[str, Any]:
        with suppress(ClientError):  # for as long as the role is not known everywhere
            session = {"RoleSessionName": "probe", "ExternalId": ground.run, "Policy": _document(statements)}
            return dict(clients("sts", ground.home).assume_role(RoleArn=arn, **session)["Credentials"])
        return {}

    given = ground.setting.until(assume, within=ground.setting.other_within, what=f"a session of {arn}")
    session = boto3.session.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def client(service: str, region: str) -> Any:
        # Where the account's own clients go, the session's go too.
        endpoint = clients(service, region).meta.endpoint_url
        return session.client(service, region_name=region, endpoint_url=endpoint)

    return client


def _side(ground: Ground, whose: str) -> tuple[Clients, str]:
    if whose == "source":
        return ground.setting.source, ground.source_account
    return ground.setting.target, ground.target_account


def _remove(iam: Any, name: str) -> None:
    with suppress(iam.exceptions.NoSuchEntityException):
        iam.delete_role_policy(RoleName=name, PolicyName=POLICY)
    iam.delete_role(RoleName=name)


def _document(statements: Statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
