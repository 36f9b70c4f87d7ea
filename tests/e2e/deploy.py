"""A stack from the real template with the real binaries, and what one asks of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from infra.sam import pack, parameters
from tests.cloud import Control, LocalAws, until
from tests.e2e import packages, records
from tests.e2e.accounts import HOME, Account
from tests.e2e.ledger import Ledger

FUNCTIONS = {
    "copy-shared-snapshots": "CopySharedSnapshots",
    "verify-copies": "VerifyCopies",
    "prove-copies": "ProveCopies",
    "delete-expired-copies": "DeleteExpiredCopies",
    "copy-shared-databases": "CopySharedDatabases",
    "verify-copied-databases": "VerifyCopiedDatabases",
    "delete-expired-database-copies": "DeleteExpiredDatabaseCopies",
}
PROVER, DATABASES = "prove-copies", "databases"
STACK = "snapferry"
# A Rust build may take both cores away from the emulator for long.
PATIENCE_SECONDS = 120.0

Record = records.Record

_deployed: "list[Stack]" = []


@dataclass(frozen=True)
class Stack:
    """Snapferry deployed in a target account."""

    account: Account
    region: str
    outputs: dict[str, str] = field(repr=False)

    # What it did

    def audit(self, function: str = "copy-shared-snapshots", **wanted: Any) -> list[Record]:
        """The audit records in a function's log group, oldest first, whose members equal what is wanted; two
        underscores reach into a member: `source__snapshot="snap-…"`."""
        return [record for record in self._records(function) if _matches(record, wanted)]

    def wait_for_audit(self, function: str = "copy-shared-snapshots", *, count: int = 1, **wanted: Any) -> list[Record]:
        """Wait until there are `count` such records, and return all of them."""

        def found() -> list[Record]:
            records = self.audit(function, **wanted)
            return records if len(records) >= count else []

        try:
            return until(found, within=PATIENCE_SECONDS, what=f"{count} audit records with {wanted}")
        except TimeoutError as error:
            error.add_note(f"log of {function}:\n" + "\n".join(self.log(function)[-40:]))
            error.add_note(f"log of the local AWS:\n{self.account.aws.log_tail()}")
            raise

    def log(self, function: str) -> list[str]:
        """All lines in a function's log group, oldest first."""
        pages = self.account.client("logs", self.region).get_paginator("filter_log_events")
        group = self.outputs[f"{FUNCTIONS[function]}LogGroup"]
        return [
            event["message"].rstrip("\n") for page in pages.paginate(logGroupName=group) for event in page["events"]
        ]

    def _records(self, function: str) -> list[Record]:
        return [found for line in self.log(function) if (found := records.record(line)) is not None]

    def copies(self, region: str, **filters: str) -> list[dict[str, Any]]:
        """Snapferry's copies in a Region as EC2 describes them, each with its tags as a dict under `tags`; the filters
        are Snapferry's tags: `source_snapshot="snap-…"`."""
        tags = {"policy": "*", **filters}
        wanted = [
            {"Name": f"tag:snapferry:{name.replace('_', '-')}", "Values": [value]} for name, value in tags.items()
        ]
        pages = self.account.client("ec2", region).get_paginator("describe_snapshots")
        found = [each for page in pages.paginate(OwnerIds=["self"], Filters=wanted) for each in page["Snapshots"]]
        return [{**each, "tags": {tag["Key"]: tag["Value"] for tag in each["Tags"]}} for each in found]

    @property
    def ledger(self) -> Ledger:
        """Its table."""
        return Ledger(self.account, self.region, self.outputs["LedgerTable"])

    # What one does to it

    def send(self, body: str, *, deduplication_id: str | None = None) -> None:
        """Put a message into the copier's queue, as the rule and the schedule do."""
        identity = {} if deduplication_id is None else {"MessageDeduplicationId": deduplication_id}
        self.account.client("sqs", self.region).send_message(
            QueueUrl=self.outputs["CopierQueueUrl"], MessageGroupId="copier", MessageBody=body, **identity
        )

    def invoke(self, function: str, payload: Any) -> Any:
        """Call a function directly and return its answer; an error of the function is raised."""
        answer = self.account.client("lambda", self.region).invoke(
            FunctionName=self.outputs[f"{FUNCTIONS[function]}Function"], Payload=json.dumps(payload).encode()
        )
        body = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise RuntimeError(body)
        return json.loads(body)


@dataclass(frozen=True)
class Deployed:
    """What the tests drive of a stack in a target account."""

    stack: Stack

    @property
    def account(self) -> Account:
        return self.stack.account

    @property
    def control(self) -> Control:
        return self.account.aws.control


def deploy(account: Account, policy: Any, *, region: str = HOME, name: str = STACK, **parameters: str) -> Stack:
    """Upload the packages and create the stack from the template's plain form; the parameters that repeat what the
    policy says are taken from it."""
    said = {**repeated(policy), **parameters}
    # Without its schedule, or without databases, there is no such function.
    left_out = {PROVER: "ProofSchedule" not in said, DATABASES: said["Databases"] != "true"}
    upload(account, region, [each for each in pack.FUNCTIONS if not left_out.get(each)])
    values = {
        "CodeBucket": _bucket(account, region).removesuffix(f"-{region}"),
        "PolicyKey": upload_policy(account, policy, region),
        **said,
    }
    account.client("cloudformation", region).create_stack(
        StackName=name,
        TemplateURL=_upload_template(account, region),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    )
    return stack_of(account, region, name)


def redeploy(stack: Stack, policy: Any, **parameters: str) -> Stack:
    """Give the account's stack another policy, and the parameters that repeat what it says unless told otherwise."""
    cloudformation = stack.account.client("cloudformation", stack.region)
    changed = {"PolicyKey": upload_policy(stack.account, policy, stack.region), **repeated(policy), **parameters}
    [there] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    unchanged = {each["ParameterKey"] for each in there["Parameters"]} - changed.keys()
    cloudformation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            *({"ParameterKey": name, "UsePreviousValue": True} for name in unchanged),
            *({"ParameterKey": name, "ParameterValue": value} for name, value in changed.items()),
        ],
    )
    return stack_of(stack.account, stack.region)


def stack_of(account: Account, region: str = HOME, name: str = STACK) -> Stack:
    """The account's stack, once it is created or updated; if that failed, an error that says at what."""
    cloudformation = account.client("cloudformation", region)
    stack = until(lambda: _settled(cloudformation, name), within=PATIENCE_SECONDS, what="the stack to be created")
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reason = stack.get("StackStatusReason", "")
        raise RuntimeError(f"{stack['StackStatus']}: {reason}\n{_failures(cloudformation, name)}")
    made = Stack(account, region, {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]})
    _deployed.append(made)
    return made


def read_all(aws: LocalAws) -> None:
    """Read the audit of all stacks made in a local AWS since the last time, so that each record is held against the
    schema."""
    made = [stack for stack in _deployed if stack.account.aws is aws]
    # Forgotten first: what cannot be read now cannot be read later either, when the local AWS is gone.
    _deployed[:] = [stack for stack in _deployed if stack.account.aws is not aws]
    for stack in made:
        for function, name in FUNCTIONS.items():
            if f"{name}LogGroup" in stack.outputs:
                stack.audit(function)


def upload(account: Account, region: str, functions: Iterable[str] = pack.FUNCTIONS) -> None:
    """Put the functions' packages into a bucket of the account."""
    s3 = account.client("s3", region)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=_bucket(account, region), **place)
    for function in functions:
        s3.put_object(Bucket=_bucket(account, region), Key=f"{function}-x86_64.zip", Body=packages.package(function))


def upload_policy(account: Account, policy: Any, region: str = HOME) -> str:
    """Put a policy document into that bucket as the layer's package, and return its key."""
    key, content = pack.policy(json.dumps(policy).encode())
    account.client("s3", region).put_object(Bucket=_bucket(account, region), Key=key, Body=content)
    return key


def repeated(policy: Any) -> dict[str, str]:
    """The parameters that IAM needs and that a policy document, or an array of them, already says."""
    documents = [each.get("Policy", each) for each in (policy if isinstance(policy, list) else [policy])]
    return parameters.repeated([{"Policy": {"PolicyDetails": each.get("PolicyDetails", each)}} for each in documents])


def _upload_template(account: Account, region: str) -> str:
    """Put the template into the bucket too: in a request CloudFormation takes 51,200 bytes of it (CloudFormation User
    Guide, "Quotas"), and it is longer."""
    bucket = _bucket(account, region)
    account.client("s3", region).put_object(Bucket=bucket, Key="template.json", Body=packages.plain_form().encode())
    # The emulator knows only the form with the bucket in the path.
    return f"https://s3.{region}.amazonaws.com/{bucket}/template.json"


def _bucket(account: Account, region: str) -> str:
    return f"snapferry-{account.number}-{region}"


def _settled(cloudformation: Any, name: str) -> dict[str, Any]:
    stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {} if stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def _failures(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
    lines = [f"{e['LogicalResourceId']} {e['ResourceStatus']}: {e.get('ResourceStatusReason', '')}" for e in failed]
    return "\n".join(lines)


def _matches(record: Record, wanted: dict[str, Any]) -> bool:
    return all(_member(record, name.split("__")) == value for name, value in wanted.items())


def _member(record: Any, path: list[str]) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record
