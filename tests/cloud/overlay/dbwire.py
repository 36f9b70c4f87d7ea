"""RDS's query protocol: lists and XML as its service model (2014-10-31, as botocore ships it) names them."""

from collections.abc import Iterable, Mapping
from uuid import uuid4

from tests.cloud.overlay.wire import Ec2Error, Params, Response, elements, request_id

NAMESPACE = "http://rds.amazonaws.com/doc/2014-10-31/"

_HEADERS = {"Content-Type": "text/xml"}


class RdsError(Ec2Error):
    """An answer that is an error; `code` is RDS's."""


def invalid(message: str) -> RdsError:
    """A parameter that RDS does not take [RDS API reference, "Common Errors"]."""
    return RdsError("InvalidParameterValue", message)


def combination(message: str) -> RdsError:
    """Parameters that do not go together [RDS API reference, "Common Errors"]."""
    return RdsError("InvalidParameterCombination", message)


def items(params: Params, name: str, member: str) -> list[str]:
    """A list of texts, whether the client writes the member's own name or `member`."""
    return params.members(f"{name}.{member}") or params.members(f"{name}.member")


def tags(params: Params, name: str = "Tags") -> dict[str, str]:
    return dict(params.tags(f"{name}.Tag")) or dict(params.tags(f"{name}.member"))


def filters(params: Params) -> list[tuple[str, list[str]]]:
    """`Filters.Filter.N.Name` with `Filters.Filter.N.Values.Value.M`."""
    prefix = "Filters.Filter" if params.indices("Filters.Filter") else "Filters.member"
    return [
        (params.get(f"{prefix}.{n}.Name"), items(params, f"{prefix}.{n}.Values", "Value"))
        for n in params.indices(prefix)
    ]


def tag_list(found: Mapping[str, str], name: str = "TagList") -> str:
    inner = "".join(f"<Tag>{elements(Key=key, Value=value)}</Tag>" for key, value in found.items())
    return f"<{name}>{inner}</{name}>"


def listing(name: str, member: str, found: Iterable[str]) -> str:
    """A list as RDS writes it: `<name><member>…</member></name>`."""
    return f"<{name}>" + "".join(f"<{member}>{each}</{member}>" for each in found) + f"</{name}>"


def answer(action: str, inner: str = "") -> Response:
    body = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{_ident()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, dict(_HEADERS), body.encode()


def refusal(code: str, message: str, status: int) -> Response:
    kind = "Receiver" if status >= 500 else "Sender"
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{elements(Type=kind, Code=code, Message=message)}</Error>'
        f"<RequestId>{_ident()}</RequestId></ErrorResponse>"
    )
    return status, dict(_HEADERS), body.encode()


def _ident() -> str:
    return request_id.get() or str(uuid4())
