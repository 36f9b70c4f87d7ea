"""What is to go wrong, where, and how often: injected faults, and copies that end badly."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.cloud.overlay.wildcards import matches

# A fault of any service is one of those that make copies. That of the ledger is something else, and asked for by name.
BY_DEFAULT = ("ec2", "kms")


class Occasion(Protocol):
    """What a rule looks at; a recorded call is one."""

    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...


def _has(parameters: Mapping[str, Any], name: str, value: str) -> bool:
    """Whether a request has this value, at a form's name or on a path into JSON."""
    if name in parameters:
        return matches([value], str(parameters[name]))
    found: Any = parameters
    for step in name.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return False
        found = found[step]
    return matches([value], str(found))


@dataclass(slots=True)
class Rule:
    """Strikes on matching occasions: after `skip` of them, `times` times, each with `probability`."""

    id: str
    service: str = ""  # ec2, kms, dynamodb or rds; empty: the first two
    action: str = ""  # empty: any
    region: str = ""
    account: str = ""
    # Each must be in the request; `*` and `?` are wildcards, and dots lead into JSON: `Item.pk.S`.
    parameters: dict[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    struck: int = 0
    _random: random.Random | None = None

    def matches(self, occasion: Occasion) -> bool:
        return (
            occasion.service in ([self.service] if self.service else BY_DEFAULT)
            and self.action in ("", occasion.action)
            and self.region in ("", occasion.region)
            and self.account in ("", occasion.account)
            and all(_has(occasion.parameters, name, value) for name, value in self.parameters.items())
        )

    def strikes(self, occasion: Occasion) -> bool:
        if not self.matches(occasion) or (self.times is not None and self.struck >= self.times):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self._random is None:
            self._random = random.Random(self.seed)
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Fault(Rule):
    """A call that goes wrong. Latency adds up over faults; the first of the other effects decides."""

    latency: float = 0.0
    code: str = ""  # answer this error, without executing
    executed: bool = False  # with `code`: answer it although the call is executed
    message: str = "injected"
    status: int = 0  # 0: what the service uses for the code, or 400
    drop: str = ""  # close the connection "before" or "after" executing
    hang: str = ""  # never answer, "before" or "after" executing
    lifted: asyncio.Event = field(default_factory=asyncio.Event)  # set when the fault is taken back
    shows_after: float = 0.0  # with `drop` or `hang` after, or `executed`: EC2 shows the copy only after that time
    kill: str = ""  # first kill -9 this function's processes; with no other effect the call is dropped before executing

    def decides(self) -> bool:
        return bool(self.code or self.drop or self.hang or self.kill)

    def check(self) -> None:
        for name, value in (("drop", self.drop), ("hang", self.hang)):
            if value not in ("", "before", "after"):
                raise ValueError(f"{name} is before or after, not {value!r}")
        if self.executed and not self.code:
            raise ValueError("executed goes with a code")
        if self.shows_after and not (self.executed or "after" in (self.drop, self.hang)):
            raise ValueError("shows_after goes with what is executed")
        if not self.decides() and self.latency <= 0:
            raise ValueError("a fault needs latency, code, drop, hang or kill")


@dataclass(slots=True)
class Spoil(Rule):
    """A copy that EC2 accepts and that ends otherwise than asked for."""

    state_message: str = ""  # ends in `error` with this; of a database, in `failed`
    kms_key: str = ""  # ends under this key (`aws/ebs` for the default key)
    unencrypted: bool = False  # ends unencrypted
    volume_size: int = 0  # ends with this size; of a database, its allocated storage

    def check(self) -> None:
        if not (self.state_message or self.kms_key or self.unencrypted or self.volume_size):
            raise ValueError("a spoiled copy needs state_message, kms_key, unencrypted or volume_size")
