"""The JSON schemas of the resource types, from their one definition; `schemas/` has them for whatever tool can use one.

They have the form of CloudFormation's own resource provider definitions (draft 7). What stands in `$comment` says what
is wrong with a value that does not fit, in the provider's own words.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts, problem_of
from provider.kinds import KINDS
from provider.kinds.lookup import KINDS as LOOKED_UP
from provider.lookups import SCHEMA
from provider.values import DEFAULT_PORT, Endpoint
from tools.rows import attributes_of, expected, range_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.kinds.kind import Words
    from provider.schema import Property, Schema

DIRECTORY = Path(__file__).parent.parent / "packages/cfn-lint/src/cfn_lint_neptune_ml/schemas"
Json = dict[str, Any]

_LOOKED_UP: Json = {
    "if": {"required": ["Job"]},
    "then": {
        "not": {"anyOf": [{"required": ["Endpoint"]}, {"required": ["Id"]}]},
        "$comment": "Specify either Job, or Endpoint and Id.",
    },
    "else": {"required": ["Endpoint", "Id"]},
}


def schemas() -> dict[Path, str]:
    """Describe every resource type.

    Returns:
        The text of each schema by its file, which is named as CloudFormation's CLI names such files.
    """
    lookup = {
        name: f"Of {job_type}: {text}"
        for job_type, kind in LOOKED_UP.items()
        for name, text in attributes_of(kind).items()
    }
    described = [
        *(
            _schema(schema_of(kind.schema), kind.words, attributes_of(kind), _ways(schema_of(kind.schema)))
            for kind in KINDS
        ),
        _schema(SCHEMA, KINDS[0].words, lookup, _LOOKED_UP),
    ]
    return {
        DIRECTORY / f"{it['typeName'].lower().replace('::', '-')}.json": json.dumps(it, indent=2) + "\n"
        for it in described
    }


def _schema(schema: Schema, words: Words, attributes: Mapping[str, str], together: Json) -> Json:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "typeName": schema.resource_type,
        "type": "object",
        "properties": {row.name: _property(row, words) for row in schema.rows},
        "additionalProperties": False,
        "required": [row.name for row in schema.rows if row.required and not row.describes],
        **together,
        "allOf": [{}, *_excluded(schema)],
        "clusters": _clusters(),
        "attributes": {name: {"type": "string", "description": it} for name, it in attributes.items()},
    }


def _clusters() -> Json:
    """Say which endpoints every provider takes."""
    hosts = Hosts.of_clusters()
    comment = problem_of(Endpoint("https", "localhost", DEFAULT_PORT), hosts).rstrip(".")
    return {
        "pattern": f"^(https://)?{hosts.own.pattern.replace('.+', '[^/]+', 1)}(:[0-9]{{1,5}})?$",
        "$comment": comment,
    }


def _property(row: Property[Any], words: Words) -> Json:
    described = {"description": row.description.format(**words._asdict()), "$comment": expected(row)}
    match row.type.name:
        case "Boolean":
            return {"type": "boolean", **described}
        case "Integer":
            least, greatest = range_of(row)
            return {"type": "integer", "minimum": least, "maximum": greatest, **described}
        case "Array of String":
            return {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "minLength": 1, "$comment": described["$comment"]},
                **described,
            }
        case "Map":
            members = {member.name: _property(member, words) for member in row.members}
            required = [member.name for member in row.members if member.required]
            return {"type": "object", "properties": members, "additionalProperties": False, "required": required} | (
                described
            )
    # `$` matches before a newline at the end, too, in Python's expressions.
    pattern = {"pattern": f"{row.type.pattern}(?!\\n)"} if row.type.pattern else {}
    return {"type": "string", "minLength": 1, **pattern, **described}


def _ways(schema: Schema) -> Json:
    """Either adopt or start, and what goes together."""
    adopts = schema.adopts.name if schema.adopts else ""
    required = [row.name for row in schema.rows if row.describes and row.required]
    described = [{"required": [row.name]} for row in schema.rows if row.describes]
    either = [[row.name for row in group] for group in schema.either]
    choices = ", or ".join(" and ".join(group) for group in either)
    started: Json = {"required": required}
    if either:
        started["anyOf"] = [{"required": [name]} for group in either for name in group]
        started["$comment"] = f"A new {schema.thing} requires {choices}."
    pairs = [group for group in either if len(group) > 1]
    if pairs:
        started["dependencies"] = {name: [it for it in pair if it != name] for pair in pairs for name in pair}
    new = " with ".join(filter(None, [" and ".join(required), choices]))
    return {
        "if": {"required": [adopts]},
        "then": {
            "not": {"anyOf": described},
            "$comment": f"{adopts} adopts an existing {schema.thing} and cannot be combined with properties of a new "
            "one; remove one or the other.",
        },
        "else": {
            "if": {"anyOf": described},
            "then": started,
            "else": {
                "not": {},
                "$comment": f"Specify {adopts} to adopt an existing {schema.thing}, or {new}, for a new one.",
            },
        },
    }


def _excluded(schema: Schema) -> list[Json]:
    return [
        {
            "not": {"required": [row.name, row.excludes], "properties": {row.excludes: {"enum": [True, "true"]}}},
            "$comment": f"{row.name} and {row.excludes} exclude each other; keep {row.name} if the job may take longer "
            "than an hour.",
        }
        for row in schema.rows
        if row.excludes
    ]
