"""The end-to-end tests' accounts, and the stack that doctor looks at."""

from tests.cli.doctor import scene
from tests.e2e.conftest import aws, local_aws, source, stranger, target

__all__ = ["aws", "local_aws", "scene", "source", "stranger", "target"]
