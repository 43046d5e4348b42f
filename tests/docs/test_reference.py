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
    properties = PAGE.partition("## Properties")[2].partition("## Property types")[0]
    attributes = PAGE.partition("### Fn::GetAtt")[2].partition("## Remarks")[0]

    assert re.findall(r"^### `(\w+)`", properties, re.MULTILINE) == [row.name for row in reference.ROWS]
    assert re.findall(r"^#### `(\w+)`", attributes, re.MULTILINE) == list(reference.ATTRIBUTES)


def test_page_has_every_member_of_a_map() -> None:
    types = PAGE.partition("## Property types")[2].partition("## Return values")[0]

    for row in (row for row in reference.ROWS if row.members):
        section = types.partition(f"### Property type {row.name}\n")[2]
        assert re.findall(r"^#### `(\w+)`", section, re.MULTILINE) == [member.name for member in row.members]


def test_syntax_shows_what_lists_and_maps_are_made_of() -> None:
    of_json, of_yaml = PAGE.partition("## Syntax")[2].partition("## Properties")[0].split("### YAML")

    assert '"Subnets" : [ String, ... ],\n' in of_json
    assert '"CustomModelTransformParameters" : CustomModelTransformParameters,\n' in of_json
    assert "  Subnets:\n    - String\n" in of_yaml
    assert "  CustomModelTransformParameters:\n    CustomModelTransformParameters\n" in of_yaml


def test_page_tells_when_a_property_is_required() -> None:
    required = dict(re.findall(r"^### `(\w+)`\n(?:(?!###).*\n)*?\*Required\*: (.*)\\$", PAGE, re.MULTILINE))

    assert [name for name, when in required.items() if when == "Yes"] == ["ServiceToken", "Endpoint"]
    assert required["Id"] == "Conditional. Write either `Id`, or the properties that describe a job to be started."
    assert required["ModelTransformOutputS3Location"] == "Conditional. A job that is to be started requires it."
    assert required["TrainingJobName"] == required["DataProcessingJobId"] == required["MlModelTrainingJobId"]
    assert "`DataProcessingJobId` and `MlModelTrainingJobId`, or `TrainingJobName`" in required["TrainingJobName"]
    assert required["Subnets"] == "No"


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
