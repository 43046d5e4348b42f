"""The worst days: every row of `docs/faults.md`, with all logs at DEBUG and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from starlette.responses import JSONResponse

from provider import neptune, observability
from provider.clock import Clock
from provider.custom_resource import answer as answers
from provider.custom_resource import deadline, poll_rule
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import cloudformation_request, return_address
from provider.custom_resource.resource import CleanupFailed, JobResource
from simulator import GARBAGE, ErrorAnswer, Fault, Hang, RawAnswer, Reset, Simulator, Truncated
from simulator.serving import disconnected, serving
from tests.function.world import EPOCH, RULE_PREFIX, LambdaContext, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.ministack import MiniStack
    from local.response_host import Behaviour, ResponseHost

SECRETS = "5ec7e7"  # how every made-up secret of the tests begins


@pytest.fixture(autouse=True)
def written(
    caplog: pytest.LogCaptureFixture, response_host: ResponseHost, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """What the function logs at DEBUG; at the end it is searched for secrets, as is what was answered."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(observability.logger.handlers[0].formatter)
    monkeypatch.setattr(observability.logger._logger, "level", logging.DEBUG)
    monkeypatch.setattr(observability.logger._logger, "handlers", [handler])
    for name in ("boto3", "botocore", "urllib3", "crhelper"):
        library = logging.getLogger(name)
        monkeypatch.setattr(library, "level", library.level)
        monkeypatch.setattr(library, "handlers", library.handlers)
        observability._take_over(name)
    yield log
    answered = [json.dumps(received.body) for received in response_host.received]
    others = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert SECRETS not in "\n".join([log.getvalue(), *answered, *others])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neptune's time limits, shortened: what takes ten seconds takes a tenth of one."""
    monkeypatch.setattr(
        neptune,
        "_CONFIG",
        Config(connect_timeout=0.1, read_timeout=0.1, retries={"mode": "standard", "total_max_attempts": 2}),
    )


def delete(world: World, remaining: float = 900, /, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Send a Delete and return its answer."""
    event = world.event("Delete", **fields)
    world.invoke(event, remaining)
    return world.answer(event)


def running_job(world: World, stop_seconds: float | None = 5) -> None:
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)


# --- Neptune ----------------------------------------------------------------------------------------------------------


def test_neptune_refuses_connections(world: World) -> None:
    before = world.time()
    answer = delete(world, ResourceProperties=world.properties(Endpoint="http://127.0.0.1:9"))
    assert answer["Status"] == "FAILED"
    assert "Neptune at 127.0.0.1:9 refused the connection. Check the Endpoint's port" in answer["Reason"]
    assert world.time() - before < 60


def test_neptune_cannot_be_reached(world: World, impatient: None) -> None:
    del impatient
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        port = full.getsockname()[1]
        answer = delete(world, ResourceProperties=world.properties(Endpoint=f"http://127.0.0.1:{port}"))
    assert answer["Status"] == "FAILED"
    assert "timed out. Open TCP port" in answer["Reason"]
    assert "security group" in answer["Reason"]


def test_neptunes_host_is_unknown(world: World) -> None:
    world.settings = replace(world.settings, allowed_hosts=("127.0.0.1", ".invalid"))
    answer = delete(world, ResourceProperties=world.properties(Endpoint="cluster.invalid"))
    assert answer["Status"] == "FAILED"
    assert "The host name cluster.invalid of the Endpoint cannot be resolved" in answer["Reason"]


def test_the_time_limits_of_neptune_add_up_to_less_than_a_minute() -> None:
    config: Any = neptune._CONFIG
    attempts = config.retries["total_max_attempts"]
    back_off = sum(2**attempt for attempt in range(attempts - 1))
    assert attempts * config.connect_timeout + back_off < 60
    assert attempts * config.read_timeout + back_off < 60


def test_neptune_throttles(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=20))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


def test_neptune_throttles_for_ever(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException", "slow down"), times=None))
    answer = delete(world, ResourceProperties=world.properties(ServiceTimeout="100"))
    assert answer["Status"] == "FAILED"
    assert "is not known to have stopped" in answer["Reason"]
    assert "answered 429: slow down" in answer["Reason"]
    assert "Delete the stack again" in answer["Reason"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_neptune_fails(world: World, status: int) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(status, "<html>sorry</html>"), times=6))
    assert delete(world)["Status"] == "SUCCESS"


@pytest.mark.parametrize("takes_effect", [False, True])
def test_neptune_resets_the_connection(world: World, takes_effect: bool) -> None:  # noqa: FBT001
    running_job(world)
    world.simulator.inject(Fault(Reset(), times=6, takes_effect=takes_effect))
    assert delete(world)["Status"] == "SUCCESS"


@pytest.mark.parametrize("takes_effect", [False, True])
def test_neptune_is_slow(world: World, impatient: None, takes_effect: bool) -> None:  # noqa: FBT001
    del impatient
    running_job(world)
    world.simulator.inject(Fault(Hang(), times=3, takes_effect=takes_effect))
    assert delete(world)["Status"] == "SUCCESS"


@pytest.mark.parametrize("garbage", [GARBAGE, Truncated(), RawAnswer(200, "{}", "application/json")], ids=repr)
def test_neptune_answers_garbage(world: World, garbage: RawAnswer | Truncated) -> None:
    running_job(world)
    world.simulator.inject(Fault(garbage, times=3))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


def test_garbage_is_not_taken_for_an_accepted_cancellation(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(GARBAGE, on=["cancel"], times=None))
    answer = delete(world, ResourceProperties=world.properties(WaitForStop="false", ServiceTimeout="60"))
    assert answer["Status"] == "FAILED"
    assert "did not confirm the cancellation" in answer["Reason"]


@pytest.mark.parametrize(
    ("operation", "action"),
    [("cancel", "neptune-db:CancelMLModelTransformJob"), ("get", "neptune-db:GetMLModelTransformJobStatus")],
)
def test_neptune_forbids(world: World, operation: Any, action: str) -> None:  # noqa: ANN401
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("AccessDeniedException"), on=[operation], times=None))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert f"needs {action} on {world.settings.neptune_resource_arn}" in answer["Reason"]


def test_neptune_refuses_to_cancel_a_running_job(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("PreconditionsFailedException", "the role is not listed"), on=["cancel"]))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "refused the request: the role is not listed (PreconditionsFailedException)" in answer["Reason"]


@pytest.mark.parametrize(
    "garbage",
    [
        RawAnswer(500, "[]", "application/json"),
        RawAnswer(503, '"busy"', "application/json"),
        RawAnswer(500, "null", "application/json"),
        RawAnswer(200, "[]", "application/json"),
        RawAnswer(200, "null", "application/json"),
        RawAnswer(200, '{"status": {"error": "no"}}', "application/json"),
        RawAnswer(500, '{"code": {}}', "application/json"),
    ],
    ids=repr,
)
def test_neptune_answers_other_json(world: World, garbage: RawAnswer) -> None:
    running_job(world)
    world.simulator.inject(Fault(garbage, times=3))
    assert delete(world, ResourceProperties=world.properties(WaitForStop="false"))["Status"] == "SUCCESS"
    assert len(world.cancellations) >= 3


def test_garbage_in_what_is_not_needed_is_left_out(world: World) -> None:
    garbage = '{"status": "InProgress", "baseProcessingJob": null, "remoteModelTransformJob": {"arn": 5}}'
    world.simulator.inject(Fault(RawAnswer(200, garbage, "application/json")))
    event = world.event("Create")
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_404_of_a_proxy_is_not_taken_for_a_job_that_is_gone(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(404, "<html>not found</html>"), times=None))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "gave an unexpected answer, 404" in answer["Reason"]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_neptune_throttles_a_look_up(world: World, request_type: str) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=9))
    event = world.event(request_type)
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_neptune_throttles_a_look_up_for_ever(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=None))
    event = world.event("Create")
    world.invoke(event)
    assert world.answer(event)["Status"] == "FAILED"
    assert world.time() < 120


@pytest.mark.parametrize("job_id", ["é" * 500, "\N{ROCKET}" * 250])
def test_what_a_create_can_answer_a_delete_can_answer(
    world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = neptune.ModelTransformJob(job_id, "Stopped")
    monkeypatch.setattr(neptune.ModelTransformJobs, "get", lambda *_, **__: job)
    monkeypatch.setattr(neptune.ModelTransformJobs, "cancel", lambda *_, **__: None)
    create = world.event("Create", ResourceProperties=world.properties(Id=job_id))
    world.invoke(create)
    assert world.answer(create)["Status"] == "SUCCESS"
    answer = delete(world, 900, PhysicalResourceId=job_id, ResourceProperties=world.properties(Id=job_id))
    assert answer["Status"] == "SUCCESS"


def test_what_neptune_quotes_of_a_request_is_not_passed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    running_job(world)
    token = f"{SECRETS}5e55iontoken"
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    quoting = ErrorAnswer("AccessDeniedException", f"The canonical string: x-amz-security-token:{token}")
    world.simulator.inject(Fault(quoting, on=["cancel"]))
    event = world.event("Delete")
    assert token not in world.invoke(event)["Reason"]
    assert token not in world.answer(event)["Reason"]


def test_neptune_speaks_no_tls(world: World) -> None:
    answer = delete(world, ResourceProperties=world.properties(Endpoint=f"https://{world.simulator.host_port}"))
    assert answer["Status"] == "FAILED"
    assert f"A TLS connection to Neptune at {world.simulator.host_port} failed" in answer["Reason"]


def test_neptune_answers_what_nobody_expects(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(405, '{"message": "not here"}', "application/json"), on=["cancel"]))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "gave an unexpected answer, 405: not here" in answer["Reason"]


def test_the_function_has_no_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "Unable to locate credentials" in answer["Reason"]


def test_a_job_whose_attributes_do_not_fit_is_not_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = neptune.ModelTransformJob("job-1", "InProgress", output_location=f"s3://{'x' * 4000}")
    monkeypatch.setattr(neptune.ModelTransformJobs, "get", lambda *_, **__: job)
    event = world.event("Create")
    world.invoke(event)
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "longer than CloudFormation takes" in answer["Reason"]
    assert "/" in answer["PhysicalResourceId"]  # its rollback cancels nothing


def test_neptune_fails_over_in_the_middle_of_a_wait(world: World) -> None:
    running_job(world, stop_seconds=60)

    def sleep(seconds: float) -> None:
        world.time.advance(seconds)
        world.simulator.clear_faults()
        if 10 < world.time() < 40:
            world.simulator.inject(Fault(Reset(), times=None))

    world.clock = replace(world.clock, sleep=sleep)
    answer = delete(world)
    assert answer["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


# --- the response host ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviours", [[500, 500], ["reset"], ["reset", 503, 429]], ids=repr)
def test_the_response_host_recovers(world: World, behaviours: list[Behaviour]) -> None:
    running_job(world)
    world.host.behave(behaviours)
    assert delete(world)["Status"] == "SUCCESS"


@pytest.mark.parametrize("behaviour", [403, 500, "reset", "hang"], ids=repr)
def test_the_response_host_stays_broken_until_a_replay(
    world: World, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_READ_SECONDS", 0.05)
    running_job(world)
    event = world.event("Delete")
    world.host.behave([], then=behaviour)
    for _ in range(3):  # as Lambda delivers it, before it goes to the queue of failed events
        with pytest.raises(Undeliverable, match=r"could not be delivered to 127\.0\.0\.1 .*gateway endpoint for S3"):
            world.invoke(event)
    world.host.behave([])
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_response_host_refuses_connections(world: World) -> None:
    running_job(world)
    event = world.event("Delete")
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    before = world.time()
    with pytest.raises(Undeliverable):
        world.invoke(event)
    assert world.time() - before < 60


def test_an_answer_that_fails_to_be_put_for_any_reason_is_not_taken_for_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UnicodeError

    monkeypatch.setattr(answers, "_put", fail)
    running_job(world)
    with pytest.raises(Undeliverable, match="UnicodeError"):
        world.invoke(world.event("Delete"))


# --- EventBridge ------------------------------------------------------------------------------------------------------


def hand_over(world: World, **fields: object) -> dict[str, Any]:
    """Send a Delete to an invocation that ends before the job has stopped."""
    event = world.event("Delete", ResourceProperties=world.properties(**fields))
    assert world.invoke(event, remaining=20)["Status"] == "PENDING"
    assert world.answers(event) == []
    return event


def rules(aws: MiniStack) -> list[str]:
    return [rule["Name"] for rule in aws.client("events").list_rules(NamePrefix=RULE_PREFIX)["Rules"]]


def tick_event(aws: MiniStack) -> dict[str, Any]:
    (name,) = rules(aws)
    (target,) = aws.client("events").list_targets_by_rule(Rule=name)["Targets"]
    event: dict[str, Any] = json.loads(target["Input"])
    return event


def test_a_job_that_outlives_the_invocation_is_waited_for_by_a_poll_rule(world: World, aws: MiniStack) -> None:
    running_job(world, stop_seconds=100)
    event = hand_over(world)
    tick = tick_event(aws)
    assert world.invoke(tick)["Status"] == "PENDING"
    world.time.advance(100)
    world.invoke(tick)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1
    assert rules(aws) == []


def test_a_job_that_never_stops_fails_the_deletion_at_its_deadline(world: World, aws: MiniStack) -> None:
    running_job(world, stop_seconds=None)
    event = hand_over(world, ServiceTimeout="300")
    tick = tick_event(aws)
    world.time.advance(250)
    world.invoke(tick)
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "has not stopped yet (its status is Stopping). The time for waiting is up" in answer["Reason"]
    assert "Delete the stack again" in answer["Reason"]
    assert world.time() < 300
    assert rules(aws) == []


def test_a_retried_deletion_of_a_stopping_job_just_waits(world: World) -> None:
    running_job(world, stop_seconds=100)
    assert delete(world, ResourceProperties=world.properties(ServiceTimeout="60"))["Status"] == "FAILED"
    assert delete(world)["Status"] == "SUCCESS"


def test_a_tick_after_the_request_was_answered_removes_its_rule(world: World, aws: MiniStack) -> None:
    running_job(world, stop_seconds=100)
    event = hand_over(world)
    tick = tick_event(aws)
    world.time.advance(200)
    world.invoke(tick)
    poll_rule.PollRule(RULE_PREFIX, event["RequestId"], "us-east-1").put(
        world.function_arn, tick
    )  # by a late duplicate
    world.invoke(tick)
    assert rules(aws) == []
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}


def test_a_rule_whose_making_was_cut_short_is_removed_by_the_next_delivery(world: World, aws: MiniStack) -> None:
    running_job(world, stop_seconds=1)
    event = world.event("Delete", signed_at=EPOCH - 900)
    rule = poll_rule.PollRule(RULE_PREFIX, event["RequestId"], "us-east-1")
    aws.client("events").put_rule(Name=rule.name, ScheduleExpression="rate(1 minute)")  # killed before PutTargets
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert rules(aws) == []


def test_eventbridge_is_unreachable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    running_job(world, stop_seconds=None)
    answer = delete(world, 20)
    assert answer["Status"] == "FAILED"
    assert "EventBridge cannot be reached" in answer["Reason"]
    assert "com.amazonaws.us-east-1.events" in answer["Reason"]
    assert "Delete the stack again" in answer["Reason"]
    assert world.time() < 60


def test_the_time_limits_of_a_handover_fit_into_what_is_kept_back_for_it() -> None:
    config: Any = poll_rule._CONFIG
    attempts = config.retries["total_max_attempts"]
    two_calls = 2 * attempts * (config.connect_timeout + config.read_timeout) + 2
    answer = answers._LAST_ATTEMPT_SECONDS + answers._CONNECT_SECONDS + answers._READ_SECONDS
    last_look = 47  # at a Neptune that hangs, see the test of its time limits
    assert last_look + two_calls + answer <= deadline._HANDOVER_SECONDS


@pytest.mark.parametrize("denied", ["PutRule", "PutTargets"])
def test_eventbridge_denies(world: World, monkeypatch: pytest.MonkeyPatch, denied: str) -> None:
    called: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        operation = dict(scope["headers"])[b"x-amz-target"].decode().removeprefix("AWSEvents.")
        called.append(operation)
        refusal = {"__type": "AccessDeniedException", "message": f"not authorized to perform events:{operation}"}
        answer = JSONResponse(refusal, 400) if operation == denied else JSONResponse({"FailedEntryCount": 0})
        await answer(scope, receive, send)

    running_job(world, stop_seconds=None)
    with serving(application, host="127.0.0.1", port=0) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        answer = delete(world, 20)
    assert answer["Status"] == "FAILED"
    assert f"EventBridge refused events:{denied}" in answer["Reason"]
    assert ("DeleteRule" in called) is (denied == "PutTargets")


@pytest.mark.parametrize("way", ["an entry is refused", "no answer comes"])
def test_eventbridge_does_not_take_the_target(world: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(poll_rule, "_CONFIG", Config(read_timeout=0.1, retries={"total_max_attempts": 1}))
    called: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        operation = dict(scope["headers"])[b"x-amz-target"].decode().removeprefix("AWSEvents.")
        called.append(operation)
        while (await receive()).get("more_body"):
            pass
        if operation == "PutTargets" and way == "no answer comes":
            await disconnected(receive)
        entries = [{"TargetId": "provider", "ErrorCode": "Limit", "ErrorMessage": "too many"}]
        refusal = {"FailedEntryCount": 1, "FailedEntries": entries} if operation == "PutTargets" else {}
        await JSONResponse(refusal)(scope, receive, send)

    running_job(world, stop_seconds=None)
    with serving(application, host="127.0.0.1", port=0) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        answer = delete(world, 20)
    assert answer["Status"] == "FAILED"
    assert ("too many" if way == "an entry is refused" else "events:PutTargets) failed: Read timeout") in answer[
        "Reason"
    ]
    assert called[-1] == "DeleteRule"


def test_a_rule_that_cannot_be_removed_makes_lambda_deliver_the_event_again(
    world: World, aws: MiniStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    running_job(world, stop_seconds=100)
    event = hand_over(world)
    tick = tick_event(aws)
    world.time.advance(200)
    with monkeypatch.context() as unreachable:
        unreachable.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(CleanupFailed, match="EventBridge cannot be reached"):
            world.invoke(tick)
    assert world.answer(event)["Status"] == "SUCCESS"
    world.invoke(tick)
    assert rules(aws) == []


def test_a_tick_whose_answer_cannot_be_delivered_keeps_its_rule_until_the_deadline(
    world: World, aws: MiniStack
) -> None:
    running_job(world, stop_seconds=100)
    event = hand_over(world, ServiceTimeout="600")
    tick = tick_event(aws)
    world.host.behave([], then=403)
    world.simulator.inject(Fault(ErrorAnswer("AccessDeniedException"), on=["get"]))
    with pytest.raises(Undeliverable):
        world.invoke(tick)
    assert len(rules(aws)) == 1  # delivered again, the tick finds the job stopping: somebody has to go on
    world.time.advance(600)
    with pytest.raises(Undeliverable):
        world.invoke(tick)
    assert rules(aws) == []
    assert world.answers(event) == []


@pytest.mark.parametrize("change", [{"CrHelperData": "of another version"}, {"ResponseURL": "https://evil.example/"}])
def test_a_tick_that_makes_no_sense_removes_its_rule(world: World, aws: MiniStack, change: dict[str, object]) -> None:
    running_job(world, stop_seconds=None)
    hand_over(world)
    world.invoke({**tick_event(aws), **change})
    assert rules(aws) == []


def test_a_rule_whose_making_failed_oddly_is_removed(
    world: World, aws: MiniStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = poll_rule.PollRule.put

    def fail(*arguments: Any) -> None:  # noqa: ANN401
        put(*arguments)
        raise UnicodeError

    monkeypatch.setattr(poll_rule.PollRule, "put", fail)
    running_job(world, stop_seconds=None)
    assert delete(world, 20)["Status"] == "FAILED"
    assert rules(aws) == []


# --- the function -----------------------------------------------------------------------------------------------------


def test_the_watchdog_answers_for_a_call_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(connect_timeout=1, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setattr(neptune, "_CONFIG", config)
    running_job(world)
    world.simulator.inject(Fault(Hang()))
    answer = delete(world, 0.5)
    assert answer["Status"] == "FAILED"
    assert "ran out of time" in answer["Reason"]


def test_a_watchdog_that_comes_after_the_handover_says_nothing(world: World, aws: MiniStack) -> None:
    running_job(world, stop_seconds=None)
    event = world.event("Delete")
    resource = JobResource(
        cloudformation_request(event),
        return_address(event, world.settings.allowed_hosts),
        lifecycle=world.lifecycle,
        settings=world.settings,
        clock=world.clock,
    )
    resource(event, LambdaContext(20, world.time, invoked_function_arn=world.function_arn))  # type: ignore[arg-type]
    assert len(rules(aws)) == 1
    resource._timeout()  # it waited for the handover to end
    assert world.answers(event) == []
    assert resource.answer is None


def test_a_fault_of_the_provider_itself_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neptune.ModelTransformJobs, "cancel", lambda *_, **__: 1 / 0)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The provider failed, which is a fault of its own: ZeroDivisionError")


# --- CloudFormation and time ------------------------------------------------------------------------------------------


def test_a_delete_delivered_twice_at_once_has_one_outcome(world: World) -> None:
    running_job(world)
    event = world.event("Delete")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(world.invoke, [event, event]))
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}


def test_a_delete_during_a_create_touches_nothing(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(on=["get"], delay_seconds=0.3))
    create, invented = world.event("Create"), world.event("Delete", PhysicalResourceId="graph-Job-1N2K5RF3Q0J6K")
    thread = threading.Thread(target=world.invoke, args=[create])
    thread.start()
    world.invoke(invented)
    thread.join()
    assert world.answer(invented)["Status"] == "SUCCESS"
    assert world.cancellations == []


def test_a_late_delete_still_cancels_and_says_what_is_known(world: World) -> None:
    running_job(world, stop_seconds=60)
    event = world.event("Delete", signed_at=EPOCH - 7000)
    world.invoke(event)
    assert world.answer(event)["Status"] == "FAILED"
    assert len(world.cancellations) == 1
    world.time.advance(60)
    world.invoke(event)
    assert world.answers(event)[1]["Status"] == "SUCCESS"


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_wall_clock_that_jumps_in_the_middle_of_a_wait_changes_nothing(world: World, jump: float) -> None:
    running_job(world, stop_seconds=100)
    wall = world.clock.wall
    world.clock = replace(world.clock, wall=lambda: wall() + (jump if world.time() > 50 else 0))
    assert delete(world)["Status"] == "SUCCESS"
    assert 100 <= world.time() <= 112


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_wall_clock_that_jumps_between_ticks_never_makes_a_success_of_a_running_job(
    world: World, aws: MiniStack, jump: float
) -> None:
    running_job(world, stop_seconds=300)
    event = hand_over(world)
    tick = tick_event(aws)
    wall = world.clock.wall
    world.clock = replace(world.clock, wall=lambda: wall() + jump)
    told = world.invoke(tick)["Status"]
    assert told == ("FAILED" if jump > 0 else "PENDING")
    world.time.advance(300)
    world.invoke(tick)
    assert world.answers(event)[-1]["Status"] == "SUCCESS"
    assert rules(aws) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"RequestType": "Destroy"}, "RequestType should be"),
        ({"RequestType": None}, "RequestType should be"),
        ({"ResourceProperties": []}, "ResourceProperties should be a map"),
        ({"PhysicalResourceId": {}}, "PhysicalResourceId is missing"),
        ({"CrHelperPoll": True}, "CrHelperData should be a map"),
    ],
    ids=repr,
)
def test_a_malformed_event_is_answered_where_it_says_whom_to_answer(
    world: World, fields: dict[str, object], reason: str
) -> None:
    answer = delete(world, 900, **fields)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert answer["PhysicalResourceId"]
    assert world.simulator.log == ()


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"ResponseURL": f"https://evil.example/?X-Amz-Signature={SECRETS}"},
        {"ResponseURL": f"file:///x?X-Amz-Signature={SECRETS}", "StackId": "s", "RequestId": "r"},
    ],
    ids=repr,
)
def test_an_event_that_nobody_can_be_answered_for_is_logged(world: World, event: object, written: io.StringIO) -> None:
    assert world.invoke(event)["Status"] == "UNANSWERED"
    assert "The event cannot be answered" in written.getvalue()
    assert world.host.attempts == 0


# --- load -------------------------------------------------------------------------------------------------------------


def test_two_hundred_deletions_at_once_with_half_of_the_calls_throttled(
    tmp_path: Path, response_host: ResponseHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # real time for botocore
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "5ec7e7accesskey")
    jobs = [f"job-{number}" for number in range(200)]
    with Simulator(artifacts_dir=tmp_path / "load", clock=time.monotonic) as simulator:
        world = World(simulator, response_host, time=time.monotonic)  # type: ignore[arg-type] # real time
        world.clock = Clock()
        for job in jobs:
            simulator.start_job(job, stop_seconds=1)
        simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=None, probability=0.5))
        events = [
            world.event("Delete", PhysicalResourceId=job, ResourceProperties=world.properties(Id=job)) for job in jobs
        ]
        with ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(world.invoke, events))
        assert [world.answer(event)["Status"] for event in events] == ["SUCCESS"] * len(jobs)
        assert {simulator.status(job) for job in jobs} == {"Stopped"}
