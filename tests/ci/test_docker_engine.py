"""What provides a Docker engine to a CI machine, with every program that it runs played."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci/docker-engine"
IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
ANSWERS = 'case "$1" in info) exit 0;; esac\n'
HAS_THE_IMAGE = 'case "$1 $2" in "image inspect") exit 0;; esac\n'
PULLS = 'case "$1" in pull) exit 0;; esac\n'

Play: TypeAlias = Callable[[str, str], None]
Run: TypeAlias = Callable[[], tuple[int, str, list[str]]]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only programs that there are: the ordinary ones, and those that a test plays."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in (
        "bash",
        "cat",
        "dirname",
        "mktemp",
        "rm",
        "sed",
        "timeout",
        "mkdir",
        "seq",
        "setsid",
        "nohup",
        "sleep",
    ):
        (directory / name).symlink_to(f"/usr/bin/{name}")
    return directory


@pytest.fixture
def play(programs: Path, tmp_path: Path) -> Play:
    """Have a program write down its arguments, and do something."""

    def write(name: str, does: str) -> None:
        path = programs / name
        path.write_text(f'#!/usr/bin/bash\necho "{name} $*" >>{tmp_path}/calls\n{does}')
        path.chmod(0o755)

    return write


@pytest.fixture
def run(programs: Path, tmp_path: Path) -> Run:
    """Run the script: its exit code, its last line, and what it called."""

    def run_script() -> tuple[int, str, list[str]]:
        done = subprocess.run(
            [SCRIPT],
            env={"PATH": str(programs), "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        calls = tmp_path / "calls"
        return done.returncode, done.stdout.splitlines()[-1], calls.read_text().splitlines() if calls.exists() else []

    return run_script


def test_where_all_is_there_nothing_is_done(play: Play, run: Run, tmp_path: Path) -> None:
    play("docker", ANSWERS + HAS_THE_IMAGE + "exit 1")

    assert run() == (
        0,
        f"docker-engine: Docker runs, and has {IMAGE}",
        ["docker info", f"docker image inspect {IMAGE}"],
    )
    assert list(tmp_path.glob("*.log")) == []


def test_the_image_is_pulled_where_it_can_be(play: Play, run: Run) -> None:
    play("docker", ANSWERS + PULLS + "exit 1")

    code, _, calls = run()

    assert (code, calls[-1]) == (0, f"docker pull {IMAGE}")


def test_only_root_starts_an_engine(play: Play, run: Run) -> None:
    play("docker", "exit 1")
    play("id", "echo 1000")
    play("dockerd", "exit 1")

    code, line, calls = run()

    assert code == 1
    assert line.startswith("docker-engine: no Docker engine answers, and only root can start one (see ")
    assert not [it for it in calls if it.startswith("dockerd")]


def test_an_engine_that_ends_at_once_is_started_without_packet_filters(play: Play, run: Run) -> None:
    play("docker", "exit 1")
    play("id", "echo 0")
    play("dockerd", "exit 1")

    code, line, calls = run()

    assert code == 1
    assert line.startswith("docker-engine: the Docker engine does not start (see ")
    assert [it for it in calls if it.startswith("dockerd")] == [
        "dockerd ",
        "dockerd --iptables=false --ip6tables=false",
    ]


def test_what_apt_does_not_have_is_named(play: Play, run: Run) -> None:
    play("id", "echo 0")
    play("apt-get", "exit 1")

    code, line, _ = run()

    assert code == 1
    assert line.startswith("docker-engine: there is no dockerd, and apt cannot install docker.io (see ")


def test_a_machine_that_cannot_make_a_stand_in_says_so(play: Play, run: Run) -> None:
    play("docker", ANSWERS + "exit 1")
    play("dpkg", "echo arm64")

    code, line, _ = run()

    assert code == 1
    assert line.startswith(f"docker-engine: {IMAGE} cannot be pulled, and only x86_64 can make a stand-in (see ")
