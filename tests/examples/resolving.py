"""What CloudFormation makes of a template's functions, as far as the examples use them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provider.kinds import MODEL_TRANSFORM_JOB
from tests.cfn_lint.linting import ENDPOINT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.kinds.kind import Kind

_NO_VALUE = object()


@dataclass(frozen=True)
class Resolving:
    """A template with the values of its parameters.

    Attributes:
        template: The template.
        parameters: The values; for the other parameters their defaults hold.
        ids: The IDs of the jobs, by the names of their resources.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)

    def jobs(self, *kinds: Kind) -> list[Any]:
        """The properties of a stack's jobs of some kinds, as the provider gets them; without kinds: transform jobs."""
        types = [kind.resource_type for kind in kinds or (MODEL_TRANSFORM_JOB,)]
        return [
            self.value(resource["Properties"])
            for resource in self.template["Resources"].values()
            if resource["Type"] in types and ("Condition" not in resource or self.condition(resource["Condition"]))
        ]

    def is_allowed(self) -> bool:
        """Whether the template's own rules let the parameters pass."""
        rules = self.template.get("Rules", {})
        return all(self.value(it["Assert"]) for rule in rules.values() for it in rule["Assertions"])

    def condition(self, name: str) -> bool:
        return bool(self.value(self.template["Conditions"][name]))

    def value(self, value: Any) -> Any:  # noqa: ANN401 - a part of a template
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((function, argument),) = value.items() if len(value) == 1 else ((None, None),)
        resolve = getattr(self, f"_{str(function).removeprefix('Fn::').lower()}", None)
        if resolve:
            return resolve(argument)
        values = {name: self.value(item) for name, item in value.items()}
        return {name: item for name, item in values.items() if item is not _NO_VALUE}

    def _ref(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self.parameters[name] if name in self.parameters else self.template["Parameters"][name]["Default"]

    def _if(self, argument: list[Any]) -> object:
        condition, then, otherwise = argument
        return self.value(then if self.condition(condition) else otherwise)

    def _equals(self, argument: list[Any]) -> bool:
        first, second = self.value(argument)
        return bool(first == second)

    def _not(self, argument: list[Any]) -> bool:
        (condition,) = self.value(argument)
        return not condition

    def _or(self, argument: list[Any]) -> bool:
        return any(self.value(argument))

    def _and(self, argument: list[Any]) -> bool:
        return all(self.value(argument))

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{(\w+)}", lambda match: str(self._ref(match[1])), text)

    def _importvalue(self, name: Any) -> str:  # noqa: ANN401 - a part of a template
        assert str(self.value(name)).endswith("-ServiceToken")
        return TOKEN

    def _getatt(self, name: list[str]) -> str:
        if name[1:] == ["Id"]:
            return self.ids[name[0]]
        assert name == ["Cluster", "Endpoint"]
        return ENDPOINT
