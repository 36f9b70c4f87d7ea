"""DynamoDB as the ledger uses it: the emulator's own, tables of stacks, the record of its calls, and faults."""

import itertools
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from infra.sam import plain
from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, TARGET, copy, ec2, refused, shared
from tests.e2e.packages import TEMPLATE
from tests.iam.requests import requests_of

Item = dict[str, Any]

FIRST, SECOND = "snap-00000000000000001", "snap-00000000000000002"


@pytest.fixture(scope="module")
def stack(aws: LocalAws) -> dict[str, str]:
    """A stack of the template's table, and nothing else: its name, and the table's."""
    table = json.loads(json.dumps(plain.plain(TEMPLATE.read_text())))["Resources"]["Ledger"]
    cloudformation = aws.client("cloudformation", TARGET, HOME)
    body = json.dumps({"Resources": {"Ledger": table}, "Outputs": {"Table": {"Value": {"Ref": "Ledger"}}}})
    cloudformation.create_stack(StackName="ledger", TemplateBody=body)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="ledger", WaiterConfig={"Delay": 1})
    [made] = cloudformation.describe_stacks(StackName="ledger")["Stacks"]
    return {"name": "ledger", "body": body, "table": made["Outputs"][0]["OutputValue"]}


@pytest.fixture
def dynamodb(aws: LocalAws) -> Any:
    return aws.client("dynamodb", TARGET, HOME)


@pytest.fixture
def table(stack: dict[str, str], dynamodb: Any) -> Iterator[str]:
    """The table, empty."""
    yield stack["table"]
    for each in dynamodb.scan(TableName=stack["table"])["Items"]:
        dynamodb.delete_item(TableName=stack["table"], Key={name: each[name] for name in ("pk", "sk")})


def item(source: str = FIRST, revision: int = 0, *, line: str | None = None, order: str = "1", **more: str) -> Item:
    """An obligation, as far as its keys go."""
    keys = {"pk": f"O#{source[-1]}", "sk": f"{source[::-1]}#{AWAY}#default"}
    place = {"lpk": line, "lsk": order} if line else {}
    texts = {name: {"S": value} for name, value in {**keys, **place, **more}.items()}
    return {**texts, "revision": {"N": str(revision)}}


def put(dynamodb: Any, table: str, given: Item, *, over: int | None = None) -> None:
    """Write an item in place of that of a revision; without one, only where there is none."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if over is not None:
        values = {":r": {"N": str(over)}}
        condition = {"ConditionExpression": "revision = :r", "ExpressionAttributeValues": values}
    dynamodb.put_item(TableName=table, Item=given, ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition)


def got(dynamodb: Any, table: str, source: str = FIRST) -> Item | None:
    key = {name: item(source)[name] for name in ("pk", "sk")}
    found: Item | None = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return found


class TestTheEmulator:
    """What the ledger's laws stand on."""

    def test_of_two_writers_one_is_refused_and_told_what_stands(self, dynamodb: Any, table: str) -> None:
        put(dynamodb, table, item(token="mine"))
        for over in (None, 7):
            with pytest.raises(ClientError) as caught:
                put(dynamodb, table, item(token="theirs"), over=over)
            assert caught.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
            assert caught.value.response["Item"] == item(token="mine")
        put(dynamodb, table, item(revision=1, token="theirs"), over=0)
        assert got(dynamodb, table) == item(revision=1, token="theirs")
        with pytest.raises(ClientError) as caught:
            put(dynamodb, table, item(SECOND), over=0)
        assert "Item" not in caught.value.response

    def test_what_is_written_replaces_the_whole_item(self, dynamodb: Any, table: str) -> None:
        put(dynamodb, table, item(line="L#1", gone="tick-1"))
        put(dynamodb, table, item(revision=1), over=0)
        assert got(dynamodb, table) == item(revision=1)

    def test_a_shard_is_a_prefix_of_the_sort_key(self, dynamodb: Any, table: str) -> None:
        sources = [f"snap-{n:015x}a1" for n in range(3)] + [f"snap-{n:015x}b1" for n in range(3)]
        for each in sources:
            put(dynamodb, table, item(each))
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
            ExpressionAttributeValues={":p": {"S": "O#1"}, ":s": {"S": "1a"}},
            PaginationConfig={"PageSize": 2},
        )
        sizes = [[each["sk"]["S"] for each in page["Items"]] for page in pages]
        assert [len(each) for each in sizes] in ([2, 1], [2, 1, 0])
        assert sorted(itertools.chain.from_iterable(sizes)) == sorted(item(each)["sk"]["S"] for each in sources[:3])

    def test_only_what_has_both_attributes_stands_in_the_index_and_it_stands_there_whole(
        self, dynamodb: Any, table: str
    ) -> None:
        standing = [item(f"snap-{n:017x}", line="L#1", order=f"{9 - n}", more="x") for n in range(1, 5)]
        for each in [*standing, item("snap-00000000000000009"), item("snap-0000000000000000a", line="L#2")]:
            put(dynamodb, table, each)

        def line(condition: str, **values: str) -> list[Item]:
            found: list[Item] = dynamodb.query(
                TableName=table,
                IndexName="line",
                KeyConditionExpression=f"lpk = :l{condition}",
                ExpressionAttributeValues={f":{name}": {"S": value} for name, value in {"l": "L#1", **values}.items()},
            )["Items"]
            return found

        assert line("") == standing[::-1]
        assert line(" AND lsk > :a", a="6") == standing[1::-1]
        assert line(" AND lsk BETWEEN :a AND :b", a="6", b="7") == [standing[2], standing[1]]
        put(dynamodb, table, item("snap-00000000000000001", 1), over=0)
        assert line("") == standing[:0:-1]
        with refused("ValidationException", "Consistent read"):
            dynamodb.query(
                TableName=table,
                IndexName="line",
                ConsistentRead=True,
                KeyConditionExpression="lpk = :l",
                ExpressionAttributeValues={":l": {"S": "L#1"}},
            )

    def test_an_index_may_be_behind_its_table(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        def line() -> list[Item]:
            condition = {"KeyConditionExpression": "lpk = :l", "ExpressionAttributeValues": {":l": {"S": "L#1"}}}
            found: list[Item] = dynamodb.query(TableName=table, IndexName="line", **condition)["Items"]
            return found

        old, new = item(line="L#1", order="2"), item(revision=1, line="L#1", order="3")
        put(dynamodb, table, old)
        aws.control.configure(index_lag_seconds=60)
        assert line() == []
        aws.control.advance_clock(seconds=61)
        put(dynamodb, table, new, over=0)
        put(dynamodb, table, item(SECOND, line="L#1"))
        assert line() == [old]
        assert got(dynamodb, table) == new
        assert got(dynamodb, table, SECOND) is not None
        put(dynamodb, table, item(revision=2), over=1)
        aws.control.advance_clock(seconds=61)
        assert line() == [item(SECOND, line="L#1")]
        aws.control.configure(index_lag_seconds=0)
        dynamodb.delete_item(TableName=table, Key={name: item(SECOND)[name] for name in ("pk", "sk")})
        assert line() == []
        aws.control.configure(index_lag_seconds=60)
        assert line() == [item(SECOND, line="L#1")]

    def test_a_conditional_deletion(self, dynamodb: Any, table: str) -> None:
        put(dynamodb, table, item(revision=3))
        key = {name: item()[name] for name in ("pk", "sk")}

        def delete(revision: int) -> None:
            values = {":r": {"N": str(revision)}}
            dynamodb.delete_item(
                TableName=table, Key=key, ConditionExpression="revision = :r", ExpressionAttributeValues=values
            )

        with refused("ConditionalCheckFailedException"):
            delete(2)
        assert got(dynamodb, table) is not None
        delete(3)
        assert got(dynamodb, table) is None


class TestTablesOfStacks:
    """The table of the template."""

    def test_a_table_is_what_the_template_says(self, dynamodb: Any, table: str) -> None:
        described = dynamodb.describe_table(TableName=table)["Table"]
        assert [each["AttributeName"] for each in described["KeySchema"]] == ["pk", "sk"]
        [index] = described["GlobalSecondaryIndexes"]
        assert (index["IndexName"], index["Projection"]["ProjectionType"]) == ("line", "ALL")
        assert index["IndexStatus"] == "ACTIVE"
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert described["SSEDescription"]["Status"] == "ENABLED"
        assert described["DeletionProtectionEnabled"] is True
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        living = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert living == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}

    def test_a_protected_table_is_not_deleted(self, dynamodb: Any, table: str) -> None:
        with refused("ValidationException", "protected"):
            dynamodb.delete_table(TableName=table)

    def test_a_table_follows_its_template(self, aws: LocalAws, dynamodb: Any, stack: dict[str, str]) -> None:
        cloudformation = aws.client("cloudformation", TARGET, HOME)
        name = f"changing-{uuid4()}"

        def change(verb: Any, waiter: str, **properties: Any) -> str:
            changed = json.loads(stack["body"])
            changed["Resources"]["Ledger"]["Properties"].update(properties)
            verb(StackName=name, TemplateBody=json.dumps(changed))
            cloudformation.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 1})
            [made] = cloudformation.describe_stacks(StackName=name)["Stacks"]
            return str(made["Outputs"][0]["OutputValue"])

        table = change(cloudformation.create_stack, "stack_create_complete")
        put(dynamodb, table, item())
        off = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "false"}}
        off["TimeToLiveSpecification"] = {"AttributeName": "ttl", "Enabled": "false"}
        change(cloudformation.update_stack, "stack_update_complete", DeletionProtectionEnabled="false", **off)
        assert dynamodb.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"] is False
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
        living = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert living["TimeToLiveStatus"] == "DISABLED"
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        assert got(dynamodb, table) == item(), "kept with the stack gone"


class TestFaultsAndCalls:
    """What may go wrong, and what was asked."""

    def test_a_table_that_is_not_reached(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        down = aws.control.take_ledger_down(HOME)
        with pytest.raises(ConnectionClosedError):
            put(dynamodb, table, item())
        ec2(aws, TARGET).describe_snapshots(OwnerIds=["self"])
        aws.control.clear(down)
        assert got(dynamodb, table) is None
        failing = aws.control.take_ledger_down(HOME, drop="", code="InternalServerError")
        with pytest.raises(ClientError) as caught:
            put(dynamodb, table, item())
        aws.control.clear(failing)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert caught.value.response["Error"] == {"Code": "InternalServerError", "Message": "injected"}
        put(dynamodb, table, item())

    def test_a_table_that_throttles(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        aws.control.take_ledger_down(drop="", code="ProvisionedThroughputExceededException", times=1)
        with refused("ProvisionedThroughputExceededException"):
            put(dynamodb, table, item())
        put(dynamodb, table, item())

    def test_an_answer_that_is_lost_after_the_write(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        fault = {"action": "PutItem", "parameters": {"Item.pk.S": "O#*", "Item.revision.N": "1"}}
        aws.control.inject_fault(service="dynamodb", drop="after", times=1, **fault)
        put(dynamodb, table, item())
        with pytest.raises(ConnectionClosedError):
            put(dynamodb, table, item(revision=1), over=0)
        assert got(dynamodb, table) == item(revision=1)

    def test_what_strikes_everything_spares_the_ledger(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        aws.control.take_region_down(HOME)
        put(dynamodb, table, item())
        with pytest.raises(ConnectionClosedError):
            ec2(aws, TARGET).describe_snapshots()

    def test_calls_are_recorded_with_what_iam_would_look_at(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        put(dynamodb, table, item(line="L#1"))
        got(dynamodb, table)
        dynamodb.query(
            TableName=table,
            IndexName="line",
            KeyConditionExpression="#l = :l",
            ExpressionAttributeNames={"#l": "lpk"},
            ExpressionAttributeValues={":l": {"S": "L#1"}},
        )
        with refused("ConditionalCheckFailedException"):
            put(dynamodb, table, item())
        arn = f"arn:aws:dynamodb:{HOME}:{TARGET}:table/{table}"
        seen = [(each.action, each.outcome, each.resources) for each in aws.control.calls(service="dynamodb")]
        about = {"type": "table", "owner": TARGET}
        keyed = [{**about, "arn": arn, "leading_keys": ["O#1"]}]
        assert seen == [
            ("PutItem", "ok", keyed),
            ("GetItem", "ok", keyed),
            ("Query", "ok", [{**about, "arn": f"{arn}/index/line", "leading_keys": ["L#1"]}]),
            ("PutItem", "ConditionalCheckFailedException", keyed),
        ]
        asked = [each for call in aws.control.calls(service="dynamodb") for each in requests_of(call)]
        assert [(each.action, each.resource, each.context) for each in asked[:3]] == [
            ("dynamodb:PutItem", arn, {"dynamodb:LeadingKeys": ["O#1"]}),
            ("dynamodb:GetItem", arn, {"dynamodb:LeadingKeys": ["O#1"]}),
            ("dynamodb:Query", f"{arn}/index/line", {"dynamodb:LeadingKeys": ["L#1"]}),
        ]

    def test_calls_are_counted(self, aws: LocalAws, dynamodb: Any, table: str) -> None:
        put(dynamodb, table, item())
        copy(aws, shared(aws))
        before = aws.control.last_call()
        for _ in range(3):
            got(dynamodb, table)
        ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])
        assert aws.control.count(service="dynamodb") == {
            ("dynamodb", "PutItem", HOME): 1,
            ("dynamodb", "GetItem", HOME): 3,
        }
        assert aws.control.count(since=before, service="ec2") == {("ec2", "DescribeSnapshots", AWAY): 1}
        assert aws.control.count(account=TARGET).total() == 6
