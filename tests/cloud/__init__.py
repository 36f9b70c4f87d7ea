"""The local AWS: a pinned third-party emulator (`ministack`) with our overlay that models EBS snapshot sharing.

It is an emulator with an overlay, not AWS. What the overlay claims about AWS is written beside each rule, with the
page of AWS's documentation that says so, or with the word that it is an assumption.
"""

from tests.cloud.control import Call, Control
from tests.cloud.server import FUNCTION_SECRET, LocalAws
from tests.cloud.waiting import until

__all__ = ["FUNCTION_SECRET", "Call", "Control", "LocalAws", "until"]
