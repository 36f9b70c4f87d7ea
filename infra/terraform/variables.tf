variable "name" {
  type        = string
  default     = "snapferry"
  description = "The stack's name."
  validation {
    condition     = can(regex("^[Ss]napferry[0-9A-Za-z-]*$", var.name))
    error_message = "The name must begin with snapferry or Snapferry: the guardrails know the stack by it."
  }
}

variable "template_url" {
  type        = string
  description = "Where dist/template.json was uploaded to, an https URL of S3."
  validation {
    condition     = can(regex("^https://[^/]+/.+[.]json$", var.template_url))
    error_message = "The URL must be that of the plain form, dist/template.json, in S3."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Tags of the stack, which CloudFormation gives to its resources too."
}

variable "parameters" {
  description = "The template's parameters, each explained there; what is left out has the template's default."
  type = object({
    Policy                  = optional(string)
    SourceAccounts          = list(string)
    TargetRegions           = list(string)
    TargetKeyArns           = optional(list(string), [])
    SourceKeyArns           = optional(list(string), [])
    SweepSince              = optional(string)
    MaxDeletesPerRun        = optional(number)
    AllowMassExpiry         = optional(bool)
    RetiredRegions          = optional(list(string), [])
    RetiredHomes            = optional(list(string), [])
    RetiredPolicies         = optional(list(string), [])
    SweepSchedule           = optional(string)
    VerifySchedule          = optional(string)
    ExpirySchedule          = optional(string)
    LogRetentionDays        = optional(number)
    LogKmsKeyArn            = optional(string)
    LogLevel                = optional(string)
    AlarmTopicArn           = optional(string)
    UnprotectedAlarmHours   = optional(number)
    SilentOwnerAlarmHours   = optional(number)
    SweepMissingAlarmHours  = optional(number)
    VerifyMissingAlarmHours = optional(number)
    ExpiryMissingAlarmHours = optional(number)
    RunbookUrl              = optional(string)
    Architecture            = optional(string)
    RolePath                = optional(string)
    PermissionsBoundaryArn  = optional(string)
    CodeBucket              = string
    CodePrefix              = optional(string)
    PolicyKey               = optional(string)
  })
  validation {
    condition     = (var.parameters.Policy == null) != (var.parameters.PolicyKey == null)
    error_message = "Give the policy either as Policy, the document itself, or as PolicyKey, its package in CodeBucket."
  }
  validation {
    condition     = alltrue([for each in var.parameters.SourceAccounts : can(regex("^[0-9]{12}$", each))])
    error_message = "SourceAccounts must be account numbers of 12 digits."
  }
  validation {
    condition = alltrue([
      for each in concat(var.parameters.TargetRegions, var.parameters.RetiredRegions, var.parameters.RetiredHomes) :
      can(regex("^([a-z]+-){2,}[0-9]{1,2}$", each))
    ])
    error_message = "TargetRegions, RetiredRegions and RetiredHomes must be names of Regions such as eu-west-1."
  }
  validation {
    condition     = alltrue([for each in var.parameters.RetiredPolicies : can(regex("^[A-Za-z0-9_.-]{1,64}$", each))])
    error_message = "RetiredPolicies must be PolicyIds of 1 to 64 letters, digits, '-', '_' and '.'."
  }
  validation {
    condition     = min(length(var.parameters.SourceAccounts), length(var.parameters.TargetRegions)) > 0
    error_message = "There must be a source account and a target Region."
  }
  validation {
    condition = alltrue([
      for each in concat(var.parameters.TargetKeyArns, var.parameters.SourceKeyArns) :
      can(regex("^arn:aws(-[a-z]{1,4}){0,2}:kms:([a-z]+-){2,}[0-9]{1,2}:[0-9]{12}:key/[0-9A-Za-z-]{1,128}$", each))
    ])
    error_message = "TargetKeyArns and SourceKeyArns must be ARNs of KMS keys, not of aliases."
  }
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,45}[a-z0-9]$", var.parameters.CodeBucket))
    error_message = "CodeBucket must be a bucket's name without the hyphen and the Region at its end."
  }
}
