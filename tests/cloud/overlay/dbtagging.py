"""Tags on snapshots of databases [RDS API reference, AddTagsToResource; RDS user guide, "Tagging Amazon RDS
resources"]."""

from collections.abc import Mapping

from tests.cloud.overlay import dbwire
from tests.cloud.overlay.dbmodel import ARN, INSTANCE, KINDS, Database
from tests.cloud.overlay.dbwire import RdsError, invalid
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Params, Response
from tests.cloud.overlay.world import World

# [RDS user guide, "Tagging Amazon RDS resources"]
MOST_TAGS, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256


def check(tags: Mapping[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise invalid(f"The tag {key[:40]!r} is longer than allowed")
        if key.lower().startswith(("aws:", "rds:")):
            raise invalid(f"The prefix of the tag {key[:40]!r} is reserved")
    if len(tags) > MOST_TAGS:
        raise invalid(f"A resource has at most {MOST_TAGS} tags")
    return dict(tags)


def is_about(params: Params) -> bool:
    """Whether the resource is a snapshot of a database; all others are the emulator's."""
    return ARN.fullmatch(params.get("ResourceName")) is not None


def _own(world: World, caller: Place, params: Params) -> Database:
    """The caller's own snapshot. Others' are not found [assumed: a recipient has no tags on what is shared]."""
    arn = params.required("ResourceName")
    snapshot = world.databases.by_arn(arn)
    if snapshot is None or snapshot.place != caller or snapshot.visible_from > world.clock.now():
        found = ARN.fullmatch(arn)
        kind = next((each for each in KINDS if found and each.arn_type == found.group(3)), INSTANCE)
        raise RdsError(kind.not_found, f"{arn} not found", 404)
    return snapshot


def add_tags(world: World, caller: Place, params: Params) -> Response:
    snapshot = _own(world, caller, params)
    snapshot.tags = check(snapshot.tags | check(dbwire.tags(params)))
    return dbwire.answer("AddTagsToResource")


def remove_tags(world: World, caller: Place, params: Params) -> Response:
    snapshot = _own(world, caller, params)
    gone = dbwire.items(params, "TagKeys", "member")
    snapshot.tags = {key: value for key, value in snapshot.tags.items() if key not in gone}
    return dbwire.answer("RemoveTagsFromResource")


def list_tags(world: World, caller: Place, params: Params) -> Response:
    return dbwire.answer("ListTagsForResource", dbwire.tag_list(_own(world, caller, params).tags))
