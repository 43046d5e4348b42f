"""The worst days: every row of `tests/README.md`, with all logs at DEBUG and no secret in any of them."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.parsers import ResponseParserError, RestJSONParser
from starlette.responses import StreamingResponse

from provider import neptune
from provider.custom_resource import answer as answers
from provider.custom_resource import deadline
from provider.custom_resource.answer import Answer, Undeliverable
from provider.custom_resource.conversation import Conversation
from provider.custom_resource.deadline import TimeLimits
from provider.custom_resource.request import Unanswerable, cloudformation_request, return_address
from provider.hosts import Hosts
from provider.identity import Identity
from provider.journal.entry import Outcome
from provider.lifecycle import Told
from provider.neptune import Jobs, UnknownHost, Unreachable
from simulator import GARBAGE, ErrorAnswer, Fault, Hang, RawAnswer, Reset, Truncated
from simulator.serving import serving
from tests.function.asking import answered, create
from tests.function.conftest import SECRETS
from tests.function.world import EPOCH, Queue, World, black_hole, delivered

if TYPE_CHECKING:
    import io
    from collections.abc import AsyncIterator, Mapping

    from local.response_host import Behaviour
    from provider.neptune import Job
    from provider.schema import Properties
    from simulator import Effect

pytestmark = pytest.mark.usefixtures("written")

EMPTY = {
    "Id": "job-1",
    "Status": "",
    "OutputLocation": "",
    "ModelNames": "",
    "ModelArns": "",
    "BaseProcessingJobArn": "",
    "RemoteModelTransformJobArn": "",
}
INVENTED = "graph-Job-1N2K5RF3Q0J6K"


def delete(world: World, remaining: float = 900, /, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Send a Delete and return its answer."""
    return world.ask("Delete", remaining, **fields)


def running_job(world: World, stop_seconds: float | None = 5) -> None:
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)


def at(world: World, host_port: str) -> dict[str, str]:
    """The fields of a Delete of a job of another cluster."""
    assert world.simulator.host_port != host_port
    return {"PhysicalResourceId": f"http://{host_port}/job-1"}


def looked_before_each_further_cancellation(world: World) -> bool:
    return ("cancel", "cancel") not in pairwise(world.calls)


# --- Neptune cannot be reached ----------------------------------------------------------------------------------------


@pytest.fixture(params=["refused", "timed out", "unknown"])
def outage(request: pytest.FixtureRequest, world: World, impatient: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cluster that cannot be reached, for the reason that is the fixture's value, until it is brought up."""
    del impatient
    reason: str = request.param
    if reason != "unknown":
        world.take_cluster_down(is_refused=reason == "refused")
        return reason
    world.settings = world.settings._replace(clusters=Hosts.of_clusters(["cluster.test"]))
    monkeypatch.setattr(world, "physical_id", lambda: f"http://cluster.test:{world.simulator.port}/job-1")
    world.take_cluster_down()
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if host == "cluster.test" and not world.cluster_is_up:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1" if host == "cluster.test" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return reason


@pytest.mark.parametrize("minutes", [1, 9])
def test_a_deletion_rides_out_a_cluster_that_cannot_be_reached_for_minutes(
    world: World, outage: str, minutes: float
) -> None:
    del outage
    running_job(world)
    world.at(60 * minutes, world.bring_cluster_up)
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert len(world.cancellations) == 1
    assert world.time() <= 60 * minutes + 60


def test_a_deletion_gives_up_a_cluster_that_cannot_be_reached_after_ten_minutes(world: World, outage: str) -> None:
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("It is unknown whether the job job-1 has stopped.")
    words = {"refused": "refused the connection. Check the port in Endpoint", "timed out": "timed out. Allow TCP port"}
    assert words.get(outage, "The host name cluster.test in Endpoint cannot be resolved") in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_a_cluster_that_goes_down_after_the_cancellation_is_waited_for_to_the_deadline(world: World) -> None:
    running_job(world, stop_seconds=100)
    world.at(50, world.take_cluster_down)
    world.at(1800, world.bring_cluster_up)
    assert delete(world)["Status"] == "SUCCESS"
    assert 1800 <= world.time() <= 1831


def test_outages_with_a_look_in_between_do_not_add_up(world: World) -> None:
    running_job(world)
    world.take_cluster_down()
    world.at(480, world.bring_cluster_up)
    world.at(510.5, world.take_cluster_down)
    world.at(990, world.bring_cluster_up)
    assert delete(world)["Status"] == "SUCCESS"
    assert world.time() > 990


def test_a_create_waits_for_three_minutes_and_for_a_host_that_is_unknown_for_less(world: World, outage: str) -> None:
    answer = world.ask("Create", ResourceProperties=world.properties(Endpoint=world.physical_id().rpartition("/")[0]))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The job job-1 could not be looked up.")
    borne = 45 if outage == "unknown" else 180
    assert borne <= world.time() <= borne + 30


def test_neptune_speaks_no_tls(world: World) -> None:
    answer = delete(world, PhysicalResourceId=f"{world.simulator.host_port}/job-1")
    assert answer["Status"] == "FAILED"
    assert f"The TLS connection to Neptune at {world.simulator.host_port} failed" in answer["Reason"]


def test_neptune_fails_over_in_the_middle_of_a_wait(world: World) -> None:
    running_job(world, stop_seconds=60)
    world.at(10, lambda: world.simulator.inject(Fault(Reset(), times=None)))
    world.at(40, world.simulator.clear_faults)
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


# --- Neptune answers late, or not -------------------------------------------------------------------------------------


def test_a_cancellation_that_takes_long_to_be_answered_is_looked_at_and_not_sent_again(
    world: World, impatient: None
) -> None:
    del impatient
    running_job(world, stop_seconds=20)
    world.simulator.inject(Fault(Hang(), on=["cancel"], times=None, takes_effect=True))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.calls[:3] == ["get", "cancel", "get"]
    assert len(world.cancellations) == 1
    assert world.time() < 24


def test_a_cancellation_that_got_lost_is_sent_again_after_a_look(world: World, impatient: None) -> None:
    del impatient
    running_job(world)
    world.simulator.inject(Fault(Hang(), on=["cancel"], times=2))
    assert delete(world)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 3
    assert looked_before_each_further_cancellation(world)


@pytest.mark.parametrize("takes_effect", [False, True])
def test_neptune_is_slow(world: World, impatient: None, takes_effect: bool) -> None:  # noqa: FBT001
    del impatient
    running_job(world)
    world.simulator.inject(Fault(Hang(), times=3, takes_effect=takes_effect))
    assert delete(world)["Status"] == "SUCCESS"
    assert looked_before_each_further_cancellation(world)


def test_looks_that_take_long_keep_no_job_from_being_cancelled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    running_job(world)
    get = Jobs.get

    def slowly(jobs: Jobs, job_id: str, properties: Properties) -> Job:
        world.pass_time(14)
        return get(jobs, job_id, properties)

    monkeypatch.setattr(Jobs, "get", slowly)
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert len(world.cancellations) == 1


def test_a_job_that_somebody_stops_after_neptune_has_refused_to_is_waited_for(world: World) -> None:
    running_job(world, stop_seconds=1500)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["cancel"]))
    job = Identity.parse(world.physical_id())
    assert job is not None
    by_hand = partial(world.connect(job.endpoint).cancel, job.id, world.lifecycle.schema.parse({}, for_delete=True))
    world.at(1, by_hand)
    assert delete(world)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 2


@pytest.mark.parametrize("takes_effect", [False, True])
def test_neptune_resets_the_connection(world: World, takes_effect: bool) -> None:  # noqa: FBT001
    running_job(world)
    world.simulator.inject(Fault(Reset(), times=6, takes_effect=takes_effect))
    assert delete(world)["Status"] == "SUCCESS"
    assert looked_before_each_further_cancellation(world)
    assert len(world.cancellations) == 1


# --- Neptune throttles, fails or babbles ------------------------------------------------------------------------------


def test_neptune_throttles(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=20))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert looked_before_each_further_cancellation(world)


def test_neptune_throttles_for_ever(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException", "slow down"), times=None))
    answer = delete(world, ResourceProperties=world.properties(ServiceTimeout="2000"))
    assert answer["Status"] == "FAILED"
    assert "It is unknown whether the job job-1 has stopped." in answer["Reason"]
    assert "responded with 429: slow down" in answer["Reason"]
    assert "The deletion can be retried" in answer["Reason"]
    assert 600 <= world.time() <= 640


@pytest.mark.parametrize(
    "effect",
    [
        *(RawAnswer(status, "<html>sorry</html>") for status in (408, 429, 500, 502, 503, 504)),
        ErrorAnswer("ClientTimeoutException"),
        ErrorAnswer("TooManyRequestsException"),
    ],
    ids=repr,
)
def test_neptune_fails(world: World, effect: Effect) -> None:
    running_job(world)
    world.simulator.inject(Fault(effect, times=6))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert looked_before_each_further_cancellation(world)


OTHER_JSON = [
    RawAnswer(500, "[]", "application/json"),
    RawAnswer(503, '"busy"', "application/json"),
    RawAnswer(500, "null", "application/json"),
    RawAnswer(200, "[]", "application/json"),
    RawAnswer(200, "null", "application/json"),
    RawAnswer(200, "{}", "application/json"),
    RawAnswer(200, '{"status": ""}', "application/json"),
    RawAnswer(200, '{"status": null}', "application/json"),
    RawAnswer(200, '{"status": {"error": "no"}}', "application/json"),
    RawAnswer(200, "[" * 100_000, "application/json"),
    RawAnswer(500, '{"code": {}}', "application/json"),
]


@pytest.mark.parametrize("garbage", [GARBAGE, Truncated(), *OTHER_JSON], ids=lambda garbage: repr(garbage)[:70])
def test_neptune_answers_garbage(world: World, garbage: Effect) -> None:
    running_job(world)
    world.simulator.inject(Fault(garbage, times=3))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert looked_before_each_further_cancellation(world)


@pytest.mark.parametrize(
    "error", [ResponseParserError("no"), ValueError("no"), KeyError("no"), IndexError("no")], ids=repr
)
def test_neptunes_answer_is_too_much_for_botocores_parser(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    running_job(world)
    parse = RestJSONParser.parse
    failures = [error] * 3

    def fail_first(parser: RestJSONParser, *arguments: Any) -> Any:  # noqa: ANN401
        if failures:
            raise failures.pop()
        return parse(parser, *arguments)

    monkeypatch.setattr(RestJSONParser, "parse", fail_first)
    assert delete(world)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1  # the first one was not understood, but found to have worked


def test_neptunes_answer_is_no_utf_8(world: World) -> None:
    answered = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        answered.append(scope["method"])
        content = b'{"status": "\xff"}' if len(answered) < 4 else b'{"status": "Stopped"}'

        async def body() -> AsyncIterator[bytes]:
            yield content

        await StreamingResponse(body(), media_type="application/json")(scope, receive, send)

    with serving(application, host="127.0.0.1", port=0) as port:
        assert delete(world, **at(world, f"127.0.0.1:{port}"))["Status"] == "SUCCESS"
    assert answered == ["GET"] * 4


@pytest.mark.parametrize("confirmation", ["{}", '{"status": ""}', '{"status": 5}', "<html>welcome</html>"])
def test_garbage_is_not_taken_for_an_accepted_cancellation(world: World, confirmation: str) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(200, confirmation, "application/json"), on=["cancel"], times=None))
    answer = delete(world, ResourceProperties=world.properties(WaitForStop="false", ServiceTimeout="60"))
    assert answer["Status"] == "FAILED"
    assert "did not confirm the cancellation" in answer["Reason"]
    assert looked_before_each_further_cancellation(world)


@pytest.mark.parametrize("models", ["5", "{}", '"none"', "[5]"])
def test_garbage_in_a_look_is_not_taken_for_an_end(world: World, models: str) -> None:
    running_job(world)
    garbage = RawAnswer(200, f'{{"status": {{}}, "models": {models}}}', "application/json")
    world.simulator.inject(Fault(garbage, on=["get"], times=3))
    assert delete(world)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"
    assert len(world.cancellations) == 1


def test_garbage_in_what_is_not_needed_is_left_out(world: World) -> None:
    garbage = '{"status": "InProgress", "baseProcessingJob": null, "remoteModelTransformJob": {"arn": 5}}'
    world.simulator.inject(Fault(RawAnswer(200, garbage, "application/json")))
    answer = world.ask("Create")
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {**EMPTY, "Status": "InProgress"}


# --- Neptune says no --------------------------------------------------------------------------------------------------


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
    assert answer["Reason"].endswith("(log stream: 2026/01/01/[$LATEST]0123456789abcdef)")
    assert "Traceback" not in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_neptune_refuses_to_cancel_a_running_job(world: World) -> None:
    running_job(world)
    refusal = ErrorAnswer("PreconditionsFailedException", "the role is not listed")
    world.simulator.inject(Fault(refusal, on=["cancel"], times=None))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "refused the request: the role is not listed (PreconditionsFailedException)" in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_a_refusal_that_was_for_the_moment_is_asked_for_again(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(ErrorAnswer("PreconditionsFailedException", "not now"), on=["cancel"]))
    assert delete(world)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 2
    assert world.time() <= 10


HAS_ENDED = "Failed to stop the job because it has already completed or failed."


def refuse_to_cancel(world: World, words: str, status: str) -> None:
    """Have Neptune refuse every cancellation, and say of the job that it has a status."""
    refusal = ErrorAnswer("InvalidParameterException", words)
    world.simulator.inject(Fault(refusal, on=["cancel"], times=None))
    answer = RawAnswer(200, json.dumps({"status": status}), "application/json")
    world.simulator.inject(Fault(answer, on=["get"], times=None))


def test_a_job_that_neptune_says_has_ended_has_ended_whatever_its_status_is_called(world: World) -> None:
    refuse_to_cancel(world, HAS_ENDED, "Archived")
    answer = delete(world)
    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "")
    assert world.calls == ["get", "cancel", "get"]


@pytest.mark.parametrize(("words", "status"), [(HAS_ENDED, "InProgress"), ("not now", "Archived")])
def test_a_job_has_not_ended_by_neptunes_words_or_an_unknown_status_alone(
    world: World, words: str, status: str
) -> None:
    refuse_to_cancel(world, words, status)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert words in answer["Reason"]
    assert 600 <= world.time() <= 640


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_not_found_of_another_status_is_not_taken_for_a_job_that_is_gone(world: World, status: int) -> None:
    running_job(world, stop_seconds=None)
    odd = RawAnswer(status, '{"code": "MLResourceNotFoundException", "message": "?"}', "application/json")
    world.simulator.inject(Fault(odd, times=None))
    answer = delete(world, ResourceProperties=world.properties(ServiceTimeout="100"))
    assert answer["Status"] == "FAILED"


def test_the_404_of_a_proxy_is_not_taken_for_a_job_that_is_gone(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(404, "<html>not found</html>"), times=None))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "returned an unexpected response, 404" in answer["Reason"]


def test_neptune_answers_what_nobody_expects(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(RawAnswer(405, '{"message": "not here"}', "application/json"), times=None))
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "returned an unexpected response, 405: not here" in answer["Reason"]


def test_what_neptune_quotes_of_a_request_is_not_passed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    running_job(world)
    token = f"{SECRETS}5e55iontoken"
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    quoting = ErrorAnswer("AccessDeniedException", f"The canonical string: x-amz-security-token:{token}")
    world.simulator.inject(Fault(quoting, on=["cancel"]))
    event = world.event("Delete")
    assert token not in world.run(event)["Reason"]
    assert token not in world.answer(event)["Reason"]


def test_a_text_that_utf_8_cannot_hold_does_not_keep_the_answer_back(world: World) -> None:
    running_job(world)
    words = RawAnswer(400, '{"code": "BadRequestException", "message": "half a \\ud83d rocket"}', "application/json")
    world.simulator.inject(Fault(words, on=["cancel"], times=None))
    event = world.event("Delete")
    world.invoke(event)
    told = world.drain(until=lambda: bool(world.answers(event)))
    assert "half a ? rocket" in world.answer(event)["Reason"]
    assert "half a ? rocket" in json.dumps(told, ensure_ascii=False).encode().decode()  # as Lambda writes it


@pytest.mark.parametrize("code", ["BadRequestException", "PreconditionsFailedException", "AccessDeniedException"])
@pytest.mark.parametrize("way", ["WaitForCompletion", "CompletionHandle"])
def test_one_refused_look_ends_no_wait(world: World, code: str, way: str) -> None:
    world.simulator.plan = replace(world.simulator.plan, run_seconds=600)
    value = {"WaitForCompletion": "true", "CompletionHandle": world.host.handle_for("h")}[way]
    world.at(300, lambda: world.simulator.inject(Fault(ErrorAnswer(code, "busy"), on=["get"])))
    told = answered(world, create(world, **{way: value}))
    assert told["Status"] == "SUCCESS", told["Reason"]
    assert way == "WaitForCompletion" or [it.body["Status"] for it in world.host.signals] == ["SUCCESS"]


def test_the_first_creation_rides_out_the_time_that_neptune_takes_to_apply_a_policy(world: World) -> None:
    world.simulator.inject(Fault(ErrorAnswer("AccessDeniedException", "not authorized"), times=None))
    world.at(150, world.simulator.clear_faults)
    assert answered(world, create(world))["Status"] == "SUCCESS"


def test_a_name_that_is_not_found_once_in_an_outage_is_no_typing_mistake(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Create bears a host that does not exist for 45 seconds, and an outage for three minutes."""
    start, answers = Jobs.start, iter([Unreachable("It timed out."), UnknownHost("There is no such host.")])

    def fail_first(jobs: Jobs, job_id: str, properties: Properties) -> None:
        world.pass_time(60)
        if error := next(answers, None):
            raise error
        start(jobs, job_id, properties)

    monkeypatch.setattr(Jobs, "start", fail_first)
    assert answered(world, create(world))["Status"] == "SUCCESS"


# --- Create and Update ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize(
    "effect", [ErrorAnswer("TooManyRequestsException"), RawAnswer(200, "{}", "application/json"), Reset()], ids=repr
)
def test_neptune_cannot_answer_a_look_up_for_a_moment(world: World, request_type: str, effect: Effect) -> None:
    running_job(world)
    world.simulator.inject(Fault(effect, times=9))
    answer = world.ask(request_type)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "InProgress"
    assert len(world.looks) == 10


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (ErrorAnswer("TooManyRequestsException", "slow down"), "responded with 429: slow down"),
        (RawAnswer(200, "{}", "application/json"), "responded without a status for job job-1"),
    ],
    ids=repr,
)
def test_neptune_cannot_answer_a_look_up_for_ever(world: World, effect: Effect, words: str) -> None:
    running_job(world)
    world.simulator.inject(Fault(effect, times=None))
    answer = world.ask("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The job job-1 could not be looked up. ")
    assert words in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job/")
    assert 180 <= world.time() <= 200


def begin_a_bad_day(world: World, what: str | Effect) -> None:
    if what == "forgotten":
        world.simulator.forget_job("job-1")
    elif isinstance(what, str):
        world.take_cluster_down(is_refused=what == "refused")
    else:
        world.simulator.inject(Fault(what, times=None))


@pytest.mark.parametrize("service_timeout", ["3600", "20", "1"])
@pytest.mark.parametrize(
    "bad_day",
    [
        *("forgotten", "refused", "timed out"),
        *(ErrorAnswer(f"{name}Exception") for name in ("AccessDenied", "TooManyRequests", "BadRequest")),
        *(GARBAGE, Hang()),
    ],
    ids=repr,
)
def test_an_update_that_keeps_the_identity_never_fails_for_want_of_neptune(
    world: World, impatient: None, bad_day: str | Effect, service_timeout: str
) -> None:
    del impatient
    running_job(world)
    attributes = world.ask("Create")["Data"]
    begin_a_bad_day(world, bad_day)
    answer = world.ask("Update", ResourceProperties=world.properties(Clean="true", ServiceTimeout=service_timeout))
    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "")
    assert answer["PhysicalResourceId"] == world.physical_id()
    assert answer["Data"] == attributes
    assert world.time() <= min(640, int(service_timeout))


def test_an_update_whose_look_hangs_is_answered_by_the_watchdog(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neptune, "READ_SECONDS", dict.fromkeys(neptune.READ_SECONDS, 4.0))
    running_job(world)
    begin_a_bad_day(world, Hang())
    event = world.event("Update", ResourceProperties=world.properties(ServiceTimeout="1"))
    thread = threading.Thread(target=world.run, args=[event])
    thread.start()
    world.host.wait_for(event["RequestId"], 10)
    is_hanging = thread.is_alive()
    thread.join()
    assert is_hanging
    answer = world.answer(event)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", world.physical_id())
    assert answer["Data"] == EMPTY


def test_an_update_that_is_wrong_fails_also_when_its_look_would_hang(world: World) -> None:
    begin_a_bad_day(world, Hang())
    answer = world.ask("Update", ResourceProperties=world.properties(Clen="true"))
    assert answer["Status"] == "FAILED"
    assert "'Clen' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Clean?" in answer["Reason"]


@pytest.mark.parametrize("job_id", ["é" * 490, "\N{ROCKET}" * 245])
def test_what_a_create_can_answer_a_delete_can_answer(
    world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = neptune.Job("Stopped", is_stopping=False, has_ended=True)
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: job)
    monkeypatch.setattr(neptune.Jobs, "cancel", lambda *_: None)
    create = world.ask("Create", ResourceProperties=world.properties(Id=job_id))
    assert create["Status"] == "SUCCESS"
    physical_id = create["PhysicalResourceId"]
    answer = delete(world, PhysicalResourceId=physical_id, ResourceProperties=world.properties(Id=job_id))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)


def test_a_job_whose_attributes_do_not_fit_is_not_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = {"OutputLocation": f"s3://{'x' * 4000}"}
    job = neptune.Job("InProgress", is_stopping=False, has_ended=False, attributes=attributes)
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: job)
    answer = world.ask("Create")
    assert answer["Status"] == "FAILED"
    assert "exceed CloudFormation's limit of 4,096 bytes" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job/")  # its rollback cancels nothing


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
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(0.05))
    running_job(world, stop_seconds=0)
    event = world.event("Delete")
    world.host.behave([], then=behaviour)
    for _ in range(3):  # as Lambda delivers it, before it goes to the queue of failed events
        with pytest.raises(Undeliverable, match=r"could not be delivered to 127\.0\.0\.1 .*gateway endpoint for S3"):
            world.invoke(event)
    world.host.behave([])
    world.run(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_response_host_refuses_connections(world: World) -> None:
    running_job(world, stop_seconds=0)
    event = world.event("Delete")
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    with pytest.raises(Undeliverable, match="in 5 attempts: NewConnectionError"):
        world.invoke(event)
    assert world.time() < 15


def test_the_response_host_cannot_be_reached(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(connect=0.05, read=5))
    running_job(world, stop_seconds=0)
    event = world.event("Delete")
    with black_hole() as port:
        event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, f"http://127.0.0.1:{port}")
        with pytest.raises(Undeliverable, match="in 5 attempts: ConnectTimeoutError"):
            world.invoke(event)


def test_the_response_hosts_answer_drips_in(world: World) -> None:
    async def application(_scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    running_job(world, stop_seconds=0)
    event = world.event("Delete")
    with serving(application, host="127.0.0.1", port=0) as port:
        event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, f"http://127.0.0.1:{port}")
        began = time.monotonic()
        assert world.invoke(event)["Status"] == "SUCCESS"
    assert time.monotonic() - began < 4


def test_an_answer_that_fails_to_be_put_for_any_reason_is_not_taken_for_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UnicodeError

    monkeypatch.setattr(urllib3.PoolManager, "request", fail)
    running_job(world, stop_seconds=0)
    with pytest.raises(Undeliverable, match="UnicodeError"):
        world.invoke(world.event("Delete"))


BUCKET = "cloudformation-custom-resource-response-useast1"
QUERY = f"X-Amz-Signature={SECRETS}"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{BUCKET}.s3.amazonaws.com/key?{QUERY}",
        f"https://{BUCKET}.s3.us-east-1.amazonaws.com/key?{QUERY}",
        f"https://{BUCKET}.s3-us-east-1.amazonaws.com:443/key?AWSAccessKeyId=ASIA&Signature={SECRETS}",
    ],
)
def test_cloudformations_own_response_hosts_are_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    asked: list[tuple[str, int]] = []

    def getaddrinfo(host: str, port: int, *_: object) -> None:
        asked.append((host, port))
        raise socket.gaierror  # the test has no internet

    running_job(world, stop_seconds=0)
    delete(world)  # connects to Neptune
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(Undeliverable, match=r"could not be delivered to cloudformation-custom-resource-response"):
        world.invoke(world.event("Delete", ResponseURL=url, PhysicalResourceId=INVENTED))
    assert set(asked) == {(url.split("/")[2].partition(":")[0], 443)}


BAD_URLS = [
    None,
    5,
    "",
    "no URL",
    f"file:///etc/passwd?{QUERY}",
    f"http://{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:8443/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:0/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:port/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com/key",
    f"https://{BUCKET}.s3.amazonaws.com/key?X-Amz-Signature=",
    f"https://{BUCKET}.s3.amazonaws.com/key#?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com/{QUERY}",
    f"https://user@{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://user:password@{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com\\@evil.example/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com\n.evil.example/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com.evil.example/key?{QUERY}",
    f"https://evil.example/{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://evil-{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.evil.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/key?{QUERY}",
    f"https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/key?{QUERY}",
    f"https://anyones-bucket.s3.amazonaws.com/key?{QUERY}",
    f"https://s3.amazonaws.com/{BUCKET}/key?{QUERY}",
    f"https://abc123.execute-api.us-east-1.amazonaws.com/stage?{QUERY}",
    f"https://vpc-search-abc123.us-east-1.es.amazonaws.com/index?{QUERY}",
    f"https://169.254.169.254/latest?{QUERY}",
    f"http://127.0.0.1:80/key?{QUERY}",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_nobody_else_is_answered(world: World, written: io.StringIO, url: object) -> None:
    world.settings = world.settings._replace(responses=Hosts.of_responses("us-east-1"))
    running_job(world)
    event = world.event("Delete", ResponseURL=url)
    with pytest.raises(Unanswerable, match="The event's ResponseURL "):
        world.invoke(event)
    with pytest.raises(Unanswerable):
        world.invoke(delivered(event))
    assert "The event cannot be answered" in written.getvalue()
    del event["RequestId"]
    told = world.invoke(event)
    assert told["Status"] == "UNANSWERED"
    assert told["Reason"].startswith("The event cannot be answered. The event's ResponseURL ")
    assert world.simulator.log == ()


def test_the_hosts_that_an_endpoint_may_name_may_not_be_answered(world: World) -> None:
    world.settings = world.settings._replace(
        clusters=Hosts.of_clusters(["127.0.0.1"]),
        responses=Hosts.of_responses("us-east-1", ["localhost"]),
    )
    running_job(world, stop_seconds=0)
    event = world.event("Delete")
    with pytest.raises(Unanswerable, match="does not use HTTPS on port 443"):
        world.invoke(event)
    event["ResponseURL"] = event["ResponseURL"].replace("127.0.0.1", "localhost")
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_hosts_that_may_be_answered_are_no_endpoints(world: World) -> None:
    world.settings = world.settings._replace(clusters=Hosts.of_clusters(["localhost"]))
    answer = world.ask("Create")
    assert answer["Status"] == "FAILED"
    assert "it should be a host under .neptune.amazonaws.com" in answer["Reason"]
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "If AllowedHosts was changed, restore it" in answer["Reason"]
    assert world.simulator.log == ()


# --- the function -----------------------------------------------------------------------------------------------------


@pytest.fixture
def sluggish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neptune's time limits, shortened, and longer than those of a short invocation."""
    monkeypatch.setattr(neptune, "READ_SECONDS", dict.fromkeys(neptune.READ_SECONDS, 3.0))


@pytest.mark.parametrize("hour", [0, 20])
def test_the_watchdog_answers_for_a_call_that_hangs(world: World, sluggish: None, hour: int) -> None:
    del sluggish
    world.time.advance(3600 * hour)  # Lambda's clock does not start with the function
    running_job(world)
    world.simulator.inject(Fault(Hang()))
    event = world.event("Delete")
    thread = threading.Thread(target=world.invoke, args=[event, 0.5])
    thread.start()
    world.host.wait_for(event["RequestId"], 10)
    is_hanging = thread.is_alive()
    thread.join()
    assert is_hanging
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "ran out of time waiting for Neptune to respond. The deletion can be retried" in answer["Reason"]


def test_what_the_watchdog_has_answered_is_not_handed_over(world: World, sluggish: None) -> None:
    del sluggish
    running_job(world)
    world.simulator.inject(Fault(Hang()))
    event = world.event("Delete")
    told = world.invoke(event, 0.5)  # the look that hung leaves the request waiting
    assert told["Status"] == "FAILED"
    assert isinstance(world.queue, Queue)
    assert [message.keys() for message, _ in world.queue.waiting] == [{"Owed"}]
    assert world.answer(event)["Status"] == "FAILED"


def test_a_watchdog_that_comes_while_the_request_is_handed_over_says_nothing(world: World) -> None:
    class SlowQueue(Queue):
        def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
            time.sleep(1.5)  # the watchdog's time comes, and goes
            super().put(event, delay_seconds)

    world.queue = SlowQueue()
    running_job(world, stop_seconds=None)
    event = world.event("Delete")
    assert world.invoke(event, 1.0)["Status"] == "PENDING"
    time.sleep(0.1)
    assert world.answers(event) == []
    assert len(world.queue.waiting) == 1


def conversation(world: World, event: dict[str, Any], told: list[Answer]) -> Conversation:
    address = return_address(event, world.settings.responses)
    request = cloudformation_request(event, address)
    limits = TimeLimits.of(world.clock, arrived_at=EPOCH, service_timeout=3600, remaining=900)
    return Conversation(
        event=event,
        address=address,
        request=request,
        limits=limits,
        lifecycle=world.lifecycle,
        queue=world.queue,
        clock=world.clock,
        tell=told.append,
        is_continued=False,
    )


def test_a_watchdog_that_comes_with_the_outcome_does_not_turn_it_into_nothing(world: World) -> None:
    told: list[Answer] = []
    it = conversation(world, world.event("Delete"), told)
    it._told = Told(Outcome.SUCCESS, world.physical_id())
    with it._deciding:
        watchdog = threading.Thread(target=it._expire)
        watchdog.start()
        watchdog.join(0.2)  # it waits for the decision
        it._decide(None)
    watchdog.join()
    assert [answer.outcome for answer in told] == ["SUCCESS"]


def test_a_fault_of_the_provider_itself_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: 1 / 0)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "The provider failed because of a bug: ZeroDivisionError" in answer["Reason"]


def test_the_function_has_no_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "The function cannot sign its call to Neptune at 127.0.0.1" in answer["Reason"]
    assert "Unable to locate credentials. Check its role." in answer["Reason"]
    assert "fault of its own" not in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_a_last_look_and_its_answer_fit_into_what_is_kept_back_of_an_invocation() -> None:
    last_look = neptune.CONNECT_SECONDS + neptune.READ_SECONDS["get"]
    attempt: Any = answers._TIMEOUT
    answer = answers._LAST_ATTEMPT_SECONDS + attempt.connect_timeout + attempt.read_timeout
    assert last_look + answer <= deadline._LAST_LOOK_SECONDS
    assert attempt.connect_timeout + attempt.read_timeout < deadline._LAST_WORD_SECONDS


# --- CloudFormation and time ------------------------------------------------------------------------------------------


def test_a_job_that_never_stops_fails_the_deletion_at_its_deadline(world: World) -> None:
    running_job(world, stop_seconds=None)
    answer = delete(world)
    assert answer["Status"] == "FAILED"
    assert "has not stopped yet (its status is Stopping). The operation reached its time limit" in answer["Reason"]
    assert "The deletion can be retried. Meanwhile, the provider keeps trying for 24 hours." in answer["Reason"]
    assert world.time() == pytest.approx(3570)
    assert len(world.cancellations) == 1


def test_a_retried_deletion_of_a_stopping_job_just_waits(world: World) -> None:
    running_job(world, stop_seconds=100)
    assert delete(world, ResourceProperties=world.properties(ServiceTimeout="60"))["Status"] == "FAILED"
    assert delete(world)["Status"] == "SUCCESS"


def test_a_delete_delivered_twice_at_once_has_one_outcome(world: World) -> None:
    running_job(world)
    event = world.event("Delete")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(world.invoke, [event, event]))
    world.drain()
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}
    assert world.simulator.status("job-1") == "Stopped"


def test_a_delete_during_a_create_touches_nothing(world: World) -> None:
    running_job(world)
    world.simulator.inject(Fault(on=["get"], delay_seconds=0.3))
    create, invented = world.event("Create"), world.event("Delete", PhysicalResourceId=INVENTED)
    thread = threading.Thread(target=world.invoke, args=[create])
    thread.start()
    world.invoke(invented)
    thread.join()
    assert world.answer(invented)["Status"] == "SUCCESS"
    assert world.cancellations == []


def test_a_late_delete_still_cancels_and_says_what_is_known(world: World) -> None:
    running_job(world, stop_seconds=60)
    event = world.event("Delete", signed_at=EPOCH - 7000)
    world.run(event)
    assert world.answer(event)["Status"] == "FAILED"
    assert len(world.cancellations) == 1
    world.time.advance(60)
    world.run(event)
    assert world.answers(event)[1]["Status"] == "SUCCESS"


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_wall_clock_that_jumps_between_looks_never_makes_a_success_of_a_running_job(
    world: World, jump: float
) -> None:
    running_job(world, stop_seconds=300)
    event = world.event("Delete")
    wall = world.clock.wall
    world.clock = world.clock._replace(wall=lambda: wall() + (jump if world.time() > 50 else 0))
    world.invoke(event)
    world.drain(until=lambda: bool(world.answers(event)))
    assert world.answer(event)["Status"] == ("FAILED" if jump > 0 else "SUCCESS")
    assert (world.time() >= 300) is (jump < 0)
    world.time.advance(300)
    world.run(event)
    assert world.answers(event)[-1]["Status"] == "SUCCESS"


MALFORMED: list[tuple[dict[str, object], str]] = [
    ({"RequestType": "Destroy"}, "RequestType should be"),
    ({"RequestType": None}, "RequestType should be"),
    ({"RequestType": []}, "RequestType should be"),
    ({"ResourceProperties": []}, "ResourceProperties should be a map"),
    ({"ResourceProperties": None}, "ResourceProperties should be a map"),
    ({"RequestType": "Update", "OldResourceProperties": "none"}, "OldResourceProperties should be a map"),
    ({"Waiting": None}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": "of another version"}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": "today", "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": True, "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": 1e300, "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": EPOCH}}, "Waiting.Patience was not written by the provider"),
    ({"Waiting": {"ArrivedAt": EPOCH, "Patience": []}}, "Waiting.Patience was not written by the provider"),
    (
        {"Waiting": {"ArrivedAt": EPOCH, "Patience": {"cancelled_at": "now"}}},
        "Patience was not written by the provider",
    ),
    ({"Waiting": {"ArrivedAt": EPOCH, "Patience": {"cancelled_at": "5"}}}, "Patience was not written by the provider"),
]


@pytest.mark.parametrize(("fields", "reason"), MALFORMED, ids=repr)
def test_a_malformed_event_is_answered_where_it_says_whom_to_answer(
    world: World, fields: dict[str, object], reason: str
) -> None:
    running_job(world)
    answer = delete(world, **fields)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()  # another one would be a replacement
    assert world.simulator.log == ()


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
@pytest.mark.parametrize("physical_id", [None, "", {}, "\ud83d", "x" * 1025])
def test_an_update_or_delete_without_a_physical_id_is_answered(
    world: World, request_type: str, physical_id: object
) -> None:
    running_job(world)
    answer = world.ask(request_type, PhysicalResourceId=physical_id)
    assert answer["Status"] == "FAILED"
    assert "PhysicalResourceId is missing" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job/")
    assert world.simulator.log == ()


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
def test_a_request_with_wrong_properties_is_answered_with_its_own_physical_id(world: World, request_type: str) -> None:
    running_job(world)
    properties = world.properties(Clean="perhaps", WaitForStop="often")
    answer = world.ask(request_type, ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert "Clean is 'perhaps'; it should be true or false. WaitForStop is 'often'" in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()
    assert world.simulator.log == ()


def test_a_malformed_first_delivery_leaves_the_waiting_alone(world: World) -> None:
    running_job(world, stop_seconds=100)
    event = world.event("Delete")
    assert world.invoke(event)["Status"] == "PENDING"
    world.invoke({**event, "ResourceProperties": "garbled"})
    with pytest.raises(Unanswerable):
        world.invoke({**event, "ResponseURL": "garbled"})
    assert isinstance(world.queue, Queue)
    assert len(world.queue.waiting) == 1
    world.drain()
    assert [answer["Status"] for answer in world.answers(event)] == ["FAILED", "SUCCESS"]
    assert world.simulator.status("job-1") == "Stopped"


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"ResponseURL": f"https://evil.example/?X-Amz-Signature={SECRETS}"},
        {"ResponseURL": f"file:///x?X-Amz-Signature={SECRETS}", "StackId": "s", "LogicalResourceId": "r"},
    ],
    ids=repr,
)
def test_an_event_that_is_no_request_is_logged(world: World, event: object, written: io.StringIO) -> None:
    assert world.invoke(event)["Status"] == "UNANSWERED"
    assert "The event cannot be answered" in written.getvalue()
    assert world.host.attempts == 0


@pytest.mark.parametrize("field", ["StackId", "LogicalResourceId"])
@pytest.mark.parametrize("value", [None, "", 5, "x" * 1025, "\ud83d"])
def test_a_request_that_says_too_little_to_be_answered_is_an_error(world: World, field: str, value: object) -> None:
    with pytest.raises(Unanswerable, match=f"The event's {field} is missing, or is not a string"):
        world.invoke(world.event("Delete") | {field: value})
    assert world.host.attempts == 0
