from __future__ import annotations

import json
import re
import socket
import tempfile
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


def trial(*, endpoint: str = ENDPOINT, job: str = "", file: Path | None = None, resource_type: str = "") -> Trial:
    return described(endpoint=endpoint, job=job, file=file, resource_type=resource_type, timeout=600)


def starting(resource_type: str = "", **properties: object) -> Trial:
    """One that starts a job: a transform job unless something else is said."""
    with tempfile.NamedTemporaryFile("w") as file:
        json.dump(properties or BUCKET, file)
        file.flush()
        return trial(file=Path(file.name), resource_type=resource_type)


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
    tried = starting()

    assert (tried.starts, tried.cleans) == (True, True)
    assert properties(tried)["ModelTransformOutputS3Location"] == "s3://bucket/f"


def test_a_file_describes_a_job_of_any_kind() -> None:
    own = {"InputDataS3Location": "s3://bucket/in", "ProcessedDataS3Location": "s3://bucket/out", "Clean": False}

    tried = starting("Custom::NeptuneMLDataProcessingJob", **own)

    assert (tried.kind, tried.starts, tried.cleans) == (KINDS[0], True, False)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"endpoint": "", "job": "a"}, "`make accept` still needs ENDPOINT.\n"),
        ({}, "`make accept` still needs one of JOB and PROPERTIES.\n"),
        ({"job": "a", "file": Path("job.json")}, "Specify only one of JOB and PROPERTIES."),
        ({"job": "a b"}, "Id"),
        (
            {"job": "a", "endpoint": "foo/bar"},
            "ENDPOINT is 'foo/bar'; it should be host, host:port or https://host:port.",
        ),
        ({"job": "a", "resource_type": "Custom::Job"}, "TYPE is 'Custom::Job'; it should be one of Custom::Neptune"),
        ({"file": Path("no-such-file.json")}, "PROPERTIES=no-such-file.json cannot be read"),
    ],
)
def test_what_is_no_trial_is_told(given: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongArguments, match=re.escape(problem)):
        trial(**given)  # type: ignore[arg-type] # one of them is a path


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [({"DataProcesingJobId": "data"}, "DataProcesingJobId"), ({"ModelTransformOutputS3Location": "bucket"}, "s3://")],
)
def test_a_wrong_property_is_told_before_anything_costs_money(wrong: dict[str, str], problem: str) -> None:
    with pytest.raises(WrongArguments, match=problem):
        starting(**{**BUCKET, **wrong})


@pytest.mark.parametrize(
    ("tried", "parameters", "problem"),
    [
        (trial(job="movies"), {"ModelTransformJobs": "false"}, "The provider does not allow model transform jobs"),
        (starting(), {"StartJobs": "false"}, "PARAMETERS=StartJobs=true"),
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
