"""Attempts: a turn whose lineage is longer than DynamoDB takes in a key condition (the emulator takes it: the fault answers as DynamoDB does)."""
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/eleven.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_turn(source, stranger, target, aws):
    copier = faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0}, hold_copies=True)
    a, b = copier.shared(source, 10), copier.shared(stranger, 10)
    copier.sweep_now()
    copier.ledger.poison([t for t in copier.ledger.items("A#") if t["sk"] == source.number], lineage="v" * 1500)
    aws.control.inject_fault(service="dynamodb", action="Query", parameters={"ExpressionAttributeValues.:after.S": "vvvv*"}, code="ValidationException", status=400,
        message="One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
    aws.control.configure(in_flight_limits={NEAR: 1000})
    ticks, errors = [], Counter()
    for tick in range(30):
        copier.ledger.age(minutes=60)
        try:
            copier.sweep_now() if tick % 5 == 0 else copier.serve()
        except Exception as error:
            errors[str(error)[-120:]] += 1
        made = copier.made(NEAR)
        ticks.append((sum(made[x] for x in a), sum(made[x] for x in b)))
    out("edited account's, other's copies after each tick (an hour each)", ticks)
    out(errors, Counter((r["event"], r["reason"]) for r in copier.stack.audit()))
