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
    """The properties of a resource are wrong; the message says which, their values, and what they should be."""


class Property(NamedTuple, Generic[T]):
    """A row: everything that the provider knows about one property.

    Attributes:
        name: The name in a template.
        type: The type of its values.
        update: What a change requires.
        description: The description on the reference page. The kind's words replace names in braces.
        required: Whether a template must specify it.
        default: The value if a template does not specify it.
        default_text: The default, in words, for the reference page; empty if `default` is enough.
        parameter: Its name in the Neptune Data API; empty if no call carries it.
        calls: The names of the calls that carry it.
        needed_to_delete: Whether a Delete needs it. Any other property must not block the deletion of a stack.
        describes: Whether it describes a new job. `required` then means that a new job requires it.
        members: The rows of its members, if its value is a map.
        excludes: The name of a property that must not be true at the same time.
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
        values: The value of each row's property.
    """

    values: Mapping[Property[Any], object]

    def __getitem__(self, row: Property[T]) -> T:
        """Return the value of a property.

        Args:
            row: Its row.

        Returns:
            Its value.

        Raises:
            KeyError: It has no value: it is neither required nor has a default, or a Delete does not need it.
        """
        return cast("T", self.values[row])

    @property
    def describes(self) -> bool:
        """Whether they describe a new job, rather than name one to adopt."""
        return any(row.describes for row in self.values)

    @property
    def description(self) -> dict[str, object]:
        """What distinguishes the new job from another one, by the names of the API's parameters."""
        return self._described("Replacement")

    @property
    def in_place(self) -> dict[str, object]:
        """The rest of its description, which can change in place, by the names of the API's parameters."""
        return self._described("No interruption")

    def _described(self, update: str) -> dict[str, object]:
        return {row.parameter: value for row, value in self.values.items() if row.describes and row.update == update}


class Schema(NamedTuple):
    """The properties of a resource type.

    A resource either adopts an existing job, or describes a new one. The map in a property has a schema, too.

    Attributes:
        resource_type: Its name, `Custom::...`.
        rows: Its properties, in the order of the reference page.
        adopts: The property that names a job to adopt; `None` if there is none.
        either: Groups of properties. The description of a job needs one whole group.
        thing: What messages call the job.
    """

    resource_type: str
    rows: tuple[Property[Any], ...]
    adopts: Property[Any] | None = None
    either: tuple[tuple[Property[Any], ...], ...] = ()
    thing: str = "job"

    def parse(self, raw: Mapping[str, object], *, for_delete: bool = False, path: str = "") -> Properties:
        """Validate the properties of a resource.

        Args:
            raw: The properties from CloudFormation, where every scalar is a string. Booleans and numbers are allowed.
            for_delete: Read only what a Delete needs, so that nothing else can block the deletion of a stack.
            path: What messages write before a property's name, if it is a member of another one.

        Returns:
            The validated properties.

        Raises:
            InvalidProperties: A property is missing, unknown or wrong. The message names all of them.
        """
        values: dict[Property[Any], object] = {}
        known = [row.name for row in self.rows]
        meant = {} if for_delete else {name: nearest(name, known) for name in raw if name not in known}
        problems = [self._unknown(name, near, known) for name, near in meant.items()]
        for row in [row for row in self.rows if row.needed_to_delete or not for_delete]:
            name, value = f"{path}{row.name}", raw.get(row.name)
            if value is not None:
                try:
                    values[row] = parsed = row.type.parse(value)
                    if row.members:
                        members = Schema(row.name, row.members).parse(parsed, path=f"{row.name}.")
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
                f"{row.name} and {row.excludes} are mutually exclusive; keep {row.name} if the job may take longer "
                "than an hour."
                for row in values
                if row.excludes in true
            ]
        if problems:
            raise InvalidProperties(" ".join(problems))
        return Properties(values)

    def _ways(self, raw: Mapping[str, object], adopts: str, meant: Sequence[str]) -> list[str]:
        """Return what is wrong with the combination of properties: adopt or start, and which require each other.

        A property with a mistyped name is not missing.
        """
        describing = [row for row in self.rows if row.describes]
        required = [row for row in describing if row.required]
        choices = ", or ".join(map(_names, self.either))
        given = [row for row in describing if raw.get(row.name) is not None]
        if raw.get(adopts) is not None:
            #: To choose one by a condition, use `AWS::NoValue`.
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
            return [f"Specify {adopts} to adopt an existing {self.thing}, or {properties}, for a new one."]
        problems = [f"{row.name} is missing; a new {self.thing} requires it." for row in required if row not in perhaps]
        if self.either and all(set(group).isdisjoint(perhaps) for group in self.either):
            problems.append(f"A new {self.thing} requires {choices}.")
        is_complete = any(set(group).issubset(perhaps) for group in self.either)
        for group in self.either:
            missing = [row for row in group if row not in perhaps]
            begun = [row for row in group if row in (given if is_complete else perhaps)]
            if missing and begun:
                problems.append(f"{_names(missing)} is missing; specify it together with {_names(begun)}.")
        return problems

    def _unknown(self, name: str, near: str, known: list[str]) -> str:
        hint = f"did you mean {near}?" if near else f"it has {', '.join(known)}."
        return f"{shown(name)} is not a property of {self.resource_type}; {hint}"


def _names(rows: Iterable[Property[Any]]) -> str:
    """Write an enumeration: `A`, `A and B`, `A, B and C`."""
    *others, last = [row.name for row in rows] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def nearest(name: str, known: Iterable[str]) -> str:
    """Find the name that was meant by a mistyped one.

    Args:
        name: The mistyped name.
        known: The known names.

    Returns:
        The nearest known name; empty if none is near.
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
