"""The API's operations and their parameters, as in botocore's service model `neptunedata`."""

from __future__ import annotations

from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from simulator.errors import NeptuneError

_MODEL: Final = ServiceModel(Loader().load_service_model("neptunedata", "service-2"), "neptunedata")
OPERATIONS: Final = {
    (operation.http["method"], operation.http["requestUri"]): operation
    for operation in map(_MODEL.operation_model, _MODEL.operation_names)
}
"""The operations by method and URI template."""
_FLAGS: Final = {"true": True, "false": False}
_TYPES: Final[dict[str, type]] = {"string": str, "integer": int, "boolean": bool, "structure": dict, "list": list}


def query_parameters(operation: OperationModel) -> frozenset[str]:
    """Return the names of an operation's query parameters."""
    serialized = (member.serialization for member in _members(operation).values())
    return frozenset(it["name"] for it in serialized if it.get("location") == "querystring")


def body_members(operation: OperationModel) -> dict[str, Shape]:
    """Return the members of the body of an operation's request."""
    return {name: it for name, it in _members(operation).items() if "location" not in it.serialization}


def check_body(body: dict[str, Any], operation: OperationModel) -> None:
    """Raise the API's error if an operation does not accept this body."""
    assert isinstance(operation.input_shape, StructureShape)  # noqa: S101 - every operation of Neptune ML has one
    _check(body, operation.input_shape)


def read_flag(value: object) -> bool:
    """Read a valid boolean; the guide's examples write it as a string, `"true"`."""
    return _FLAGS[value.lower()] if isinstance(value, str) else bool(value)


def _members(operation: OperationModel) -> dict[str, Shape]:
    shape = operation.input_shape
    return dict(shape.members) if isinstance(shape, StructureShape) else {}


def _check(values: dict[str, Any], shape: StructureShape) -> None:
    for name, value in values.items():
        if name not in shape.members:
            raise NeptuneError("InvalidParameterException", f"Unknown parameter: {name!r}.")
        member = shape.members[name]
        if not _fits(value, member):
            raise NeptuneError("InvalidParameterException", f"Parameter {name} has the wrong type.")
        if isinstance(member, StructureShape):
            _check(value, member)
    for name in shape.required_members:
        if name not in values:
            raise NeptuneError("MissingParameterException", f"{name} is required.")


def _fits(value: object, shape: Shape) -> bool:
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() in _FLAGS
    if isinstance(shape, ListShape):
        return isinstance(value, list) and all(_fits(item, shape.member) for item in value)
    # In JSON, unlike in Python, true and false are not integers.
    return isinstance(value, _TYPES[shape.type_name]) and isinstance(value, bool) == (shape.type_name == "boolean")
