"""One snapshot of an encrypted volume is shared, and becomes verified copies in every Region that the policy names."""

import calendar
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.live import deployed
from tests.live.deployed import Wanted
from tests.live.removal import CLOCKS_DIFFER, Made, copies_of, remove
from tests.live.setting import TAG, InterruptedRunError, RefusedError, Setting

GIB = 1
SOURCE_KEYS = "SourceKeyArns"  # the stack's parameter
SETTLED = {"verified", "failed", "rejected"}


@dataclass(frozen=True)
class Plan:
    """What will be done and what is to come of it, from reading alone."""

    run: str
    partition: str
    region: str
    stack: str
    source_account: str
    target_account: str
    description: str
    source_key: str | None  # nothing: one is to be made
    wanted: list[Wanted]
    regions: list[str]  # all that the policies target
    role_path: str = "/snapferry/"  # of the stack's roles


@dataclass
class Report:
    """How a run ended."""

    findings: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    interrupted: bool = False

    def fine(self) -> bool:
        return not (self.findings or self.left or self.interrupted)


def plan(
    setting: Setting,
    region: str,
    stack: str,
    *,
    document: Any = None,
    description: str | None = None,
    source_key: str | None = None,
    create_key: bool = False,
) -> Plan:
    """Read what the stack does; refuse what could not be tested, or not be removed again. Without a document it is the
    deployed one, without a key the first of the source account's that the stack may use."""
    here, there = (clients("sts", region).get_caller_identity() for clients in _both(setting))
    owner, target, partition = here["Account"], there["Account"], here["Arn"].split(":")[1]
    if owner == target:
        raise RefusedError(f"Both profiles are of the account {owner}: nothing can be shared.")
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    text = description or f"Snapferry live test {run}"
    known = deployed.policy(setting.target, region, stack) if document is None else document
    copies = deployed.wanted(known, owner, text)
    if source_key is None:
        named = _named_keys(setting, region, stack)
        source_key = None if create_key else _first_of(named, region, stack, owner)
    made = Plan(run, partition, region, stack, owner, target, text, source_key, copies, deployed.regions(known))
    path = deployed.parameters(setting.target, region, stack).get("RolePath", made.role_path)
    return replace(made, role_path=path)


def run(plan: Plan, setting: Setting) -> Report:
    """Play it, judge it, and remove what it made however it ends."""
    report = Report()
    made = Made(plan.run, plan.region, plan.target_account, plan.regions)
    try:
        report.findings = _play(plan, made, setting)
    except InterruptedRunError:
        report.interrupted = True
    except (ClientError, BotoCoreError, TimeoutError) as error:
        report.findings = [str(error)]
    finally:
        setting.say("Removing what this run made.")
        report.left = remove(made, setting)
    return report


def differences(
    copy: dict[str, Any], wanted: Wanted, plan: Plan, snapshot: dict[str, Any], shared_at: datetime
) -> list[str]:
    """What about a verified copy, with its tags as a dict under `tags`, is not as the policy and the source say."""
    tags = copy["tags"]
    own = {
        "policy": wanted.policy,
        "source-snapshot": snapshot["SnapshotId"],
        "source-account": plan.source_account,
        "source-region": plan.region,
        "source-volume": snapshot["VolumeId"],
        "source-size-gib": str(GIB),
        "status": "verified",
        "kms-key": wanted.key,
        "lock": None,
    }
    said = [
        ("State", copy["State"], "completed"),
        ("OwnerId", copy["OwnerId"], plan.target_account),
        ("Encrypted", copy["Encrypted"], True),
        ("VolumeSize", copy["VolumeSize"], GIB),
        *((f"tag snapferry:{name}", tags.get(f"snapferry:{name}"), value) for name, value in own.items()),
        *((f"tag {name}", tags.get(name), value) for name, value in wanted.tags),
    ]
    if wanted.key is not None:
        said.append(("KmsKeyId", copy.get("KmsKeyId"), wanted.key))
    wrong = [f"{what} is {found!r}, not {right!r}" for what, found, right in said if found != right]
    return wrong + _moments(tags, wanted, snapshot, shared_at)


def key_policy(plan: Plan) -> dict[str, Any]:
    """What infra/sam/source-account.yaml says of its key; tests/iam holds the two against each other."""
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    grant = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
    roles = {"ArnLike": {"aws:PrincipalArn": f"arn:{plan.partition}:iam::{plan.target_account}:role{plan.role_path}*"}}
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{plan.partition}:iam::{account}:root"},
                "Action": actions,
                "Resource": "*",
                **more,
            }
            for account, actions, more in [
                (plan.source_account, "kms:*", {}),
                (plan.target_account, use, {"Condition": roles}),
                (plan.target_account, grant, {"Condition": {**roles, **for_services}}),
            ]
        ],
    }


def later(moment: datetime, keep: tuple[int, str]) -> datetime:
    """A moment and an interval later: months and years are calendar ones and clamp to the month's last day."""
    interval, unit = keep
    if unit in {"DAYS", "WEEKS"}:
        return moment + timedelta(days=interval * (7 if unit == "WEEKS" else 1))
    months = moment.month - 1 + interval * (12 if unit == "YEARS" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def _play(plan: Plan, made: Made, setting: Setting) -> list[str]:
    key = plan.source_key or _create_key(plan, made, setting)
    snapshot = _snapshot(plan, key, made, setting)
    identity = snapshot["SnapshotId"]
    setting.tell(f"Sharing {identity} with {plan.target_account}.")
    made.shared.add(identity)
    shared_at = datetime.now(UTC)
    setting.source("ec2", plan.region).modify_snapshot_attribute(
        SnapshotId=identity,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[plan.target_account],
    )
    setting.tell(f"Shared. Waiting for {len(plan.wanted)} verified copies, one of {_listed(plan.wanted)}.")
    copies = _settled(plan, identity, setting)
    return _judged(copies, plan, snapshot, shared_at, setting)


def _settled(plan: Plan, snapshot: str, setting: Setting) -> list[tuple[str, dict[str, Any]]]:
    """The copies, once each that is wanted is there and every one has a verdict."""
    seen: dict[str, str] = {}

    def all_settled() -> list[tuple[str, dict[str, Any]]]:
        setting.nudge()
        found = copies_of(snapshot, plan.regions, setting)
        for region, copy in found:
            status = f"{copy['State']}, {copy['tags'].get('snapferry:status')}"
            if seen.get(copy["SnapshotId"]) != status:
                seen[copy["SnapshotId"]] = status
                setting.tell(f"{copy['SnapshotId']} in {region}: {status}")
        there = {(region, copy["tags"].get("snapferry:policy")) for region, copy in found}
        complete = all((each.region, each.policy) in there for each in plan.wanted)
        settled = all(copy["tags"].get("snapferry:status") in SETTLED for _, copy in found)
        return found if complete and settled else []

    try:
        return setting.until(all_settled, within=setting.copy_within, what="a verdict on every copy")
    except TimeoutError as error:
        states = "; ".join(f"{copy}: {status}" for copy, status in seen.items()) or "no copy has appeared"
        raise TimeoutError(f"{error} ({states})") from None


def _judged(
    copies: list[tuple[str, dict[str, Any]]],
    plan: Plan,
    snapshot: dict[str, Any],
    shared_at: datetime,
    setting: Setting,
) -> list[str]:
    findings = []
    by_identity = {(each.region, each.policy): each for each in plan.wanted}
    judged: set[tuple[str, str | None]] = set()
    for region, copy in copies:
        identity = (region, copy["tags"].get("snapferry:policy"))
        name = f"{copy['SnapshotId']} of policy {identity[1]} in {region}"
        wanted = by_identity.get((region, str(identity[1])))
        status = copy["tags"].get("snapferry:status")
        if wanted is None:
            findings.append(f"{name}: no policy asks for it")
        elif identity in judged:
            findings.append(f"{name}: a second copy")
        elif status != "verified":
            message = copy.get("StateMessage") or "EC2 gives no message"
            findings.append(f"{name}: {status}, {copy['State']} ({message}); the audit of verify-copies says why")
        else:
            wrong = differences(copy, wanted, plan, snapshot, shared_at)
            findings += [f"{name}: {each}" for each in wrong]
            if not wrong:
                setting.say(f"{name} is completed, of the right size and under the right key, with the right tags.")
        judged.add(identity)
    return findings


def _moments(tags: dict[str, str], wanted: Wanted, snapshot: dict[str, Any], shared_at: datetime) -> list[str]:
    wrong = []
    started = tags.get("snapferry:source-start-time")
    if started is None or abs(datetime.fromisoformat(started) - snapshot["StartTime"]) >= timedelta(seconds=1):
        wrong.append(f"tag snapferry:source-start-time is {started!r}, not {snapshot['StartTime'].isoformat()}")
    expiry = tags.get("snapferry:expire-after")
    if wanted.keep is None:
        return wrong if expiry is None else [*wrong, f"tag snapferry:expire-after is {expiry!r}, without a RetainRule"]
    earliest = later(shared_at, wanted.keep) - CLOCKS_DIFFER
    latest = later(datetime.now(UTC), wanted.keep) + CLOCKS_DIFFER
    if expiry is None or not earliest <= datetime.fromisoformat(expiry) <= latest:
        wrong.append(
            f"tag snapferry:expire-after is {expiry!r}, not {wanted.keep[0]} {wanted.keep[1]} from the request"
        )
    return wrong


def _snapshot(plan: Plan, key: str, made: Made, setting: Setting) -> dict[str, Any]:
    """A completed snapshot of a new, empty, encrypted volume."""
    ec2 = setting.source("ec2", plan.region)
    wanted = [{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
    zone = ec2.describe_availability_zones(Filters=wanted)["AvailabilityZones"][0]["ZoneName"]
    setting.tell(f"Creating a volume of {GIB} GiB in {zone} of {plan.source_account}, under {key}.")
    volume = ec2.create_volume(
        AvailabilityZone=zone,
        Size=GIB,
        VolumeType="gp3",
        Encrypted=True,
        KmsKeyId=key,
        ClientToken=plan.run,
        TagSpecifications=_tags("volume", plan),
    )["VolumeId"]
    made.volumes.add(volume)
    _created(setting, ec2.describe_volumes, "Volumes", "volume-id", volume, "available")
    setting.tell(f"Creating a snapshot of {volume}, “{plan.description}”.")
    snapshot = ec2.create_snapshot(
        VolumeId=volume, Description=plan.description, TagSpecifications=_tags("snapshot", plan)
    )["SnapshotId"]
    made.snapshots.add(snapshot)
    return _created(setting, ec2.describe_snapshots, "Snapshots", "snapshot-id", snapshot, "completed")


def _created(
    setting: Setting, describe: Callable[..., Any], member: str, name: str, identity: str, state: str
) -> dict[str, Any]:
    """What was created, as EC2 describes it, once it is in a state."""

    def there() -> dict[str, Any]:
        # By a filter, because an explicit ID is an error for as long as EC2 does not show what is new.
        found = describe(Filters=[{"Name": name, "Values": [identity]}])[member]
        return dict(found[0]) if found and found[0]["State"] == state else {}

    return setting.until(there, within=setting.other_within, what=f"{identity} to be {state}")


def _create_key(plan: Plan, made: Made, setting: Setting) -> str:
    """A key that the target account may use, once the stack's copying role may use it too."""
    setting.tell(f"Creating a key in {plan.region} of {plan.source_account}.")
    made.asked_for_key = True
    made.key = key = str(
        setting.source("kms", plan.region).create_key(
            Description=f"Snapferry live test {plan.run}; may be deleted",
            Policy=json.dumps(key_policy(plan)),
            Tags=[{"TagKey": TAG, "TagValue": plan.run}],
        )["KeyMetadata"]["Arn"]
    )

    def deployed_with_it() -> bool:
        named = _named_keys(setting, plan.region, plan.stack)
        return not named or key in named

    if deployed_with_it():
        setting.tell(f"Created {key}.")
        return key
    setting.tell(f"Created {key}. Now deploy the stack {plan.stack} with {SOURCE_KEYS}={key}; waiting for that.")
    setting.until(deployed_with_it, within=setting.other_within, what=f"the stack {plan.stack} to use the key")
    return key


def _named_keys(setting: Setting, region: str, stack: str) -> list[str]:
    """The only source keys that the stack may use; none: any of the source accounts' in its Region."""
    parameters = deployed.parameters(setting.target, region, stack)
    if SOURCE_KEYS not in parameters:
        raise RefusedError(
            f"The stack {stack} has no parameter {SOURCE_KEYS}: a stack of the CDK's has its keys from the app, and "
            "cannot be told of one that this test makes. Name one of them (SOURCE_KEY=…)."
        )
    return [arn for arn in parameters[SOURCE_KEYS].split(",") if arn]


def _first_of(named: list[str], region: str, stack: str, owner: str) -> str:
    if not named:
        raise RefusedError(
            f"The stack {stack} may use any key of {owner} in {region}. Name one, such as that of the source account's "
            "stack (SOURCE_KEY=…), or let this test make one (CREATE_KEY=1)."
        )
    keys = [arn for arn in named if arn.split(":")[3:5] == [region, owner]]
    if not keys:
        raise RefusedError(
            f"The stack {stack} may use no key of {owner} in {region} (its parameter {SOURCE_KEYS}). Deploy it with "
            "the key of the source account's stack, name another key (SOURCE_KEY=…), or let this test make one "
            "(CREATE_KEY=1)."
        )
    return keys[0]


def _tags(kind: str, plan: Plan) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": TAG, "Value": plan.run}]}]


def _listed(wanted: list[Wanted]) -> str:
    return ", ".join(str(each) for each in wanted)


def _both(setting: Setting) -> tuple[Any, Any]:
    return setting.source, setting.target
