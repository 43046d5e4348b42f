"""What crhelper 2.0.12 gets wrong, each fault shown on it (where the test must fail) and mended in the provider.

The numbers are those of the list in `docs/crhelper.md`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import boto3
import crhelper.utils
import pytest
from crhelper import CfnResource

from local.response_host import SIGNATURE, ResponseHost
from provider import observability
from provider.custom_resource import answer as answers
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import cloudformation_request, return_address
from provider.custom_resource.resource import CleanupFailed, JobResource
from provider.lifecycle import Done, Request
from tests.function.world import EPOCH, RULE_PREFIX, LambdaContext

if TYPE_CHECKING:
    from pathlib import Path

    from local.ministack import MiniStack
    from tests.function.world import World


class PlainCrhelper:
    """The provider on crhelper as its README has it."""

    def __init__(self, world: World, authority: Path, *, polls: bool = False) -> None:
        self._world = world
        self.resource = CfnResource(polling_interval=1, ssl_verify=str(authority))  # type: ignore[arg-type]
        self.resource.create(
            lambda event, _: world.lifecycle.create(Request(None, event["ResourceProperties"])).physical_id
        )
        self.resource.delete(self._delete)
        if polls:
            self.resource.poll_delete(self._poll_delete)

    def _delete(self, event: dict[str, Any], _: object) -> str:
        self._world.lifecycle.delete(Request(event["PhysicalResourceId"], event["ResourceProperties"]))
        return str(event["PhysicalResourceId"])

    def _poll_delete(self, event: dict[str, Any], _: object) -> str | None:
        request = Request(event["PhysicalResourceId"], event["ResourceProperties"], cancelled_at=0)
        done = self._world.lifecycle.delete(request)
        return done.physical_id if isinstance(done, Done) else None

    def invoke(self, event: dict[str, Any], remaining: float = 900) -> None:
        context = LambdaContext(remaining, self._world.time, invoked_function_arn=self._world.function_arn)
        self.resource(event, context)


class Provider:
    """The provider as it is."""

    def __init__(self, world: World, _authority: Path, *, polls: bool = False) -> None:
        del polls  # it does when it has to
        self._world = world

    def invoke(self, event: dict[str, Any], remaining: float = 900) -> None:
        self._world.invoke(event, remaining)


@pytest.fixture(
    params=[
        pytest.param(PlainCrhelper, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason="its fault")),
        Provider,
    ],
    ids=["crhelper", "provider"],
)
def implementation(request: pytest.FixtureRequest) -> type[PlainCrhelper | Provider]:
    kind: type[PlainCrhelper | Provider] = request.param
    return kind


@pytest.fixture
def world(world: World, https_host: tuple[ResponseHost, Path]) -> World:
    """The world with an HTTPS response host, since crhelper speaks nothing else."""
    world.host = https_host[0]
    return world


@pytest.fixture
def authority(https_host: tuple[ResponseHost, Path]) -> Path:
    return https_host[1]


@pytest.fixture
def aws(aws: MiniStack, authority: Path) -> MiniStack:
    """MiniStack, which crhelper trusts with the one file that it has for the response host, too."""
    authority.write_text(authority.read_text() + aws.ca_bundle.read_text())
    return aws


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long crhelper sleeps; after a hundred naps it is told to stop."""
    taken: list[float] = []

    def nap(seconds: float) -> None:
        taken.append(seconds)
        if len(taken) > 100:
            raise AssertionError("it would go on for ever")

    class Time:
        sleep = staticmethod(nap)

    monkeypatch.setattr(crhelper.utils, "time", Time)
    monkeypatch.setattr(CfnResource._wait_for_cwlogs, "__defaults__", (nap,))  # type: ignore[attr-defined]
    return taken


def ended_job(world: World) -> dict[str, Any]:
    world.simulator.start_job("job-1", status="Completed")
    return world.event("Delete")


def tick(event: dict[str, Any], *, arrived_at: float = EPOCH) -> dict[str, Any]:
    """Make the tick of the poll rule of a Delete, for either implementation."""
    return {
        **event,
        "CrHelperPoll": True,
        "CrHelperData": {"ArrivedAt": arrived_at, "CancelledAt": arrived_at, "PhysicalResourceId": "job-1"},
        "CrHelperRule": f"arn:aws:events:us-east-1:000000000000:rule/{RULE_PREFIX}{event['RequestId']}",
        "CrHelperPermission": "statement",
    }


# 1
def test_a_delete_is_answered_without_a_nap(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert naps == []


# 2
def test_an_answer_that_was_not_taken_is_put_again(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    world.host.behave([500, 503, 429])
    implementation(world, authority).invoke(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"]
    assert len(naps) <= 1  # of crhelper's own


# 2
@pytest.mark.parametrize("status", [400, 403])
def test_an_answer_that_was_refused_is_an_error(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float], status: int
) -> None:
    event = ended_job(world)
    world.host.behave([], then=status)
    raised = None
    try:
        implementation(world, authority).invoke(event)
    except Undeliverable as error:
        raised = error
    assert raised is not None, "Lambda would not deliver the event again"
    assert len(naps) <= 1


# 2
def test_a_host_that_refuses_connections_is_tried_a_bounded_number_of_times(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "https://127.0.0.1:9")
    with contextlib.suppress(Undeliverable):
        implementation(world, authority).invoke(event)
    assert len(naps) < 100


# 2
def test_a_host_that_hangs_does_not_hang_the_function(
    implementation: type[PlainCrhelper | Provider],
    world: World,
    authority: Path,
    naps: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "_READ_SECONDS", 0.02)
    event = ended_job(world)
    world.host.behave([], then="hang")

    def invoke() -> None:
        with contextlib.suppress(Undeliverable, AssertionError):
            implementation(world, authority).invoke(event)

    thread = threading.Thread(target=invoke, daemon=True)
    thread.start()
    thread.join(3)
    hangs = thread.is_alive()
    world.host.behave([], then=None)
    world.host.close()  # releases what hangs
    thread.join(30)
    assert not hangs
    assert len(naps) <= 1


# 3
def test_a_rule_that_cannot_be_removed_does_not_turn_a_success_into_a_failure(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = ended_job(world)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with contextlib.suppress(CleanupFailed):
        implementation(world, authority, polls=True).invoke(tick(event))
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"]


# 4
def test_polling_ends_at_the_deadline_of_the_request(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    del aws
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete")
    implementation(world, authority, polls=True).invoke(tick(event, arrived_at=EPOCH - 3600))
    (answer,) = world.answers(event) or [{"Status": "none"}]
    assert answer["Status"] == "FAILED"
    assert "Delete the stack again" in answer["Reason"]


def hand_over(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, logical_id: str = "Job"
) -> dict[str, Any]:
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete", LogicalResourceId=logical_id)
    implementation(world, authority, polls=True).invoke(dict(event))
    return event


# 4
def test_a_poll_rule_has_a_name_of_a_fixed_prefix_and_the_request_also_for_long_logical_ids(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    event = hand_over(implementation, world, authority, logical_id="L" * 255)
    names = [rule["Name"] for rule in aws.client("events").list_rules()["Rules"]]
    assert names == [f"{RULE_PREFIX}{event['RequestId']}"]
    assert len(names[0]) <= 64


# 4
def test_a_duplicate_delivery_makes_no_second_rule(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    event = hand_over(implementation, world, authority)
    implementation(world, authority, polls=True).invoke(dict(event))
    assert len(aws.client("events").list_rules()["Rules"]) == 1


# 4
def test_the_function_does_not_change_its_own_policy(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    functions = aws.client("lambda")

    def statements() -> str:
        try:
            return functions.get_policy(FunctionName="provider")["Policy"]
        except functions.exceptions.ResourceNotFoundException:
            return ""

    before = statements()
    hand_over(implementation, world, authority)
    assert statements() == before


# 5
def test_a_failed_create_has_the_same_id_at_every_delivery_and_no_jobs(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path
) -> None:
    event = world.event("Create")
    for _ in range(2):
        implementation(world, authority).invoke(dict(event))
    first, second = world.answers(event)
    assert first["Status"] == "FAILED"
    assert first["PhysicalResourceId"] == second["PhysicalResourceId"]
    assert "/" in first["PhysicalResourceId"]


# 5
def test_a_failed_initialisation_is_answered_with_an_id(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = world.event("Create")
    if implementation is Provider:
        address = return_address(event, world.settings.allowed_hosts)
        resource: CfnResource = JobResource(
            cloudformation_request(event),
            address,
            lifecycle=world.lifecycle,
            settings=world.settings,
            clock=world.clock,
        )
    else:
        resource = PlainCrhelper(world, authority).resource
    resource.init_failure(ValueError("it cannot start"))
    resource(event, LambdaContext(900, world.time))
    assert [answer["Status"] for answer in world.answers(event)] == ["FAILED"]  # the host refuses an empty id
    assert naps == []


# 6
def test_the_response_url_is_not_logged_at_any_level(
    implementation: type[PlainCrhelper | Provider],
    world: World,
    authority: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = logging.getLogger("crhelper")
    monkeypatch.setattr(observability.logger._logger, "level", logging.DEBUG)
    monkeypatch.setattr(library, "level", library.level)
    if implementation is Provider:
        observability._take_over("crhelper")
    else:
        library.setLevel(logging.DEBUG)
    monkeypatch.setattr(library, "propagate", True)  # to where the test listens
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    written = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert SIGNATURE not in "\n".join(written)


# 7
def test_a_reason_keeps_its_beginning(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path
) -> None:
    event = world.event("Create", ResourceProperties=world.properties(Endpoint="elsewhere.example", Clen="true"))
    implementation(world, authority).invoke(event)
    reason = world.answer(event)["Reason"]
    assert reason.startswith("'Clen' is not a property of")


# 8
def test_a_job_that_is_slow_to_stop_is_answered_in_sam_local_too(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete", ResourceProperties=world.properties(ServiceTimeout="20"))
    implementation(world, authority, polls=True).invoke(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["FAILED"]


# 8
def test_a_local_response_host_may_speak_http(
    implementation: type[PlainCrhelper | Provider],
    world: World,
    authority: Path,
    naps: list[float],
    response_host: ResponseHost,
) -> None:
    world.host = response_host
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"]
    assert naps == []


# 9
def test_a_warm_function_keeps_nothing_of_the_request_before(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simulator.start_job("job-1")
    events = [world.event("Create"), world.event("Create")]
    function = implementation(world, authority)
    if isinstance(function, PlainCrhelper):
        function.invoke(events[0])
        function.resource.NoEcho = True
    else:
        with monkeypatch.context() as patch:
            initialise = JobResource._initialise_crhelper

            def mark(self: JobResource) -> None:
                initialise(self)
                self.NoEcho, self.Data = True, {"Left": "over"}

            patch.setattr(JobResource, "_initialise_crhelper", mark)
            function.invoke(events[0])
    function.invoke(events[1])
    answer = world.answer(events[1])
    assert answer["NoEcho"] is False
    assert "Left" not in answer["Data"]


# 10
def test_no_client_is_made_that_is_not_used(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = boto3.client

    def client(name: str, **options: Any) -> Any:  # noqa: ANN401
        made.append(name)
        return make(name, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(boto3, "client", client)
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert made == ["neptunedata"]


def test_the_fields_that_crhelper_initialises_are_known() -> None:
    """A new version of crhelper that keeps more state must be looked at."""
    assert set(vars(CfnResource())) == {
        *("_sleep_on_delete", "_timer", "_init_failed", "_json_logging", "_log_level", "_boto_level", "_send_response"),
        *("_create_func", "_update_func", "_delete_func"),
        *("_poll_create_func", "_poll_update_func", "_poll_delete_func"),
        *("_polling_interval", "_event", "_context", "_response_url", "_sam_local", "_region", "_ssl_verify"),
        *("Status", "Reason", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId", "Data", "NoEcho"),
        *("_lambda_client", "_events_client", "_logs_client"),
    }
