"""What the AWS CDK and Terraform examples declare of a resource type's properties, from their rows."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from provider.custom_resource.properties import COMPLETION_HANDLE, SERVICE_TIMEOUT, SERVICE_TOKEN, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provider.kinds.kind import Kind
    from provider.schema import Property

EXAMPLES = Path(__file__).parent.parent / "examples"

_PYTHON = {"String": "str", "Boolean": "bool", "Integer": "int", "Array of String": "Sequence[str]"}
_TYPESCRIPT = {"String": "string", "Boolean": "boolean", "Integer": "number", "Array of String": "string[]"}
_TERRAFORM = {"String": "string", "Boolean": "bool", "Integer": "number", "Array of String": "list(string)"}
_LINE_LENGTH = 120


def blocks(kind: Kind) -> dict[Path, str]:
    """Write what the examples declare of a resource type.

    Args:
        kind: The kind of its jobs.

    Returns:
        The generated block of each file.
    """
    rows = schema_of(kind.schema).rows
    # The CDK's CustomResource has these itself; the Terraform module's stack has no wait condition.
    of_cdk = [row for row in rows if row not in (SERVICE_TOKEN, SERVICE_TIMEOUT)]
    of_terraform = [row for row in rows if row not in (SERVICE_TOKEN, COMPLETION_HANDLE)]
    written = {
        "cdk/python/transform_job.py": _python(of_cdk, kind),
        "cdk/typescript/lib/model-transform-job.ts": _interface("Properties", of_cdk, kind),
        "terraform/variables.tf": _variables(of_terraform, kind),
        "terraform/main.tf": _locals(of_terraform, kind),
    }
    return {EXAMPLES / path: "\n".join(lines) for path, lines in written.items()}


def _python(rows: Sequence[Property[Any]], kind: Kind) -> Iterator[str]:
    yield "_NAMES = {"
    for row in rows:
        yield from (f'    "{xform_name(it.name)}": "{it.name}",' for it in (row, *row.members))
    yield from ("}", "", "")
    yield from _class("Properties", "The properties of a model transform job.", rows, kind)


def _class(name: str, text: str, rows: Sequence[Property[Any]], kind: Kind) -> Iterator[str]:
    for row in rows:
        if row.members:
            yield from _class(row.name, _text(row, kind), row.members, kind)
    yield from (f"class {name}(TypedDict, total=False):", f'    """{text}"""', "")
    for row in rows:
        type_ = row.name if row.members else _PYTHON[row.type.name]
        yield f"    {xform_name(row.name)}: {f'Required[{type_}]' if _is_required(row, rows) else type_}"
        yield from _wrapped("    ", f'"""{_text(row, kind)}"""')
    yield from ("", "")


def _interface(name: str, rows: Sequence[Property[Any]], kind: Kind) -> Iterator[str]:
    for row in rows:
        if row.members:
            yield from (*_interface(row.name, row.members, kind), "")
    yield f"export interface {name} {{"
    for row in rows:
        type_ = row.name if row.members else _TYPESCRIPT[row.type.name]
        yield from ("  /**", *_wrapped("   * ", _text(row, kind)), "   */")
        yield f"  readonly {row.name[0].lower()}{row.name[1:]}{'' if _is_required(row, rows) else '?'}: {type_};"
    yield "}"


def _variables(rows: Sequence[Property[Any]], kind: Kind) -> Iterator[str]:
    for row in rows:
        members = ", ".join(f"{xform_name(it.name)} = {_member(it)}" for it in row.members)
        yield f'variable "{xform_name(row.name)}" {{'
        yield f"  description = {json.dumps(_text(row, kind))}"
        yield f"  type        = {f'object({{ {members} }})' if members else _TERRAFORM[row.type.name]}"
        if not _is_required(row, rows):
            yield "  default     = null"
        yield from ("}", "")


def _member(row: Property[Any]) -> str:
    type_ = _TERRAFORM[row.type.name]
    return type_ if row.required else f"optional({type_})"


def _locals(rows: Sequence[Property[Any]], kind: Kind) -> Iterator[str]:
    width = max(len(row.name) for row in rows)
    yield from ("locals {", "  properties = {")
    for row in rows:
        variable = f"var.{xform_name(row.name)}"
        members = ", ".join(f"{it.name} = {variable}.{xform_name(it.name)}" for it in row.members)
        given = f"{{ for name, value in {{ {members} }} : name => value if value != null }}"
        yield f"    {row.name:{width}} = {f'{variable} == null ? null : {given}' if members else variable}"
    attributes = ", ".join(json.dumps(name) for name in ("Id", "Status", *(it.name for it in kind.attributes)))
    yield from ("  }", f"  attributes = [{attributes}]", "}")


def _text(row: Property[Any], kind: Kind) -> str:
    """Describe a property where the links of the reference lead nowhere."""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", row.description.format(**kind.words._asdict()))
    default = row.default_text or (str(row.default).lower() if row.default is not None else "")
    return f"{text} Default: {default}." if default else text


def _is_required(row: Property[Any], rows: Sequence[Property[Any]]) -> bool:
    """Tell whether every value has it: a resource that adopts a job has nothing that describes one, but a map has."""
    return row.required and (not row.describes or all(it.describes for it in rows))


def _wrapped(indent: str, text: str) -> list[str]:
    return textwrap.wrap(text, _LINE_LENGTH, initial_indent=indent, subsequent_indent=indent)
