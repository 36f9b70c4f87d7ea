"""The end-to-end tests' accounts."""

from tests.e2e.conftest import aws, local_aws, source, stranger, target

__all__ = ["aws", "local_aws", "source", "stranger", "target"]
