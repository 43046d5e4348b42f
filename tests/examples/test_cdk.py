"""The AWS CDK examples, synthesized; skipped where Node.js or the packages are not installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name

from provider.custom_resource.properties import schema_of
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.kinds.common import ID
from tests.cfn_lint.linting import ENDPOINT, ROOT, lint
from tests.examples.resolving import Resolving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXAMPLES = ROOT / "examples/cdk"
VENV = ROOT / ".venv"
SYNTH_SECONDS = 300
SCHEMA = schema_of(MODEL_TRANSFORM_JOB.schema)

STARTED = {
    "DataProcessingJobId": "movies-data",
    "MlModelTrainingJobId": "movies-model",
    "Artifacts": "s3://mybucket/movies",
}
# A resource with every property; any value of its type will do.
VALUES = {"String": "text", "Integer": 7, "Boolean": False, "Array of String": ["one", "two"]}
EVERY_PROPERTY = {
    row.name: {it.name: VALUES[it.type.name] for it in row.members} if row.members else VALUES[row.type.name]
    for row in SCHEMA.rows
}
PYTHON = """
import os, runpy
from aws_cdk import App, Duration, Stack
from transform_job import ModelTransformJob

runpy.run_path("app.py")  # synthesizes the example's own stacks
every = App(outdir=f"{{os.environ['CDK_OUTDIR']}}/every")
ModelTransformJob(Stack(every, "every"), "Job", service_timeout=Duration.seconds(7), **{properties!r})
every.synth()
"""
TYPESCRIPT = """
import './app'; // synthesizes the example's own stacks
import {{ App, Duration, Stack }} from 'aws-cdk-lib';
import {{ ModelTransformJob }} from '../lib/model-transform-job';

const every = new App({{ outdir: `${{process.env.CDK_OUTDIR}}/every` }});
new ModelTransformJob(new Stack(every, 'every'), 'Job', {{ serviceTimeout: Duration.seconds(7), ...{properties} }});
every.synth();
"""


def every_property(spelled: Callable[[str], str]) -> dict[str, object]:
    """As a construct takes them; it takes a duration for the timeout."""

    def named(values: dict[str, Any]) -> dict[str, object]:
        return {spelled(name): named(value) if isinstance(value, dict) else value for name, value in values.items()}

    return named({name: value for name, value in EVERY_PROPERTY.items() if name != "ServiceTimeout"})


def require(installed: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("there is no Node.js on the PATH, which the AWS CDK needs")
    if not installed.exists():
        pytest.skip(f"the AWS CDK is not installed: run `make {installed.relative_to(ROOT)}`")


def synthesize(command: str, directory: Path, **environment: str) -> Path:
    """Run the command by which the CDK would have the application synthesized."""
    out = directory / "cdk.out"
    process = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env={**os.environ, **environment, "CDK_OUTDIR": str(out)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SYNTH_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return out


def copied(example: str, directory: Path) -> tuple[Path, str]:
    """The example in a directory of its own, and its command."""
    copy = directory / example
    # Without what somebody who tried it has installed there.
    left_out = shutil.ignore_patterns("node_modules", "build", "cdk.out", ".venv", "__pycache__")
    shutil.copytree(EXAMPLES / example, copy, ignore=left_out)
    return copy, json.loads((copy / "cdk.json").read_text())["app"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(VENV / "cdk.done")
    directory, command = copied("python", tmp_path_factory.mktemp("cdk"))
    (directory / "every.py").write_text(PYTHON.format(properties=every_property(xform_name)))
    path = f"{VENV / 'cdk/bin'}:{os.environ['PATH']}"
    return synthesize(command.replace("app.py", "every.py"), directory, PATH=path)


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(VENV / "cdk-typescript.done")
    directory, command = copied("typescript", tmp_path_factory.mktemp("cdk"))
    (directory / "node_modules").symlink_to(VENV / "cdk-typescript/node_modules")
    properties = json.dumps(every_property(lambda name: name[0].lower() + name[1:]))
    (directory / "bin/every.ts").write_text(TYPESCRIPT.format(properties=properties))
    return synthesize(command.replace("app.js", "every.js"), directory)


@pytest.fixture(scope="module", params=["python", "typescript"])
def synthesized(request: pytest.FixtureRequest) -> Path:
    out: Path = request.getfixturevalue(request.param)
    return out


def template(path: Path) -> Any:  # noqa: ANN401 - a template
    return json.loads(path.read_text())


def test_synthesized_templates_pass_cfn_lint(synthesized: Path) -> None:
    templates = sorted(synthesized.glob("*.template.json"))

    assert [it.name for it in templates] == ["movies-existing.template.json", "movies.template.json"]
    assert lint(*templates) == []


def test_one_stack_starts_its_job(synthesized: Path) -> None:
    (job,) = Resolving(template(synthesized / "movies.template.json"), {"Endpoint": ENDPOINT, **STARTED}).jobs()

    assert set(SCHEMA.parse(job).description) == {
        "dataProcessingJobId",
        "mlModelTrainingJobId",
        "modelTransformOutputS3Location",
    }


def test_the_other_stack_adopts_one(synthesized: Path) -> None:
    parameters = {"Endpoint": ENDPOINT, "JobId": "movies-2026-01"}
    (job,) = Resolving(template(synthesized / "movies-existing.template.json"), parameters).jobs()

    assert SCHEMA.parse(job)[ID] == "movies-2026-01"
    assert SCHEMA.parse(job).description == {}


def test_constructs_pass_every_property_on(synthesized: Path) -> None:
    (job,) = Resolving(template(synthesized / "every/every.template.json"), {}).jobs()

    assert job == {**EVERY_PROPERTY, "ServiceTimeout": "7"}


@pytest.mark.parametrize("example", ["python", "typescript"])
def test_nothing_is_reported_to_aws(example: str) -> None:
    assert json.loads((EXAMPLES / example / "cdk.json").read_text())["versionReporting"] is False


def test_the_lock_names_no_registry() -> None:
    packages = json.loads((EXAMPLES / "typescript/package-lock.json").read_text())["packages"]
    installed = {path: package for path, package in packages.items() if path}

    assert "node_modules/aws-cdk-lib" in installed
    assert [path for path, package in installed.items() if "resolved" in package] == []
    assert [path for path, it in installed.items() if not (it.get("inBundle") or it.get("integrity"))] == []
