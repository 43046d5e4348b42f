"""A Neptune with faults, with all logs at DEBUG and no secret in any of them."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.parsers import ResponseParserError, RestJSONParser
from starlette.responses import StreamingResponse

from provider import neptune
from provider.hosts import Hosts
from provider.identity import Identity
from provider.look import Look, Status
from provider.neptune import Jobs, UnknownHost, Unreachable
from simulator import GARBAGE, ErrorAnswer, Fault, Hang, RawAnswer, Reset, Truncated
from simulator.serving import serving
from tests.function.asking import answered, create
from tests.function.conftest import SECRETS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from provider.schema import Properties
    from simulator import Effect
    from tests.function.world import World

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

    def slowly(jobs: Jobs, job_id: str, properties: Properties) -> Look:
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
    job = Look(Status.STOPPED, "Stopped")
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: job)
    monkeypatch.setattr(neptune.Jobs, "cancel", lambda *_: None)
    create = world.ask("Create", ResourceProperties=world.properties(Id=job_id))
    assert create["Status"] == "SUCCESS"
    physical_id = create["PhysicalResourceId"]
    answer = delete(world, PhysicalResourceId=physical_id, ResourceProperties=world.properties(Id=job_id))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)


def test_a_job_whose_attributes_do_not_fit_is_not_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = {"OutputLocation": f"s3://{'x' * 4000}"}
    job = Look(Status.RUNS, "InProgress", attributes=attributes)
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: job)
    answer = world.ask("Create")
    assert answer["Status"] == "FAILED"
    assert "exceed CloudFormation's limit of 4,096 bytes" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job/")  # its rollback cancels nothing
