"""Attempts: two policies into one Region, one of which has to wait."""
from collections import Counter
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/seven.out", "a") as f:
        print("XX", *a, flush=True, file=f)

@pytest.mark.parametrize("how", ["duration", "key"])
def test_two_policies(source, target, aws, how):
    bad = {"duration": {"CompletionDurationMinutes": 60}, "key": {}}[how]
    key = target.create_key(NEAR)
    good_key = target.create_key(NEAR)
    document = [
        policies.lifecycle_policy("policy-a", policies.details([source.number], policies.target(NEAR, key=key, **bad))),
        policies.lifecycle_policy("policy-b", policies.details([source.number], policies.target(NEAR, key=good_key))),
    ]
    copier = faults.copier(target, document)
    n = 10
    if how == "duration":
        aws.control.configure(duration_refusal="ResourceLimitExceeded")
    else:
        n = 200
        target.client("kms", NEAR).disable_key(KeyId=key)
    aws.control.configure(hold_copies=True, in_flight_limits={NEAR: 1000}, **({"duration_refusal": "RequestLimitForDuration"} if how == "duration" else {}))
    copier.shared(source, n)
    copier.sweep_now()
    counts = []
    for tick in range(20):
        copier.ledger.age(minutes=1)
        copier.serve() if tick % 10 else copier.sweep_now()
        counts.append(Counter(s["tags"].get("snapferry:policy") for s in aws.control.snapshots(account=target.number, region=NEAR))["policy-b"])
    out(how, n, "copies of policy-b after each tick", counts)
    out(Counter((r["event"], r["reason"]) for r in copier.stack.audit()))
