"""The parameters of the provider's template, by group, with their allowed values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template.

    Attributes:
        name: The parameter's name.
        description: What the parameter is for.
        default: The default value; `None`: the parameter is required.
        allowed: The allowed values; empty: not restricted to a list.
        pattern: What the value, or each item of a list, has to match; empty: anything.
        bounds: The smallest and the largest number allowed; `None`: not a restricted number.
        is_list: Whether the value is a comma-separated list.
        hint: What a valid value looks like.
    """

    name: str
    description: str
    default: str | None
    allowed: tuple[str, ...]
    pattern: str
    bounds: tuple[float, float] | None
    is_list: bool
    hint: str

    def problem_of(self, value: str) -> str:
        """Check a value the way CloudFormation will.

        Args:
            value: The value.

        Returns:
            What is wrong and what is expected; empty if the value is valid.
        """
        items = value.split(",") if self.is_list else [value]
        if self.allowed and value not in self.allowed:
            problem = f"Choose one of {', '.join(self.allowed)}."
        elif self.bounds and not self._is_within_bounds(value):
            problem = f"Enter a number from {self.bounds[0]:g} to {self.bounds[1]:g}."
        elif self.pattern and not all(re.search(self.pattern, item) for item in items):
            problem = self.hint
        else:
            return ""
        return f"{self.name} cannot be {value!r}: {problem}" if value else f"{self.name} is missing: {problem}"

    def _is_within_bounds(self, value: str) -> bool:
        low, high = self.bounds or (0, 0)
        return value.isdecimal() and low <= float(value) <= high


@dataclass(frozen=True)
class Group:
    """Parameters that belong together.

    Attributes:
        label: What the parameters are about.
        parameters: The parameters.
    """

    label: str
    parameters: tuple[Parameter, ...]


class _Loader(yaml.SafeLoader):
    """Reads a template, and ignores its functions (`!Ref` and so on)."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def read(template: Path) -> tuple[str, tuple[Group, ...]]:
    """Read the provider's version and parameters from its template.

    Args:
        template: The template; its metadata has to put each parameter into a group.

    Returns:
        The provider's version, and the groups of parameters in order.
    """
    document: Mapping[str, Any] = _Loader(template.read_text()).get_single_data()
    groups = tuple(
        Group(
            group["Label"]["default"],
            tuple(_parameter(name, document["Parameters"][name]) for name in group["Parameters"]),
        )
        for group in document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    )
    return str(document["Mappings"]["Provider"]["Release"]["Version"]), groups


def _parameter(name: str, row: Mapping[str, Any]) -> Parameter:
    bounds = (float(row["MinValue"]), float(row["MaxValue"])) if "MinValue" in row else None
    return Parameter(
        name=name,
        description=row["Description"],
        default=str(row["Default"]) if "Default" in row else None,
        allowed=tuple(map(str, row.get("AllowedValues", ()))),
        pattern=row.get("AllowedPattern", ""),
        bounds=bounds,
        is_list=row["Type"] == "CommaDelimitedList",
        hint=row.get("ConstraintDescription", "Enter another value."),
    )
