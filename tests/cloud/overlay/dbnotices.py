"""RDS's events about snapshots of instances.

They go to the snapshot's owner in its Region; none is listed for a share, or for copies of clusters' snapshots
[RDS user guide, "Amazon RDS event categories and event messages"]. Their form is that of [RDS user guide, "Creating a
rule that triggers on an Amazon RDS event"]. Assumed: that a copy across accounts and Regions makes those of one across
Regions, the categories, and the words of deletion.
"""

from tests.cloud.overlay.clock import iso
from tests.cloud.overlay.dbmodel import INSTANCE, Database
from tests.cloud.overlay.notices import Event, emit
from tests.cloud.overlay.world import World


def started(world: World, made: Database) -> None:
    if made.region == made.source_region:
        _tell(world, made, "0196", "creation", f"Started copy of snapshot {made.copied_from} in region {made.region}")
    else:
        _tell(world, made, "0059", "notification", f"Started the copy of the snapshot from region {made.source_region}")


def finished(world: World, made: Database) -> None:
    if made.region == made.source_region:
        _tell(world, made, "0197", "creation", f"Finished copy of snapshot {made.copied_from} in region {made.region}")
    else:
        words = f"Finished the copy of the snapshot from region {made.source_region}"
        _tell(world, made, "0060", "notification", words)


def deleted(world: World, snapshot: Database) -> None:
    """Deleting what is being copied cancels the copy."""
    if snapshot.status != "copying":
        _tell(world, snapshot, "0041", "deletion", "Deleted user snapshot")
    elif snapshot.region == snapshot.source_region:
        _tell(world, snapshot, "0190", "notification", f"Canceled copy of snapshot {snapshot.copied_from}")
    else:
        words = f"Canceled snapshot copy request from region {snapshot.source_region}"
        _tell(world, snapshot, "0061", "notification", words)


def _tell(world: World, snapshot: Database, number: str, category: str, message: str) -> None:
    if snapshot.kind is not INSTANCE:
        return
    detail = {
        "EventCategories": [category],
        "SourceType": "SNAPSHOT",
        "SourceArn": snapshot.arn,
        "Date": iso(world.clock.now()),
        "SourceIdentifier": snapshot.id,
        "Message": message,
        "EventID": f"RDS-EVENT-{number}",
    }
    emit(world, Event(snapshot.place, detail, [snapshot.arn], "RDS DB Snapshot Event", "aws.rds"))
