"""MaxResults and NextToken [EC2 API reference, "Pagination"]."""

from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params
from tests.cloud.overlay.world import World

FEWEST, MOST = 5, 1_000


def size(params: Params) -> int:
    """How many items a page holds: 5 to 1000, and 1000 when nothing is asked for."""
    return params.number("MaxResults", FEWEST, MOST) or MOST


def resume(world: World, viewer: Place, token: str) -> tuple[str, int, list[str]]:
    """The answer that a token belongs to, and where to go on in it."""
    cursor, _, offset = token.partition(".")
    ids = world.kept(viewer, cursor)
    if ids is None or not offset.isdigit():
        raise Ec2Error("InvalidNextToken", f"The token '{token}' is invalid")
    return cursor, int(offset), ids


def cut(world: World, viewer: Place, ids: list[str], params: Params) -> tuple[list[str], str | None]:
    """The first page of an answer, and the token of the next."""
    count = size(params)
    if len(ids) <= count:
        return ids, None
    return ids[:count], f"{world.keep(viewer, ids)}.{count}"


def next_page(world: World, viewer: Place, params: Params) -> tuple[list[str], str | None]:
    """The page that NextToken names, and the token of the one after it."""
    cursor, offset, ids = resume(world, viewer, params.get("NextToken"))
    end = offset + size(params)
    return ids[offset:end], f"{cursor}.{end}" if end < len(ids) else None
