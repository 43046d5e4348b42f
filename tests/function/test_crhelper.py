"""What crhelper 2.0.12 gets wrong (`docs/crhelper.md`): each test must fail on it, and pass on the provider."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import logging
import textwrap
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import crhelper.utils
import pytest
import urllib3
from crhelper import CfnResource

import provider
from local.response_host import SIGNATURE, ResponseHost
from provider import observability
from provider.custom_resource import answer as answers
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.on_crhelper import Dispatch
from provider.custom_resource.waiting import WaitingQueue
from provider.journal.entry import RequestType
from provider.lifecycle import Asked, Patience, RequestFailed, Told
from tests.function.world import EPOCH, LambdaContext, Queue, delivered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.ministack import MiniStack
    from tests.function.world import World

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:provider"  # as MiniStack has it


@pytest.fixture(autouse=True)
def _levels_of_loggers() -> Iterator[None]:
    """crhelper sets the levels of other libraries' loggers, and would leave them so to every test that follows."""
    loggers = [logging.root, *(logging.getLogger(name) for name in ("boto", "boto3", "botocore", "urllib3"))]
    levels = [(logger, logger.level) for logger in loggers]
    yield
    for logger, level in levels:
        logger.setLevel(level)


class PlainCrhelper:
    """The provider on crhelper as its README has it."""

    def __init__(self, world: World, authority: Path, *, polls: bool = False) -> None:
        self._world = world
        self._lifecycle = world.lifecycle
        self.resource = CfnResource(polling_interval=1, ssl_verify=str(authority))  # type: ignore[arg-type]
        self.resource.create(self._create)
        self.resource.delete(self._delete)
        if polls:
            self.resource.poll_delete(self._poll_delete)

    def _look(self, event: dict[str, Any], physical_id: str = "", cancelled_at: float | None = None) -> str | None:
        ids = (event["RequestId"], event["StackId"], event["LogicalResourceId"], physical_id)
        asked = Asked(RequestType(event["RequestType"]), *ids, event["ResourceProperties"])
        told = self._lifecycle.look(
            asked, Patience(cancelled_at=cancelled_at), send=lambda *_: True, check=lambda _: ""
        )
        if isinstance(told, Told) and told.has_failed:
            raise RequestFailed(told.reason)
        return told.physical_id if isinstance(told, Told) else None

    def _create(self, event: dict[str, Any], _: object) -> str | None:
        return self._look(event)

    def _delete(self, event: dict[str, Any], _: object) -> str:
        self._look(event, event["PhysicalResourceId"])
        return str(event["PhysicalResourceId"])

    def _poll_delete(self, event: dict[str, Any], _: object) -> str | None:
        return self._look(event, event["PhysicalResourceId"], cancelled_at=EPOCH)

    def invoke(self, event: dict[str, Any], remaining: float = 900) -> None:
        self.resource(event, LambdaContext(remaining, self._world.time, invoked_function_arn=FUNCTION_ARN))

    def look_again(self, event: dict[str, Any], *, arrived_at: float = EPOCH) -> None:
        """Invoke the function for the next look at a Delete, as the target of its rule says."""
        physical_id = event["PhysicalResourceId"]
        waited = {
            "CrHelperPoll": True,
            "CrHelperData": {"ArrivedAt": arrived_at, "PhysicalResourceId": physical_id},
            "CrHelperRule": "arn:aws:events:us-east-1:000000000000:rule/Job12345678",
            "CrHelperPermission": "Job12345678",
        }
        self.invoke({**event, **waited})


class Provider:
    """The provider as it is."""

    def __init__(self, world: World, _authority: Path, *, polls: bool = False) -> None:
        del polls  # it waits when it has to
        self._world = world

    def invoke(self, event: dict[str, Any], remaining: float = 900) -> None:
        self._world.invoke(event, remaining)

    def look_again(self, event: dict[str, Any], *, arrived_at: float = EPOCH) -> None:
        """Invoke the function for the next look at a Delete, as the queue does."""
        waited = {"ArrivedAt": arrived_at, "Patience": Patience(cancelled_at=EPOCH).as_json()}
        self._world.invoke(delivered({**event, "Waiting": waited}))


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
def aws(aws: MiniStack, authority: Path) -> Iterator[MiniStack]:
    """MiniStack, which crhelper trusts with the one file that it has for the response host, too.

    It has the function that crhelper's rules have as their target; what a test leaves in EventBridge is removed.
    """
    authority.write_text(authority.read_text() + aws.ca_bundle.read_text())
    functions, events = aws.client("lambda"), aws.client("events")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("index.py", "def handler(event, context): pass")
    functions.create_function(
        FunctionName="provider",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/provider",
        Code={"ZipFile": code.getvalue()},
    )
    yield aws
    functions.delete_function(FunctionName="provider")
    for rule in events.list_rules()["Rules"]:
        targets = [target["Id"] for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
        if targets:
            events.remove_targets(Rule=rule["Name"], Ids=targets)
        events.delete_rule(Name=rule["Name"])


@pytest.fixture
def queue(aws: MiniStack, queue_url: str, world: World) -> WaitingQueue:
    """The waiting queue in MiniStack's SQS."""
    del aws
    world.queue = WaitingQueue(queue_url, "us-east-1")
    return world.queue


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


def test_a_delete_is_answered_without_a_nap(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert naps == []


def test_an_answer_that_was_not_taken_is_put_again(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    world.host.behave([500, 503, 429])
    implementation(world, authority).invoke(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"]
    assert len(naps) <= 1  # of crhelper's own


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


def test_a_host_that_refuses_connections_is_tried_a_bounded_number_of_times(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, naps: list[float]
) -> None:
    event = ended_job(world)
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "https://127.0.0.1:9")
    with contextlib.suppress(Undeliverable):
        implementation(world, authority).invoke(event)
    assert len(naps) < 100


def test_a_host_that_hangs_does_not_hang_the_function(
    implementation: type[PlainCrhelper | Provider],
    world: World,
    authority: Path,
    naps: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(connect=0.1, read=0.02))
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


def test_an_aws_that_cannot_be_reached_does_not_turn_a_success_into_a_failure(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = ended_job(world)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    world.queue = WaitingQueue("https://sqs.us-east-1.amazonaws.com/123456789012/waiting", "us-east-1")
    implementation(world, authority, polls=True).look_again(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"]


def hand_over(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, logical_id: str = "Job"
) -> dict[str, Any]:
    """Have a Delete wait for a job that never stops."""
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete", LogicalResourceId=logical_id)
    implementation(world, authority, polls=True).invoke(dict(event))
    return event


@pytest.mark.usefixtures("aws")
def test_waiting_ends_at_the_deadline_of_the_request(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path
) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete")
    implementation(world, authority, polls=True).look_again(event, arrived_at=EPOCH - 3600)
    (answer,) = world.answers(event) or [{"Status": "none"}]
    assert answer["Status"] == "FAILED"
    assert "The deletion can be retried" in answer["Reason"]


@pytest.mark.usefixtures("queue")
def test_waiting_leaves_nothing_to_remove(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    event = hand_over(implementation, world, authority)
    assert world.answers(event) == []
    assert aws.client("events").list_rules()["Rules"] == []


@pytest.mark.usefixtures("queue")
def test_a_resource_of_any_name_can_wait(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    event = hand_over(implementation, world, authority, logical_id="L" * 255)
    assert world.answers(event) == []
    names = [rule["Name"] for rule in aws.client("events").list_rules()["Rules"]]
    assert [name for name in names if len(name) > 64] == []  # EventBridge refuses them, MiniStack does not


@pytest.mark.usefixtures("aws")
def test_the_next_look_comes_in_seconds(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    hand_over(implementation, world, authority)
    assert isinstance(world.queue, Queue)
    pauses = [float(seconds) for _, seconds in world.queue.waiting]
    pauses += [60.0 for rule in aws.client("events").list_rules()["Rules"] if "minute" in rule["ScheduleExpression"]]
    (pause,) = pauses
    assert pause <= 2


@pytest.mark.usefixtures("queue")
def test_the_response_url_is_in_no_rule(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, aws: MiniStack
) -> None:
    hand_over(implementation, world, authority)
    events = aws.client("events")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    inputs = [target["Input"] for rule in rules for target in events.list_targets_by_rule(Rule=rule)["Targets"]]
    assert SIGNATURE not in "".join(inputs)


@pytest.mark.usefixtures("queue")
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


def test_a_failed_initialisation_is_answered_with_an_id(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.event("Create")
    function = implementation(world, authority)
    if isinstance(function, PlainCrhelper):
        function.resource.init_failure(ValueError("it cannot start"))
    else:
        monkeypatch.setattr(Dispatch, "_init_failed", ValueError("it cannot start"))
    function.invoke(event)
    # The host refuses an empty ID.
    assert [(answer["Status"], answer["Reason"][:15]) for answer in world.answers(event)] == [
        ("FAILED", "it cannot start")
    ]


@pytest.fixture
def at_debug(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """crhelper's logger, as the provider leaves it; every other one writes at DEBUG."""
    monkeypatch.setattr(observability.logger._logger, "level", logging.DEBUG)
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    library = logging.getLogger("crhelper")
    level = library.level
    library.setLevel(level)  # forgets what was enabled before
    yield library
    library.setLevel(level)


def test_the_response_url_is_not_logged_at_any_level(
    implementation: type[PlainCrhelper | Provider],
    world: World,
    authority: Path,
    caplog: pytest.LogCaptureFixture,
    at_debug: logging.Logger,
) -> None:
    if implementation is PlainCrhelper:
        at_debug.setLevel(logging.DEBUG)
    event = ended_job(world)
    implementation(world, authority).invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    written = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert SIGNATURE not in "\n".join(written)


def test_a_reason_keeps_its_beginning(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path
) -> None:
    wrong = world.properties(Clen="true", Clean="perhaps", Id="a b", WaitForStop="perhaps")
    event = world.event("Create", ResourceProperties=wrong)
    implementation(world, authority).invoke(event)
    reason = world.answer(event)["Reason"]
    assert reason.startswith("'Clen' is not a property of")


def test_a_job_that_is_slow_to_stop_is_answered_in_sam_local_too(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    world.queue = WaitingQueue("", "us-east-1")
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete", ResourceProperties=world.properties(ServiceTimeout="20"))
    implementation(world, authority, polls=True).invoke(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["FAILED"]


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


def test_a_warm_function_keeps_nothing_of_the_request_before(
    implementation: type[PlainCrhelper | Provider], world: World, authority: Path
) -> None:
    world.simulator.start_job("job-1")
    first, second = world.event("Create"), world.event("Create", ResourceProperties=world.properties(Id="unknown"))
    function = implementation(world, authority)
    function.invoke(first)
    if isinstance(function, PlainCrhelper):  # what the function says of one answer
        function.resource.NoEcho = True
    function.invoke(second)
    answer = world.answer(second)
    assert answer["NoEcho"] is False
    assert answer["Data"] == {}


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
    assert set(made) == {"neptunedata"}


# --- crhelper itself, and where it is used ----------------------------------------------------------------------------


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


def methods_of(kind: type) -> dict[str, ast.FunctionDef]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    return {node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)}


def of_self(method: ast.FunctionDef, context: type[ast.expr_context]) -> set[str]:
    """The attributes of `self` that a method reads, or sets."""
    return {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, context)
    }


def test_what_crhelpers_methods_read_is_there_without_its_initialisation() -> None:
    """A new version of crhelper that reads more state, or calls more of its own methods, must be looked at."""
    methods = methods_of(CfnResource)
    polling = {"_polling_init", "_sam_local"}  # come after `_poll_enabled()`, which is false
    reached, to_do = set[str](), {"__call__"}
    while to_do:
        name = to_do.pop()
        reached.add(name)
        called = of_self(methods[name], ast.Load) & set(methods)
        to_do |= called - reached - set(vars(Dispatch)) - polling
    assert reached == {
        *("__call__", "_crhelper_init", "_get_func", "_wrap_function", "_poll_enabled"),
        *("_wait_for_cwlogs", "_cfn_response", "generate_physical_id", "_rand_string"),
    }
    read = {name for method in reached for name in of_self(methods[method], ast.Load)}
    # Their names are put together from the type of the request.
    read |= {f"_{prefix}{kind}_func" for prefix in ("", "poll_") for kind in ("create", "update", "delete")}
    begun = of_self(methods["_crhelper_init"], ast.Store)

    def fulfil(*_: object) -> None:
        return None

    dispatch = Dispatch(create=fulfil, update=fulfil, delete=fulfil, respond=fulfil, expire=fulfil, seconds=60)
    assert {name for name in read - begun - polling if not hasattr(dispatch, name)} == set()
    assert not any(getattr(dispatch, f"_poll_{kind}_func") for kind in ("create", "update", "delete"))


def test_crhelpers_privates_are_named_in_one_file_alone() -> None:
    root = Path(provider.__file__).parent
    privates = {name for name in {*dir(CfnResource), *vars(CfnResource())} if name[0] == "_" and name[:2] != "__"}
    naming, importing = set(), set()
    for file in root.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        # A name that crhelper happens to use, too.
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
        own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        if own & privates and any(isinstance(it, ast.Name) and it.id == "CfnResource" for it in nodes):
            naming.add(file.relative_to(root).as_posix())
        if (named - own) & privates:
            naming.add(file.relative_to(root).as_posix())
        if any(isinstance(node, ast.ImportFrom) and node.module == "crhelper" for node in nodes) or any(
            isinstance(node, ast.Import) and any(it.name.startswith("crhelper") for it in node.names) for node in nodes
        ):
            importing.add(file.relative_to(root).as_posix())
    assert naming == importing == {"custom_resource/on_crhelper.py"}
