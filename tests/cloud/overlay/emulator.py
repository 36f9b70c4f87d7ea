"""All that the overlay uses of the emulator, in one place. Much of it is its inside, hence its pinned version.

The emulator has no types; here they become `Any`, or functions that have types.
"""

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from tests.cloud.overlay.model import Place

app: Any = import_module("ministack.app").app
dynamodb: Any = import_module("ministack.services.dynamodb")
ec2: Any = import_module("ministack.services.ec2")
eventbridge: Any = import_module("ministack.services.eventbridge")
kms: Any = import_module("ministack.services.kms")
lambda_runtime: Any = import_module("ministack.core.lambda_runtime")
lambda_svc: Any = import_module("ministack.services.lambda_svc")
provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
responses: Any = import_module("ministack.core.responses")
sqs: Any = import_module("ministack.services.sqs")


def caller() -> Place:
    """The account and Region of the request at hand."""
    return Place(responses.get_account_id(), responses.get_region())


def acting_as(place: Place) -> AbstractContextManager[None]:
    """Let the emulator act for an account in a Region."""
    scope: AbstractContextManager[None] = responses.request_scope(*place)
    return scope


def account_of(access_key: str) -> str:
    """The account of an access key: a 12-digit key is one, a session's key belongs to one."""
    if len(access_key) == 12 and access_key.isdigit():
        return access_key
    return responses._account_from_sts_session(access_key) or "000000000000"
