"""The parameters of the provider's template, with their allowed values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Parameter(NamedTuple):
    """A parameter: its name, and what the template says about it."""

    name: str
    row: Mapping[str, Any]

    @property
    def default(self) -> str | None:
        """The default value; `None`: the parameter is required."""
        return str(self.row["Default"]) if "Default" in self.row else None

    @property
    def allowed(self) -> list[str]:
        """The allowed values; empty: not restricted to a list."""
        return [str(it) for it in self.row.get("AllowedValues", ())]

    def problem_of(self, value: str) -> str:
        """Check a value the way CloudFormation will; returns what is wrong and what is expected, or nothing."""
        items = value.split(",") if self.row["Type"] == "CommaDelimitedList" else [value]
        low, high = self.row.get("MinValue", 0), self.row.get("MaxValue")
        if self.allowed and value not in self.allowed:
            problem = f"Choose one of {', '.join(self.allowed)}."
        elif high is not None and not (value.isdecimal() and low <= int(value) <= high):
            problem = f"Enter a number from {low} to {high}."
        elif not all(re.search(self.row.get("AllowedPattern", ""), item) for item in items):
            problem = self.row["ConstraintDescription"]
        else:
            return ""
        return f"{self.name} cannot be {value!r}: {problem}" if value else f"{self.name} is missing: {problem}"


class _Loader(yaml.SafeLoader):
    """Reads a template, and ignores its functions (`!Ref` and so on)."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def read(template: Path) -> tuple[str, Mapping[str, Sequence[Parameter]]]:
    """Read the provider's version, and its parameters by the labels of their groups in order."""
    document: Mapping[str, Any] = _Loader(template.read_text()).get_single_data()
    rows = document["Parameters"]
    groups = {
        group["Label"]["default"]: [Parameter(name, rows[name]) for name in group["Parameters"]]
        for group in document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    }
    return str(document["Mappings"]["Provider"]["Release"]["Version"]), groups
