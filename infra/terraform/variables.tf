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
    Databases               = optional(bool)
    SourceAccounts          = list(string)
    TargetRegions           = list(string)
    TargetKeyArns           = optional(list(string), [])
    SourceKeyArns           = optional(list(string), [])
    CopyAnyOwner            = optional(bool)
    MaxLockDays             = optional(number)
    SweepSince              = optional(string)
    MaxDeletesPerRun        = optional(number)
    AllowMassExpiry         = optional(bool)
    RetiredRegions          = optional(list(string), [])
    RetiredHomes            = optional(list(string), [])
    RetiredPolicies         = optional(list(string), [])
    SweepSchedule           = optional(string)
    ServeSchedule           = optional(string)
    VerifySchedule          = optional(string)
    ExpirySchedule          = optional(string)
    ProofSchedule           = optional(string)
    ProofDecryptsSources    = optional(bool)
    ProofOtherRegions       = optional(bool)
    LogRetentionDays        = optional(number)
    LogKmsKeyArn            = optional(string)
    LogLevel                = optional(string)
    AlarmTopicArn           = optional(string)
    AlarmEmail              = optional(string)
    UnprotectedAlarmHours   = optional(number)
    SilentOwnerAlarmHours   = optional(number)
    OwnerMetrics            = optional(bool)
    SweepMissingAlarmHours  = optional(number)
    VerifyMissingAlarmHours = optional(number)
    ExpiryMissingAlarmHours = optional(number)
    ProofMissingAlarmHours  = optional(number)
    RunbookUrl              = optional(string)
    Architecture            = optional(string)
    ReservedConcurrency     = optional(number)
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
  validation {
    condition     = var.parameters.CodePrefix == null || can(regex("^([0-9A-Za-z!_.*'()-]+/)*$", var.parameters.CodePrefix))
    error_message = "CodePrefix must be empty, or folders that each end with a slash."
  }
  validation {
    condition     = var.parameters.PolicyKey == null || can(regex("^[0-9A-Za-z!_.*'()/-]+\\.zip$", var.parameters.PolicyKey))
    error_message = "PolicyKey must be the key of a ZIP file in the bucket."
  }
  validation {
    condition = alltrue([
      for each in [
        var.parameters.SweepSchedule, var.parameters.ServeSchedule, var.parameters.VerifySchedule,
        var.parameters.ExpirySchedule
      ] :
      each == null || can(regex("^(rate\\([1-9][0-9]* (minute|hour|day)s?\\)|cron\\([^)]+\\))$", each))
    ])
    error_message = "SweepSchedule, ServeSchedule, VerifySchedule and ExpirySchedule must be schedules such as rate(15 minutes)."
  }
  validation {
    condition = var.parameters.ProofSchedule == null || can(regex(
      "^(rate\\([1-9][0-9]* (minute|hour|day)s?\\)|cron\\([^)]+\\))?$", var.parameters.ProofSchedule
    ))
    error_message = "ProofSchedule must be a schedule such as rate(1 hour), or empty."
  }
  validation {
    condition = var.parameters.SweepSince == null || can(regex(
      "^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$",
      var.parameters.SweepSince
    ))
    error_message = "SweepSince must be a time such as 2026-11-01T00:00:00Z."
  }
  validation {
    condition = var.parameters.AlarmTopicArn == null || can(regex(
      "^(arn:aws(-[a-z]{1,4}){0,2}:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)?$", var.parameters.AlarmTopicArn
    ))
    error_message = "AlarmTopicArn must be the ARN of an SNS topic."
  }
  validation {
    condition = var.parameters.AlarmEmail == null || can(regex(
      "^([A-Za-z0-9._%+=-]{1,64}@([A-Za-z0-9-]{1,63}\\.)+[A-Za-z]{2,63})?$", var.parameters.AlarmEmail
    ))
    error_message = "AlarmEmail must be an email address."
  }
  validation {
    condition     = var.parameters.RolePath == null || can(regex("^/([A-Za-z0-9+=,.@_-]+/)*$", var.parameters.RolePath))
    error_message = "RolePath must begin and end with a slash."
  }
  validation {
    condition     = contains([0, 1], coalesce(var.parameters.ReservedConcurrency, 0))
    error_message = "ReservedConcurrency must be 0 or 1."
  }
  validation {
    condition     = contains(["x86_64", "arm64"], coalesce(var.parameters.Architecture, "x86_64"))
    error_message = "Architecture must be x86_64 or arm64."
  }
}
