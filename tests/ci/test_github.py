"""What the linters of `.github/` and of the hooks cannot know: what they are about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
LOCKS = {
    "uv": ("src/requirements.txt", "requirements/*.txt"),
    "npm": ("packages/cdk/package-lock.json",),
    "terraform": ("packages/terraform/versions.tf",),
    "github-actions": (".github/workflows/*.yml",),
}


def updated() -> dict[str, list[str]]:
    """The directories of which Dependabot updates the locks, by what wrote them."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    return {it["package-ecosystem"]: it.get("directories") or [it["directory"]] for it in updates}


def workflow(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    return document


def test_every_lock_is_kept_up_to_date() -> None:
    directories = {
        ecosystem: {f"/{path.parent.relative_to(ROOT)}" for pattern in patterns for path in ROOT.glob(pattern)}
        for ecosystem, patterns in LOCKS.items()
    }
    directories["github-actions"] = {"/"}  # which means .github/workflows

    assert {ecosystem: set(them) for ecosystem, them in updated().items()} == directories


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda it: it.stem)
def test_a_lock_tells_how_it_is_updated(lock: Path) -> None:
    command = lock.read_text().splitlines()[1]

    assert "uv pip compile --universal" in command
    assert "--generate-hashes" in command
    assert command.endswith(f" requirements/{lock.stem}.in -o requirements/{lock.name}")


def test_the_hooks_run_what_make_check_runs() -> None:
    check = re.search(r"^check: (.+?) ##", MAKEFILE, re.M)
    assert check

    assert [hook["entry"] for hook in HOOKS] == [f"make {target}" for target in check[1].split()]


@pytest.mark.parametrize(
    ("hook", "files"),
    [
        ("code", ["src/provider/handler.py", "tests/conftest.py", "docs/reference.md", "docs/development.md"]),
        ("templates", ["template.yaml", "examples/with-cluster.yaml", "examples/sam/template.yaml", ".checkov.yaml"]),
        ("scripts", [".ci/run", ".ci/docker-engine"]),
        ("github", [".github/workflows/ci.yml", ".github/dependabot.yml", ".pre-commit-config.yaml"]),
        ("audit", ["src/requirements.txt", "requirements/dev.txt"]),
    ],
)
def test_a_hook_runs_for_its_files(hook: str, files: list[str]) -> None:
    pattern = next(it["files"] for it in HOOKS if it["id"] == hook)

    assert [it for it in files if not re.search(pattern, it)] == []
    assert [it for it in files if not (ROOT / it).exists()] == []
    assert not re.search(pattern, "README.md")


def test_the_oldest_python_that_make_takes_is_tested() -> None:
    oldest = re.search(r"sys\.version_info < \((\d+), (\d+)\)", MAKEFILE)
    assert oldest

    assert workflow("ci")["jobs"]["test"]["strategy"]["matrix"]["python"][0] == ".".join(oldest.groups())


def test_only_jobs_that_run_nothing_of_ours_may_write() -> None:
    writing = {
        (name, job): what
        for name in ("ci", "release")
        for job, what in workflow(name)["jobs"].items()
        if "write" in what["permissions"].values()
    }

    assert set(writing) == {("release", "publish"), ("release", "npm"), ("release", "pypi")}
    for job in writing.values():
        assert not [
            step for step in job["steps"] if "checkout" in step.get("uses", "") or "make" in step.get("run", "")
        ]


@pytest.mark.parametrize("registry", ["npm", "pypi"])
def test_packages_are_published_without_a_token_once_an_owner_switches_it_on(registry: str) -> None:
    job = workflow("release")["jobs"][registry]

    assert (job["if"], job["environment"]) == ("vars.PUBLISH_PACKAGES == 'true'", registry)
    assert job["permissions"] == {"id-token": "write"}
    assert "secrets" not in str(job)
