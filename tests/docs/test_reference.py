from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from tests.cfn_lint.linting import lint
from tools import reference

if TYPE_CHECKING:
    from pathlib import Path

    from provider.kinds.kind import Kind

PAGE = reference.PAGE.read_text()
PAGES = {kind: reference.path_of(kind).read_text() for kind in KINDS}
TRANSFORM = PAGES[MODEL_TRANSFORM_JOB]
EXAMPLES = PAGE.partition("## Examples")[2]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", EXAMPLES, re.DOTALL)


of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


def test_pages_and_rules_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().out


def test_a_page_that_is_missing_or_outdated_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference.md").write_text(PAGE)
    (tmp_path / "rules.py").write_text(reference.RULES.read_text())
    monkeypatch.setattr(reference, "_ROOT", tmp_path)
    monkeypatch.setattr(reference, "PAGE", tmp_path / "reference.md")
    monkeypatch.setattr(reference, "RULES", tmp_path / "rules.py")
    *others, outdated = PAGES
    for kind in others:
        reference.path_of(kind).write_text(PAGES[kind])
    reference.path_of(outdated).write_text(PAGES[outdated].replace("Replacement", "No interruption"))
    reference.path_of(others[0]).unlink()

    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().out.count("out of date") == 2
    assert reference.main([]) == 0
    assert {kind: reference.path_of(kind).read_text() for kind in KINDS} == PAGES
    assert reference.main(["--check"]) == 0


def test_an_outdated_example_is_brought_up_to_date() -> None:
    outdated = PAGE.replace('"Clean": true', '"Clean": false')

    assert outdated != PAGE
    assert reference.page(outdated) == PAGE


def test_a_page_without_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="'generated: resource types', there are 0"):
        reference.page(PAGE.replace("end of resource types", ""))


@of_each_kind
def test_page_has_every_property_and_attribute(kind: Kind) -> None:
    properties = PAGES[kind].partition("## Properties")[2].partition("\n## ")[0]
    attributes = PAGES[kind].partition("### Fn::GetAtt")[2].partition("\n## ")[0]

    assert re.findall(r"^### `(\w+)`", properties, re.MULTILINE) == [row.name for row in reference.rows_of(kind)]
    assert re.findall(r"^#### `(\w+)`", attributes, re.MULTILINE) == list(reference.attributes_of(kind))
    assert set(reference.attributes_of(kind)) > {attribute.name for attribute in kind.attributes}


@of_each_kind
def test_page_has_every_member_of_a_map(kind: Kind) -> None:
    types = PAGES[kind].partition("## Property types")[2].partition("## Return values")[0]
    maps = [row for row in kind.properties if row.members]

    assert re.findall(r"^### Property type (\w+)$", types, re.MULTILINE) == [row.name for row in maps]
    for row in maps:
        section = types.partition(f"### Property type {row.name}\n")[2].partition("\n### ")[0]
        assert re.findall(r"^#### `(\w+)`", section, re.MULTILINE) == [member.name for member in row.members]


@of_each_kind
def test_page_tells_which_properties_describe_a_job(kind: Kind) -> None:
    names = [row.name for row in kind.properties]
    between = re.search(r"those from `(\w+)` to `(\w+)`", PAGES[kind])
    assert between
    first, last = map(names.index, between.groups())

    assert [row.name for row in kind.properties if row.describes] == names[first : last + 1]


@of_each_kind
def test_the_reference_leads_to_every_page_and_tells_of_what_all_have(kind: Kind) -> None:
    shared = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Properties")[2].partition("\n## ")[0], re.MULTILINE)

    assert f"| [`{kind.resource_type}`](reference/{reference.path_of(kind).name}) |" in PAGE
    assert [row.name for row in reference.rows_of(kind) if not row.describes] == shared


def test_syntax_shows_what_lists_and_maps_are_made_of() -> None:
    of_json, of_yaml = TRANSFORM.partition("## Syntax")[2].partition("## Properties")[0].split("### YAML")

    assert '"Subnets" : [ String, ... ],\n' in of_json
    assert '"CustomModelTransformParameters" : CustomModelTransformParameters,\n' in of_json
    assert "  Subnets:\n    - String\n" in of_yaml
    assert "  CustomModelTransformParameters:\n    CustomModelTransformParameters\n" in of_yaml


def test_page_tells_when_a_property_is_required() -> None:
    required = dict(re.findall(r"^### `(\w+)`\n(?:(?!###).*\n)*?\*Required\*: (.*)\\$", TRANSFORM, re.MULTILINE))

    assert [name for name, when in required.items() if when == "Yes"] == ["ServiceToken", "Endpoint"]
    assert required["Id"] == "Conditional. Write either `Id`, or the properties that describe a job to be started."
    assert required["ModelTransformOutputS3Location"] == "Conditional. A job that is to be started requires it."
    assert required["TrainingJobName"] == required["DataProcessingJobId"] == required["MlModelTrainingJobId"]
    assert "`DataProcessingJobId` and `MlModelTrainingJobId`, or `TrainingJobName`" in required["TrainingJobName"]
    assert required["Subnets"] == "No"


def test_examples_are_the_same_in_yaml_and_json() -> None:
    assert len(blocks("yaml")) == EXAMPLES.count("#### YAML") == EXAMPLES.count("#### JSON") > 1
    assert [json.loads(block) for block in blocks("json")] == [loads(block) for block in blocks("yaml")]


def test_there_is_an_example_of_every_type() -> None:
    assert [kind.resource_type for kind in KINDS if f"Type: {kind.resource_type}\n" not in EXAMPLES] == []


def test_examples_pass_cfn_lint(tmp_path: Path) -> None:
    files = []
    for language in ("yaml", "json"):
        for number, block in enumerate(blocks(language)):
            files.append(tmp_path / f"{number}.{language}")
            files[-1].write_text(block)

    assert lint(*files) == []
