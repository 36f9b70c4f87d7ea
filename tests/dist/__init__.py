"""The folder of a release."""
