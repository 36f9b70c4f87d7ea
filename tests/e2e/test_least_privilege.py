"""What the deployed roles allow and what the functions do, against each other.

That nothing is called which a role does not allow, every end-to-end test asserts when it ends (conftest.py). Here is
the other direction, and that the first one can fail.
"""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase

from tests.cloud import LocalAws
from tests.cloud.control import Call
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.protect import Vault, vault
from tests.e2e.translate import translated
from tests.iam import deployed
from tests.iam.evaluator import actions_of

FAR = "eu-central-1"

LAMBDA_DOES = "Lambda does it on the function's behalf, and the local AWS without asking IAM."
SCHEDULER_DOES = "EventBridge Scheduler does it in the schedule's role, and the local AWS without asking IAM."
EC2_DOES = "EC2 calls KMS with the copier's permissions; the local AWS's EC2 has no need to."

# What no function calls by itself: the statement that allows it, and the action.
NOT_SEEN = {
    ("TakeFromQueue", "sqs:ReceiveMessage"): LAMBDA_DOES,
    ("TakeFromQueue", "sqs:DeleteMessage"): LAMBDA_DOES,
    ("TakeFromQueue", "sqs:GetQueueAttributes"): LAMBDA_DOES,
    ("WriteLogs", "logs:CreateLogStream"): LAMBDA_DOES,
    ("WriteLogs", "logs:PutLogEvents"): LAMBDA_DOES,
    ("SendTicks", "sqs:SendMessage"): SCHEDULER_DOES,
    ("Invoke", "lambda:InvokeFunction"): SCHEDULER_DOES,
    ("LeaveUndelivered", "sqs:SendMessage"): "EventBridge Scheduler does it when a start could not be delivered.",
    **{
        (f"Use{side}Keys", action): EC2_DOES
        for side in ("Target", "Source")
        for action in ("kms:ReEncrypt*", "kms:Decrypt", "kms:GenerateDataKey*")
    },
    ("UseSourceKeys", "kms:DescribeKey"): EC2_DOES,
    ("GrantTargetKeysToEbs", "kms:CreateGrant"): EC2_DOES,
    ("GrantSourceKeysToEbs", "kms:CreateGrant"): EC2_DOES,
    (
        "RemoveTurnsAndHints",
        "dynamodb:DeleteItem",
    ): "A turn goes a minute after the last copy of its account was served.",
}


def whole_life(source: Account, target: Account) -> Vault:
    """An encrypted snapshot is copied, verified, locked at the second attempt and, its time being over, deleted."""
    source_key = source.create_key(HOME, used_by=target.number)
    lock = {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}
    entry = policies.target(FAR, key=target.create_key(FAR), keep=(30, "DAYS"), LockRule=lock)
    guarded = vault(target, policies.details([source.number], entry), SourceKeyArns=source_key)
    guarded.control.inject_fault(action="LockSnapshot", code="UnauthorizedOperation", times=1)
    first, _ = (guarded.verified(source, FAR, kms_key=source_key, encrypted=True) for _ in range(2))
    guarded.account.client("ec2", FAR).unlock_snapshot(SnapshotId=first)
    guarded.let_expire(first, FAR)
    guarded.expire()
    assert not guarded.exists(first, FAR)
    return guarded


def actions(calls: Iterable[Call]) -> set[tuple[str, str]]:
    """Role and action of each call of a function; tags in a copy's request are an action of their own."""
    found = {(call.role, f"{call.service}:{call.action}") for call in calls if call.role}
    tagging = {(call.role, "ec2:CreateTags") for call in calls if call.action == "CopySnapshot" and call.request_tags}
    return found | {each for each in tagging if each[0]}


def test_every_allowed_action_is_used(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = whole_life(source, target)
    seen = actions(aws.control.calls(account=target.number))
    assert {role for role, _ in seen} == {
        guarded.stack.outputs[f"{name}RoleArn"]
        for name in ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies")
    }
    # Those of the schedules too: everything in this account is the stack's.
    roles = {role["Arn"] for role in target.client("iam").list_roles()["Roles"]}
    made = [each for each in translated()["Resources"].values() if each.get("Condition") is None]
    assert len(roles) == sum(each["Type"] == "AWS::IAM::Role" for each in made)
    unused = {
        (sid, action)
        for role in roles
        for sid, action in actions_of(deployed.policies_of(aws, role))
        if not any(by == role and fnmatchcase(called, action) for by, called in seen)
    }
    # Actions are told apart by their names only, and the copier describes no key but the target account's own.
    described = [
        key["owner"] for call in aws.control.calls(action="DescribeKey") if call.role for key in call.resources
    ]
    assert set(described) == {target.number}
    unused.add(("UseSourceKeys", "kms:DescribeKey"))
    assert unused == set(NOT_SEEN)


def test_a_call_that_a_role_does_not_allow_is_found(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = whole_life(source, target)
    calls = aws.control.calls(account=target.number)
    assert deployed.refusals(aws, calls) == {}
    iam = aws.client("iam", target.number, HOME)
    for output, policy in (
        ("CopySharedSnapshotsRoleArn", "copy-shared-snapshots"),
        ("VerifyCopiesRoleArn", "verify-copies"),
        ("VerifyCopiesRoleArn", "settle-in-the-ledger"),
        ("DeleteExpiredCopiesRoleArn", "delete-expired-copies"),
    ):
        name = guarded.stack.outputs[output].rsplit("/", 1)[-1]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
        assert deployed.refusals(aws, calls), policy
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    copier = guarded.stack.outputs["CopySharedSnapshotsRoleArn"].rsplit("/", 1)[-1]
    attached = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=copier)["AttachedPolicies"]]
    assert len(attached) == 5
    for arn in attached:
        iam.detach_role_policy(RoleName=copier, PolicyArn=arn)
        assert deployed.refusals(aws, calls), arn
        iam.attach_role_policy(RoleName=copier, PolicyArn=arn)
    assert deployed.refusals(aws, calls) == {}
