"""What the template promises, read from it as CloudFormation gets it and from the deployed roles."""

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import deploy
from tests.e2e.translate import translated
from tests.iam import deployed

READ = {"ec2:DescribeSnapshots"}
READ_DATABASES = {"rds:DescribeDBSnapshots", "rds:DescribeDBClusterSnapshots"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
USE_KEY = {"kms:DescribeKey", "kms:ReEncrypt*", "kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant"}
TAKE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
START = {"lambda:InvokeFunction", "sqs:SendMessage"}
# Nothing that a role may do is missing here, and nothing is here that no role may do.
ACTIONS = {
    "CopySharedSnapshotsRole": READ
    | LOG
    | TAKE
    | USE_KEY
    | {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"}
    | {"ec2:CopySnapshot", "ec2:CreateTags"},
    "VerifyCopiesRole": READ
    | LOG
    | TAKE
    | {"dynamodb:GetItem", "dynamodb:PutItem"}
    | {"ec2:DescribeLockedSnapshots", "ec2:CreateTags", "ec2:LockSnapshot", "kms:DescribeKey"},
    "ProveCopiesRole": READ
    | LOG
    | {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"}
    | {"ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock", "ebs:ListChangedBlocks"}
    | {"ec2:CreateTags", "kms:DescribeKey", "kms:Decrypt"},
    "DeleteExpiredCopiesRole": READ | LOG | {"kms:DescribeKey", "ec2:DeleteSnapshot"},
    "CopySharedDatabasesRole": READ_DATABASES
    | LOG
    | USE_KEY
    | {"kms:Encrypt", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"}
    | {"rds:DescribeAccountAttributes", "rds:CrossRegionCommunication"}
    | {"rds:CopyDBSnapshot", "rds:CopyDBClusterSnapshot", "rds:AddTagsToResource"},
    "VerifyCopiedDatabasesRole": READ_DATABASES
    | LOG
    | {"dynamodb:GetItem", "dynamodb:PutItem", "rds:AddTagsToResource", "kms:DescribeKey"},
    "DeleteExpiredDatabaseCopiesRole": READ_DATABASES
    | LOG
    | {"kms:DescribeKey", "rds:DeleteDBSnapshot", "rds:DeleteDBClusterSnapshot"},
    "SweepTimerRole": {"sqs:SendMessage"},
    "VerifyTimerRole": START,
    "ProveTimerRole": START,
    "ExpiryTimerRole": START,
    "DatabaseTimerRole": START,
}
# The sentences for a resource's statements, by Sid; and where a statement begins.
METADATA = r"^ {6}Statements:\n((?: {8}.*\n)+)"
STATEMENT = re.compile(r" +- (?:Sid: (?P<sid>\w+)|Effect: )")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return translated()


def resources(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}
    assert found, kind
    return found


def statements(template: dict[str, Any], role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role's policies, of optional ones too."""
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]
    for attached in role.get("ManagedPolicyArns", []):
        yield from template["Resources"][policy_of(attached)]["Properties"]["PolicyDocument"]["Statement"]


def policy_of(attached: dict[str, Any]) -> str:
    """The logical ID of a managed policy, which a condition may stand before."""
    name: str = (attached["Fn::If"][1] if "Fn::If" in attached else attached)["Ref"]
    return name


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_each_role_may_do_its_own_job_and_nothing_else(template: dict[str, Any]) -> None:
    roles = resources(template, "AWS::IAM::Role")
    allowed = {
        name: {action for statement in statements(template, role) for action in listed(statement["Action"])}
        for name, role in roles.items()
    }
    assert allowed == ACTIONS
    attached = [each for role in roles.values() for each in role.get("ManagedPolicyArns", [])]
    assert {policy_of(each) for each in attached} == set(resources(template, "AWS::IAM::ManagedPolicy"))


def test_only_reading_is_allowed_on_every_resource(template: dict[str, Any]) -> None:
    for role in resources(template, "AWS::IAM::Role").values():
        for statement in statements(template, role):
            if "*" in listed(statement["Resource"]):
                # For RDS's way to the source's Region IAM knows no resource; what it does there is permitted apart.
                others = {"rds:CrossRegionCommunication"}
                actions = {action for action in listed(statement["Action"]) if ":Describe" not in action}
                assert actions <= others, statement


def test_each_statement_says_what_it_is_for() -> None:
    """In the Metadata of its resource, from where `snapferry iam` prints it, or in a comment above it."""
    text = packages.TEMPLATE.read_text()
    explained = set(re.findall(r"^ {8}(\w+):(?: |$)", "".join(re.findall(METADATA, text, re.MULTILINE)), re.MULTILINE))
    assert len(explained) > 10
    lines = text.splitlines()
    begins = [(number, match) for number, line in enumerate(lines) if (match := STATEMENT.match(line))]
    assert len(begins) > 20
    silent = [
        number + 1
        for number, match in begins
        if match["sid"] not in explained and not lines[number - 1].lstrip().startswith("# ")
    ]
    assert silent == []


def test_the_rule_does_not_filter_by_the_sender(template: dict[str, Any]) -> None:
    """The JSON type of `detail.source` is unproven: a wrong guess would drop every event in silence."""
    rules = resources(template, "AWS::Events::Rule")
    assert rules.keys() == {"ShareRule", "CopyRule"}
    assert rules["ShareRule"]["EventPattern"] == {
        "source": ["aws.ec2"],
        "detail-type": ["EBS Snapshot Notification"],
        "detail": {"event": ["shareSnapshot"], "result": ["succeeded"]},
    }


def test_the_ends_of_copies_come_from_this_home_and_every_target_region_alike(template: dict[str, Any]) -> None:
    """What copy-events.yaml sends on is what the rule in the home Region takes, however the copy ended."""
    home = resources(template, "AWS::Events::Rule")["CopyRule"]["EventPattern"]
    away = resources(yaml_parse(packages.COPY_EVENTS.read_text()), "AWS::Events::Rule")["CopyRule"]["EventPattern"]
    assert json.loads(json.dumps(away).replace("${HomeRegion}", "${AWS::Region}")) == home
    assert home["detail"].keys() == {"event", "source"}


def test_the_ends_of_copies_start_one_run_at_a_time_and_wait_for_none_in_vain(template: dict[str, Any]) -> None:
    queue = resources(template, "AWS::SQS::Queue")["VerifierQueue"]
    function = resources(template, "AWS::Lambda::Function")["VerifyCopies"]
    assert (queue["FifoQueue"], queue["ContentBasedDeduplication"]) == (True, True)
    # AWS takes no mapping of a queue whose messages come again before the function can have ended.
    assert function["Timeout"] < queue["VisibilityTimeout"]
    # What a run failed on is gone before it could come again: the schedule's run is sooner.
    assert queue["MessageRetentionPeriod"] <= queue["VisibilityTimeout"]
    assert "RedrivePolicy" not in queue
    groups = {
        each["Arn"]["Fn::GetAtt"][0]: each["SqsParameters"]["MessageGroupId"]
        for each in resources(template, "AWS::Events::Rule")["CopyRule"]["Targets"]
    }
    assert groups == {"VerifierQueue": "verifier", "CopierQueue": "copier"}


def test_functions_log_text_so_that_no_level_filters_the_audit(template: dict[str, Any]) -> None:
    for function in resources(template, "AWS::Lambda::Function").values():
        assert function["LoggingConfig"]["LogFormat"] == "Text"
        assert not {"ApplicationLogLevel", "SystemLogLevel"} & function["LoggingConfig"].keys()


def test_no_variable_has_a_name_that_lambda_may_keep_for_itself(template: dict[str, Any]) -> None:
    """Lambda refuses some names that begin with AWS_, and then no stack is made; which ones is not all documented."""
    for function in resources(template, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert [name for name in variables if not name.startswith("SNAPFERRY_")] == []
        assert "SNAPFERRY_LOG_LEVEL" in variables


def test_the_queue_lets_one_copier_run_at_a_time_and_waits_long_enough_for_it(template: dict[str, Any]) -> None:
    queue = resources(template, "AWS::SQS::Queue")["CopierQueue"]
    timeout = resources(template, "AWS::Lambda::Function")["CopySharedSnapshots"]["Timeout"]
    # AWS takes no mapping of a queue whose messages come again before the function can have ended.
    assert timeout + 30 <= queue["VisibilityTimeout"] <= 2 * timeout
    # A share event is given back each time that the ledger does not answer: half an hour of that is no dead letter.
    assert queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] >= 4 * 1800
    assert (queue["FifoQueue"], queue["ContentBasedDeduplication"]) == (True, True)
    rule = resources(template, "AWS::Events::Rule")["ShareRule"]
    timers = resources(template, "AWS::Scheduler::Schedule")
    ticks = {kind: timers[name]["Target"] for kind, name in (("sweep", "SweepTimer"), ("serve", "ServeTimer"))}
    groups = [each["SqsParameters"]["MessageGroupId"] for each in (*rule["Targets"], *ticks.values())]
    assert set(groups) == {"copier"}
    for kind, target in ticks.items():
        # The queue drops what has the content of a message before, so nobody may know a tick's before it comes.
        assert json.loads(target["Input"]) == {kind: "<aws.scheduler.execution-id>"}
    mapping = resources(template, "AWS::Lambda::EventSourceMapping")["CopySharedSnapshotsQueue"]
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])


def test_a_start_that_is_late_is_given_up_before_the_next_is_due(template: dict[str, Any]) -> None:
    """By the Scheduler and by Lambda's own queue together: else the starts of an outage would all run at its end."""
    queues = {
        each["FunctionName"]["Ref"]: each for each in resources(template, "AWS::Lambda::EventInvokeConfig").values()
    }
    of_volumes = {"VerifyCopies", "ProveCopies", "DeleteExpiredCopies"}
    assert queues.keys() == of_volumes | {"CopySharedDatabases", "VerifyCopiedDatabases", "DeleteExpiredDatabaseCopies"}
    seconds = {"minute": 60, "hour": 3600}
    for timer in resources(template, "AWS::Scheduler::Schedule").values():
        if timer["ScheduleExpression"]["Ref"] == "ProofSchedule":
            continue  # it has no default, and a late proof harms nothing
        every = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", _default(template, timer["ScheduleExpression"]["Ref"]))
        assert every
        target = timer["Target"]
        late = target["RetryPolicy"]["MaximumEventAgeInSeconds"]
        if (queue := queues.get(target["Arn"]["Fn::GetAtt"][0])) is not None:
            assert queue["MaximumRetryAttempts"] == 0
            late += queue["MaximumEventAgeInSeconds"]
        between = int(every[1]) * seconds[every[2]]
        # Of ticks that come together the copier takes ten at once, and the queue knows one again for five minutes;
        # copiers of databases may come together, because the ledger and the copies' names keep them apart.
        a_tick = "SqsParameters" in target or target["Arn"]["Fn::GetAtt"][0] == "CopySharedDatabases"
        assert late < between or (late / between < 10 and late < 300 and a_tick), timer["Description"]


def test_the_ledger_is_kept_whatever_becomes_of_the_stack(template: dict[str, Any]) -> None:
    """Its keys are what the code reads and writes, and another key schema would be another table without a word."""
    tables = {name: each for name, each in template["Resources"].items() if each["Type"] == "AWS::DynamoDB::Table"}
    assert tables.keys() == {"Ledger", "InstanceLedger", "ClusterLedger"}
    ledger = tables["Ledger"]
    assert [each for each in tables.values() if {**each, "Condition": ""} != {**ledger, "Condition": ""}] == []
    assert (ledger["DeletionPolicy"], ledger["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = ledger["Properties"]
    assert "TableName" not in properties
    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    [index] = properties["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("line", {"ProjectionType": "ALL"})
    assert [each["AttributeName"] for each in index["KeySchema"]] == ["lpk", "lsk"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    tables_of = ("SNAPFERRY_LEDGER", "SNAPFERRY_CLUSTER_LEDGER", "SNAPFERRY_VOLUME_LEDGER")
    named = {
        name: tuple(variables[each]["Ref"] for each in tables_of if each in variables)
        for name, function in resources(template, "AWS::Lambda::Function").items()
        if (variables := function["Environment"]["Variables"])
    }
    assert named == {
        **dict.fromkeys(("CopySharedSnapshots", "VerifyCopies", "ProveCopies"), ("Ledger",)),
        "CopySharedDatabases": ("InstanceLedger", "ClusterLedger", "Ledger"),
        "VerifyCopiedDatabases": ("InstanceLedger", "ClusterLedger"),
        **dict.fromkeys(("DeleteExpiredCopies", "DeleteExpiredDatabaseCopies"), ()),
    }


def test_one_program_is_the_three_functions_for_databases(template: dict[str, Any]) -> None:
    """Which it is it reads from the Handler; else each has the variables of its sibling."""
    functions = resources(template, "AWS::Lambda::Function")
    handlers = {
        "CopySharedDatabases": "copy",
        "VerifyCopiedDatabases": "verify",
        "DeleteExpiredDatabaseCopies": "expire",
    }
    siblings = dict(zip(handlers, ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies"), strict=True))
    for name, handler in handlers.items():
        assert (functions[name]["Handler"], functions[siblings[name]]["Handler"]) == (handler, "bootstrap")
        assert functions[name]["Code"] == {"S3Bucket": "bucket", "S3Key": "databases.zip"}
        own, of_sibling = (functions[each]["Environment"]["Variables"] for each in (name, siblings[name]))
        differing = {each for each in own.keys() | of_sibling.keys() if own.get(each) != of_sibling.get(each)}
        own = {"SNAPFERRY_LEDGER", "SNAPFERRY_CLUSTER_LEDGER"} if handler != "expire" else set()
        assert differing == own | ({"SNAPFERRY_VOLUME_LEDGER", "SNAPFERRY_DATABASES"} if handler == "copy" else set())
        assert (functions[name]["MemorySize"], functions[name]["Timeout"]) == (512, 300)


def test_the_schedules_of_databases_are_those_of_volumes(template: dict[str, Any]) -> None:
    timers = resources(template, "AWS::Scheduler::Schedule")
    starts = {
        name: (each["Target"]["Arn"]["Fn::GetAtt"][0], json.loads(each["Target"]["Input"]))
        for name, each in timers.items()
        if name.startswith("Database")
    }
    execution = "<aws.scheduler.execution-id>"
    assert starts == {
        "DatabaseSweepTimer": ("CopySharedDatabases", {"sweep": execution}),
        "DatabaseServeTimer": ("CopySharedDatabases", {"serve": execution}),
        "DatabaseVerifyTimer": ("VerifyCopiedDatabases", {"run": execution}),
        "DatabaseExpiryTimer": ("DeleteExpiredDatabaseCopies", {"run": execution}),
    }
    for name in starts:
        for member in ("ScheduleExpression", "FlexibleTimeWindow"):
            assert timers[name][member] == timers[name.removeprefix("Database")][member]
        assert timers[name]["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredQueue", "Arn"]}}


def test_concurrency_is_reserved_for_the_copier_alone_and_only_if_asked(template: dict[str, Any]) -> None:
    reserved = {
        name: each["ReservedConcurrentExecutions"]
        for name, each in resources(template, "AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in each
    }
    assert reserved == {
        "CopySharedSnapshots": {
            "Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
        }
    }
    assert _default(template, "ReservedConcurrency") == "0"


def _default(template: dict[str, Any], parameter: str) -> str:
    return str(template["Parameters"][parameter]["Default"])


def test_every_parameter_is_explained_and_stands_in_the_console_form(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]
    form = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in form["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters) == sorted(form["ParameterLabels"])
    for name, parameter in parameters.items():
        assert len(parameter["Description"]) > 20, name
        assert parameter.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}, name


def everywhere() -> list[tuple[str, str]]:
    """The partition and the name of each Region, by botocore's list."""
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    return [(each["id"], name) for each in partitions for name in each["regions"] if not name.endswith("-global")]


def test_parameters_take_what_a_policy_takes(template: dict[str, Any]) -> None:
    schema = json.loads((packages.REPOSITORY / "functions/core/policy.schema.json").read_text())["$defs"]
    target = schema["CrossRegionCopy"]["properties"]["Target"]["pattern"]
    key = schema["EncryptionConfiguration"]["properties"]["CmkArn"]["pattern"]
    # A policy with another partition's name gets a message that says so; a parameter is refused at once.
    key = key.replace("(-[^:]*)?", "(-[a-z]{1,4}){0,2}")
    patterns = {name: each.get("AllowedPattern", "") for name, each in template["Parameters"].items()}
    for name in ("TargetKeyArns", "SourceKeyArns"):
        assert patterns[name] == f"^({key[1:-1]}(,(?!$)|$))*$"
    assert patterns["LogKmsKeyArn"] == f"^({key[1:-1]})?$"
    assert patterns["RetiredHomes"] == patterns["RetiredRegions"] == f"^({patterns['TargetRegions'][1:-1]}(,(?!$)|$))*$"
    regions = everywhere()
    assert {partition for partition, _ in regions} > {"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-e"}
    for partition, region in [*regions, ("aws", "antarctica-far-southeast-12")]:
        assert re.search(target, region), region
        accepted = {
            "TargetRegions": region,
            "RetiredRegions": f"eu-west-1,{region}",
            "RetiredPolicies": "policy-0123456789abcdef0,Weekly_2.1",
            "TargetKeyArns": f"arn:{partition}:kms:{region}:111122223333:key/mrk-0a1b2c3d0a1b2c3d4e5f0a1b2c3d4e5f",
            "AlarmTopicArn": f"arn:{partition}:sns:{region}:111122223333:operators",
            "PermissionsBoundaryArn": f"arn:{partition}:iam::111122223333:policy/boundary",
        }
        assert {name: value for name, value in accepted.items() if not re.search(patterns[name], value)} == {}


def deployed_statements(account: Account) -> list[dict[str, Any]]:
    """The statements of all roles in the account, as they were deployed."""
    roles = account.client("iam").list_roles()["Roles"]
    documents = [each for role in roles for each in deployed.policies_of(account.aws, role["Arn"])]
    return [statement for document in documents for statement in document["Statement"]]


def test_what_is_left_out_leaves_no_hole_in_a_policy(source: Account, target: Account) -> None:
    deploy(target, policies.details([source.number], policies.target("us-west-2")))
    found = deployed_statements(target)
    assert found
    for statement in found:
        assert "" not in listed(statement["Resource"]), statement
        assert '""' not in json.dumps(statement), statement
        # Without keys in the parameters, a role may look at keys and do nothing with them, but for those of the source
        # accounts in the stack's Region.
        of_keys = {action for action in listed(statement["Action"]) if action.startswith("kms:")}
        if not of_keys <= {"kms:DescribeKey"}:
            assert listed(statement["Resource"]) == [f"arn:aws:kms:{HOME}:*:key/*"], statement
            assert listed(statement["Condition"]["StringEquals"]["aws:ResourceAccount"]) == [source.number], statement


def test_keys_owners_and_regions_arrive_in_the_policies(source: Account, target: Account) -> None:
    ours, theirs = target.create_key("us-west-2"), source.create_key(HOME, used_by=target.number)
    policy = policies.details([source.number, "111122223333"], policies.target("us-west-2", key=ours))
    retired = {"RetiredRegions": "eu-west-1,eu-west-2", "RetiredHomes": "eu-west-3", "RetiredPolicies": "old,a.b"}
    stack = deploy(target, policy, SourceKeyArns=theirs, **retired)
    by_sid = {each["Sid"]: each for each in deployed_statements(target) if "Sid" in each}
    assert by_sid["UseTargetKeys"]["Resource"] == by_sid["GrantTargetKeysToEbs"]["Resource"] == [ours]
    assert by_sid["UseSourceKeys"]["Resource"] == by_sid["GrantSourceKeysToEbs"]["Resource"] == [theirs]
    owners = by_sid["CopyFromSourceAccounts"]["Condition"]["StringEquals"]["ec2:Owner"]
    assert owners == [source.number, "111122223333"]
    deletable = by_sid["DeleteCopies"]["Condition"]["StringEquals"]["aws:RequestedRegion"]
    assert deletable == ["us-west-2", "eu-west-1", "eu-west-2"]
    assert by_sid["CreateTaggedCopies"]["Resource"] == "arn:aws:ec2:*::snapshot/${*}"
    for function in ("VerifyCopies", "DeleteExpiredCopies"):
        name = stack.outputs[f"{function}Function"]
        environment = target.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        assert environment["SNAPFERRY_RETIRED_REGIONS"] == "eu-west-1,eu-west-2"
        assert environment["SNAPFERRY_RETIRED_HOMES"] == "eu-west-3"
        assert environment["SNAPFERRY_RETIRED_POLICIES"] == "old,a.b"
