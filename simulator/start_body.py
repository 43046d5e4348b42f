"""The body of a request that starts a job, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.errors import NeptuneError
from simulator.kinds import Structure

if TYPE_CHECKING:
    from simulator.kinds import Kind

Body: TypeAlias = Mapping[str, object]

_FLAGS: Final = {"true": True, "false": False}


def read_start(text: bytes, kind: Kind) -> Body:
    """Read the body of a request that starts a job.

    Args:
        text: The body.
        kind: The job's kind.

    Returns:
        Its members, without those that are null.

    Raises:
        NeptuneError: If it is not what the kind takes.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NeptuneError("BadRequestException", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NeptuneError("BadRequestException", "The body is not a JSON object.")
    given = {name: value for name, value in body.items() if value is not None}
    _check(given, kind.body)
    if kind.alternatives and not any(given.keys() >= set(parameters) for parameters in kind.alternatives):
        either = ", or ".join(" and ".join(parameters) for parameters in kind.alternatives)
        raise NeptuneError("MissingParameterException", f"Either {either} is required.")
    return given


def read_flag(value: object) -> bool:
    """Read a boolean that was checked; the guide's examples write it as a string, `"true"`."""
    return _FLAGS[value.lower()] if isinstance(value, str) else bool(value)


def _check(values: Body, structure: Structure) -> None:
    for name, value in values.items():
        if name not in structure.members:
            raise NeptuneError("InvalidParameterException", f"Unknown parameter: {name!r}.")
        type_ = structure.members[name]
        if not _fits(value, type_):
            raise NeptuneError("InvalidParameterException", f"Parameter {name} has the wrong type.")
        if isinstance(type_, Structure) and isinstance(value, dict):
            _check(value, type_)
    for name in structure.required:
        if name not in values:
            raise NeptuneError("MissingParameterException", f"{name} is required.")


def _fits(value: object, type_: type | Structure) -> bool:
    if type_ is bool and isinstance(value, str):
        return value.lower() in _FLAGS
    # JSON's true and false are no integers, Python's are.
    if isinstance(value, bool):
        return type_ is bool
    if isinstance(value, list):
        return type_ is list and all(isinstance(item, str) for item in value)
    return isinstance(value, dict if isinstance(type_, Structure) else type_)
