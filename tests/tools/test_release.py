from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools import release
from tools.release import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
CHANGELOG = """# Changelog

## 1.1.0 - 2026-12-24

### Added

- More.

## 1.0.0 - 2026-11-24

- The first.
"""


@pytest.fixture
def python(tmp_path: Path) -> Callable[[str], str]:
    """Make a Python that says that it is of some version."""

    def make(version: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
        return str(path)

    return make


def application(template: str) -> dict[str, Any]:
    head = template.partition("\nMetadata:\n")[2].partition("  AWS::CloudFormation::Interface:")[0]
    metadata: dict[str, Any] = yaml.safe_load(head)["AWS::ServerlessRepo::Application"]
    return metadata


def test_the_python_of_releases_has_the_functions_runtime() -> None:
    runtime = re.search(r"Runtime: python([0-9.]+)", TEMPLATE)
    assert runtime

    assert release.PYTHON.startswith(f"{runtime[1]}.")


def test_a_python_of_the_runtimes_version_is_taken(python: Callable[[str], str]) -> None:
    path = python("3.13.0")

    assert release.find_python(path) == (path, "3.13.0")


def test_another_version_of_python_is_refused(python: Callable[[str], str]) -> None:
    with pytest.raises(ReleaseError, match=r"names Python 3\.14\.1, whose bytecode Lambda's Python 3\.13 would ignore"):
        release.find_python(python("3.14.1"))


def test_a_python_that_does_not_run_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"BYTECODE_PYTHON names /no/such/python, which does not run"):
        release.find_python("/no/such/python")


def test_a_python_that_cannot_be_downloaded_is_not_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no route >&2\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setattr(release, "_UV", uv)

    with pytest.raises(ReleaseError, match=r"(?s)BYTECODE_PYTHON=/path/to/python3\.13 make release.*no route"):
        release.find_python()


def test_notes_are_the_versions_section() -> None:
    assert release.notes_of("1.1.0", CHANGELOG) == "### Added\n\n- More.\n"
    assert release.notes_of("1.0.0", CHANGELOG) == "- The first.\n"


@pytest.mark.parametrize("version", ["1.2.0", "1.1", "1.0.00"])
def test_a_version_without_notes_is_refused(version: str) -> None:
    with pytest.raises(ReleaseError, match=f"no section for {re.escape(version)}"):
        release.notes_of(version, CHANGELOG)


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"the tag v0\.0\.1 is not that of the template's version: it would be v"):
        release.make(tmp_path / "made", python="python3", tag="v0.0.1")

    assert not (tmp_path / "made").exists()


def test_the_released_template_builds_nothing() -> None:
    lines = set(release.released(TEMPLATE).splitlines())

    assert set(TEMPLATE.splitlines()) - lines == {"      BuildMethod: makefile", "      CodeUri: src/"}
    assert "      CodeUri: provider.zip" in lines


# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
def test_the_released_template_tells_what_the_application_repository_asks() -> None:
    told = application(release.released(TEMPLATE, "https://example.com/provider"))

    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", told["Name"])
    assert 1 <= len(told["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", told["Author"])
    assert len(told["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in told["Labels"])
    assert told["SpdxLicenseId"] == "MIT-0"
    assert (ROOT / "LICENSE").read_text().startswith("MIT No Attribution")
    assert told["SemanticVersion"] == release.version_of(TEMPLATE)
    assert told["HomePageUrl"] == told["SourceCodeUrl"] == "https://example.com/provider"


def test_without_an_address_of_the_sources_none_is_told() -> None:
    assert {"HomePageUrl", "SourceCodeUrl"}.isdisjoint(application(release.released(TEMPLATE)))


@pytest.mark.parametrize(
    "template", [TEMPLATE.replace("CodeUri: src/", "CodeUri: source/"), 2 * TEMPLATE], ids=["not", "twice"]
)
def test_a_template_that_does_not_have_it_once_is_refused(template: str) -> None:
    with pytest.raises(ReleaseError, match=r"template\.yaml should have this once: "):
        release.released(template)
