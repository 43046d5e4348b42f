"""The reference of the resource type: what documents and lint rules say of it, from its one definition.

`python -m tools.reference` writes the parts of `docs/reference.md` and of the cfn-lint rules that stand between the
marks `generated: NAME` and `end of NAME`; with `--check` it only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts, problem_of
from provider.kinds import MODEL_TRANSFORM_JOB as KIND
from provider.values import DEFAULT_PORT, Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provider.schema import Property

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs/reference.md"
RULES = _ROOT / "cfn_lint/neptune_ml_model_transform_job.py"

ROWS = schema_of(KIND.schema).rows
"""The properties."""

_STATUSES = ", ".join(f"`{status}`" for status in (*KIND.running, *KIND.stopping, *KIND.ended))

ATTRIBUTES = {
    "Id": "The id of the job.",
    "Status": f"The status of the job: one of {_STATUSES}. Empty if an update could not ask Neptune for it.",
    **{attribute.name: attribute.description for attribute in KIND.attributes},
}
"""What the attributes are that `Fn::GetAtt` returns."""

_LINE_LENGTH = 120
_UPDATES = {"Not supported": "Updates are not supported"}
# The block of YAML that comes before the mark, without another one in between.
_EXAMPLE = re.compile(
    r"(?P<before>```yaml\n(?P<yaml>(?:(?!```).)*)```\n(?:(?!```).)*<!-- generated: JSON -->\n)"
    r".*?(?P<after><!-- end of JSON -->)",
    re.DOTALL,
)


def page(text: str) -> str:
    """Bring the reference page up to date.

    Args:
        text: The page.

    Returns:
        The page, with syntax, properties, property types and return values as they are defined, and its examples in
        JSON, too.
    """
    text = _replace(text, "syntax", _syntax("### ", ROWS, KIND.resource_type))
    text = _replace(text, "properties", "\n".join(map(_property, ROWS)))
    text = _replace(text, "property types", "\n".join(_property_type(row) for row in ROWS if row.members))
    text = _replace(text, "attributes", "\n".join(map(_attribute, ATTRIBUTES)))
    return _EXAMPLE.sub(
        lambda match: f"{match['before']}```json\n{_as_json(match['yaml'])}\n```\n{match['after']}", text
    )


def rules(text: str) -> str:
    """Bring the cfn-lint rules up to date.

    Args:
        text: The source of the rules.

    Returns:
        The source, with the properties and attributes as they are defined.
    """
    clusters, a_cluster = Hosts.of_clusters(), "cluster.neptune.amazonaws.com"
    names = (f"    {_literal(name)}," for name in ATTRIBUTES)
    lines = [
        "PROPERTIES = {",
        *_definitions(ROWS, "    "),
        "}",
        f"ADOPTS = {_literal(KIND.adopts.name)}",
        f"EITHER = {_tuple(_tuple(_literal(row.name) for row in group) for group in KIND.either)}",
        *("ATTRIBUTES = (", *names, ")"),
        f'HOSTS = r"{clusters.own.pattern}"',
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
    outdated = []
    for path, generate in {PAGE: page, RULES: rules}.items():
        text = path.read_text()
        if (new := generate(text)) != text:
            outdated.append(path)
            if not check:
                path.write_text(new)
    for path in outdated:
        print(f"{path.relative_to(_ROOT)}: {'out of date, run `python -m tools.reference`' if check else 'written'}")
    return 1 if check and outdated else 0


def _replace(text: str, name: str, content: str) -> str:
    block = re.compile(rf"^(.*\bgenerated: {name}\b.*\n)(?:.*\n)*?(.*\bend of {name}\b)", re.MULTILINE)
    new, count = block.subn(lambda match: f"{match[1]}{content}\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"there should be one block 'generated: {name}', there are {count}")
    return new


def _syntax(heading: str, rows: Sequence[Property[Any]], resource_type: str = "") -> str:
    """Write what a template writes, in both languages; without a resource type, of the value of a property."""
    of_json = ",\n".join(f'  "{row.name}" : {_json_type(row)}' for row in rows)
    of_yaml = "\n".join(f"{row.name}:{_yaml_type(row)}" for row in rows)
    if resource_type:
        of_json = f'  "Type" : "{resource_type}",\n  "Properties" : {{\n{textwrap.indent(of_json, "  ")}\n  }}'
        of_yaml = f"Type: {resource_type}\nProperties:\n{textwrap.indent(of_yaml, '  ')}"
    return f"{heading}JSON\n\n```json\n{{\n{of_json}\n}}\n```\n\n{heading}YAML\n\n```yaml\n{of_yaml}\n```"


def _json_type(row: Property[Any]) -> str:
    if row.members:
        return row.name
    item = _item(row)
    return f"[ {item}, ... ]" if item else row.type.name


def _yaml_type(row: Property[Any]) -> str:
    if row.members:
        return f"\n  {row.name}"
    item = _item(row)
    return f"\n  - {item}" if item else f" {row.type.name}"


def _item(row: Property[Any]) -> str:
    """What a list is made of; empty if it is none."""
    _, is_list, item = row.type.name.partition("Array of ")
    return item if is_list else ""


def _property(row: Property[Any], heading: str = "### ", *, is_member: bool = False) -> str:
    type_ = f"[{row.name}](#{_property_type_heading(row).lower().replace(' ', '-')})" if row.members else row.type.name
    facts = {"Required": ("Yes" if row.required else "No") if is_member else _required(row), "Type": type_}
    if row.default_text or row.default is not None:
        facts["Default"] = row.default_text or f"`{str(row.default).lower()}`"
    if row.type.name == "Integer":
        facts["Minimum"], facts["Maximum"] = (f"`{bound}`" for bound in _range(row))
    elif row.type.pattern:
        facts["Pattern"] = f"`{row.type.pattern}`"
    facts["Update requires"] = _UPDATES.get(row.update, row.update)
    # Two spaces at its end break a line in Markdown; an editor may remove them, a backslash it leaves.
    lines = "\\\n".join(f"*{name}*: {fact}" for name, fact in facts.items())
    return f"{heading}`{row.name}`\n\n{row.description}\n\n{lines}\n"


def _required(row: Property[Any]) -> str:
    if row is KIND.adopts:
        return f"Conditional. Write either `{row.name}`, or the properties that describe a job to be started."
    if row.describes and row.required:
        return "Conditional. A job that is to be started requires it."
    if any(row in group for group in KIND.either):
        choices = ", or ".join(" and ".join(f"`{it.name}`" for it in group) for group in KIND.either)
        return f"Conditional. A job that is to be started requires {choices}."
    return "Yes" if row.required else "No"


def _property_type(row: Property[Any]) -> str:
    members = "\n".join(_property(member, "#### ", is_member=True) for member in row.members)
    return f"### {_property_type_heading(row)}\n\n{row.description}\n\n{_syntax('#### ', row.members)}\n\n{members}"


def _property_type_heading(row: Property[Any]) -> str:
    return f"Property type {row.name}"


def _attribute(name: str) -> str:
    return f"#### `{name}`\n\n{ATTRIBUTES[name]}\n"


def _as_json(yaml: str) -> str:
    return json.dumps(loads(yaml), indent=2)


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
