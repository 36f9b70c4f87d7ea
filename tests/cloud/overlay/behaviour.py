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
    # EBS quotas: 20 concurrent copies per destination Region, 5 in older accounts.
    in_flight_limit: int = 20
    in_flight_limits: dict[str, int] = field(default_factory=dict)  # by Region, instead of the above
    presigned_url_needed: bool = True  # without one, an encrypted copy from another Region gets another key

    # Sharing
    share_seconds: float = 0.0  # how long a recipient does not see a share yet, whatever the event said

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
        known = {each.name for each in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown behaviour {name!r}; known: {', '.join(sorted(known))}")
            kind = type(getattr(self, name))
            fitting = float(value) if kind is float and type(value) is int else value
            if type(fitting) is not kind:
                raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}")
            setattr(self, name, fitting)
