"""What `sam build` puts into the function's deployment package."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from local import sam
from tests import inherited

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
MAX_ZIPPED_BYTES = 5_000_000
SERVICES = ["dynamodb", "neptunedata", "sqs", "xray"]
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}

# -S: without site-packages. Only the package and Python itself are there to import from, as in Lambda.
IMPORT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import provider.handler
import boto3, wrapt
clients = [boto3.client(name, region_name="us-east-1").meta.service_model.service_name for name in sys.argv[2:]]
services = boto3.Session().get_available_services()
print(json.dumps({"clients": clients, "services": sorted(services), "from": boto3.__file__}))
"""


@pytest.fixture(scope="module")
def package(built_template: Path) -> Path:
    return built_template.parent / "Provider"


def find_python(version: str) -> str:
    if platform.python_version().startswith(f"{version}."):
        return sys.executable
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"no python{version} on the PATH to import the package with")
    return python


def zipped_size(package: Path, directory: Path) -> int:
    archive = directory / "package.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in package.rglob("*"):
            zipped.write(file, file.relative_to(package))
    return archive.stat().st_size


def test_package_is_small(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = zipped_size(package, tmp_path)
    with capsys.disabled():
        print(f" [{size / 1e6:.2f} MB zipped] ", end="")
    assert size <= MAX_ZIPPED_BYTES


@pytest.mark.parametrize("version", ["3.13", "3.11"])
def test_function_needs_nothing_but_its_package(package: Path, version: str) -> None:
    done = subprocess.run(
        [find_python(version), "-I", "-S", "-B", "-c", IMPORT, package, *SERVICES],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["clients"] == seen["services"] == SERVICES
    assert Path(seen["from"]).is_relative_to(package)


def test_bytecode_is_shipped_where_the_runtimes_python_builds(tmp_path: Path) -> None:
    built = sam.build(tmp_path / "build", environment={"BYTECODE_PYTHON": sys.executable})
    package = built.parent / "Provider"
    (compiled,) = (package / "provider/__pycache__").glob("handler.*.pyc")

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-v", "-c", IMPORT, package, *SERVICES],
        capture_output=True,
        text=True,
        check=True,
        env={**ENVIRONMENT, "AWS_LAMBDA_FUNCTION_NAME": "provider", "LAMBDA_TASK_ROOT": "/var/task"},  # traced
    )
    executed = re.findall(r"^# code object from '?(.+?)'?$", done.stderr, re.M)

    assert str(compiled) in executed
    assert [path for path in executed if path.startswith(str(package)) and path.endswith(".py")] == []
    assert str(tmp_path).encode() not in compiled.read_bytes()
    assert zipped_size(package, tmp_path) <= MAX_ZIPPED_BYTES


def test_without_the_runtimes_python_the_package_has_no_bytecode(tmp_path: Path) -> None:
    built = sam.build(tmp_path / "build", environment={"BYTECODE_PYTHON": "no-such-python"})

    assert not list((built.parent / "Provider").rglob("*.pyc"))


def test_versions_are_the_locked_ones(package: Path) -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (SRC / "requirements.txt").read_text(), re.M))

    packaged = {
        distribution.name.lower().replace("_", "-"): distribution.version
        for distribution in importlib.metadata.distributions(path=[str(package)])
    }

    assert packaged == locked


def test_licences_are_in_the_package(package: Path) -> None:
    for metadata in package.glob("*.dist-info"):
        files = [file.name for file in metadata.rglob("*")]
        assert any(re.match(r"LICEN[CS]E|COPYING", name) for name in files), metadata.name


def test_there_is_no_compiled_code_so_the_package_is_for_either_architecture(package: Path) -> None:
    tags = {
        line.removeprefix("Tag: ")
        for file in package.glob("*.dist-info/WHEEL")
        for line in file.read_text().splitlines()
        if line.startswith("Tag: ")
    }

    assert [str(file) for pattern in ("*.so*", "*.pyd", "*.dylib") for file in package.rglob(pattern)] == []
    assert tags <= {"py3-none-any", "py2-none-any"}
    assert "py3-none-any" in tags


def test_package_holds_only_what_runs(package: Path) -> None:
    entries = {entry.name for entry in package.iterdir()}

    assert entries.isdisjoint({"bin", "Makefile", "prune.py", "requirements.in", "requirements.txt"})
    assert all(".cpython-313." in file.name for file in package.rglob("*.pyc"))  # what the build compiled
    assert not (package / "boto3/data").exists()
    data = package / "botocore/data"
    assert sorted(it.name for it in data.iterdir() if it.is_dir()) == SERVICES
    assert '"documentation":"' not in "".join(file.read_text() for file in data.rglob("service-2.json"))
    partitions = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert {service for partition in partitions for service in partition["services"]} <= set(SERVICES)
    packed, written = (
        {it.relative_to(top) for it in (top / "provider").rglob("*") if it.is_file() and it.suffix != ".pyc"}
        for top in (package, SRC)
    )
    assert packed == written


def test_python_without_pip_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHON", "false")

    with pytest.raises(sam.SamError, match=r"(?s)sam build failed.*error: false has no pip"):
        sam.build(tmp_path / "build")


def test_a_virtual_environment_without_pip_builds_with_that_of_its_base(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    assert subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode
    monkeypatch.setenv("PYTHON", str(python))

    built = sam.build(tmp_path / "build")

    assert (built.parent / "Provider/boto3/__init__.py").exists()


def test_what_is_meant_for_other_work_does_not_reach_the_build(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name, value in {**inherited.AWS, **inherited.installing(elsewhere)}.items():
        monkeypatch.setenv(name, value)

    again = sam.build(tmp_path / "build").parent / "Provider"

    files = [{it.relative_to(top) for it in top.rglob("*")} for top in (again, package)]
    assert files[0] == files[1]
    assert not elsewhere.exists()
