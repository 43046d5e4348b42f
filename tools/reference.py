"""The reference of the resource types: what documents and lint rules say of them, from their one definition.

`python -m tools.reference` writes a page for each type in `docs/reference/`, and the parts of other pages and of the
cfn-lint rules that stand between the marks `generated: NAME` and `end of NAME`; with `--check` it only tells whether
they are up to date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts, problem_of
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.values import DEFAULT_PORT, Endpoint
from tools import examples, troubleshooting
from tools.diagrams import diagrams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provider.kinds.kind import Call, Kind
    from provider.schema import Property

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs/reference.md"
DEVELOPMENT = _ROOT / "docs/development.md"
DEPLOYMENT = _ROOT / "docs/deployment.md"
TEMPLATE = _ROOT / "template.yaml"
TROUBLESHOOTING = _ROOT / "docs/troubleshooting.md"
RULES = _ROOT / "cfn_lint/neptune_ml.py"

_LINE_LENGTH = 120
_UPDATES = {"Not supported": "Updates are not supported"}
_API = "https://docs.aws.amazon.com/neptune/latest/data-api/API_"
_PAGE = """\
# {resource_type}

<!-- Written by `make docs`. -->

The resource {starts} an Amazon Neptune ML {noun} with [`{start}`][start], or adopts an existing one. When the \
resource is deleted, the {thing} is {cancelled}. See the [reference](../reference.md) for operations, limits and \
examples.

## Syntax

```yaml
Type: {resource_type}
Properties:
{syntax}
```

## Properties

Specify either `{adopts}`, or the properties that describe a new {thing}: `{first}` to `{last}`.

{properties}
{types}## Return values

`Ref` returns [the {thing}'s identity](../reference.md#ref). `Fn::GetAtt` returns these attributes, which may be \
[empty strings](../reference.md#fngetatt):

{attributes}
## See also

- [Error messages](../troubleshooting.md) and their solutions
- Amazon Neptune Data API Reference: [{start}][start], [{get}][get], [{cancel}][cancel]

[start]: {api}{start}.html
[get]: {api}{get}.html
[cancel]: {api}{cancel}.html
"""


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
    every = dict.fromkeys((*kind.running, *kind.stopping, *kind.ended, *kind.completed, *kind.failed))
    *statuses, last = (f"`{status}`" for status in every)
    return {
        "Id": f"The {thing}'s id.",
        "Status": f"The {thing}'s status: {', '.join(statuses)} or {last}.",
        **{attribute.name: attribute.description for attribute in kind.attributes},
    }


def path_of(kind: Kind) -> Path:
    """Return where the page of a resource type is.

    Args:
        kind: The kind of its jobs.

    Returns:
        The path of its file.
    """
    return PAGE.with_suffix("") / f"{kind.noun.replace(' ', '-')}.md"


def page_of(kind: Kind) -> str:
    """Write the page of a resource type.

    Args:
        kind: The kind of its jobs.

    Returns:
        The page: syntax, properties, property types and attributes, with links to what holds for all types.
    """
    rows = rows_of(kind)
    described = [row.name for row in rows if row.describes]
    types = "\n".join(_property_type(row, kind) for row in rows if row.members)
    return _PAGE.format(
        resource_type=kind.resource_type,
        noun=kind.noun,
        thing=kind.words.thing,
        starts=kind.words.starts,
        cancelled=kind.words.cancelled,
        api=_API,
        start=_operation(kind.start),
        get=_operation(kind.get),
        cancel=_operation(kind.cancel),
        syntax=_syntax(rows, "  "),
        adopts=kind.adopts.name,
        first=described[0],
        last=described[-1],
        properties="\n".join(_property(row, kind) for row in rows),
        types=f"## Property types\n\n{types}\n" if types else "",
        attributes="".join(f"- `{name}`: {what}\n" for name, what in attributes_of(kind).items()),
    )


def page(text: str) -> str:
    """Bring the page of what holds for all resource types up to date.

    Args:
        text: The page.

    Returns:
        The page, with the resource types that there are.
    """
    types = (f"- [`{kind.resource_type}`]({path_of(kind).relative_to(PAGE.parent)})" for kind in KINDS)
    return _replace(text, "resource types", "\n".join(types))


def rules(text: str) -> str:
    """Bring the cfn-lint rules up to date.

    Args:
        text: The source of the rules.

    Returns:
        The source, with the resource types as they are defined.
    """
    clusters, a_cluster = Hosts.of_clusters(), "cluster.neptune.amazonaws.com"
    lines = [
        "RESOURCE_TYPES = (",
        *(line for kind in KINDS for line in _resource_type(kind, "    ")),
        ")",
        "HOSTS = (",
        *(f'    r"{piece}"' for piece in clusters.own.pattern.replace("|", "|\n").splitlines()),
        ")",
        *_text("OTHER_HOST = ", problem_of(Endpoint("https", "localhost", DEFAULT_PORT), clusters).rstrip(".")),
        *_text("PLAIN_HTTP = ", problem_of(Endpoint("http", a_cluster, DEFAULT_PORT), clusters).rstrip(".")),
    ]
    return _replace(text, "rules", "\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the reference, or check it.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code: 1 if `--check` found something out of date.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something is out of date")
    check = parser.parse_args(arguments).check
    written = {path_of(kind): page_of(kind) for kind in KINDS}
    written |= {PAGE: page(PAGE.read_text()), RULES: rules(RULES.read_text())}
    written[DEVELOPMENT] = _replace(DEVELOPMENT.read_text(), "plan", f"\n{diagrams()}\n")
    written[TROUBLESHOOTING] = troubleshooting.page(TROUBLESHOOTING.read_text())
    for path, block in examples.blocks(MODEL_TRANSFORM_JOB).items():
        written[path] = _replace(path.read_text(), "properties", block)
    written[DEPLOYMENT] = _replace(DEPLOYMENT.read_text(), "parameters", _parameters(loads(TEMPLATE.read_text())))
    outdated = [path for path, text in written.items() if not path.exists() or path.read_text() != text]
    if not check:
        for path in outdated:
            path.write_text(written[path])
    for path in outdated:
        print(f"{path.relative_to(_ROOT)}: {'out of date, run `make docs`' if check else 'written'}")
    return 1 if check and outdated else 0


def _replace(text: str, name: str, content: str) -> str:
    block = re.compile(rf"^(.*\bgenerated: {name}\b.*\n)(?:.*\n)*?(.*\bend of {name}\b)", re.MULTILINE)
    new, count = block.subn(lambda match: f"{match[1]}{content}\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"there should be one block 'generated: {name}', there are {count}")
    return new


def _parameters(template: Mapping[str, Any]) -> str:
    """List the provider's parameters, in the order in which the console shows them."""
    lines = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        for name in group["Parameters"]:
            row = template["Parameters"][name]
            default = f" (`{row['Default']}`)" if row.get("Default") else "" if "Default" in row else " (required)"
            item = f"- `{name}`{default}: {row['Description']}"
            lines += textwrap.wrap(item, _LINE_LENGTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def _syntax(rows: Iterable[Property[Any]], indent: str = "") -> str:
    return "\n".join(f"{indent}{row.name}:{_yaml_type(row, indent)}" for row in rows)


def _yaml_type(row: Property[Any], indent: str) -> str:
    _, is_list, item = row.type.name.partition("Array of ")
    if is_list:
        return f"\n{indent}  - {item}"
    return f"\n{indent}  {row.name}" if row.members else f" {row.type.name}"


def _property(row: Property[Any], kind: Kind, heading: str = "### ", *, is_member: bool = False) -> str:
    type_ = f"[{row.name}](#{_property_type_heading(row).lower().replace(' ', '-')})" if row.members else row.type.name
    facts = {"Required": ("Yes" if row.required else "No") if is_member else _required(row, kind), "Type": type_}
    if row.default_text or row.default is not None:
        facts["Default"] = row.default_text or f"`{str(row.default).lower()}`"
    if row.type.name == "Integer":
        facts["Minimum"], facts["Maximum"] = (f"`{bound}`" for bound in _range(row))
    elif row.type.pattern:
        facts["Pattern"] = f"`{row.type.pattern}`"
    facts["Update requires"] = _UPDATES.get(row.update, row.update)
    # Two spaces at its end break a line in Markdown; an editor may remove them, a backslash it leaves.
    lines = "\\\n".join(f"*{name}*: {fact}" for name, fact in facts.items())
    return f"{heading}`{row.name}`\n\n{_description(row, kind)}\n\n{lines}\n"


def _required(row: Property[Any], kind: Kind) -> str:
    if row is kind.adopts:
        return "Conditional"
    if row.describes and row.required:
        return f"Conditional. Required unless you specify `{kind.adopts.name}`."
    if any(row in group for group in kind.either):
        choices = ", or ".join(" and ".join(f"`{it.name}`" for it in group) for group in kind.either)
        return f"Conditional. Without `{kind.adopts.name}`, specify {choices}."
    return "Yes" if row.required else "No"


def _property_type(row: Property[Any], kind: Kind) -> str:
    members = "\n".join(_property(member, kind, "#### ", is_member=True) for member in row.members)
    syntax = f"```yaml\n{_syntax(row.members)}\n```"
    return f"### {_property_type_heading(row)}\n\n{_description(row, kind)}\n\n{syntax}\n\n{members}"


def _property_type_heading(row: Property[Any]) -> str:
    return f"Property type {row.name}"


def _operation(call: Call) -> str:
    """Name a call as the reference of the Neptune Data API does: not every IAM action has the same name."""
    service = botocore.session.get_session().get_service_model("neptunedata")
    return {xform_name(name): name for name in service.operation_names}[call.method]


def _description(row: Property[Any], kind: Kind) -> str:
    """Return what a property is, in the words of a kind."""
    return row.description.format(**kind.words._asdict())


def _resource_type(kind: Kind, indent: str) -> Iterator[str]:
    """Write a resource type as the rules have it."""
    inner = f"{indent}    "
    either = _tuple(_tuple(_literal(row.name) for row in group) for group in kind.either)
    yield f"{indent}ResourceType("
    yield f"{inner}name={_literal(kind.resource_type)},"
    yield f"{inner}properties={{"
    yield from _definitions(rows_of(kind), f"{inner}    ")
    yield f"{inner}}},"
    yield f"{inner}adopts={_literal(kind.adopts.name)},"
    if kind.either:
        yield f"{inner}either={either},"
    if kind.words.thing != "job":
        yield f"{inner}noun={_literal(kind.words.thing)},"
    yield f"{inner}attributes=("
    yield from (f"{inner}    {_literal(name)}," for name in attributes_of(kind))
    yield f"{inner}),"
    yield f"{indent}),"


def _definitions(
    rows: Iterable[Property[Any]], indent: str, flags: tuple[str, ...] = ("required", "describes")
) -> Iterator[str]:
    """Write rows as the rules have them."""
    inner = f"{indent}    "
    for row in rows:
        yield f"{indent}{_literal(row.name)}: Property("
        yield f"{inner}type={_literal(row.type.name)},"
        yield from _text("expected=", _expected(row), inner, ",")
        yield from (f"{inner}{flag}=True," for flag in flags if getattr(row, flag))
        if row.type.pattern:
            yield f'{inner}pattern=r"{row.type.pattern}",'
        if row.type.name == "Integer":
            least, greatest = _range(row)
            yield f"{inner}least={least},"
            yield f"{inner}greatest={greatest},"
        if row.excludes:
            yield f"{inner}excludes={_literal(row.excludes)},"
        if row.members:
            yield f"{inner}members={{"
            yield from _definitions(row.members, f"{inner}    ", ("required",))
            yield f"{inner}}},"
        yield f"{indent}),"


def _expected(row: Property[Any]) -> str:
    """Return what a value should be, in the provider's own words."""
    for wrong in (" ", ""):
        try:
            row.type.parse(wrong)
        except ValueError as error:
            return str(error)
    raise ValueError(f"{row.name} should not be empty")


def _range(row: Property[Any]) -> tuple[int, int]:
    """Return the least and the greatest integer, which those words name."""
    words = re.search(r"from (\d+) to (\d+)$", _expected(row))
    if words is None:
        raise ValueError(f"{row.name} should have a range")
    return int(words[1]), int(words[2])


def _text(before: str, text: str, indent: str = "", after: str = "") -> Iterator[str]:
    """Write a text, in pieces if it does not fit into a line."""
    line = f"{indent}{before}{_literal(text)}{after}"
    if len(line) <= _LINE_LENGTH:
        yield line
        return
    pieces = re.findall(rf".{{1,{_LINE_LENGTH - len(indent) - 8}}}(?:\s|$)", text)
    yield f"{indent}{before}("
    yield from (f"{indent}    {_literal(piece)}" for piece in pieces)
    yield f"{indent}){after}"


def _tuple(items: Iterable[str]) -> str:
    items = list(items)
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _literal(text: str) -> str:
    return json.dumps(text)


if __name__ == "__main__":
    sys.exit(main())
