"""EC2's query protocol: parameters out of a form, XML or an error back."""

import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from html import escape
from uuid import uuid4

Response = tuple[int, dict[str, str], bytes]

# The gateway sets this for each request, so that the body and the header of an answer name the same request.
request_id: ContextVar[str] = ContextVar("request_id", default="")

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"

# What XML 1.0 cannot carry even when escaped.
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_STATUS = {"AuthFailure": 403, "UnauthorizedOperation": 403, "DryRunOperation": 412}


class Ec2Error(Exception):
    """An answer that is an error; `code` is EC2's [EC2 API reference, "Error codes"]."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status if status is not None else _STATUS.get(code, 400)


class Params:
    """The parameters of one request."""

    def __init__(self, raw: Mapping[str, list[str] | str]) -> None:
        self.flat = {key: (value if isinstance(value, str) else value[0]) for key, value in raw.items() if value}

    def get(self, name: str, default: str = "") -> str:
        return self.flat.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.flat

    def flag(self, name: str) -> bool | None:
        """A boolean parameter, or None when it is not given."""
        if name not in self.flat:
            return None
        text = self.flat[name].lower()
        if text not in ("true", "false"):
            raise Ec2Error("InvalidParameterValue", f"Invalid value '{self.flat[name]}' for parameter {name}.")
        return text == "true"

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds, or None when it is not given."""
        text = self.flat.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"-?\d+", text) or not low <= int(text) <= high:
            raise Ec2Error(
                "InvalidParameterValue",
                f"Value ( {text} ) for parameter {name} is invalid. Expecting a value from {low} to {high}.",
            )
        return int(text)

    def required(self, name: str) -> str:
        value = self.flat.get(name, "")
        if not value:
            raise Ec2Error("MissingParameter", f"The request must contain the parameter {name}")
        return value

    def indices(self, prefix: str) -> list[int]:
        """The numbers N for which some `prefix.N…` is given."""
        pattern = re.compile(re.escape(prefix) + r"\.(\d+)(\.|$)")
        return sorted({int(found.group(1)) for key in self.flat if (found := pattern.match(key))})

    def members(self, prefix: str) -> list[str]:
        """`prefix.1`, `prefix.2`, …"""
        return [self.flat[f"{prefix}.{n}"] for n in self.indices(prefix) if f"{prefix}.{n}" in self.flat]

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """`prefix.N.Key` with `prefix.N.Value`."""
        for n in self.indices(prefix):
            yield self.get(f"{prefix}.{n}.Key"), self.get(f"{prefix}.{n}.Value")

    def dry_run(self) -> None:
        """Answer a dry run; actions call this when everything that EC2 checks at once has been checked."""
        if self.flag("DryRun"):
            raise Ec2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


def text(value: object) -> str:
    """A value as XML text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNPRINTABLE.sub("\ufffd", escape(str(value), quote=False))


def element(name: str, value: object) -> str:
    """One element, or nothing for None."""
    return "" if value is None else f"<{name}>{text(value)}</{name}>"


def elements(**values: object) -> str:
    return "".join(element(name, value) for name, value in values.items())


def listing(name: str, items: list[str]) -> str:
    """A list as EC2 writes it: `<name><item>…</item></name>`."""
    return f"<{name}>" + "".join(f"<item>{item}</item>" for item in items) + f"</{name}>"


def answer(action: str, inner: str = "<return>true</return>") -> Response:
    ident = request_id.get() or str(uuid4())
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE}">'
        f"<requestId>{ident}</requestId>{inner}</{action}Response>"
    )
    return 200, {"Content-Type": "application/xml"}, body.encode()


def refusal(code: str, message: str, status: int) -> Response:
    ident = request_id.get() or str(uuid4())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
        f"{elements(Code=code, Message=message)}</Error></Errors>{element('RequestID', ident)}</Response>"
    )
    return status, {"Content-Type": "application/xml"}, body.encode()
