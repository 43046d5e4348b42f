"""Synthesizing with the CDK packages of a release, in TypeScript and in Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tools import packages

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/cdk"
_PYTHON = ROOT / ".venv/cdk/bin/python"
_TSC = ("node_modules/.bin/tsc", "--module", "commonjs", "--target", "es2022", "--skipLibCheck", "--strict")


def install(released: Path, directory: Path) -> Path:
    """Install the package for npm beside what it needs."""
    modules = directory / "node_modules"
    modules.mkdir()
    for installed in packages.NODE_MODULES.iterdir():
        (modules / installed.name).symlink_to(installed)
    (package,) = released.glob("cdk-neptune-ml-*.tgz")
    with tarfile.open(package) as archive:
        archive.extractall(directory, filter="data")
    (directory / "package").rename(modules / "cdk-neptune-ml")
    return directory


def run(command: list[str], directory: Path, **environment: str) -> str:
    """Run a program that synthesizes into the directory's `cdk.out`; returns what it prints."""
    variables = {"CDK_OUTDIR": str(directory / "cdk.out"), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **variables, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def typescript(node: Path, directory: Path, old: str = "", new: str = "") -> dict[str, Any]:
    """Synthesize the example in TypeScript, with another text at one place."""
    source = (EXAMPLES / "typescript/pipeline.ts").read_text()
    assert not old or source.count(old) == 1
    (directory / "pipeline.ts").write_text(source.replace(old, new) if old else source)
    (directory / "node_modules").symlink_to(node / "node_modules")
    run([*_TSC, "pipeline.ts"], directory)
    run(["node", "pipeline.js"], directory)
    return _template(directory)


def python(released: Path, directory: Path) -> dict[str, Any]:
    """Synthesize the example in Python."""
    shutil.copy(EXAMPLES / "python/pipeline.py", directory)
    (wheel,) = released.glob("cdk_neptune_ml-*.whl")
    shutil.unpack_archive(wheel, directory, "zip")
    run([str(_PYTHON), "pipeline.py"], directory, PYTHONPATH=str(directory))
    return _template(directory)


def _template(directory: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((directory / "cdk.out/movies-pipeline.template.json").read_text())
    template["Resources"].pop("CDKMetadata", None)  # which differs between the languages
    return template
