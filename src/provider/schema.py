"""How rows of properties become a resource's properties: typed, validated and immutable."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar, cast

from provider.values import HIDDEN_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        description: For the reference page; what stands in braces, the kind says.
        required: Whether a template must give it.
        default: The value of a resource that does not give it.
        default_text: What the reference page says of that, if the value does not say it itself.
        parameter: The Neptune Data API's name for it; empty if no call carries it.
        calls: Which calls carry it.
        needed_to_delete: Whether a Delete needs it; what it does not need must not block the deletion of a stack.
        describes: Whether it describes a job that is to be started; `required` then means that such a job needs it.
        members: What its value is made of, if that is a map.
        excludes: The name of a property that must not be true beside it.
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
    describes: bool = False
    members: tuple[Property[Any], ...] = ()
    excludes: str = ""


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

    @property
    def describes(self) -> bool:
        """Whether they describe a job that is to be started, rather than name one that is to be adopted."""
        return any(row.describes for row in self.values)

    @property
    def description(self) -> dict[str, object]:
        """What tells the job to be started from another one, by the names of the API's parameters."""
        return self._described("Replacement")

    @property
    def in_place(self) -> dict[str, object]:
        """What else describes it, and can be changed while it stays the same."""
        return self._described("No interruption")

    def _described(self, update: str) -> dict[str, object]:
        return {row.parameter: value for row, value in self.values.items() if row.describes and row.update == update}


class Schema(NamedTuple):
    """The properties of a resource type.

    A resource either adopts a job that runs already, or describes one that is to be started. A map in one of its
    properties has a schema, too.

    Attributes:
        resource_type: Its name, `Custom::...`.
        rows: Its properties, in the order of the reference page.
        adopts: The property that names a job to adopt; `None` if it is a map's.
        either: Groups of properties that describe a job: one of them has to be there as a whole.
        thing: What messages call the job.
    """

    resource_type: str
    rows: tuple[Property[Any], ...]
    adopts: Property[Any] | None = None
    either: tuple[tuple[Property[Any], ...], ...] = ()
    thing: str = "job"

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
        path = "" if self.adopts else f"{self.resource_type}."
        known = [row.name for row in self.rows]
        meant = {} if for_delete else {name: nearest(name, known) for name in raw if name not in known}
        problems = [self._unknown(name, near, known) for name, near in meant.items()]
        for row in [row for row in self.rows if row.needed_to_delete or not for_delete]:
            name, value = f"{path}{row.name}", raw.get(row.name)
            if value is not None:
                try:
                    values[row] = parsed = row.type.parse(value)
                    if row.members:
                        members = Schema(row.name, row.members).parse(parsed)
                        values[row] = {member.parameter: it for member, it in members.values.items()}
                except InvalidProperties as error:
                    problems.append(str(error))
                except ValueError as error:
                    problems.append(f"{name} is {shown(value)}; it should be {error}.")
            elif row.required and not (row.describes and self.adopts) and row.name not in meant.values():
                problems.append(f"{name} is missing; {self.resource_type} requires it.")
            elif row.default is not None:
                values[row] = row.default
        if self.adopts and not for_delete:
            problems += self._ways(raw, self.adopts.name, [*meant.values()])
            true = [row.name for row, value in values.items() if value is True]
            problems += [
                f"{row.name} and {row.excludes} exclude each other; keep {row.name} if the job may take longer than an "
                "hour."
                for row in values
                if row.excludes in true
            ]
        if problems:
            raise InvalidProperties(" ".join(problems))
        return Properties(values)

    def _ways(self, raw: Mapping[str, object], adopts: str, meant: Sequence[str]) -> list[str]:
        """Tell what is wrong between the properties: adopt or start, and what goes together.

        What somebody meant who mistyped its name is not missing.
        """
        describing = [row for row in self.rows if row.describes]
        required = [row for row in describing if row.required]
        choices = ", or ".join(map(_names, self.either))
        given = [row for row in describing if raw.get(row.name) is not None]
        if raw.get(adopts) is not None:
            #: If a condition decides, use `AWS::NoValue`.
            problem = (
                f"{adopts} adopts an existing {self.thing} and cannot be combined with properties of a new one "
                f"({_names(given)}); remove one or the other."
            )
            return [problem] if given else []
        if adopts in meant:
            return []
        perhaps = [row for row in describing if row in given or row.name in meant]
        if not perhaps:
            ways = f", or {'with ' if required else ''}".join(map(_names, self.either))
            properties = " with ".join(filter(None, [_names(required), ways]))
            return [
                f"No {self.thing} is given; write {adopts} to adopt an existing one, or {properties}, for a new one."
            ]
        problems = [f"{row.name} is missing; a new {self.thing} requires it." for row in required if row not in perhaps]
        if self.either and all(set(group).isdisjoint(perhaps) for group in self.either):
            problems.append(f"A new {self.thing} requires {choices}.")
        is_complete = any(set(group).issubset(perhaps) for group in self.either)
        for group in self.either:
            missing = [row for row in group if row not in perhaps]
            begun = [row for row in group if row in (given if is_complete else perhaps)]
            if missing and begun:
                problems.append(f"{_names(missing)} is missing; write it together with {_names(begun)}.")
        return problems

    def _unknown(self, name: str, near: str, known: list[str]) -> str:
        hint = f"did you mean {near}?" if near else f"it has {', '.join(known)}."
        return f"{shown(name)} is not a property of {self.resource_type}; {hint}"


def _names(rows: Iterable[Property[Any]]) -> str:
    """Write an enumeration: `A`, `A and B`, `A, B and C`."""
    *others, last = [row.name for row in rows] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def nearest(name: str, known: Iterable[str]) -> str:
    """Find what somebody meant who mistyped a name.

    Args:
        name: What was written.
        known: The names that there are.

    Returns:
        The nearest of them; empty if none is near.
    """
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name[:_SHOWN_CHARACTERS].lower(), lower, n=1, cutoff=0.5)
    return lower[near[0]] if near else ""


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
