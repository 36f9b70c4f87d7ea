"""The CDK constructs against the SAM templates: the same resources, or a listed difference with its reason."""
