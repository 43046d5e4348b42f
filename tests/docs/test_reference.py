from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from provider.kinds import ENDPOINT, KINDS, MODEL_TRANSFORM_JOB
from tools import reference
from tools.rows import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from provider.kinds.kind import Kind

PAGE = reference.PAGE.read_text()
TRANSFORM = reference.page_of(MODEL_TRANSFORM_JOB)


of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


def test_what_is_generated_from_the_rows_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().out


def test_a_page_that_is_missing_or_outdated_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference.md").write_text(reference.page(PAGE))
    monkeypatch.setattr(reference, "_ROOT", tmp_path)
    monkeypatch.setattr(reference, "PAGE", tmp_path / "reference.md")
    monkeypatch.setattr(reference, "LOOKUP_PAGE", tmp_path / "reference/job-lookup.md")
    reference.LOOKUP_PAGE.write_text(reference.lookup_page())
    pages = {kind: reference.page_of(kind) for kind in KINDS}
    *others, outdated = pages
    for kind in others:
        reference.path_of(kind).write_text(pages[kind])
    reference.path_of(outdated).write_text(pages[outdated].replace("Replacement", "No interruption"))
    reference.path_of(others[0]).unlink()

    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().out.count("out of date") == 2
    assert reference.main([]) == 0
    assert {kind: reference.path_of(kind).read_text() for kind in KINDS} == pages
    assert reference.main(["--check"]) == 0


def test_a_page_without_a_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="'generated: resource types', there are 0"):
        reference.page(PAGE.replace("end of resource types", ""))


@of_each_kind
def test_page_has_every_property_member_and_attribute(kind: Kind) -> None:
    page = reference.page_of(kind)
    properties = page.partition("## Properties")[2].partition("\n## ")[0]
    types = page.partition("## Property types")[2].partition("\n## ")[0]
    attributes = page.partition("## Return values")[2].partition("\n## ")[0]
    maps = [row for row in kind.properties if row.members]

    assert re.findall(r"^### `(\w+)`", properties, re.MULTILINE) == [row.name for row in rows_of(kind)]
    assert re.findall(r"^### Property type (\w+)$", types, re.MULTILINE) == [row.name for row in maps]
    assert re.findall(r"^#### `(\w+)`", types, re.MULTILINE) == [it.name for row in maps for it in row.members]
    assert re.findall(r"^- `(\w+)`", attributes, re.MULTILINE) == [
        "Id",
        "Status",
        *(it.name for it in kind.attributes),
    ]


@of_each_kind
def test_page_tells_which_properties_describe_a_job(kind: Kind) -> None:
    names = [row.name for row in kind.properties]
    between = re.search(r"that describe a new \w+: `(\w+)` to `(\w+)`", reference.page_of(kind))
    assert between
    first, last = map(names.index, between.groups())

    assert [row.name for row in kind.properties if row.describes] == names[first : last + 1]


@of_each_kind
def test_the_reference_leads_to_every_page(kind: Kind) -> None:
    assert f"- [`{kind.resource_type}`](reference/{reference.path_of(kind).name})\n" in reference.page(PAGE)


def test_the_reference_names_what_is_changed_in_place() -> None:
    listed = PAGE.partition("**It changes in place.** When")[2].partition("changes, Neptune")[0]
    in_place = [row.name for row in ENDPOINT.properties if row.describes and row.update == "No interruption"]

    assert re.findall(r"`(\w+)`", listed) == in_place


def test_syntax_shows_what_lists_and_maps_are_made_of() -> None:
    syntax = TRANSFORM.partition("## Syntax")[2].partition("## Properties")[0]

    assert "  Subnets:\n    - String\n" in syntax
    assert "  CustomModelTransformParameters:\n    CustomModelTransformParameters\n" in syntax


def test_page_tells_when_a_property_is_required() -> None:
    required = dict(re.findall(r"^### `(\w+)`\n(?:(?!###).*\n)*?\*Required\*: (.*)\\$", TRANSFORM, re.MULTILINE))

    assert [name for name, when in required.items() if when == "Yes"] == ["ServiceToken", "Endpoint"]
    assert required["Id"] == "Conditional"
    assert required["ModelTransformOutputS3Location"] == "Conditional. Required unless you specify `Id`."
    assert required["TrainingJobName"] == required["DataProcessingJobId"] == required["MlModelTrainingJobId"]
    assert "`DataProcessingJobId` and `MlModelTrainingJobId`, or `TrainingJobName`" in required["TrainingJobName"]
    assert required["Subnets"] == "No"
