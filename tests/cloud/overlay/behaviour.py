"""How the world behaves at the moment; the control client changes it while the server runs."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Behaviour:
    """Every field has the default of a quick and well-behaved AWS. Times are in seconds."""

    # Copies
    copy_seconds: float = 0.0  # how long a copy stays pending; 0 means until the next request
    hold_copies: bool = False  # copies stay pending until they are released
    copy_visibility_seconds: float = 0.0  # how long DescribeSnapshots does not show a new copy yet
    copy_list_seconds: float = 0.0  # how long it does not list a new copy yet, although it shows it by its ID
    copy_hides_seconds: float = 0.0  # once it showed a copy to its owner, for how long it does not show it any more
    # EBS quotas: 20 concurrent copies per destination Region, 5 in older accounts.
    in_flight_limit: int = 20
    in_flight_limits: dict[str, int] = field(default_factory=dict)  # by Region, instead of the above
    snapshot_limit: int = 0  # how many snapshots an account may have in a Region; 0 means any number
    # Quotas of snapshots of databases, by account and Region [RDS user guide, "Quotas and constraints for Amazon RDS"]:
    # copies in flight of instances' and of clusters', and manual snapshots of each.
    db_in_flight_limit: int = 20
    db_cluster_in_flight_limit: int = 5
    db_snapshot_limit: int = 100
    # With which code copies that are to take a given time are refused, because that throughput is used up; empty: they
    # are not. The code is not documented.
    duration_refusal: str = ""
    presigned_url_needed: bool = True  # without one, an encrypted copy from another Region gets another key

    volume_seconds: float = 0.0  # how long a new volume is `creating`

    # Sharing
    share_seconds: float = 0.0  # how long a recipient does not see a share yet, whatever the event said
    share_list_seconds: float = 0.0  # how much longer lists do not show it [observed: sharing_data]
    unshare_list_seconds: float = 0.0  # for how long lists show what is no longer shared [observed: sharing_data]

    # Reading
    # Whether a page of MaxResults is cut before filters apply (`filters`), or before owners and restorable users do too
    # (`everything`), and so may hold few snapshots or none and be followed by another [boto3 issue 1776 and others].
    cut_pages: str = ""
    public_snapshots: int = 0  # how many public snapshots of others each Region holds
    # More of what looks like an ID and is none to EC2 [observed: volume_controls_snapshot_ids].
    malformed_ids: list[str] = field(default_factory=list)

    # For how long EBS direct does not find what was completed or shared [observed: encryption, sharing_data].
    blocks_seconds: float = 0.0
    recipients_read_blocks: bool = True  # off: as if what is shared could be copied, and its blocks not be read
    block_token_seconds: float = 7 * 86_400.0  # how long a block's token is good [EBS direct APIs reference]
    page_token_seconds: float = 3_600.0  # how long a page's token is [EBS direct APIs reference]
    blocks_a_page: int = 10_000  # a page holds no more blocks, whatever is asked for
    index_lag_seconds: float = 0.0  # how far the indexes of DynamoDB's tables are behind

    # Events, which are best effort [EBS user guide, "EventBridge events for Amazon EBS"]
    deliver_events: bool = True
    event_loss: float = 0.0  # the share of events that get lost, 0 to 1
    event_copies: int = 1  # how often each event is delivered
    event_delay_seconds: float = 0.0
    event_reorder_seconds: float = 0.0  # each delivery is delayed by a random time up to this
    event_seed: int = 0
    # SQS drops a repeated event within five minutes when the queue deduplicates by content. Off: as if each repetition
    # came after more than five minutes.
    queue_deduplicates: bool = True

    # Deletion of a locked snapshot: the code is not documented, so tests may try another.
    locked_code: str = "OperationNotPermitted"

    def change(self, changes: dict[str, Any]) -> None:
        """Set fields by name; an unknown name or a value of another type is an error."""
        if changes.get("cut_pages", "") not in ("", "filters", "everything"):
            raise ValueError(f"cut_pages is filters or everything, not {changes['cut_pages']!r}")
        known = {each.name for each in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown behaviour {name!r}; known: {', '.join(sorted(known))}")
            kind = type(getattr(self, name))
            fitting = float(value) if kind is float and type(value) is int else value
            if type(fitting) is not kind:
                raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}")
            setattr(self, name, fitting)
