"""DescribeKey across accounts and Regions."""

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, STRANGER, TARGET, key, naming, refused


def test_states_of_ones_own_key(aws: LocalAws) -> None:
    kms, own = aws.client("kms", TARGET, HOME), key(aws, TARGET, HOME)

    def state() -> str:
        described: str = kms.describe_key(KeyId=own)["KeyMetadata"]["KeyState"]
        return described

    assert state() == "Enabled"
    kms.disable_key(KeyId=own)
    assert state() == "Disabled"
    kms.enable_key(KeyId=own)
    assert state() == "Enabled"
    kms.schedule_key_deletion(KeyId=own, PendingWindowInDays=7)
    assert state() == "PendingDeletion"
    imported = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    assert kms.describe_key(KeyId=imported)["KeyMetadata"]["KeyState"] == "PendingImport"


def test_a_customers_key_and_amazons(aws: LocalAws) -> None:
    kms = aws.client("kms", TARGET, HOME)
    own = kms.describe_key(KeyId=key(aws, TARGET, HOME))["KeyMetadata"]
    default = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert (own["KeyManager"], own["AWSAccountId"]) == ("CUSTOMER", TARGET)
    assert (default["KeyManager"], default["KeyState"]) == ("AWS", "Enabled")
    assert default == kms.describe_key(KeyId=default["Arn"])["KeyMetadata"]
    elsewhere = aws.client("kms", TARGET, AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert elsewhere["Arn"] != default["Arn"]


def test_another_accounts_key_is_readable_if_its_policy_says_so(aws: LocalAws) -> None:
    closed = key(aws, SOURCE, HOME)
    opened = key(aws, SOURCE, HOME, statements=naming(TARGET, actions=["kms:Describe*", "kms:CreateGrant"]))
    grants = key(aws, SOURCE, HOME, statements=naming(TARGET, actions="kms:CreateGrant"))
    kms = aws.client("kms", TARGET, HOME)
    assert kms.describe_key(KeyId=opened)["KeyMetadata"]["AWSAccountId"] == SOURCE
    absent = closed.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    for unreadable in (closed, grants, absent):
        with refused("AccessDeniedException", "kms:DescribeKey"):
            kms.describe_key(KeyId=unreadable)
    with refused("AccessDeniedException"):
        aws.client("kms", STRANGER, HOME).describe_key(KeyId=opened)


def test_a_role_in_a_policy_names_its_account_and_a_denial_wins(aws: LocalAws) -> None:
    role = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{TARGET}:role/copier"}, "Action": "kms:*"}]
    everybody = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "kms:*",
            "Condition": {"StringEquals": {"kms:CallerAccount": TARGET}},
        }
    ]
    denial = [{"Effect": "Deny", "Principal": "*", "Action": "kms:DescribeKey"}]
    kms = aws.client("kms", TARGET, HOME)
    for statements in (role, everybody):
        assert kms.describe_key(KeyId=key(aws, SOURCE, HOME, statements=statements))["KeyMetadata"]["Enabled"]
        with refused("AccessDeniedException"):
            kms.describe_key(KeyId=key(aws, SOURCE, HOME, statements=statements + denial))
    with refused("AccessDeniedException"):
        aws.client("kms", STRANGER, HOME).describe_key(KeyId=key(aws, SOURCE, HOME, statements=everybody))


@pytest.mark.parametrize("name", ["00000000-0000-0000-0000-000000000000", "alias/none"])
def test_ones_own_key_that_does_not_exist(aws: LocalAws, name: str) -> None:
    with refused("NotFoundException"):
        aws.client("kms", TARGET, HOME).describe_key(KeyId=name)


def test_a_key_of_another_region_and_a_malformed_arn(aws: LocalAws) -> None:
    with refused("NotFoundException", "Invalid arn us-east-1"):
        aws.client("kms", TARGET, HOME).describe_key(KeyId=key(aws, TARGET, AWAY))
    with refused("InvalidArnException"):
        aws.client("kms", TARGET, HOME).describe_key(KeyId="arn:aws:kms:eu-west-1:nobody:key/1")
