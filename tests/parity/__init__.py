"""The stacks of the CDK constructs against the templates with the same parameters."""
