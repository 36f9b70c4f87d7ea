"""KMS keys as EBS and other accounts see them, on top of the emulator's own keys.

Creating, disabling and scheduling the deletion of keys is the emulator's. Ours: DescribeKey across accounts and
Regions, the AWS managed keys `aws/ebs` and `aws/rds`, and whether an account may use a key.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay.emulator import acting_as, caller, kms, responses
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.world import World

DEFAULT_ALIAS = "alias/aws/ebs"
RDS_ALIAS = "alias/aws/rds"

_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)/.+)")


@dataclass(frozen=True, slots=True)
class Key:
    """A key, wherever it is."""

    record: dict[str, Any]
    place: Place

    @property
    def arn(self) -> str:
        return str(self.record["Arn"])

    @property
    def state(self) -> str:
        return str(self.record["KeyState"])

    @property
    def managed_by_aws(self) -> bool:
        return bool(self.record.get("_managed_by_aws"))

    @property
    def encrypts(self) -> bool:
        """EBS takes symmetric encryption keys only [EBS user guide, "Amazon EBS encryption"]."""
        return (self.record["KeySpec"], self.record["KeyUsage"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")

    def allows(self, account: str, action: str) -> bool:
        """Whether an account may do something with the key: its own keys always, others' if the key policy names it.

        Only principals and actions are evaluated, and of conditions only `kms:CallerAccount`: the usual
        `kms:GrantIsForAWSResource` is true of every use that EBS makes of a key.
        """
        if account == self.place.account:
            return True
        if self.managed_by_aws:
            return False
        policy = json.loads(self.record.get("Policy") or "{}")
        statements = policy.get("Statement", [])
        applying = [each for each in _list(statements) if _names(each, account) and _covers(each, action)]
        effects = {each.get("Effect") for each in applying}
        return "Allow" in effects and "Deny" not in effects


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names(statement: dict[str, Any], account: str) -> bool:
    principal = statement.get("Principal", {})
    named = ["*"] if principal == "*" else [str(each) for each in _list(principal.get("AWS", []))]
    conditions = {
        key: _list(value)
        for operator, keys in statement.get("Condition", {}).items()
        if operator == "StringEquals"
        for key, value in keys.items()
    }
    if account not in conditions.get("kms:CallerAccount", [account]):
        return False
    return any(each in ("*", account) or each.startswith(f"arn:aws:iam::{account}:") for each in named)


def _covers(statement: dict[str, Any], action: str) -> bool:
    patterns = (re.escape(str(each)).replace(r"\*", ".*") for each in _list(statement.get("Action", [])))
    return any(re.fullmatch(pattern, action, re.IGNORECASE) for pattern in patterns)


def default_key(world: World, place: Place) -> Key:
    """The key that EBS uses when none is named: the account's choice for the Region, or `aws/ebs`."""
    chosen = resolve(place, world.default_keys[place]) if place in world.default_keys else None
    return chosen or aws_managed_key(place)


def aws_managed_key(place: Place, alias: str = DEFAULT_ALIAS) -> Key:
    """The Region's `aws/ebs` or `aws/rds`, which AWS makes when it is first needed [EBS user guide, "Amazon EBS
    encryption"; RDS user guide, "Encrypting Amazon RDS resources"]."""
    alias_arn = f"arn:aws:kms:{place.region}:{place.account}:{alias}"
    if not kms._aliases.contains_scoped(place.account, place.region, alias_arn):
        with acting_as(place):
            service = "EBS volumes" if alias == DEFAULT_ALIAS else "RDS database volumes"
            description = f"Default key that protects my {service} when no other key is defined"
            _, _, body = kms._create_key({"Description": description})
            key_id = json.loads(body)["KeyMetadata"]["KeyId"]
            kms._keys[key_id]["_managed_by_aws"] = True
            kms._aliases[alias_arn] = key_id
    key_id = kms._aliases.get_scoped(place.account, place.region, alias_arn)
    return Key(kms._keys.get_scoped(place.account, place.region, key_id), place)


def resolve(caller: Place, reference: str) -> Key | None:
    """The key behind an ID, an alias or an ARN of either; an ARN may name another account and Region."""
    place, resource = caller, reference
    found = _ARN.fullmatch(reference)
    if found:
        place, resource = Place(found.group(2), found.group(1)), found.group(3)
    key_id = resource.removeprefix("key/")
    if resource.startswith("alias/"):
        if resource in (DEFAULT_ALIAS, RDS_ALIAS):
            return aws_managed_key(place, resource)
        alias_arn = f"arn:aws:kms:{place.region}:{place.account}:{resource}"
        key_id = kms._aliases.get_scoped(place.account, place.region, alias_arn, "")
    record = kms._keys.get_scoped(place.account, place.region, key_id)
    return None if record is None else Key(record, place)


def _error(code: str, message: str) -> Any:
    return responses.error_response_json(code, message, 400)


def describe_key(data: dict[str, Any]) -> Any:
    """KMS's DescribeKey [KMS API reference, DescribeKey]: keys of other accounts only by ARN and only if their policy
    says so; the same answer for another account's key that does not exist."""
    viewer = caller()
    reference = str(data.get("KeyId") or "")
    if not reference:
        return _error("ValidationException", "KeyId must not be empty")
    arn = _ARN.fullmatch(reference)
    if reference.startswith("arn:"):
        if arn is None:
            return _error("InvalidArnException", f"Invalid arn {reference}")
        # KMS does not look into other Regions; the wording is what KMS answers [assumed].
        if arn.group(1) != viewer.region:
            return _error("NotFoundException", f"Invalid arn {arn.group(1)}")
    key = resolve(viewer, reference)
    foreign = arn is not None and arn.group(2) != viewer.account
    if foreign and (key is None or not key.allows(viewer.account, "kms:DescribeKey")):
        message = (
            f"User: arn:aws:iam::{viewer.account}:root is not authorized to perform: kms:DescribeKey on this resource "
            "because the resource does not exist in this Region, no resource-based policies allow access, or a "
            "resource-based policy explicitly denies access"
        )
        return _error("AccessDeniedException", message)
    if key is None:
        arn_text = reference if arn else f"arn:aws:kms:{viewer.region}:{viewer.account}:key/{reference}"
        return _error("NotFoundException", f"Key '{arn_text}' does not exist")
    with acting_as(key.place):
        return responses.json_response({"KeyMetadata": kms._key_metadata(key.record)})


def install() -> None:
    """Replace the emulator's DescribeKey, and let its key metadata tell AWS managed keys from others."""
    metadata = kms._key_metadata

    def with_manager(record: dict[str, Any]) -> dict[str, Any]:
        manager = "AWS" if record.get("_managed_by_aws") else "CUSTOMER"
        account = record["Arn"].split(":")[4]
        return {**metadata(record), "KeyManager": manager, "AWSAccountId": account}

    kms._key_metadata = with_manager
    kms._describe_key = describe_key
