"""CloudFormation's intrinsic functions, worked out as far as the values are known.

Two need it: limits.py, which knows all of a made-up deployment, and deploy.py, which puts the
physical names of resources that leave a stack into the template that stays.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

NOTHING: dict[str, Any] = {"Ref": "AWS::NoValue"}
Lookup = Callable[[str], str | None]  # "Queue" → what Ref gives, "Queue.Arn" → what GetAtt gives


def resolve(value: Any, lookup: Lookup, conditions: Mapping[str, bool] | None = None) -> Any:
    """`value` with each Ref, GetAtt, Sub and If replaced that `lookup` and `conditions` know."""
    if isinstance(value, list):
        items = [resolve(item, lookup, conditions) for item in value]
        return [item for item in items if item != NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return _known(lookup(argument), value)
        if name == "Fn::GetAtt":
            return _known(lookup(argument if isinstance(argument, str) else ".".join(argument)), value)
        if name == "Fn::Sub" and isinstance(argument, str):
            return _substituted(argument, lookup)
        if name == "Fn::If":
            condition, *branches = argument
            if conditions is None:
                return {name: [condition, *(resolve(branch, lookup) for branch in branches)]}
            return resolve(branches[0 if conditions[condition] else 1], lookup, conditions)
    made = {key: resolve(item, lookup, conditions) for key, item in value.items()}
    return {key: item for key, item in made.items() if item != NOTHING}


def _known(value: str | None, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _substituted(text: str, lookup: Lookup) -> Any:
    made = re.sub(r"\$\{([^!}]+)\}", lambda m: str(_known(lookup(m[1]), m[0])), text)
    return {"Fn::Sub": made} if "${" in made else made
