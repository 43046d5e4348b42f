"""What the generators read of a resource type: its rows, its attributes, and what a right value looks like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provider.custom_resource.properties import schema_of

if TYPE_CHECKING:
    from provider.kinds.kind import Kind
    from provider.schema import Property


def rows_of(kind: Kind) -> tuple[Property[Any], ...]:
    """Return the properties of a resource type.

    Args:
        kind: The kind of its jobs.

    Returns:
        Their rows, those of CloudFormation's protocol among them.
    """
    return schema_of(kind.schema).rows


def attributes_of(kind: Kind) -> dict[str, str]:
    """Return what `Fn::GetAtt` returns of a resource type.

    Args:
        kind: The kind of its jobs.

    Returns:
        What each attribute is, by its name.
    """
    thing = kind.words.thing
    *statuses, last = (f"`{status}`" for status, _ in kind.statuses)
    return {
        "Id": f"The {thing}'s ID.",
        "Status": f"The {thing}'s status: {', '.join(statuses)} or {last}.",
        **{attribute.name: attribute.description for attribute in kind.attributes},
    }


def expected(row: Property[Any]) -> str:
    """Return what a value should be.

    Args:
        row: The row of its property.

    Returns:
        The provider's own words.
    """
    for wrong in (" ", ""):
        try:
            row.type.parse(wrong)
        except ValueError as error:
            return str(error)
    raise ValueError(f"{row.name} should not be empty")


def range_of(row: Property[Any]) -> tuple[int, int]:
    """Return the least and the greatest right integer.

    Args:
        row: The row of its property.

    Returns:
        What those words name.
    """
    words = re.search(r"from (\d+) to (\d+)$", expected(row))
    if words is None:
        raise ValueError(f"{row.name} should have a range")
    return int(words[1]), int(words[2])
