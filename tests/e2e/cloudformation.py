"""CloudFormation templates with references and functions resolved as CloudFormation would.

Only what the project's templates use. What has no value fails with a KeyError.
"""

import re
from typing import Any, Dict

import yaml

NO_VALUE = object()


class Loader(yaml.SafeLoader):
    """Reads `!Sub text` as {"Fn::Sub": "text"}, as CloudFormation and the Serverless Framework do."""


def _function(loader: Loader, name: str, node: yaml.Node) -> Dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    else:
        assert isinstance(node, yaml.SequenceNode), node
        argument = loader.construct_sequence(node, deep=True)
    if name == "GetAtt":
        argument = argument.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


Loader.add_multi_constructor("!", _function)


class Stack:
    """A template with values: `values` for Ref ("Checkpoints", "AWS::Region", parameters, which win over
    their defaults) and for Fn::GetAtt ("Checkpoints.Arn")."""

    def __init__(self, template: Dict[str, Any], values: Dict[str, str]) -> None:
        self._template = template
        parameters = template.get("Parameters", {})
        defaults = {name: one["Default"] for name, one in parameters.items() if "Default" in one}
        self._values: Dict[str, Any] = {"AWS::NoValue": NO_VALUE, **defaults, **values}

    def properties(self, kind: str) -> Dict[str, Any]:
        """The properties of the only resource of that type, such as "AWS::Lambda::Function"."""
        (found,) = [one for one in self._template["Resources"].values() if one["Type"] == kind]
        return self.resolved(found["Properties"])

    def output(self, name: str) -> str:
        return self.resolved(self._template["Outputs"][name]["Value"])

    def resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            members = [self.resolved(one) for one in value]
            return [one for one in members if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._values[argument]
            if name.startswith("Fn::"):
                return self._called(name, argument)
        members = {name: self.resolved(one) for name, one in value.items()}
        return {name: one for name, one in members.items() if one is not NO_VALUE}

    def _called(self, name: str, argument: Any) -> Any:
        if name == "Fn::GetAtt":
            return self._values[".".join(argument)]
        if name == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: self._values[found[1]], argument)
        if name == "Fn::If":
            condition, then, otherwise = argument
            holds = self.resolved(self._template["Conditions"][condition])
            return self.resolved(then if holds else otherwise)
        arguments = self.resolved(argument)
        if name == "Fn::Join":
            return arguments[0].join(arguments[1])
        if name == "Fn::Not":
            return not arguments[0]
        assert name == "Fn::Equals", name
        return arguments[0] == arguments[1]
