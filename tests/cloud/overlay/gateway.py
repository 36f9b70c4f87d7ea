"""Stands before the emulator: records EC2, KMS, DynamoDB and RDS calls, injects faults, answers the control client."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from uuid import uuid4

from tests.cloud.overlay import (
    blocks,
    clock,
    connections,
    databases,
    dbwire,
    functions,
    resources,
    roles,
    steering,
    wire,
)
from tests.cloud.overlay.asgi import (
    Answer,
    Message,
    Receive,
    Send,
    disconnected,
    json_answer,
    send_answer,
    whole_body,
)
from tests.cloud.overlay.calls import Call
from tests.cloud.overlay.emulator import account_of
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.rules import Fault
from tests.cloud.overlay.world import World

App = Callable[[Any, Receive, Send], Awaitable[None]]

CONTROL = "/_overlay/"
RECORDED = ("ec2", "kms", "dynamodb", "rds")
# Their requests are JSON, and so are their errors.
JSON_VERSIONS = {"kms": "1.1", "dynamodb": "1.0"}

_CREDENTIAL = re.compile(rb"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# The status that goes with a code when a fault names none [EC2 API reference, "Error codes"].
_STATUS = {
    "AuthFailure": 403,
    "UnauthorizedOperation": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "OptInRequired": 403,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
}


class Gateway:
    """The ASGI application."""

    def __init__(self, app: App, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            clockwork = asyncio.create_task(self.world.clock.run())
            try:
                await self.app(scope, receive, send)
            finally:
                clockwork.cancel()
        elif scope["type"] == "http" and scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
        elif scope["type"] == "http" and (signer := _signer(scope)) is not None:
            action = self._blocks if signer.service == "ebs" else self._recorded
            await action(signer, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _control(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer the control client: JSON in, JSON out."""
        body = await whole_body(receive)
        self.world.clock.settle()
        try:
            result = steering.steer(self.world, scope["path"].removeprefix(CONTROL), json.loads(body or b"{}"))
            answer = json_answer(200, result)
        except (KeyError, TypeError, ValueError) as error:
            answer = json_answer(400, {"error": f"{type(error).__name__}: {error}"})
        await send_answer(send, answer)

    async def _blocks(self, signer: "Signer", scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer the EBS direct APIs, which the emulator does not have."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        asked = blocks.Asked(scope["method"], scope["path"], query, headers, await whole_body(receive))
        self.world.clock.settle()
        status, said, body = blocks.answer(self.world, Place(signer.account, signer.region), asked)
        said = {**said, "x-amzn-requestid": str(uuid4())}
        await send_answer(send, Answer(status, [(name.encode(), value.encode()) for name, value in said.items()], body))

    async def _recorded(self, signer: "Signer", scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Record a call, let faults strike, and let the emulator execute it or not."""
        body = await whole_body(receive)
        call = self._begin(signer, scope, body)
        fault = await self._strike(call)
        if fault and fault.kill:
            functions.kill(fault.kill)
        if fault and await self._ends_before(fault, call, scope, receive, send):
            return
        self.world.clock.settle()
        call.resources = resources.of(self.world, call)
        token = wire.request_id.set(call.request_id)
        try:
            answer = _own(self.world, call) or await self._execute(scope, body, receive)
        finally:
            wire.request_id.reset(token)
        self._end(call, answer)
        if fault and fault.shows_after:
            self._show_later(call, fault.shows_after)
        if fault and fault.code:
            answer = self._refuse(fault, call)
        elif fault and "after" in (fault.drop, fault.hang):
            await self._withhold(fault, "after", call, scope, receive)
            return
        await send_answer(send, answer)

    def _begin(self, signer: "Signer", scope: dict[str, Any], body: bytes) -> Call:
        headers = dict(scope["headers"])
        action, parameters = _read(signer.service, headers, body)
        call = Call(
            number=len(self.world.calls.all) + 1,
            time=clock.iso(self.world.clock.now()),
            account=signer.account,
            region=signer.region,
            service=signer.service,
            action=action,
            parameters=parameters,
            request_id=str(uuid4()),
            user_agent=headers.get(b"user-agent", b"").decode("latin-1"),
            role=roles.of(headers),
            request_tags=resources.request_tags(signer.service, parameters),
        )
        self.world.calls.all.append(call)
        return call

    async def _strike(self, call: Call) -> Fault | None:
        """The fault that decides about this call, after all latencies."""
        latency, deciding = 0.0, None
        for fault in self.world.faults:
            if fault.strikes(call):
                call.fault = fault.id
                latency += fault.latency
                if fault.decides():
                    deciding = fault
                    break
        if latency:
            await asyncio.sleep(latency)
        return deciding

    async def _ends_before(self, fault: Fault, call: Call, scope: dict[str, Any], receive: Receive, send: Send) -> bool:
        """Whether the call ended without being executed."""
        if fault.code and fault.executed:
            return False
        if fault.code:
            await send_answer(send, self._refuse(fault, call))
        elif "before" in (fault.drop, fault.hang) or not (fault.drop or fault.hang):
            await self._withhold(fault, "before", call, scope, receive)
        else:
            return False
        return True

    def _refuse(self, fault: Fault, call: Call) -> Answer:
        answer = _error(call, fault)
        call.outcome, call.status = fault.code, answer.status
        return answer

    async def _withhold(self, fault: Fault, when: str, call: Call, scope: dict[str, Any], receive: Receive) -> None:
        """Cut the connection; if it is to hang, first wait until the client gives up or the fault is taken back."""
        call.outcome = f"{'hung' if fault.hang else 'dropped'}-{when}"
        if fault.hang:
            waits = {asyncio.ensure_future(disconnected(receive)), asyncio.ensure_future(fault.lifted.wait())}
            _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in pending:
                each.cancel()
        connections.cut(scope)

    async def _execute(self, scope: dict[str, Any], body: bytes, receive: Receive) -> Answer:
        """The emulator's answer."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        messages: list[Message] = []

        async def capture(message: Message) -> None:
            messages.append(message)

        await self.app(scope, replay, capture)
        start = next(each for each in messages if each["type"] == "http.response.start")
        payload = b"".join(each.get("body", b"") for each in messages if each["type"] == "http.response.body")
        return Answer(start["status"], [(name, value) for name, value in start["headers"]], payload)

    def _end(self, call: Call, answer: Answer) -> None:
        """Complete the record, and give header and body of the answer the same request ID."""
        call.executed = True
        call.status = answer.status
        call.outcome = "ok" if answer.status < 400 else _code(answer.body)
        for n, (name, _) in enumerate(answer.headers):
            if name.lower() == b"x-amzn-requestid":
                answer.headers[n] = (name, call.request_id.encode())
        made = re.search(rb"<snapshotId>(snap-[0-9a-f]+)</snapshotId>", answer.body)
        if call.outcome == "ok" and made and call.action in ("CopySnapshot", "CreateSnapshot"):
            call.created = made.group(1).decode()

    def _show_later(self, call: Call, seconds: float) -> None:
        """Let EC2 not show the copy that a call made for that time."""
        made = self.world.find(call.region, call.created)
        if made is not None:
            made.visible_from = self.world.clock.now() + seconds


def _own(world: World, call: Call) -> Answer | None:
    """The answer to a call that the emulator is not asked."""
    if (found := databases.answer(world, call)) is None:
        return None
    status, said, body = found
    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    return Answer(status, [*headers, (b"x-amzn-requestid", call.request_id.encode())], body)


class Signer(NamedTuple):
    """Who calls which service where, as the signature says."""

    account: str
    region: str
    service: str


def _signer(scope: dict[str, Any]) -> Signer | None:
    """The signer of a call that is recorded, or answered here."""
    for name, value in scope["headers"]:
        if name == b"authorization" and (found := _CREDENTIAL.search(value)):
            key, region, service = (part.decode() for part in found.groups())
            if service not in (*RECORDED, "ebs"):
                return None
            return Signer(account_of(key), region, service)
    return None


def _read(service: str, headers: dict[bytes, bytes], body: bytes) -> tuple[str, dict[str, Any]]:
    """Action and parameters of a call."""
    if service in JSON_VERSIONS:
        target = headers.get(b"x-amz-target", b"").decode()
        try:
            return target.partition(".")[2], dict(json.loads(body or b"{}"))
        except ValueError:
            return target.partition(".")[2], {}
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    form.pop("Version", None)
    return form.pop("Action", ""), form


def _error(call: Call, fault: Fault) -> Answer:
    status = fault.status or _STATUS.get(fault.code, 400)
    ident = [(b"x-amzn-requestid", call.request_id.encode())]
    if version := JSON_VERSIONS.get(call.service):
        body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        form = f"application/x-amz-json-{version}".encode()
        kind = [(b"content-type", form), (b"x-amzn-errortype", fault.code.encode())]
        return Answer(status, kind + ident, body)
    token = wire.request_id.set(call.request_id)
    _, _, body = (dbwire if call.service == "rds" else wire).refusal(fault.code, fault.message, status)
    wire.request_id.reset(token)
    return Answer(status, [(b"content-type", b"text/xml;charset=UTF-8"), *ident], body)


def _code(body: bytes) -> str:
    """The error code of an answer, whatever its form."""
    found = re.search(rb"<Code>([^<]+)</Code>", body) or re.search(rb'"__type":\s*"(?:[^"#]*#)?([^"]+)"', body)
    return found.group(1).decode() if found else "error"
