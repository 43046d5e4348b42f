"""The parameters of the provider's template, group by group, with what they may be."""

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
        name: Its name.
        description: What it is for.
        default: What it is unless it is given; `None`: it has to be given.
        allowed: The values that it may have, if they are listed.
        pattern: What its value (or each item of its list) has to match; empty: whatever there is.
        bounds: The least and the greatest that a number may be.
        is_list: Whether it is a list, with commas.
        hint: What would be right.
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
        """Judge a value, as CloudFormation will.

        Args:
            value: The value.

        Returns:
            What is wrong and what would be right; empty if nothing is wrong.
        """
        items = value.split(",") if self.is_list else [value]
        if self.allowed and value not in self.allowed:
            problem = f"choose one of {', '.join(self.allowed)}."
        elif self.bounds and not self._is_within_bounds(value):
            problem = f"give a number from {self.bounds[0]:g} to {self.bounds[1]:g}."
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
        label: What they are about.
        parameters: The parameters.
    """

    label: str
    parameters: tuple[Parameter, ...]


class _Loader(yaml.SafeLoader):
    """Reads a template, whose functions (`!Ref`, ...) are of no interest here."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def read(template: Path) -> tuple[str, tuple[Group, ...]]:
    """Read what a template says of the provider.

    Args:
        template: The template, whose metadata group all of its parameters.

    Returns:
        The version of the provider, and the groups of parameters in their order.
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
        hint=row.get("ConstraintDescription", "give another value."),
    )
