"""Attempts: every attribute of every kind of item, wrong in every way."""
import itertools
from collections import Counter
import time
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"
VALUES = [None, "garbage", "", 10**30, -1, 2**53, 2**53 - 1, 2**32, 0, True, [1], {"a": 1}, "2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
          "9999-12-30T22:00:00.999999999Z", "-009999-01-02T01:59:59Z", "v" * 900, "vol-0123abcd", "snap-0123abcd", "999999999999", "asked", "owed", "copying", "delayed"]
ATTRS = ["account", "lineage", "start", "by", "wanted", "generation", "state", "refused", "failed", "gone", "revision", "at", "copy", "why", "ttl", "token"]

def out(*a):
    with open("/tmp/xx/five.out", "a") as f:
        print("XX", *a, flush=True, file=f)

@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    return faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR, key=target.create_key(NEAR))))

def panics(copier):
    return [l[:200] for l in copier.stack.log(faults.COPIER) if "panic" in l]

@pytest.mark.parametrize("base", ["owed", "copying", "ended", "asked"])
def test_obligations(copier, source, aws, base):
    pairs = list(itertools.product(ATTRS, VALUES))
    n = len(pairs)
    aws.control.configure(in_flight_limits={NEAR: 0 if base == "owed" else 100_000}, hold_copies=base != "ended")
    if base == "asked":
        aws.control.inject_fault(action="CopySnapshot", code="InternalError", executed=True, shows_after=1)
    snapshots = copier.shared(source, n)
    for _ in range(12):
        copier.sweep_now()
        copier.serve()
    if base == "ended":
        for _ in range(4):
            copier.stack.invoke("verify-copies", {"run": "r"})
    aws.control.clear()
    states = Counter(copier.ledger.states())
    items = {each["sk"].split("#")[0][::-1]: each for each in copier.ledger.obligations()}
    what = {}
    for snapshot, (attr, value) in zip(snapshots, pairs):
        what[snapshot] = (attr, value if not isinstance(value, str) else value[:30])
        try:
            copier.ledger.poison([items[snapshot]], **{attr: value})
        except Exception as error:
            out("not written", attr, value, str(error)[:80])
    aws.control.configure(in_flight_limits={NEAR: 100_000})
    before = len(copier.stack.audit())
    errors = []
    def call(how):
        try:
            how()
        except Exception as error:
            errors.append(str(error)[:150])
    for step in range(10):
        call(copier.sweep_now); call(copier.serve); call(copier.serve)
        call(lambda: copier.ledger.age(minutes=4 * 60))
    made = copier.made(NEAR)
    out(base, n, states, "->", Counter(copier.ledger.states()), "errors", Counter(errors), "panics", panics(copier))
    out(base, "not copied after 36 h:", [what[s] for s in snapshots if made[s] == 0])
    out(base, "copied twice:", [what[s] for s in snapshots if made[s] > 1])
    out(base, Counter((r["event"], r["reason"]) for r in copier.stack.audit()[before:]))
    left = [(what.get(i["sk"].split("#")[0][::-1]), i["state"] if not isinstance(i.get("state"), str) else i["state"][:20]) for i in copier.ledger.obligations() if i.get("state") not in ("copying", "ended")]
    out(base, "left open:", left)

@pytest.mark.parametrize("kind", ["A#", "R"])
def test_turns_and_round(copier, source, stranger, aws, kind):
    aws.control.configure(hold_copies=True, in_flight_limits={NEAR: 0})
    copier.shared(source, 1); copier.shared(stranger, 1)
    copier.sweep_now()
    bad, errors = [], Counter()
    [first, *_] = copier.ledger.items(kind)
    names = sorted(set(first) - {"pk", "sk"} | ({"lineage", "tried"} if kind == "A#" else {"walk", "left", "open"}))
    out(kind, names)
    values = VALUES + (['[{"owner":"999999999999","next":"zz"}]', '[{"owner":"x","next":null}]', '{"shared":18446744073709551615,"beforeSince":18446744073709551615}', '{"eu-west-1":18446744073709551615}', "0 1 2", "fffffffffffffffffffffffffffff"] if kind == "R" else [])
    for attr in names:
        for value in values:
            aws.control.configure(in_flight_limits={NEAR: 0})
            [s] = copier.shared(source, 1)
            copier.ledger.age(minutes=2)
            copier.sweep_now() if kind == "A#" else copier.serve()
            try:
                copier.ledger.poison([i for i in copier.ledger.items(kind) if kind == "R" or i["sk"] == source.number], **{attr: value})
            except Exception as error:
                out("not written", attr, value); continue
            aws.control.configure(in_flight_limits={NEAR: 1_000_000})
            done = None
            for tick in range(6):
                try:
                    copier.sweep_now() if tick % 2 == 0 else copier.serve()
                except Exception as error:
                    errors[str(error)[:200]] += 1
                if copier.made(NEAR)[s]:
                    done = tick; break
                copier.ledger.age(minutes=15)
            if done is None or done > 1:
                bad.append((attr, str(value)[:40], done))
    out(kind, "slow or never:", bad, errors, panics(copier))

def test_items_of_another_kind(copier, source, stranger, aws):
    aws.control.configure(hold_copies=True, in_flight_limits={NEAR: 0}, share_seconds=0)
    snapshots = copier.shared(source, 6)
    copier.sweep_now()
    obligation = copier.ledger.obligations()[0]
    turn, round_ = copier.ledger.items("A#")[0], copier.ledger.items("R")[0]
    keys = ("pk", "sk", "lpk", "lsk")
    plain = lambda item: {k: v for k, v in item.items() if k not in keys}
    os = copier.ledger.obligations()
    copier.ledger.put({**plain(turn), "pk": os[0]["pk"], "sk": os[0]["sk"]})
    copier.ledger.put({**plain(round_), "pk": os[1]["pk"], "sk": os[1]["sk"], "lpk": f"L#{NEAR}#{source.number}", "lsk": "a"})
    copier.ledger.put({"pk": os[2]["pk"], "sk": os[2]["sk"]})
    copier.ledger.put({**plain(obligation), "pk": f"A#{NEAR}", "sk": source.number})
    copier.ledger.put({**plain(obligation), "pk": f"A#{NEAR}", "sk": "garbage", "lpk": f"L#{NEAR}#{source.number}", "lsk": "\x01"})
    copier.ledger.put({**plain(obligation), "pk": "H", "sk": "garbage"})
    copier.ledger.put({**plain(obligation), "pk": "H", "sk": snapshots[3]})
    copier.ledger.put({**plain(obligation), "pk": "R", "sk": "round"})
    copier.ledger.put({**plain(obligation), "pk": "O#0", "sk": "zzzz"})
    copier.ledger.put({"pk": "O#0", "sk": "0"})
    aws.control.configure(in_flight_limits={NEAR: 100})
    before = len(copier.stack.audit())
    for _ in range(6):
        try:
            copier.sweep_now(); copier.serve()
        except Exception as error:
            out(str(error)[:200])
        copier.ledger.age(minutes=4 * 60)
    out("kinds: made", Counter(copier.made(NEAR).values()), "of 6", panics(copier))
    out([(r["event"], r["reason"], (r.get("error") or {}).get("message", "")[:160]) for r in copier.stack.audit()[before:] if r["reason"] in ("sources-unread", "not-visible")][:6])
    out([(i["pk"], i["sk"][:20], i.get("state")) for i in copier.ledger.items()])
