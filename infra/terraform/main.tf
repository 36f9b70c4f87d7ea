# The target account's stack from its plain form (make dist): one for each Region in which snapshots are shared.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

locals {
  # A list becomes one text; what is not given is left to the template's default.
  parameters = { for name, value in var.parameters : name => try(join(",", value), tostring(value)) if value != null }
}

resource "aws_cloudformation_stack" "snapferry" {
  name         = var.name
  template_url = var.template_url
  parameters   = local.parameters
  capabilities = ["CAPABILITY_IAM"]
  tags         = var.tags
}

output "id" {
  description = "The stack's ARN."
  value       = aws_cloudformation_stack.snapferry.id
}

output "copy_role_arn" {
  description = "The role that uses the source accounts' keys; they allow those under RolePath."
  value       = aws_cloudformation_stack.snapferry.outputs["CopySharedSnapshotsRoleArn"]
}

output "outputs" {
  description = "All outputs of the stack, by the template's names."
  value       = aws_cloudformation_stack.snapferry.outputs
}
