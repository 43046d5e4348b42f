"""How rows of properties become a resource's properties: typed, validated and immutable."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar, cast

from provider.values import HIDDEN_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.values import ValueType

T = TypeVar("T")

_SHOWN_CHARACTERS = 80


class InvalidProperties(ValueError):
    """The properties of a resource are wrong; the message says which, what they hold and what they should hold."""


class Property(NamedTuple, Generic[T]):
    """A row: everything that is known of one property.

    Attributes:
        name: As written in a template.
        type: The type of its values.
        update: What a change of it means for the resource.
        description: For the reference page.
        required: Whether a template must give it.
        default: The value of a resource that does not give it.
        default_text: What the reference page says of that, if the value does not say it itself.
        parameter: The Neptune Data API's name for it; empty if no call carries it.
        calls: Which calls carry it.
        needed_to_delete: Whether a Delete needs it; what it does not need must not block the deletion of a stack.
    """

    name: str
    type: ValueType[T]
    update: Literal["No interruption", "Replacement", "Not supported"]
    description: str
    required: bool = False
    default: T | None = None
    default_text: str = ""
    parameter: str = ""
    calls: frozenset[str] = frozenset()
    needed_to_delete: bool = False


@dataclass(frozen=True, eq=False, repr=False)  # a cold start would pay for them
class Properties:
    """A resource's properties, validated.

    Attributes:
        values: What each row's property holds.
    """

    values: Mapping[Property[Any], object]

    def __getitem__(self, row: Property[T]) -> T:
        """Return what a property holds.

        Args:
            row: Its row.

        Returns:
            Its value.

        Raises:
            KeyError: It has none: it is neither required nor has a default, or a Delete does not need it.
        """
        return cast("T", self.values[row])


class Schema(NamedTuple):
    """The properties of a resource type.

    Attributes:
        resource_type: Its name, `Custom::...`.
        rows: Its properties, in the order of the reference page.
    """

    resource_type: str
    rows: tuple[Property[Any], ...]

    def parse(self, raw: Mapping[str, object], *, for_delete: bool = False) -> Properties:
        """Validate the properties of a resource.

        Args:
            raw: As CloudFormation sends them: every scalar a string. Real booleans and numbers are taken, too.
            for_delete: Take only what a Delete needs, so that nothing else can block the deletion of a stack.

        Returns:
            The validated properties.

        Raises:
            InvalidProperties: A property is missing, unknown or wrong. The message names all of them.
        """
        values: dict[Property[Any], object] = {}
        known = [row.name for row in self.rows]
        problems = [] if for_delete else [self._unknown(name, known) for name in raw if name not in known]
        for row in self.rows:
            if for_delete and not row.needed_to_delete:
                continue
            value = raw.get(row.name)
            if value is not None:
                try:
                    values[row] = row.type.parse(value)
                except ValueError as error:
                    problems.append(f"{row.name} is {shown(value)}; it should be {error}.")
            elif row.required:
                problems.append(f"{row.name} is missing; {self.resource_type} requires it.")
            elif row.default is not None:
                values[row] = row.default
        if problems:
            raise InvalidProperties(" ".join(problems))
        return Properties(values)

    def _unknown(self, name: str, known: list[str]) -> str:
        lower = {candidate.lower(): candidate for candidate in known}
        nearest = difflib.get_close_matches(name[:_SHOWN_CHARACTERS].lower(), lower, n=1, cutoff=0.5)
        hint = f"did you mean {lower[nearest[0]]}?" if nearest else f"it has {', '.join(known)}."
        return f"{shown(name)} is not a property of {self.resource_type}; {hint}"


def shown(value: object) -> str:
    """Quote a value for a message.

    Args:
        value: What CloudFormation sent.

    Returns:
        The value in quotes, shortened, and with hidden characters made visible.
    """
    if isinstance(value, str):
        hidden = any(unicodedata.category(character) in HIDDEN_CATEGORIES for character in value)
        text = ascii(value) if hidden else f"'{value}'"
        return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...'"
    if isinstance(value, (dict, list)):
        return "a map" if isinstance(value, dict) else "a list"
    return repr(value)[:_SHOWN_CHARACTERS]
