"""The pages as their readers use them: links to follow, snippets to paste."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from provider.kinds import KINDS
from tests.cfn_lint.linting import ROOT, lint
from tools import reference

if TYPE_CHECKING:
    from pathlib import Path

    from provider.kinds.kind import Kind

README = ROOT / "README.md"
OPERATIONS = ROOT / "docs/operations.md"
PERMISSIONS = ROOT / "docs/permissions-and-network.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("cfn_lint/*.md"), *ROOT.glob("examples/*.md")]
)
LONGEST_README_WORDS = 1500

WAITED = {"RequestType": "Delete", "Waiting": {"ArrivedAt": 1.8e9, "Progress": {}}}
REQUEST = {"RequestType": "Delete"}


def anchors(page: Path) -> set[str]:
    """Where links into a page may lead, as GitHub makes anchors of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return not target.exists() or (bool(anchor) and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", page.read_text(), re.M)
    local = [link or definition for link, definition in links if "://" not in link + definition]

    assert [link for link in local if leads_nowhere(page, link)] == []


def test_a_link_to_a_heading_that_is_not_there_is_found() -> None:
    assert leads_nowhere(OPERATIONS, "reference.md#no-such-heading")
    assert not leads_nowhere(OPERATIONS, "reference.md#order-of-deletion")


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= LONGEST_README_WORDS


def first_column(heading: str) -> list[str]:
    table = README.read_text().partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.M)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_readme_names_every_resource_type_and_its_page() -> None:
    table = README.read_text().partition("| resource type |")[2].partition("\n\n")[0]
    pages = [(kind.resource_type, str(reference.path_of(kind).relative_to(ROOT))) for kind in KINDS]

    assert re.findall(r"^\| \[`(.+?)`\]\((.+?)\) \|", table, re.M) == pages


def test_the_readme_names_every_parameter_of_the_provider() -> None:
    assert sorted(first_column("parameter")) == sorted(load(str(ROOT / "template.yaml"))["Parameters"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_the_page_of_permissions_names_the_actions_of_every_kind(kind: Kind) -> None:
    row = next(line for line in PERMISSIONS.read_text().splitlines() if line.startswith(f"| {kind.noun}s "))
    actions = [call.action for call in (kind.get, kind.cancel, kind.start, kind.list)]

    assert re.findall(r"`(neptune-db:\w+)`", row) == actions


def test_the_first_snippet_of_the_readme_works_when_pasted(tmp_path: Path) -> None:
    snippet = re.search(r"```(\w+)\n(.*?)```", README.read_text(), re.S)
    assert snippet
    (tmp_path / "template.yaml").write_text(snippet[2])

    assert snippet[1] == "yaml"
    assert lint(tmp_path / "template.yaml") == []


@pytest.mark.parametrize(
    ("body", "event"),
    [({"requestPayload": REQUEST, "requestContext": {}}, REQUEST), (WAITED, WAITED)],
    ids=["an event that CloudFormation sent", "a request that waited"],
)
def test_either_kind_of_failed_event_is_replayed(tmp_path: Path, body: object, event: object) -> None:
    program = re.search(r"python3 -c '(import json.*?)'\)", OPERATIONS.read_text(), re.S)
    assert program
    message = {"Body": json.dumps(body), "ReceiptHandle": "handle"}
    (tmp_path / "message.json").write_text(json.dumps({"Messages": [message]}))

    done = subprocess.run(
        [sys.executable, "-c", program[1]], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads((tmp_path / "event.json").read_text()) == event
    assert done.stdout == "handle\n"
