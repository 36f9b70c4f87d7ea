"""One form for what can be written in several ways and means the same."""

import json
from typing import Any


def resource(value: dict[str, Any]) -> dict[str, Any]:
    """What a resource is; where it was written, and the order in which things are created, is left out."""
    kept = {name: each for name, each in value.items() if name not in {"Metadata", "DependsOn", "Condition"}}
    kept.setdefault("Properties", {})
    result: dict[str, Any] = _normal(kept)
    if result["Type"] == "AWS::Lambda::Function":
        result["Properties"]["Code"] = "a package"
    return result


def _normal(value: Any) -> Any:
    if isinstance(value, list):
        # Policies of a role and statements of a policy have names; their order means nothing.
        if value and all(isinstance(each, dict) and "PolicyName" in each for each in value):
            return {each["PolicyName"]: _normal(each) for each in value}
        return [_normal(each) for each in value]
    if isinstance(value, dict):
        if "Statement" in value:
            statements = {each.get("Sid", f"without Sid {n}"): each for n, each in enumerate(value["Statement"])}
            return {**value, "Statement": {sid: _statement(each) for sid, each in statements.items()}}
        return {name: _normal(each) for name, each in value.items()}
    # A parameter's number is a text.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _json(value)


def _json(value: Any) -> Any:
    """A JSON document in a property, such as a policy or a dashboard, without its white space and order."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return value


def _statement(value: dict[str, Any]) -> dict[str, Any]:
    result = dict(value)
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in result:
            result[name] = sorted(_listed(result[name]))
    if "Principal" in result:
        principal = {"AWS": "*"} if result["Principal"] == "*" else result["Principal"]
        result["Principal"] = {name: sorted(_listed(each)) for name, each in principal.items()}
    result["Condition"] = {
        operator: {key: sorted(str(each) for each in _listed(values)) for key, values in sorted(keys.items())}
        for operator, keys in sorted(result.get("Condition", {}).items())
    }
    return result


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def differences(sam: Any, cdk: Any, path: str = "") -> dict[str, str]:
    """Where the two differ: path, and what each says."""
    if isinstance(sam, dict) and isinstance(cdk, dict):
        found = {}
        for name in sorted(sam.keys() | cdk.keys()):
            inner = f"{path}.{name}" if path else name
            if name not in cdk:
                found[inner] = "only in SAM"
            elif name not in sam:
                found[inner] = "only in CDK"
            else:
                found |= differences(sam[name], cdk[name], inner)
        return found
    if isinstance(sam, list) and isinstance(cdk, list) and len(sam) == len(cdk):
        found = {}
        for index, (left, right) in enumerate(zip(sam, cdk, strict=True)):
            found |= differences(left, right, f"{path}[{index}]")
        return found
    return {} if sam == cdk else {path: f"SAM {json.dumps(sam)}, CDK {json.dumps(cdk)}"}
