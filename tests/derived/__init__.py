"""What is derived from the template or wraps it: the plain form, the Terraform module."""
