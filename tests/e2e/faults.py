"""A deployed stack under fire: shares with and without events, sweeps, and the law at the end."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.cloud import Call, until
from tests.e2e import laws
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS, Deployed, Record, deploy
from tests.e2e.ledger import Ledger

COPIER = "copy-shared-snapshots"
NO_SCHEDULES = {f"{each}Schedule": "rate(1 day)" for each in ("Sweep", "Serve", "Verify", "Expiry")}

_ticks = itertools.count(1)


def copier(target: Account, document: Any, **parameters: str) -> "Copier":
    """Deploy, with schedules that do not strike while a test runs."""
    return Copier(deploy(target, document, **NO_SCHEDULES, **parameters), document)


@dataclass(frozen=True)
class Copier(Deployed):
    """Snapferry in a target account, the policy it works by, and since when."""

    document: Any
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def function(self) -> str:
        return self.stack.outputs["CopySharedSnapshotsFunction"]

    # Snapshots

    def shared(self, owner: Account, count: int, *, events: bool = False, **how: Any) -> list[str]:
        """Snapshots of an account that it shares with this one."""
        share = {"account": owner.number, "region": HOME, "shared_with": [self.account.number], "notify": events}
        return self.control.create_snapshots({**share, **how} for _ in range(count))

    def show_copies(self) -> None:
        """Let EC2 show all copies, however long it would still have taken to."""
        for copy in self.control.snapshots(account=self.account.number):
            self.control.change_snapshot(copy["id"], copy["region"], visible_from=0, listed_from=0)

    def made(self, region: str) -> Counter[str]:
        """How many copies of each source there are in a Region, whether EC2 shows them or not."""
        copies = self.control.snapshots(account=self.account.number, region=region)
        return Counter(each["copy"]["source_id"] for each in copies if each["copy"] is not None)

    # Sweeps and the queue

    def sweep(self) -> Record:
        """One sweep through the queue, and its record."""
        tick = self.tick()
        [completed] = self.stack.wait_for_audit(event="sweep.completed", sweep__id=tick)
        return completed

    def whole_sweep(self) -> Record:
        """A sweep from its beginning to its end, and its record. A tick that comes while an earlier sweep could not be
        ended goes on with that one, and begins none."""

        def completed() -> list[Record]:
            tick = self.tick()
            self.wait_until_idle()
            return self.stack.audit(event="sweep.completed", sweep__id=tick)

        [record] = until(completed, within=PATIENCE_SECONDS, what="a sweep that its own tick began to be completed")
        return record

    def tick(self) -> str:
        """Put a tick into the queue and return its ID."""
        tick = f"tick-{next(_ticks)}"
        self.stack.send(json.dumps({"sweep": tick}))
        return tick

    def sweep_now(self) -> str:
        """One sweep past the queue, and its ID; the queue must be idle, for it is what keeps the writers apart."""
        tick = f"tick-{next(_ticks)}"
        self.stack.invoke(COPIER, {"sweep": tick})
        return tick

    def serve(self) -> str:
        """One tick that serves the line, past the queue, and its ID; the queue must be idle."""
        tick = f"tick-{next(_ticks)}"
        self.stack.invoke(COPIER, {"serve": tick})
        return tick

    @property
    def ledger(self) -> Ledger:
        return self.stack.ledger

    def wait_until_idle(self) -> None:
        """Wait until the queue holds nothing, waiting or in flight."""
        what = "the copier's queue to be empty"
        until(lambda: self.queued("CopierQueueUrl") == 0, within=PATIENCE_SECONDS, what=what)

    def queued(self, queue: str) -> int:
        """How many messages a queue of the stack holds, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.stack.outputs[queue]
        held = self.account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(held[name]) for name in names)

    def set_visibility_timeout(self, seconds: int) -> None:
        """Let a message that nobody acknowledged come again after that time, which the template makes six minutes."""
        url = self.stack.outputs["CopierQueueUrl"]
        self.account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    # What came of it

    def verdict(self) -> laws.Verdict:
        """The law, now."""
        home, rules = self.stack.region, laws.rules(self.document)
        scope = laws.Scope(self.account.number, home, rules, self.since, datetime.now(UTC))
        return laws.judge(scope, self.control.snapshots())

    def settle(self, *, within: float = PATIENCE_SECONDS) -> Record:
        """Sweep until nothing is missing; then the law must be kept, and one more sweep must find nothing to do."""

        def quiet() -> bool:
            self.tick()
            self.wait_until_idle()
            verdict = self.verdict()
            assert (verdict.duplicates, verdict.wrong) == ([], [])
            return verdict.kept

        until(quiet, within=within, what="sweeps to settle")
        before = len(self.copy_calls())
        last = self.whole_sweep()
        assert len(self.copy_calls()) == before
        assert self.verdict().kept, self.verdict()
        assert (last["sweep"]["missing"], last["sweep"]["unknown"], last["sweep"]["deferred"]) == (0, 0, {})
        return last

    def copy_calls(self, **wanted: Any) -> list[Call]:
        """The CopySnapshot calls so far."""
        return self.control.calls(account=self.account.number, action="CopySnapshot", **wanted)

    def asked(self, **wanted: Any) -> Counter[tuple[str, str]]:
        """How often each snapshot's copy was asked for in each Region."""
        return Counter((call.parameters["SourceSnapshotId"], call.region) for call in self.copy_calls(**wanted))

    def deferred(self, **wanted: Any) -> Counter[tuple[str, str, str]]:
        """How often each snapshot's copy was deferred in each Region, and why."""
        return Counter(
            (record["source"]["snapshot"], record["copy"]["region"], record["reason"])
            for record in self.stack.audit(event="copy.deferred", **wanted)
            if "source" in record
        )

    def not_tried(self, **wanted: Any) -> list[tuple[str, str, int]]:
        """What one record told of copies that were not tried one by one: the Region, why, and how many; sorted."""
        return sorted(
            (record["copy"]["region"], record["reason"], record["count"])
            for record in self.stack.audit(event="copy.deferred", **wanted)
            if "source" not in record and "copy" in record
        )
