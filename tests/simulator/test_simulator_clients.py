"""The clients that people have: AWS's notebook client and the AWS CLI, over HTTP and HTTPS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.response_host import make_tls
from simulator import ManualClock, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simulator.kinds import KindName

    Run = Callable[..., subprocess.CompletedProcess[str]]
    Answer = dict[str, Any]

VENV = Path(sys.prefix).parent
AWS = shutil.which(VENV / "awscli" / "bin" / "aws") or shutil.which("aws")
NOTEBOOK = VENV / "notebook" / "bin" / "python"
DRIVER = Path(__file__).with_name("notebook_client.py")

needs_the_notebook = pytest.mark.skipif(not NOTEBOOK.exists(), reason="needs graph-notebook: make .venv/notebook.done")
needs_the_cli = pytest.mark.skipif(AWS is None, reason="needs the AWS CLI: make .venv/awscli.done")
over_https_too = pytest.mark.parametrize("simulator", ["http", "https"], indirect=True)
over_http = pytest.mark.parametrize("simulator", ["http"], indirect=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return tmp_path / "authority.pem"


@pytest.fixture
def simulator(request: pytest.FixtureRequest, authority: Path, clock: ManualClock) -> Iterator[Simulator]:
    tls = make_tls(authority) if request.param == "https" else None
    with Simulator(clock=clock, tls=tls, run_seconds=600, stop_seconds=60) as running:
        assert running.url.startswith(f"{request.param}://127.0.0.1:")
        yield running


# --- AWS's notebook client ---


class HttpError(Exception):
    """What the client raises for an error's answer."""

    def __init__(self, status: int, body: Mapping[str, str]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Notebook:
    """The notebook client at a simulator: lines of `%neptune_ml`, and the client's methods."""

    def __init__(self, program: subprocess.Popen[str], simulator: Simulator) -> None:
        self._program = program
        self._simulator = simulator
        self.signed = False

    def __call__(self, line: str, cell: object = "") -> Answer:
        return self._ask(line=line, cell=cell if isinstance(cell, str) else json.dumps(cell))

    def call(self, method: str, **arguments: object) -> Answer:
        return self._ask(method=method, arguments=arguments)

    def _ask(self, **call: object) -> Answer:
        configuration: dict[str, object] = {"host": "127.0.0.1", "port": self._simulator.port, "ssl": False}
        if self._simulator.url.startswith("https:"):
            configuration |= {"ssl": True, "ssl_verify": False}
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        told = {"configuration": configuration, "signed": self.signed, **call}
        print(json.dumps(told), file=self._program.stdin, flush=True)
        result: Answer = json.loads(self._program.stdout.readline())
        if "status" in result:
            raise HttpError(result["status"], result["body"])
        return cast("Answer", result["answer"])


@pytest.fixture(scope="module")
def notebook_program() -> Iterator[subprocess.Popen[str]]:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    }
    with subprocess.Popen(
        [NOTEBOOK, DRIVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        yield program
        assert program.stdin is not None
        program.stdin.close()
        assert program.wait(30) == 0


@pytest.fixture
def notebook(notebook_program: subprocess.Popen[str], simulator: Simulator) -> Notebook:
    return Notebook(notebook_program, simulator)


@needs_the_notebook
@over_https_too
def test_a_notebook_goes_all_the_way_to_an_endpoint(
    notebook: Notebook, simulator: Simulator, clock: ManualClock
) -> None:
    s3 = "s3://bucket"
    processing = notebook(
        f"dataprocessing start --job-id processing --s3-input-uri {s3}/exported --s3-processed-uri {s3}/processed"
    )
    assert processing.keys() == {"id", "arn", "creationTimeInMillis"}
    assert notebook("dataprocessing status --job-id processing")["status"] == "InProgress"
    clock.advance(600)
    assert notebook("dataprocessing status --job-id processing --wait")["status"] == "Completed"

    notebook(f"training start --job-id training --data-processing-id processing --s3-output-uri {s3}/training")
    assert notebook("training status --job-id training")["status"] == "InProgress"
    clock.advance(600)
    assert notebook("training status --job-id training --wait")["mlModels"]

    trained = "--data-processing-job-id processing --model-training-job-id training"
    notebook(f"modeltransform start --job-id transform {trained} --s3-output-uri {s3}/transform")
    assert notebook("modeltransform status --job-id transform")["status"] == "InProgress"
    assert notebook("modeltransform list") == {"ids": ["transform"]}
    clock.advance(600)
    assert notebook("modeltransform status --job-id transform --wait")["models"]

    notebook("endpoint create --id endpoint --model-transform-job-id transform")
    assert notebook("endpoint status --id endpoint")["status"] == "Creating"
    clock.advance(600)
    assert notebook("endpoint status --id endpoint --wait")["status"] == "InService"
    notebook("endpoint create --id endpoint --model-training-job-id training --update")
    assert notebook("endpoint status --id endpoint")["status"] == "Updating"
    assert {record.status for record in simulator.log} == {200}


STARTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "dataprocessing": (
        "dataprocessing",
        {"inputDataS3Location": "s3://bucket/exported", "processedDataS3Location": "s3://bucket/processed"},
    ),
    "modeltraining": (
        "training",
        {
            "dataProcessingJobId": "processing",
            "trainModelS3Location": "s3://bucket/training",
            "maxHPONumberOfTrainingJobs": 2,
            "maxHPOParallelTrainingJobs": 1,
        },
    ),
    "modeltransform": (
        "modeltransform",
        {"trainingJobName": "training-1", "modelTransformOutputS3Location": "s3://bucket/transform"},
    ),
}
by_kind_of_job = pytest.mark.parametrize("kind", STARTS)


@needs_the_notebook
@over_https_too
@by_kind_of_job
@pytest.mark.parametrize("clean", [True, False])
def test_a_notebook_stops_a_job(
    notebook: Notebook, simulator: Simulator, clock: ManualClock, kind: KindName, *, clean: bool
) -> None:
    magic, parameters = STARTS[kind]
    # The parameters stand in the cell below the line; an ID that is left out is sent as an empty one from none.
    notebook(f"{magic} start", {**parameters, "id": "job-1"})
    status = "modeltransform_status" if kind == "modeltransform" else f"{kind}_job_status"
    job = {"training_job_id" if kind == "modeltraining" else "job_id": "job-1"}
    assert notebook.call(f"{kind}_list") == {"ids": ["job-1"]}
    before = simulator.of(kind).artifacts("job-1")
    assert before

    assert notebook.call(f"{kind}_stop", **job, clean=clean) == {"status": "Stopping"}
    clock.advance(60)

    assert notebook.call(status, **job)["status"] == "Stopped"
    assert simulator.of(kind).artifacts("job-1") == (() if clean else before)


@needs_the_notebook
@over_http
def test_a_notebook_stops_a_model_transform_job_with_a_line(
    notebook: Notebook, simulator: Simulator, clock: ManualClock
) -> None:
    simulator.start_job("job-1", stop_seconds=60)
    # It leaves its own --clean unheeded.
    notebook("modeltransform stop --job-id job-1 --clean")
    assert simulator.log[-1].query == "clean=FALSE"
    clock.advance(60)
    assert notebook("modeltransform status --job-id job-1 --wait")["status"] == "Stopped"
    assert simulator.artifacts("job-1")


@needs_the_notebook
@over_http
@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("dataprocessing", "dataprocessing start --s3-input-uri s3://bucket/in --s3-processed-uri s3://bucket/out"),
        ("modeltraining", "training start --data-processing-id processing --s3-output-uri s3://bucket/out"),
        ("modeltransform", "modeltransform start --training-job-name training-1 --s3-output-uri s3://bucket/out"),
    ],
)
def test_a_notebook_need_not_name_a_job(notebook: Notebook, simulator: Simulator, kind: KindName, line: str) -> None:
    ids = [notebook(line)["id"] for _ in range(2)]
    assert sorted(ids) == sorted(simulator.of(kind).running())
    assert all(ids)


@needs_the_notebook
@over_https_too
def test_a_notebook_deletes_an_endpoint(notebook: Notebook, simulator: Simulator, clock: ManualClock) -> None:
    created = notebook.call("endpoints_create", model_training_job_id="training", id="endpoint-1")
    assert created["id"] == "endpoint-1"
    assert notebook.call("endpoints") == {"ids": ["endpoint-1"]}
    clock.advance(600)
    assert notebook.call("endpoints_status", endpoint_id="endpoint-1")["status"] == "InService"

    assert notebook.call("endpoints_delete", endpoint_id="endpoint-1") == {"status": "Deleting"}
    clock.advance(60)

    with pytest.raises(HttpError) as raised:
        notebook.call("endpoints_status", endpoint_id="endpoint-1")
    assert (raised.value.status, raised.value.body["code"]) == (404, "MLResourceNotFoundException")
    assert simulator.running_everywhere() == ()


@needs_the_notebook
@over_http
def test_a_notebook_shows_an_error(notebook: Notebook) -> None:
    with pytest.raises(HttpError) as raised:
        notebook("modeltransform stop --job-id nobody")
    assert raised.value.status == 404
    assert raised.value.body.keys() == {"code", "message", "detailedMessage", "requestId"}


@needs_the_notebook
@over_http
def test_a_notebook_signs(notebook: Notebook, simulator: Simulator) -> None:
    notebook("modeltransform list")
    notebook.signed = True
    notebook("modeltransform list")
    assert [(record.signed, record.service, record.region) for record in simulator.log] == [
        (False, None, None),
        (True, "neptune-db", "us-west-2"),
    ]


# --- the AWS CLI ---


@pytest.fixture
def aws(simulator: Simulator, authority: Path, tmp_path: Path) -> Run:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up-secret",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_MAX_ATTEMPTS": "1",
    }
    if authority.exists():
        environment["AWS_CA_BUNDLE"] = str(authority)

    def aws(operation: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [cast("str", AWS), "neptunedata", operation, *arguments, "--endpoint-url", simulator.url],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return aws


def output(done: subprocess.CompletedProcess[str]) -> Answer:
    assert done.returncode == 0, done.stderr
    return cast("Answer", json.loads(done.stdout))


@needs_the_cli
@over_https_too
def test_the_aws_cli(aws: Run, simulator: Simulator) -> None:
    started = aws(
        "start-ml-model-transform-job",
        *("--id", "job-1", "--training-job-name", "training-1"),
        *("--model-transform-output-s3-location", "s3://bucket/transform"),
    )
    assert output(started)["id"] == "job-1"
    assert output(aws("cancel-ml-model-transform-job", "--id", "job-1", "--clean")) == {"status": "Stopping"}
    assert output(aws("get-ml-model-transform-job", "--id", "job-1"))["status"] == "Stopping"
    missing = aws("get-ml-model-transform-job", "--id", "nobody")
    assert missing.returncode != 0
    assert "MLResourceNotFoundException" in missing.stderr
    assert "nobody" in missing.stderr
    assert [(record.status, record.query, record.service, record.region) for record in simulator.log] == [
        (200, "", "neptune-db", "us-west-2"),
        (200, "clean=true", "neptune-db", "us-west-2"),
        (200, "", "neptune-db", "us-west-2"),
        (404, "", "neptune-db", "us-west-2"),
    ]


@needs_the_cli
@over_http
@pytest.mark.parametrize(
    ("kind", "job", "start", "stop"),
    [
        (
            "dataprocessing",
            "data-processing-job",
            ("start", "--input-data-s3-location", "s3://bucket/in", "--processed-data-s3-location", "s3://bucket/out"),
            ("cancel", "Stopping"),
        ),
        (
            "modeltraining",
            "model-training-job",
            ("start", "--data-processing-job-id", "processing", "--train-model-s3-location", "s3://bucket/out"),
            ("cancel", "Stopping"),
        ),
        ("endpoints", "endpoint", ("create", "--ml-model-training-job-id", "training"), ("delete", "Deleting")),
    ],
)
def test_the_aws_cli_knows_the_other_kinds(
    aws: Run,
    simulator: Simulator,
    clock: ManualClock,
    *,
    kind: KindName,
    job: str,
    start: tuple[str, ...],
    stop: tuple[str, str],
) -> None:
    begin, *parameters = start
    end, ending = stop
    made = output(aws(f"{begin}-ml-{job}", *parameters))["id"]
    assert output(aws(f"list-ml-{job}s")) == {"ids": [made]}
    clock.advance(600 if kind == "endpoints" else 0)
    assert output(aws(f"{end}-ml-{job}", "--id", made, "--clean")) == {"status": ending}
    assert output(aws(f"get-ml-{job}", "--id", made))["status"] == ending
    clock.advance(60)
    assert simulator.running_everywhere() == ()
