"""What holds after every test with deployed functions, whatever it was about."""

from tests.cloud import LocalAws
from tests.e2e import deploy
from tests.iam import deployed


def check(aws: LocalAws) -> None:
    """Hold each line of the audit against the schema and each call of a function against its role, and leave the local
    AWS as if newly started, but for the stacks; also when a check fails, which is no other test's affair."""
    try:
        deploy.read_all(aws)
        # No function may have called what its role does not allow. The local AWS did not mind.
        refusals = deployed.refusals(aws, aws.control.calls())
    finally:
        aws.control.reset()
    assert not refusals, refusals
