"""What `make` installs, and where, in an environment that is about other work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import inherited

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SOURCES = (
    *("Makefile", "src/environment.mk", "local/__init__.py", "local/environment.py"),
    *("requirements/uv.txt", "requirements/sbom.txt"),
)
# No Python is among them: nothing can be led to the real one of the machine.
PROGRAMS = ("bash", "env", "rm", "touch")
PROBE = "include src/environment.mk\nprobe:\n\t@env\n"


def make(
    *arguments: str, directory: Path, environment: Mapping[str, str], makefile: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("make") or "make", *arguments],
        cwd=directory,
        env={**os.environ, **environment},
        input=makefile,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    directory = tmp_path / "checkout"
    for source in SOURCES:
        (directory / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, directory / source)
    return directory


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A stand-in for the machine's own Python; its pip is that of the Python that it is made of."""
    venv.create(tmp_path / "machine", system_site_packages=True)
    return tmp_path / "machine"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in PROGRAMS:
        (directory / name).symlink_to(shutil.which(name) or name)
    return directory


def files(directory: Path) -> set[Path]:
    return {it for it in directory.rglob("*") if "__pycache__" not in it.parts}


def test_a_tool_is_installed_where_it_belongs_and_nowhere_else(checkout: Path, machine: Path, programs: Path) -> None:
    environment = {**inherited.installing(machine), **inherited.starting_python(machine), "PATH": str(programs)}
    before = files(machine)

    done = make(".venv/sbom.done", f"PYTHON={machine}/bin/python", directory=checkout, environment=environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert files(machine) == before
    tool = str(checkout / ".venv/sbom/bin/cyclonedx-py")
    assert subprocess.run([tool, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def test_what_the_users_own_settings_put_elsewhere_is_not_taken_for_installed(checkout: Path) -> None:
    """A stand-in for a pip and a uv whose files name another place; no variable and no option takes that back."""
    elsewhere = checkout / "elsewhere"
    elsewhere.write_text(
        f'#!/bin/sh\ncase "$*" in venv*) exec {sys.executable} -m venv --without-pip .venv/sbom ;; esac\n'
    )
    elsewhere.chmod(0o755)

    uv = make(".venv/uv.done", f"PYTHON={elsewhere}", directory=checkout, environment={})

    assert "pip has not installed uv into .venv/uv" in uv.stderr
    assert not (checkout / ".venv/uv.done").exists()

    (checkout / ".venv/uv/bin").mkdir(parents=True)
    elsewhere.rename(checkout / ".venv/uv/bin/uv")
    (checkout / ".venv/uv.done").touch()
    tool = make(".venv/sbom.done", directory=checkout, environment={})

    assert "uv has not installed sbom into .venv/sbom" in tool.stderr
    assert not (checkout / ".venv/sbom.done").exists()


def test_how_packages_are_reached_is_the_users_choice_and_nothing_else(tmp_path: Path) -> None:
    others = {**inherited.installing(tmp_path), **inherited.starting_python(tmp_path)}

    done = make(*("-f", "-", "probe"), directory=ROOT, environment={**others, **inherited.REACHING}, makefile=PROBE)

    seen = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert {name: seen.get(name) for name in inherited.REACHING} == inherited.REACHING
    assert {name for name, value in others.items() if seen.get(name) == value} == set()


def test_sam_builds_without_the_users_aws(checkout: Path) -> None:
    programs = checkout / ".venv/sam/bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (programs / "sam").write_text("#!/bin/sh\nenv\n")
    (programs / "sam").chmod(0o755)
    for installed in ("uv", "sam"):  # in this order
        (checkout / f"requirements/{installed}.txt").touch()
        (checkout / f".venv/{installed}.done").touch()

    done = make("build", f"PYTHON={sys.executable}", directory=checkout, environment=inherited.AWS)

    seen = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert seen["PYTHON"] == sys.executable, done.stderr
    assert {name for name, value in inherited.AWS.items() if seen.get(name) == value} == set()
