"""Probes of what IAM is asked about CopySnapshot across Regions, and of conditions on sharing."""

from typing import Any

from tests.live.probes import copies
from tests.live.probes import ground as on
from tests.live.probes.ground import Ground
from tests.live.probes.roles import Statements, as_role, role

COPYING: Statements = [{"Effect": "Allow", "Action": ["ec2:CopySnapshot", "ec2:CreateTags"], "Resource": "*"}]
USE = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


def copy_conditions(ground: Ground) -> dict[str, Any]:
    """Which conditions a dry run of a copy from another Region passes; each in a session of its own."""
    source, arn = on.sealed(ground), _copying_role(ground)

    def passes(statements: Statements) -> str:
        ec2 = as_role(ground, "target", arn, statements)("ec2", ground.away)
        request = {"SourceRegion": ground.home, "SourceSnapshotId": source, "DryRun": True}
        return on.outcome(lambda: ec2.copy_snapshot(**request), passes={"DryRunOperation"})

    def usable() -> bool:
        return passes(COPYING) == "accepted"

    ground.setting.until(usable, within=ground.setting.other_within, what="the role's rights to be known")
    here, there = (f"arn:{ground.partition}:ec2:{region}::snapshot/*" for region in (ground.home, ground.away))
    destination = _copy(there)
    owner, caller = ground.source_account, ground.target_account
    return {
        "destination only": passes([destination]),
        "source of its own Region": passes([destination, _copy(here)]),
        "source of its own Region, ec2:Owner": passes([destination, _copy(here, "ec2:Owner", owner)]),
        "source anywhere, ec2:Owner": passes([destination, _copy("*", "ec2:Owner", owner)]),
        "source, aws:ResourceAccount of the owner": passes([destination, _copy(here, "aws:ResourceAccount", owner)]),
        "destination, aws:ResourceAccount of the caller": passes(
            [_copy(there, "aws:ResourceAccount", caller), _copy(here)]
        ),
        "aws:RequestedRegion of the destination": passes([_copy("*", "aws:RequestedRegion", ground.away)]),
        "aws:RequestedRegion of the source": passes([_copy("*", "aws:RequestedRegion", ground.home)]),
    }


def via_service(ground: Ground) -> dict[str, Any]:
    """Through which Region's EC2, and as whose, each key is used, by whether copies with only that right complete."""
    source, key, arn = on.sealed(ground), on.target_key(ground, ground.away), _copying_role(ground)

    def ends(source_use: dict[str, Any], target_via: str) -> str:
        statements: Statements = [*COPYING, source_use, _via(key, target_via)]
        clients = as_role(ground, "target", arn, statements)
        made: list[str] = []
        code = on.outcome(lambda: made.append(copies.copy(ground, source, ground.away, key=key, clients=clients)))
        return str(on.ended(ground, ground.setting.target, ground.away, made[0])["State"]) if made else code

    theirs, any_at_home = on.source_key(ground), f"arn:{ground.partition}:kms:{ground.home}:*:key/*"
    of_owner = {"StringEquals": {"aws:ResourceAccount": ground.source_account}}
    return {
        "source key through the source's Region": ends(_via(theirs, ground.home), ground.away),
        "source key through the destination": ends(_via(theirs, ground.away), ground.away),
        "own key through the source's Region": ends(_via(theirs, ground.home), ground.home),
        "source key by its account, aws:ResourceAccount": ends(_use(any_at_home, of_owner), ground.away),
    }


def several_users(ground: Ground) -> dict[str, Any]:
    """Whether `ForAllValues` on `ec2:Add/userId` lets one share with several accounts at once."""
    snapshot = on.new_snapshot(ground)
    users = [ground.target_account, ground.source_account]
    resource = f"arn:{ground.partition}:ec2:{ground.home}::snapshot/{snapshot}"
    allowed = {"Effect": "Allow", "Action": "ec2:ModifySnapshotAttribute", "Resource": resource}
    arn = role(ground, "source", [allowed])

    def passes(operator: str, added: list[str]) -> str:
        statement = {**allowed, "Condition": {operator: {"ec2:Add/userId": users}}}
        ec2 = as_role(ground, "source", arn, [statement])("ec2", ground.home)
        permission = {"Add": [{"UserId": user} for user in added]}
        request = {"SnapshotId": snapshot, "CreateVolumePermission": permission, "DryRun": True}
        return on.outcome(lambda: ec2.modify_snapshot_attribute(**request), passes={"DryRunOperation"})

    ground.setting.until(
        lambda: passes("StringEquals", users[:1]) == "accepted",
        within=ground.setting.other_within,
        what="the role's rights to be known",
    )
    return {
        "StringEquals, two users": passes("StringEquals", users),
        "ForAllValues:StringEquals, one user": passes("ForAllValues:StringEquals", users[:1]),
        "ForAllValues:StringEquals, two users": passes("ForAllValues:StringEquals", users),
    }


def _copying_role(ground: Ground) -> str:
    """It may copy, and use the two keys of the run."""
    keys = [on.source_key(ground), on.target_key(ground, ground.away)]
    return role(ground, "target", [*COPYING, {"Effect": "Allow", "Action": USE, "Resource": keys}])


def _copy(resource: str, key: str = "", value: str = "") -> dict[str, Any]:
    condition = {"Condition": {"StringEquals": {key: value}}} if key else {}
    return {"Effect": "Allow", "Action": "ec2:CopySnapshot", "Resource": resource, **condition}


def _via(key: str, region: str) -> dict[str, Any]:
    return _use(key, {"StringLike": {"kms:ViaService": f"ec2.{region}.amazonaws.com*"}})


def _use(key: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": USE, "Resource": key, "Condition": condition}
