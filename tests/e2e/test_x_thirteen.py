"""Attempts: a policy that is renamed while copies are under way."""
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import redeploy

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/thirteen.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_policy_gone(source, target, aws):
    key = target.create_key(NEAR)
    details = policies.details([source.number], policies.target(NEAR, key=key))
    copier = faults.copier(target, policies.lifecycle_policy("p-old", details))
    aws.control.configure(hold_copies=True)
    [s] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    redeploy(copier.stack, policies.lifecycle_policy("p-new", details))
    source.unshare(s, copier.account.number)
    aws.control.configure(hold_copies=False)
    aws.control.release_copies()
    for _ in range(5):
        copier.ledger.age(minutes=24 * 60)
        copier.sweep_now(); copier.serve()
        copier.stack.invoke("verify-copies", {"run": "r"})
    out("policy renamed:", copier.ledger.states(), Counter((r["event"], r["reason"]) for r in copier.stack.audit() if not r["event"].startswith("sweep")), Counter((r["event"], r["reason"]) for r in copier.stack.audit("verify-copies")))

def test_owner_removed_while_copying_fails(source, stranger, target, aws):
    """Removed owner; the copy under way fails then; the source is un-shared."""
    key = target.create_key(NEAR)
    copier = faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR, key=key)))
    aws.control.configure(hold_copies=True)
    aws.control.spoil_copies(state_message="Given key ID is not accessible")
    [s] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    redeploy(copier.stack, policies.details([stranger.number], policies.target(NEAR, key=key)))
    aws.control.release_copies()
    for _ in range(3):
        copier.stack.invoke("verify-copies", {"run": "r"})
        copier.ledger.age(minutes=60)
        copier.sweep_now(); copier.serve()
    out("owner removed, copy failed:", copier.ledger.states(), Counter((r["event"], r["reason"]) for r in copier.stack.audit() if not r["event"].startswith("sweep")), Counter((r["event"], r["reason"]) for r in copier.stack.audit("verify-copies")))
