"""The reference of the resource type: what documents and lint rules say of it, from its one definition.

`python -m tools.reference` writes the parts of `docs/reference.md` and of the cfn-lint rules that stand between the
marks `generated: NAME` and `end of NAME`; with `--check` it only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.kinds import MODEL_TRANSFORM_JOB as KIND
from provider.values import LONGEST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        The page, with syntax, properties and return values as they are defined, and its examples in JSON, too.
    """
    text = _replace(text, "syntax", _syntax())
    text = _replace(text, "properties", "\n".join(map(_property, ROWS)))
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
    lines = ["PROPERTIES = {"]
    for row in ROWS:
        lines += [
            f"    {_literal(row.name)}: Property(",
            f"        type={_literal(row.type.name)},",
            f"        required={row.required},",
            f"        pattern=r{_literal(row.type.pattern, raw=True)},",
            _shortened(f"        expected={_literal(_expected(row))},"),
            "    ),",
        ]
    names = ", ".join(map(_literal, ATTRIBUTES))
    lines += ["}", f"ATTRIBUTES = ({names})", f"MAX_SERVICE_TIMEOUT = {LONGEST_TIMEOUT_SECONDS}"]
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


def _syntax() -> str:
    of_json = ",\n".join(f'    "{row.name}" : {row.type.name}' for row in ROWS)
    of_yaml = "\n".join(f"  {row.name}: {row.type.name}" for row in ROWS)
    name = KIND.resource_type
    return (
        f'### JSON\n\n```json\n{{\n  "Type" : "{name}",\n  "Properties" : {{\n{of_json}\n  }}\n}}\n```\n\n'
        f"### YAML\n\n```yaml\nType: {name}\nProperties:\n{of_yaml}\n```"
    )


def _property(row: Property[Any]) -> str:
    facts = {"Required": "Yes" if row.required else "No", "Type": row.type.name}
    if row.default_text or row.default is not None:
        facts["Default"] = row.default_text or f"`{str(row.default).lower()}`"
    if row.type.pattern:
        facts["Pattern"] = f"`{row.type.pattern}`"
    facts["Update requires"] = _UPDATES.get(row.update, row.update)
    # Two spaces at its end break a line in Markdown; an editor may remove them, a backslash it leaves.
    lines = "\\\n".join(f"*{name}*: {fact}" for name, fact in facts.items())
    return f"### `{row.name}`\n\n{row.description}\n\n{lines}\n"


def _attribute(name: str) -> str:
    return f"#### `{name}`\n\n{ATTRIBUTES[name]}\n"


def _as_json(yaml: str) -> str:
    return json.dumps(loads(yaml), indent=2)


def _expected(row: Property[Any]) -> str:
    if row.type.name == "String":
        sentence = re.split(r"\.(?:\s|$)", row.description)[0]
        return (sentence[0].lower() + sentence[1:]).replace("`", "")
    try:
        row.type.parse("")
    except ValueError as error:
        return str(error)
    raise ValueError(f"{row.name} should not be empty")


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line}  # noqa: E501"


def _literal(text: str, *, raw: bool = False) -> str:
    return f'"{text}"' if raw else json.dumps(text)


if __name__ == "__main__":
    sys.exit(main())
