from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from tests.cfn_lint.linting import lint
from tools import reference

if TYPE_CHECKING:
    from pathlib import Path

PAGE = reference.PAGE.read_text()
EXAMPLES = PAGE.partition("## Examples")[2]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", EXAMPLES, re.DOTALL)


def test_page_and_rules_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().out


def test_an_outdated_page_is_brought_up_to_date() -> None:
    outdated = PAGE.replace("*Update requires*: Replacement", "*Update requires*: No interruption")

    assert outdated != PAGE
    assert reference.page(outdated) == PAGE


def test_a_page_without_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="'generated: attributes', there are 0"):
        reference.page(PAGE.replace("end of attributes", ""))


def test_page_has_every_property_and_attribute() -> None:
    properties = PAGE.partition("## Properties")[2].partition("## Return values")[0]
    attributes = PAGE.partition("### Fn::GetAtt")[2].partition("## Remarks")[0]

    assert re.findall(r"^### `(\w+)`", properties, re.MULTILINE) == [row.name for row in reference.ROWS]
    assert re.findall(r"^#### `(\w+)`", attributes, re.MULTILINE) == list(reference.ATTRIBUTES)


def test_examples_are_the_same_in_yaml_and_json() -> None:
    assert len(blocks("yaml")) == EXAMPLES.count("#### YAML") == EXAMPLES.count("#### JSON") > 1
    assert [json.loads(block) for block in blocks("json")] == [loads(block) for block in blocks("yaml")]


def test_examples_pass_cfn_lint(tmp_path: Path) -> None:
    files = []
    for language in ("yaml", "json"):
        for number, block in enumerate(blocks(language)):
            files.append(tmp_path / f"{number}.{language}")
            files[-1].write_text(block)

    assert lint(*files) == []
