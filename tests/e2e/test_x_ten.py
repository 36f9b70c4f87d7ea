"""Attempts: words of copy.missed; a fresh flood with gone sources."""
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/ten.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_words(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0})
    [s] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred")
    copier.wait_until_idle()
    source.unshare(s, copier.account.number)
    aws.control.configure(in_flight_limits={})
    for _ in range(4):
        copier.serve()
        copier.ledger.age(minutes=10)
    copier.sweep_now(); copier.sweep_now()
    out([r["message"] for r in copier.stack.audit(event="copy.missed")], copier.copy_calls())
    out(Counter((r["event"], r["reason"]) for r in copier.stack.audit()))

def test_a_whole_accounts_stop(source, stranger, target, aws):
    """A good account and one whose 300 snapshots go while they wait; 3 slots a tick."""
    copier = faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0}, hold_copies=True)
    gone = copier.shared(source, 300)
    good_same = copier.shared(source, 3)
    good = copier.shared(stranger, 3)
    copier.sweep_now()
    for each in gone:
        source.unshare(each, copier.account.number)
    aws.control.configure(in_flight_limits={NEAR: 1000})
    ticks = []
    for tick in range(8):
        copier.ledger.age(minutes=1)
        copier.serve()
        made = copier.made(NEAR)
        ticks.append((sum(made[x] for x in good_same), sum(made[x] for x in good)))
    out("gone flood: (same account's good of 3, other's of 3) after each tick", ticks)
