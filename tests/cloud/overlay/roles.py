"""Which role a function's call is made in.

The emulator gives every function its account's credentials. Here each has a session token too, as in Lambda, and the
token is the role's ARN.
"""

from typing import Any

from tests.cloud.overlay.emulator import lambda_runtime, lambda_svc

_TOKEN = b"x-amz-security-token"


def install() -> None:
    """Replace how the emulator makes functions' credentials."""
    emulators = lambda_runtime.execution_credentials

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        return {**emulators(config), "AWS_SESSION_TOKEN": config["Role"]}

    lambda_runtime.execution_credentials = credentials
    lambda_svc.execution_credentials = credentials


def of(headers: dict[bytes, bytes]) -> str:
    """The ARN of the role, or nothing."""
    return headers.get(_TOKEN, b"").decode("latin-1")
