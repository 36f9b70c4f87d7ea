"""The plain form of template.yaml: CloudFormation without a Transform, which StackSets, the CDK and Terraform take.

AWS's own translator makes it. Code and policy come from a bucket that parameters name; nothing else differs from what
SAM deploys.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

Template = dict[str, Any]

SOURCE = Path(__file__).with_name("template.yaml")

PARAMETERS = {
    "CodeBucket": {
        "Type": "String",
        # A bucket's name has 63 characters at most, a hyphen and the longest name of a Region 15.
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,45}[a-z0-9]$",
        "ConstraintDescription": "must be the beginning of a bucket's name, at most 47 characters.",
        "Description": (
            "The bucket with the functions' packages, without the hyphen and the Region at its end: my-code for the "
            "bucket my-code-eu-west-1, when the stack is in eu-west-1."
        ),
    },
    "CodePrefix": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "^([0-9A-Za-z!_.*'()-]+/)*$",
        "ConstraintDescription": "must be empty, or folders that each end with a slash.",
        "Description": (
            "The folder of the packages in that bucket, which are copy-shared-snapshots-x86_64.zip and so on. Another "
            "version needs another folder, or CloudFormation does not see it and keeps the former code. "
            "Empty - they are not in a folder."
        ),
    },
    "PolicyKey": {
        "Type": "String",
        "Default": "policy.zip",
        "AllowedPattern": "^[0-9A-Za-z!_.*'()/-]+\\.zip$",
        "ConstraintDescription": "must be the key of a ZIP file in the bucket.",
        "Description": (
            "The ZIP file in that bucket, its folder included, that has the policy document in it as policy.json. "
            "Another document needs another key, or CloudFormation does not see it. Not used when the document is the "
            "parameter Policy."
        ),
    },
}
LABELS = {
    "CodeBucket": "Bucket of code and policy, without its Region",
    "CodePrefix": "Folder of the code",
    "PolicyKey": "Key of the policy",
}
# A stack that had the parameter Policy keeps it where it is not given again, and would go on by it.
RULES = {
    "OnePolicy": {
        "RuleCondition": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Policy"}, ""]}]},
        "Assertions": [
            {
                "Assert": {"Fn::Equals": [{"Ref": "PolicyKey"}, PARAMETERS["PolicyKey"]["Default"]]},
                "AssertDescription": (
                    "There are two policies: make Policy empty (Policy=), so that PolicyKey counts, or PolicyKey "
                    "policy.zip, so that Policy does."
                ),
            }
        ],
    }
}
BUCKET = {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}


class NoManagedPolicies:
    """The translator asks AWS for the names of managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def translated(source: Template) -> Template:
    """What CloudFormation's transform makes of a SAM template whose code is not in local folders."""
    # The translator wants a Region's name to know the partition; nothing in the result depends on it.
    os.environ["AWS_DEFAULT_REGION"] = os.environ.get("AWS_DEFAULT_REGION") or "eu-west-1"
    result: Template = transform(source, {}, NoManagedPolicies())
    return result


def plain(text: str) -> Template:
    """The plain form of a SAM template's text; ValueError where a function's code is not a folder that is built."""
    source = yaml_parse(text)
    for name, resource in source["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = packed(name, properties["CodeUri"])
            resource.pop("Metadata")  # what is in it is for `sam build`
        elif resource["Type"] == "AWS::Lambda::LayerVersion":
            properties["Content"] = {"S3Bucket": BUCKET, "S3Key": {"Ref": "PolicyKey"}}
    source["Parameters"].update(PARAMETERS)
    source["Rules"] = RULES
    form = source["Metadata"]["AWS::CloudFormation::Interface"]
    form["ParameterGroups"].append({"Label": {"default": "Where the code is"}, "Parameters": list(PARAMETERS)})
    form["ParameterLabels"].update({name: {"default": label} for name, label in LABELS.items()})
    return translated(source)


def packed(name: str, folder: Any) -> dict[str, Any]:
    """Where the plain form finds what SAM takes from a folder below target/lambda."""
    built, _, function = str(folder).rstrip("/").rpartition("/")
    if not built.endswith("target/lambda"):
        raise ValueError(f"{name}: CodeUri is {folder}, which is not a folder below target/lambda")
    return {"Bucket": BUCKET, "Key": {"Fn::Sub": f"${{CodePrefix}}{function}-${{Architecture}}.zip"}}


def written(template: Template) -> str:
    """A template as it lies in a file."""
    return json.dumps(template, indent=1) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(written(plain(SOURCE.read_text())))
