"""CopySnapshot's PresignedUrl: a second, signed request to the source Region that says the same as the first
[EC2 API reference, CopySnapshot, PresignedUrl]. One of another protocol, snapshot or destination is rejected at once,
but not in a dry run, and the signature is not verified [observed: copy_data_failures, copy_controls_contract]. The rest
is looked at more closely than AWS has been seen to do [inferred from the reference], so that a client that leaves out
what it has to say is told here.
"""

import re
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params

# What must be said in both requests alike; absent in one means absent in the other.
_SAME = ("SourceRegion", "Encrypted", "KmsKeyId")


def check(caller: Place, params: Params) -> None:
    """Refuse a URL that does not ask the source Region for just this copy."""
    url = urlsplit(params.get("PresignedUrl"))
    said = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    source, snapshot = params.get("SourceRegion"), params.get("SourceSnapshotId")
    if url.scheme not in ("http", "https"):
        raise Ec2Error("InvalidParameterValue", "The protocol in PresignedUrl should be http or https")
    if (named := said.get("SourceSnapshotId", "")) != snapshot:
        message = (
            f"The source snapshot specified in PresignedUrl '{named}' does not match the source snapshot in the request"
        )
        raise Ec2Error("InvalidParameterValue", f"{message}: '{snapshot}'")
    if (there := said.get("DestinationRegion", "")) != caller.region:
        message = f"The destination region specified in PresignedUrl: '{there}' is incorrect"
        raise Ec2Error("InvalidParameterValue", message)
    if said.get("Action") != "CopySnapshot":
        raise _invalid("it is not a URL of the CopySnapshot action")
    if url.hostname and url.hostname.endswith(".amazonaws.com") and f".{source}." not in f".{url.hostname}":
        raise _invalid(f"its host is not the endpoint of {source}")
    for name in _SAME:
        if said.get(name, "") != params.get(name):
            raise _invalid(f"{name} differs from the request")
    _check_signature(caller, source, said)


def _check_signature(caller: Place, source: str, said: dict[str, str]) -> None:
    """Who signed, for where, and until when [IAM user guide, "Query parameters for AWS Signature Version 4"]."""
    if said.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
        raise _invalid("X-Amz-Algorithm is not AWS4-HMAC-SHA256")
    if not re.fullmatch("[0-9a-f]{64}", said.get("X-Amz-Signature", "")):
        raise _invalid("X-Amz-Signature is missing")
    if "host" not in said.get("X-Amz-SignedHeaders", "").split(";"):
        raise _invalid("the host header is not signed")
    scope = said.get("X-Amz-Credential", "").split("/")
    if scope[2:] != [source, "ec2", "aws4_request"]:
        raise _refused(f"the credential is not scoped to ec2 in {source}")
    if scope[0] != caller.account and re.fullmatch(r"\d{12}", scope[0]):
        raise _refused("the credential belongs to another account")
    try:
        signed = datetime.strptime(said.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        lasting = int(said.get("X-Amz-Expires", ""))
    except ValueError:
        raise _invalid("X-Amz-Date or X-Amz-Expires is malformed") from None
    # Signatures live in real time, whatever a test did to the overlay's clock.
    if time.time() > signed + lasting:
        raise _refused("it has expired")


def _invalid(why: str) -> Ec2Error:
    return Ec2Error("InvalidParameterValue", f"The specified presignedUrl is invalid: {why}")


def _refused(why: str) -> Ec2Error:
    return Ec2Error("AuthFailure", f"The specified presignedUrl was not accepted: {why}")
