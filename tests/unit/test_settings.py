from __future__ import annotations

import pytest

from provider.hosts import problem_of
from provider.kinds import KINDS, MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB
from provider.settings import Settings
from provider.values import Endpoint


def test_the_environment_of_a_deployed_function_is_read() -> None:
    settings = Settings.from_environment(
        {
            "AWS_REGION": "eu-central-1",
            "ALLOWED_HOSTS": "proxy.example, .graph.example ,",
            "RESPONSE_HOSTS": "response.example",
            "NEPTUNE_RESOURCE_ARN": "arn:aws:neptune-db:eu-central-1:123456789012:cluster-C0FFEE/*",
            "KINDS": "none,ModelTrainingJob, ModelTransformJob",
            "START_JOBS": "true",
            "WAITING_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/waiting",
        }
    )
    assert settings.region == "eu-central-1"
    assert settings.neptune_resource_arn == "arn:aws:neptune-db:eu-central-1:123456789012:cluster-C0FFEE/*"
    assert settings.waiting_queue_url == "https://sqs.eu-central-1.amazonaws.com/123456789012/waiting"
    assert settings.may_start is True
    assert [kind for kind in KINDS if settings.provides(kind.resource_type)] == [
        MODEL_TRAINING_JOB,
        MODEL_TRANSFORM_JOB,
    ]
    assert settings.answer_pauses == (0.5, 1.0, 2.0, 4.0)
    assert settings.is_local is False
    for host in ("proxy.example", "db.graph.example"):
        assert problem_of(Endpoint("http", host, 80), settings.clusters) == ""
        assert not settings.responses.more.fullmatch(host)
    assert settings.responses.more.fullmatch("response.example")
    assert not settings.clusters.more.fullmatch("response.example")
    assert settings.responses.own.fullmatch(
        "cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com"
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        dict.fromkeys(
            ("AWS_REGION", "ALLOWED_HOSTS", "RESPONSE_HOSTS", "NEPTUNE_RESOURCE_ARN", "KINDS", "START_JOBS"), ""
        ),
    ],
    ids=["nothing", "empty texts"],
)
def test_what_is_missing_has_the_templates_defaults(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert settings.region == "us-east-1"
    assert settings.neptune_resource_arn == "arn:aws:neptune-db:us-east-1:*:*/*"
    assert settings.waiting_queue_url == ""
    assert settings.may_start is False
    assert all(settings.provides(kind.resource_type) for kind in KINDS)
    assert settings.is_local is False
    assert not settings.clusters.more.fullmatch("")
    assert not settings.responses.more.fullmatch("")


@pytest.mark.parametrize("value", ["false", "True", "TRUE", "1", "yes", " true", "true "])
def test_jobs_are_started_only_where_the_setting_is_exactly_true(value: str) -> None:
    assert Settings.from_environment({"START_JOBS": value}).may_start is False


@pytest.mark.parametrize("kinds", ["none,none,none", "none", "dataprocessingjob", "DataProcessingJobs", "Job"])
def test_a_kind_is_provided_only_by_its_own_name(kinds: str) -> None:
    settings = Settings.from_environment({"KINDS": kinds})
    assert not any(settings.provides(kind.resource_type) for kind in KINDS)


def test_in_sam_local_nothing_waits_in_a_queue_and_an_answer_is_tried_once() -> None:
    settings = Settings.from_environment({"AWS_SAM_LOCAL": "true", "WAITING_QUEUE_URL": "WaitingRequests"})
    assert settings.is_local is True
    assert settings.waiting_queue_url == ""
    assert settings.answer_pauses == ()
