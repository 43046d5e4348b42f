"""What an acceptance makes of what it has seen, and what its report tells."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.function_log import Message
from local.ministack import REGION
from local.stacks import StackEvent
from operate.accept import Acceptance
from operate.account import Account
from operate.cluster import GONE, Told
from operate.report import masked, report
from operate.seen import Operation, Seen, log_of
from operate.simulated import Beside
from operate.verdicts import verdicts
from provider.hosts import PARTITIONS
from tests.operate.test_trial import ENDPOINT, provider, starting, trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operate.trial import Trial

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/neptune-ml-acceptance-1/uuid"
OTHER = STACK.replace("acceptance-1", "acceptance-2")
ADOPTING = trial(job="movies")
STARTING = starting()


def said(
    second: float,
    message: str,
    request_type: str = "Delete",
    *,
    stack: str = STACK,
    invocation: str = "1",
    stream: str = "a",
    level: str = "INFO",
    **fields: object,
) -> Message:
    line = {
        "timestamp": f"2026-01-01T00:00:{second:06.3f}+00:00",
        "level": level,
        "message": message,
        "stack_id": stack,
        "logical_resource_id": "Job",
        "request_type": request_type,
        "function_request_id": invocation,
        **fields,
    }
    return Message(second, stream, json.dumps(line))


def measured(second: float, stream: str = "a", **values: float) -> Message:
    metrics = [{"Metrics": [{"Name": name} for name in values]}]
    emf = {"_aws": {"Timestamp": second * 1000, "CloudWatchMetrics": metrics}}
    return Message(second, stream, json.dumps({**emf, **{name: [value] for name, value in values.items()}}))


ANSWERED = "CloudFormation accepted the response"
CREATED = (
    said(1, "The request is waiting in the queue", "Create", invocation="create"),
    said(2, ANSWERED, "Create", invocation="create"),
    measured(3, JobsStarted=0, Failures=0),
)
DELETED = (
    said(10, "Cancelled the job", invocation="delete"),
    said(11, "The request is waiting in the queue", invocation="delete"),
    measured(12, JobsCancelled=1, StillWaiting=1),
    said(18, "The job has ended", status="Stopped", invocation="look", stream="b"),
    said(19, ANSWERED, invocation="look", stream="b"),
    measured(20, "b", Failures=0, FailedDeletions=0, SecondsToStop=8),
)
# Seconds of the epoch, as the log's: 1 January 2026.
BEGIN = 1767225600.0


def operation(verb: str, start: float, end: float, *, failed: str = "") -> Operation:
    def event(at: float, name: str, status: str, reason: str = "") -> StackEvent:
        kind = "AWS::CloudFormation::Stack" if name == "stack" else "Custom::NeptuneMLModelTransformJob"
        return StackEvent(BEGIN + at, name, kind, status, reason)

    final = f"{verb}_FAILED" if failed else f"{verb}_COMPLETE"
    its = (
        event(start, "stack", f"{verb}_IN_PROGRESS"),
        event(start, "Job", f"{verb}_IN_PROGRESS"),
        event(end, "Job", final, failed),
        event(end, "stack", final),
    )
    return Operation(final, its)


SEEN = Seen(
    created=operation("CREATE", 0, 2.5),
    deleted=operation("DELETE", 9, 19.5),
    outputs={"Ref": f"{ENDPOINT}:8182/movies", "Id": "movies", "Status": "InProgress"},
    log=log_of([*CREATED, *DELETED], STACK),
    running=Told("", "it cannot be reached from here (timed out)"),
    ended=Told("", "it cannot be reached from here (timed out)"),
    before={"waiting queue": 0, "failed-events queue": 2},
    after={"waiting queue": 0, "failed-events queue": 2},
)


def not_as_expected(seen: Seen, *, starts: bool = False) -> list[str]:
    return [it.expected for it in verdicts(STARTING if starts else ADOPTING, seen) if not it.holds]


def test_all_can_be_as_expected_though_the_cluster_cannot_be_reached() -> None:
    assert not_as_expected(SEEN) == []


def log(*messages: Message) -> Seen:
    return replace(SEEN, log=log_of(messages, STACK))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (replace(SEEN, created=operation("CREATE", 0, 2, failed="no")), ["the stack is created: CREATE_COMPLETE"]),
        (replace(SEEN, deleted=operation("DELETE", 9, 20, failed="no")), ["the stack is deleted: DELETE_COMPLETE"]),
        (replace(SEEN, outputs={**SEEN.outputs, "Id": "books"}), ["its output Id is movies"]),
        (
            replace(SEEN, outputs={**SEEN.outputs, "Status": "Completed"}),
            ["its output Status shows a running job (InProgress)"],
        ),
        (replace(SEEN, running=Told("Stopped")), ["the cluster, queried from here, reports the job as running"]),
        (replace(SEEN, ended=Told("InProgress")), ["the cluster, queried from here, reports the job as ended"]),
        (replace(SEEN, after={"waiting queue": 1}), ["the waiting queue has no new messages (before: 0)"]),
        (replace(SEEN, after={"failed-events queue": 3}), ["the failed-events queue has no new messages (before: 2)"]),
        (
            log(*CREATED, *DELETED, said(21, "The job could not be looked up", level="WARNING"), measured(22)),
            ["the log contains no warnings or errors"],
        ),
        (log(*CREATED, said(9, "Cancelled the job"), measured(9, JobsCancelled=1), *DELETED), [
            "the job is cancelled exactly once",
            "the metric JobsCancelled adds up to 1",
        ]),
        (
            log(*CREATED, *DELETED[:4], said(27, ANSWERED, invocation="look", stream="b"), *DELETED[5:]),
            ["the answer follows within 5 s of seeing that the job had ended"],
        ),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_named(seen: Seen, expected: list[str]) -> None:
    assert not_as_expected(seen) == expected


ENDPOINT_TRIAL = trial(job="movies", resource_type="Custom::NeptuneMLEndpoint")


def of_endpoint(status: str, ended: str) -> Seen:
    """What is seen of an endpoint: its Delete ends when Neptune knows it no more."""
    look = said(18, "The job has ended", status=ended, invocation="look", stream="b")
    seen = log(*CREATED, *DELETED[:3], look, *DELETED[4:])
    return replace(seen, outputs={**SEEN.outputs, "Status": status}, running=Told(status), ended=Told(GONE))


@pytest.mark.parametrize("status", ["InService", "Creating", "Updating"])
def test_an_endpoint_that_is_in_service_and_then_gone_is_as_expected(status: str) -> None:
    assert [it for it in verdicts(ENDPOINT_TRIAL, of_endpoint(status, "NotFound")) if not it.holds] == []


@pytest.mark.parametrize("status", ["Failed", "Deleting"])
def test_an_endpoint_that_does_not_run_is_not_as_expected(status: str) -> None:
    assert [it.expected for it in verdicts(ENDPOINT_TRIAL, of_endpoint(status, "InService")) if not it.holds] == [
        "its output Status shows a running endpoint (Creating or Updating or SystemUpdating or RollingBack or "
        "InService)",
        "the cluster, queried from here, reports the endpoint as running",
        "the provider saw that the endpoint had ended (NotFound)",
    ]


def test_a_job_that_neptune_knows_no_more_after_its_cancellation_has_ended() -> None:
    look = said(18, "The job has ended", status="NotFound", invocation="look", stream="b")

    assert not_as_expected(log(*CREATED, *DELETED[:3], look, *DELETED[4:])) == []


@pytest.mark.parametrize(
    ("tried", "lines"),
    [
        (ADOPTING, ["It adopts the model transform job movies.", "The job is CANCELLED. Its artifacts are kept."]),
        (
            STARTING,
            [
                "It starts a model transform job.",
                "COSTS MONEY\n     until the job is cancelled some minutes later",
                "The job is CANCELLED. Its artifacts are deleted.",
            ],
        ),
        (ENDPOINT_TRIAL, ["It adopts the endpoint movies.", "The endpoint is DELETED. Its artifacts are kept."]),
    ],
    ids=["a job that is adopted", "a job that is started", "an endpoint"],
)
def test_the_plan_says_what_becomes_of_the_job(tried: Trial, lines: list[str]) -> None:
    here = Account("123456789012", REGION, "me", boto3.Session(region_name=REGION))
    plan = Acceptance(here, provider(), tried, "neptune-ml-acceptance-1").plan()

    for line in lines:
        assert line in plan


def test_metrics_of_which_some_are_missing_prove_nothing() -> None:
    assert [it for it in not_as_expected(log(*CREATED, *DELETED[:-1])) if "metric" in it] == [
        "the metric JobsStarted adds up to 0",
        "the metric JobsCancelled adds up to 1",
        "the metric Failures adds up to 0",
        "the metric FailedDeletions adds up to 0",
    ]


def test_a_job_that_is_to_be_started_is() -> None:
    assert "the metric JobsStarted adds up to 1" in not_as_expected(SEEN, starts=True)


def test_metrics_of_other_stacks_are_not_counted() -> None:
    others = (said(4, "Cancelled the job", stack=OTHER, invocation="other"), measured(5, JobsCancelled=1))
    quiet = (said(6, "Loading", stack="", invocation="quiet"), measured(7, JobsCancelled=1))

    assert log_of([*CREATED, *others, *quiet, *DELETED], STACK) == log_of([*CREATED, *DELETED], STACK)


# --- the report -------------------------------------------------------------------------------------------------------


def text_of(seen: Seen, end: str = "", beside: Sequence[Beside] = ()) -> str:
    return report(
        provider(SubnetIds="subnet-1"),
        ADOPTING,
        seen,
        region="us-east-1",
        verdicts=verdicts(ADOPTING, seen),
        beside=beside,
        end=end,
    )


def test_the_report_says_where_the_status_of_the_job_is_from() -> None:
    reached = replace(SEEN, running=Told("InProgress"), ended=Told("Stopped"))

    assert "not the cluster: it cannot be reached from here (timed out)" in text_of(SEEN)
    assert "and the cluster, queried from here" in text_of(reached)


def test_the_report_shows_events_log_and_metrics() -> None:
    text = text_of(SEEN)

    assert text.startswith("## Acceptance test of the Neptune ML provider: passed")
    assert "Job     DELETE_COMPLETE" in text
    assert "neptune-ml-acceptance-1/Job Delete: The job has ended  status=Stopped" in text
    assert "SecondsToStop: 8" in text
    assert "Invocations: 1 for the Create, 2 for the Delete." in text


def test_the_report_says_what_the_simulator_plays_and_takes_nothing_for_the_same_that_was_not_seen() -> None:
    rows = [Beside("status", "Stopped", "Stopped"), Beside("status", "Halted", ""), Beside("the error", "", "Code")]
    text = text_of(SEEN, beside=rows)

    assert "| same | status | Stopped | Stopped |" in text
    assert "| **different** | status | Halted |  |" in text
    assert "| not seen | the error |  | Code |" in text


def test_the_report_of_an_interrupted_acceptance_is_not_a_good_one() -> None:
    text = text_of(replace(SEEN, deleted=None, after={}), "The test was interrupted.")

    assert "FAILED" in text.splitlines()[0]
    assert "**The test was interrupted.**" in text


def test_the_report_hides_the_cluster_and_the_account() -> None:
    reason = f"Neptune at {ENDPOINT}:8182 in 123456789012 refused s3://my-bucket/x for AKIAIOSFODNN7EXAMPLE"
    text = text_of(replace(SEEN, deleted=operation("DELETE", 9, 20, failed=reason)))

    for secret in ("mycluster", "123456789012", "my-bucket", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in text
    assert "[cluster]:8182 in [account] refused s3://[bucket]/x for [access key]" in text


@pytest.mark.parametrize(
    "domain",
    [*(f"us-east-1.neptune.{suffix}" for suffix in PARTITIONS.values()), "neptune.cn-north-1.amazonaws.com.cn"],
)
def test_the_hosts_of_clusters_are_hidden_in_every_partition(domain: str) -> None:
    text = f"It is at MyCluster.cluster-ro-c0ffee.{domain}:8182, not at https://mycluster.{domain}, nor at {domain}x."

    assert masked(text) == f"It is at [cluster]:8182, not at https://[cluster], nor at {domain}x."


@given(st.text(), st.integers(10**11, 10**12 - 1), st.text())
def test_no_account_number_passes(before: str, number: int, after: str) -> None:
    around = f"{before}:{number}:{after}"

    assert f":{number}:" not in masked(around)
