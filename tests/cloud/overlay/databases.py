"""RDS's operations on snapshots of databases, answered before the emulator, which knows neither sharing nor copying and
answers RDS beside the event loop. Everything else of RDS is the emulator's."""

from collections.abc import Callable

from tests.cloud.overlay import dbcopying, dbdescribing, dbsharing, dbtagging, dbwire
from tests.cloud.overlay.calls import Call
from tests.cloud.overlay.dbmodel import CLUSTER, INSTANCE, KINDS, Kind
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params, Response
from tests.cloud.overlay.world import World

Action = Callable[[World, Place, Params], Response]
OfKind = Callable[[World, Place, Params, Kind], Response]


def _not_modelled(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    """The emulator's snapshots would be others than those that are described here."""
    raise dbwire.RdsError("InvalidAction", f"Not modelled: make a {kind.name} by the control client.")


_OF_KIND: dict[str, OfKind] = {
    "Copy{}": dbcopying.copy,
    "Create{}": _not_modelled,
    "Delete{}": dbcopying.delete,
    "Describe{}Attributes": dbsharing.attributes,
    "Describe{}s": dbdescribing.describe,
    "Modify{}Attribute": dbsharing.modify,
}
_BY_KIND = {form.format(kind.name): (action, kind) for form, action in _OF_KIND.items() for kind in KINDS}
_RESTORES = {"RestoreDBInstanceFromDBSnapshot": INSTANCE, "RestoreDBClusterFromSnapshot": CLUSTER}
_TAGGING: dict[str, Action] = {
    "AddTagsToResource": dbtagging.add_tags,
    "ListTagsForResource": dbtagging.list_tags,
    "RemoveTagsFromResource": dbtagging.remove_tags,
}


def answer(world: World, call: Call) -> Response | None:
    """The answer to a call, or None if it is the emulator's."""
    if call.service != "rds":
        return None
    caller, params = Place(call.account, call.region), Params(call.parameters)
    try:
        return _act(world, caller, params, call.action)
    except Ec2Error as error:
        return dbwire.refusal(error.code, error.message, error.status)


def _act(world: World, caller: Place, params: Params, action: str) -> Response | None:
    if action == "DescribeAccountAttributes":
        return dbdescribing.describe_account_attributes(world, caller, params)
    if action in _TAGGING and dbtagging.is_about(params):
        return _TAGGING[action](world, caller, params)
    if action in _RESTORES:
        return _not_modelled(world, caller, params, _RESTORES[action])
    if action not in _BY_KIND:
        return None
    act, kind = _BY_KIND[action]
    return act(world, caller, params, kind)
