from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from local.ministack import REGION
from operate import cluster
from operate.account import Account
from operate.cluster import GONE
from operate.command import WrongArguments
from operate.provider_stack import ProviderStack
from operate.trial import Trial, described
from provider.kinds import KINDS

if TYPE_CHECKING:
    from simulator import Simulator

ENDPOINT = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"
BUCKET = {
    "DataProcessingJobId": "data",
    "MlModelTrainingJobId": "model",
    "ModelTransformOutputS3Location": "s3://bucket/f",
}


def trial(
    *,
    endpoint: str = ENDPOINT,
    job: str = "",
    training_job: str = "",
    output: str = "",
    file: Path | None = None,
    resource_type: str = "",
) -> Trial:
    return described(
        endpoint=endpoint,
        job=job,
        training_job=training_job,
        output=output,
        file=file,
        resource_type=resource_type,
        timeout=600,
    )


def provider(**parameters: str) -> ProviderStack:
    return ProviderStack("mine", "CREATE_COMPLETE", parameters, {"ServiceToken": "arn"})


def properties(of: Trial) -> dict[str, object]:
    its: dict[str, object] = json.loads(of.template(provider()))["Resources"]["Job"]["Properties"]
    return its


def test_a_job_to_adopt_keeps_its_artifacts() -> None:
    adopting = trial(job="movies")

    assert not adopting.starts
    assert properties(adopting) == {
        "ServiceToken": {"Fn::ImportValue": "mine-ServiceToken"},
        "ServiceTimeout": 600,
        "Endpoint": ENDPOINT,
        "Id": "movies",
    }


def test_a_job_that_is_started_takes_its_artifacts_along() -> None:
    starting = trial(training_job="movies", output="s3://bucket/folder")

    assert (starting.starts, starting.cleans) == (True, True)
    assert properties(starting)["ModelTransformOutputS3Location"] == "s3://bucket/folder"


def test_a_file_describes_a_job_of_any_kind(tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(
        json.dumps(
            {"InputDataS3Location": "s3://bucket/in", "ProcessedDataS3Location": "s3://bucket/out", "Clean": False}
        )
    )

    starting = trial(file=file, resource_type="Custom::NeptuneMLDataProcessingJob")

    assert (starting.kind, starting.starts, starting.cleans) == (KINDS[0], True, False)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"endpoint": "", "job": "a"}, "`make accept` still needs ENDPOINT.\n"),
        ({}, "`make accept` still needs one of JOB, TRAINING_JOB with OUTPUT, and PROPERTIES.\n"),
        ({"endpoint": "", "training_job": "b"}, "`make accept` still needs ENDPOINT and OUTPUT.\n"),
        ({"output": "s3://bucket/f"}, "`make accept` still needs TRAINING_JOB.\n"),
        (
            {"job": "a", "training_job": "b"},
            "Specify only one of JOB, TRAINING_JOB with OUTPUT, and PROPERTIES; you specified JOB and TRAINING_JOB.",
        ),
        ({"job": "a b"}, "Id"),
        ({"training_job": "b", "output": "bucket"}, "s3://"),
        (
            {"job": "a", "endpoint": "foo/bar"},
            "ENDPOINT is 'foo/bar'; it should be host, host:port or https://host:port.",
        ),
        ({"job": "a", "resource_type": "Custom::Job"}, "TYPE is 'Custom::Job'; it should be one of Custom::Neptune"),
        (
            {"training_job": "b", "output": "s3://bucket/f", "resource_type": "Custom::NeptuneMLModelTrainingJob"},
            "use PROPERTIES for a model training job.",
        ),
        ({"file": Path("no-such-file.json")}, "PROPERTIES=no-such-file.json cannot be read"),
    ],
)
def test_what_is_no_trial_is_told(given: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongArguments, match=re.escape(problem)):
        trial(**given)  # type: ignore[arg-type] # one of them is a path


def test_a_mistyped_property_is_told_before_anything_costs_money(tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps({**BUCKET, "DataProcesingJobId": "data"}))

    with pytest.raises(WrongArguments, match="DataProcesingJobId"):
        trial(file=file)


@pytest.mark.parametrize(
    ("tried", "parameters", "problem"),
    [
        (trial(job="movies"), {"ModelTransformJobs": "false"}, "The provider does not allow model transform jobs"),
        (trial(training_job="movies", output="s3://bucket/f"), {"StartJobs": "false"}, "PARAMETERS=StartJobs=true"),
    ],
)
def test_what_the_provider_may_not_do_is_told(tried: Trial, parameters: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongArguments, match=re.escape(problem)):
        tried.check(provider(**parameters))


class TestCluster:
    HERE = Account("123456789012", REGION, "arn:aws:iam::123456789012:user/me", boto3.Session(region_name=REGION))

    def test_a_cluster_within_reach_is_asked(self, simulator: Simulator) -> None:
        simulator.start_job("movies")

        assert cluster.ask(self.HERE, trial(endpoint=simulator.url, job="movies"), "movies").status == "InProgress"
        assert cluster.ask(self.HERE, trial(endpoint=simulator.url, job="other"), "other").status == GONE

    def test_a_cluster_out_of_reach_is_not(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        told = cluster.ask(self.HERE, trial(endpoint=f"http://127.0.0.1:{port}", job="movies"), "movies")

        assert told.status == ""
        assert "cannot be reached from here" in told.problem
