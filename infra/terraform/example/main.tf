# A stack in eu-central-1. Before: make dist POLICY=policy.json, and what is in dist/ copied to the bucket
# my-code-eu-central-1, below snapferry/1/.

provider "aws" {
  region = "eu-central-1"
}

module "snapferry" {
  source       = "../"
  template_url = "https://my-code-eu-central-1.s3.eu-central-1.amazonaws.com/snapferry/1/template.json"

  parameters = {
    CodeBucket     = "my-code"
    CodePrefix     = "snapferry/1/"
    PolicyKey      = "snapferry/1/policy-0123456789abcdef.zip"
    Architecture   = "x86_64"
    SourceAccounts = ["111122223333"]
    TargetRegions  = ["eu-west-1"]
    TargetKeyArns  = ["arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
  }
}

output "copy_role_arn" {
  value = module.snapferry.copy_role_arn
}
