"""The reference of the resource types: what documents and lint rules say of them, from their one definition.

`python -m tools.reference` writes a page for each type in `docs/reference/`, and the parts of other pages that stand
between the marks `generated: NAME` and `end of NAME`, the JSON schemas and the CDK constructs; with `--check` it only
tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider import lookups
from provider.kinds import KINDS
from provider.kinds.lookup import KINDS as LOOKED_UP
from provider.kinds.lookup import LOOKUP
from tools import constructs, schemas, troubleshooting
from tools.diagrams import diagrams
from tools.rows import attributes_of, range_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provider.kinds.kind import Call, Kind
    from provider.schema import Property

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs/reference.md"
LOOKUP_PAGE = _ROOT / "docs/reference/job-lookup.md"
DEVELOPMENT = _ROOT / "docs/development.md"
DEPLOYMENT = _ROOT / "docs/deployment.md"
TEMPLATE = _ROOT / "template.yaml"
TROUBLESHOOTING = _ROOT / "docs/troubleshooting.md"

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
_LOOKUP_PAGE = """\
# {resource_type}

<!-- Written by `make docs`. -->

The resource has the attributes of a job or endpoint. It starts, changes and cancels nothing. Use it to read a job \
when a wait condition has ended, or a job that no stack has. See the [reference](../reference.md) for limits.

## Syntax

```yaml
Type: {resource_type}
Properties:
{syntax}
```

## Properties

{properties}
## Return values

`Ref` returns an identifier of the lookup. `Fn::GetAtt` returns the attributes of the `JobType`:

{attributes}
CloudFormation reads the job when the resource is created and when a property changes. To read it again, declare the
resource under another logical ID.
"""


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


def lookup_page() -> str:
    """Write the page of lookups.

    Returns:
        The page: syntax, properties and attributes.
    """
    rows, kind = lookups.SCHEMA.rows, KINDS[0]
    return _LOOKUP_PAGE.format(
        resource_type=LOOKUP.resource_type,
        syntax=_syntax(rows, "  "),
        properties="\n".join(_property(row, kind) for row in rows),
        attributes="".join(
            f"- [`{job_type}`]({path_of(of).name}#return-values): "
            f"{', '.join(f'`{name}`' for name in attributes_of(of))}\n"
            for job_type, of in LOOKED_UP.items()
        ),
    )


def page(text: str) -> str:
    """Bring the page of what holds for all resource types up to date.

    Args:
        text: The page.

    Returns:
        The page, with the resource types that there are.
    """
    pages = {kind.resource_type: path_of(kind) for kind in KINDS} | {LOOKUP.resource_type: LOOKUP_PAGE}
    types = (f"- [`{name}`]({path.relative_to(PAGE.parent)})" for name, path in pages.items())
    return _replace(text, "resource types", "\n".join(types))


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
    written |= {PAGE: page(PAGE.read_text()), LOOKUP_PAGE: lookup_page(), constructs.PATH: constructs.constructs()}
    written |= schemas.schemas()
    written[DEVELOPMENT] = _replace(DEVELOPMENT.read_text(), "plan", f"\n{diagrams()}\n")
    written[TROUBLESHOOTING] = troubleshooting.page(TROUBLESHOOTING.read_text())
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
        facts["Minimum"], facts["Maximum"] = (f"`{bound}`" for bound in range_of(row))
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


if __name__ == "__main__":
    sys.exit(main())
