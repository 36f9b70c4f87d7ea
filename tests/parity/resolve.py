"""What CloudFormation makes of a template with given parameters, as far as it is known before deployment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]

_ABSENT = object()
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True)
class Resolver:
    """Evaluates intrinsic functions; what is known at deployment only stays text: `${AWS::Region}`, `${Queue.Arn}`."""

    template: Template
    parameters: Mapping[str, str]

    def resolve(self, value: Any) -> Any:
        """The value without conditions and functions; members that are `AWS::NoValue` are left out."""
        if isinstance(value, list):
            return [each for item in value if (each := self.resolve(item)) is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not _ABSENT}

    def resources(self) -> dict[str, Any]:
        """The resources that are created."""
        return {name: self.resolve(each) for name, each in self._created("Resources").items()}

    def outputs(self) -> dict[str, Any]:
        """The outputs that are given."""
        return {name: self.resolve(each) for name, each in self._created("Outputs").items()}

    def _created(self, section: str) -> dict[str, Any]:
        found = self.template.get(section, {})
        return {name: each for name, each in found.items() if "Condition" not in each or self._holds(each["Condition"])}

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Fn::If":
            condition, yes, no = argument
            return self.resolve(yes if self._holds(condition) else no)
        if name == "Ref":
            return _ABSENT if argument == "AWS::NoValue" else self._reference(argument)
        if name == "Fn::GetAtt":
            return self._reference(argument if isinstance(argument, str) else ".".join(argument))
        if name == "Fn::Sub":
            return self._substitute(argument)
        if name == "Fn::Join":
            separator, parts = argument
            return separator.join(str(part) for part in self.resolve(parts))
        if name == "Fn::Split":
            separator, text = argument
            return self.resolve(text).split(separator)
        raise NotImplementedError(name)

    def _substitute(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def value(variable: re.Match[str]) -> str:
            name = variable[1]
            # "${!Literal}" stands for "${Literal}".
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            return str(self.resolve(variables[name]) if name in variables else self._reference(name))

        return _VARIABLE.sub(value, text)

    def _reference(self, name: str) -> Any:
        declared = self.template.get("Parameters", {}).get(name)
        if declared is None:
            return f"${{{name}}}"
        value = self.parameters[name] if name in self.parameters else declared["Default"]
        return value.split(",") if declared["Type"] == "CommaDelimitedList" else value

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self._holds(self.template["Conditions"][condition])
        ((name, argument),) = condition.items()
        if name == "Condition":
            return self._holds(argument)
        if name == "Fn::Equals":
            left, right = (str(self.resolve(each)) for each in argument)
            return left == right
        if name == "Fn::Not":
            return not self._holds(argument[0])
        if name in {"Fn::And", "Fn::Or"}:
            return (all if name == "Fn::And" else any)(self._holds(each) for each in argument)
        raise NotImplementedError(name)
