"""The pages as their readers use them: links to follow, snippets to paste."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import boto3
import jmespath  # type: ignore[import-untyped]
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator
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
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("packages/*/README.md"),
        *ROOT.glob("examples/*.md"),
        *ROOT.glob("tests/*.md"),
    ]
)
LONGEST_README_WORDS = 900

CLUSTER = {
    "DBClusterIdentifier": "movies",
    "DbClusterResourceId": "cluster-ABC",
    "Endpoint": "movies.cluster-abc.eu-west-1.neptune.amazonaws.com",
    "Port": 8182,
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
}
INSTANCE = {
    "DBClusterIdentifier": "movies",
    "Engine": "neptune",
    "DBSubnetGroup": {
        "VpcId": "vpc-1",
        "Subnets": [{"SubnetIdentifier": "subnet-1"}, {"SubnetIdentifier": "subnet-2"}],
    },
}


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
    text = re.sub(r"`[^`\n]*`", "", page.read_text())  # a pattern may look like a link
    links = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", text, re.M)
    local = [link or definition for link, definition in links if "://" not in link + definition]

    assert [link for link in local if leads_nowhere(page, link)] == []


def test_a_link_to_a_heading_that_is_not_there_is_found() -> None:
    assert leads_nowhere(OPERATIONS, "reference.md#no-such-heading")
    assert not leads_nowhere(OPERATIONS, "reference.md#order-of-deletion")


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= LONGEST_README_WORDS


def test_the_readme_names_every_resource_type_and_its_page() -> None:
    table = README.read_text().partition("| resource type |")[2].partition("\n\n")[0]
    pages = [(kind.resource_type, str(reference.path_of(kind).relative_to(ROOT))) for kind in KINDS]

    assert re.findall(r"^\| \[`(.+?)`\]\((.+?)\) \|", table, re.M) == pages


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_the_page_of_permissions_names_the_actions_of_every_kind(kind: Kind) -> None:
    row = next(line for line in PERMISSIONS.read_text().splitlines() if line.startswith(f"| {kind.noun}s "))
    actions = [call.action for call in (kind.get, kind.cancel, kind.start)]

    assert re.findall(r"`(neptune-db:\w+)`", row) == actions


def test_the_queries_of_the_log_name_messages_that_the_function_logs() -> None:
    logged = "".join(path.read_text() for path in (ROOT / "src/provider").rglob("*.py"))
    named = re.findall(r'message = ("[^"]+")', OPERATIONS.read_text())

    assert len(named) > 1
    assert [it for it in named if f"({it}" not in logged] == []


def test_the_first_snippet_of_the_readme_works_when_pasted(tmp_path: Path) -> None:
    snippet = re.search(r"```(\w+)\n(.*?)```", README.read_text(), re.S)
    assert snippet
    (tmp_path / "template.yaml").write_text(snippet[2])

    assert snippet[1] == "yaml"
    assert lint(tmp_path / "template.yaml") == []


@pytest.mark.parametrize(
    ("operation", "answer", "shown"),
    [
        (
            "DescribeDBClusters",
            {"DBClusters": [{**CLUSTER, "Engine": "neptune"}, {"DBClusterIdentifier": "other", "Engine": "docdb"}]},
            [
                {
                    "Cluster": "movies",
                    "Endpoint": "movies.cluster-abc.eu-west-1.neptune.amazonaws.com",
                    "ClusterResourceId": "cluster-ABC",
                    "ClusterSecurityGroupId": "sg-1",
                    "ClusterPort": 8182,
                }
            ],
        ),
        (
            "DescribeDBInstances",
            {"DBInstances": [INSTANCE]},
            [{"Cluster": "movies", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2"}],
        ),
    ],
)
def test_the_commands_show_where_a_clusters_parameters_are(
    operation: str, answer: dict[str, Any], shown: list[dict[str, object]]
) -> None:
    command = re.search(
        rf'aws neptune {xform_name(operation, "-")} --output json --query "(.+)"', PERMISSIONS.read_text()
    )
    assert command
    output = boto3.client("neptune").meta.service_model.operation_model(operation).output_shape

    assert ParamValidator().validate(answer, output).generate_report() == ""
    assert jmespath.search(command[1], answer) == shown
    names = {name for row in shown for name in row if name not in ("Cluster", "Endpoint")}
    assert names <= set(load(str(ROOT / "template.yaml"))["Parameters"])
