"""The checks of the provider's own stack: whether a route is there, and what the operator is told if it is not."""

from __future__ import annotations

import re
import socket
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.clock import Clock
from provider.custom_resource.answer import _LAST_ATTEMPT_SECONDS, Undeliverable
from provider.hosts import Hosts
from provider.journal.entry import RequestType
from provider.journal.errors import JournalUnavailable
from provider.journal.memory import Memory
from provider.lifecycle import Asked, Patience, Told
from provider.lifecycle.patience import LIMITS, Phase
from provider.lifecycle.patience import Fault as Cause
from provider.neptune import CONNECT_SECONDS, READ_SECONDS, Jobs
from provider.route_checks import RouteChecks
from simulator import ErrorAnswer, Fault, Hang, RawAnswer
from tests.function.world import FUNCTION_ARN, ROUTE_CHECK, Queue

if TYPE_CHECKING:
    import io

    from provider.journal.entry import Entry
    from simulator import Effect
    from tests.function.world import World

pytestmark = pytest.mark.usefixtures("written")

LOG_STREAM = " (log stream: 2026/01/01/[$LATEST]0123456789abcdef)"
# What is left of the `ServiceTimeout` of a check is for the answer.
SERVICE_TIMEOUT = 120
CLUSTER_TIMEOUT = 900
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)
NO_ROUTE = "Amazon SQS cannot be reached."
NO_TABLE = "The provider's journal in Amazon DynamoDB cannot be reached."


def properties(route: str, **others: object) -> dict[str, object]:
    timeout = CLUSTER_TIMEOUT if route == "Cluster" else SERVICE_TIMEOUT
    return {"ServiceToken": FUNCTION_ARN, "ServiceTimeout": str(timeout), "Route": route, **others}


def ask(world: World, request_type: str, properties: dict[str, object], physical_id: str = "") -> dict[str, Any]:
    """Send a check's request; returns the answer."""
    answer = world.ask(
        request_type, ResourceType=ROUTE_CHECK, PhysicalResourceId=physical_id, ResourceProperties=properties
    )
    assert isinstance(world.queue, Queue)
    assert world.queue.waiting == []  # what checks the queue must not need it
    return answer


def check(world: World, route: str) -> dict[str, Any]:
    return ask(world, "Create", properties(route))


def check_cluster(world: World, endpoint: str = "", after: str = "route/1") -> dict[str, Any]:
    return ask(world, "Create", properties("Cluster", Endpoint=endpoint or world.simulator.url, After=after))


def check_again(world: World, before: dict[str, Any], endpoint: str = "", after: str = "route/1") -> dict[str, Any]:
    """Have a check of the cluster updated that was answered so before; returns the answer."""
    checked = properties("Cluster", Endpoint=endpoint or world.simulator.url, After=after)
    return ask(world, "Update", checked, before["PhysicalResourceId"])


def reason_of(answer: dict[str, Any]) -> str:
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith(LOG_STREAM)
    return str(answer["Reason"].removesuffix(LOG_STREAM))


def result_of(answer: dict[str, Any]) -> str:
    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "")
    return str(answer["Data"]["Result"])


# --- the route to CloudFormation's responses --------------------------------------------------------------------------


def test_an_answer_that_arrives_proves_its_route(world: World) -> None:
    assert result_of(check(world, "Responses")) == "open"
    assert world.simulator.log == ()
    assert world.time() == 0


def test_without_a_way_to_answer_the_log_says_what_to_open(world: World) -> None:
    event = world.event("Create", ResourceType=ROUTE_CHECK, ResourceProperties=properties("Responses"))
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    with pytest.raises(Undeliverable, match="The function needs a route to Amazon S3: a gateway endpoint for S3 or"):
        world.invoke(event)
    assert world.time() < SERVICE_TIMEOUT / 2


# --- the route to the queue -------------------------------------------------------------------------------------------


def test_a_queue_that_can_be_asked_is_open(world: World) -> None:
    assert result_of(check(world, "WaitingQueue")) == "open"
    assert world.time() == 0


def test_without_the_queue_the_deployment_is_warned_and_does_not_fail(world: World, written: io.StringIO) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = NO_ROUTE
    assert result_of(check(world, "WaitingQueue")) == (
        f"Warning: {NO_ROUTE} Until then, a request that waits longer than 14 minutes for its job fails, and so does "
        "any creation with CompletionHandle."
    )
    assert "A route check failed" in written.getvalue()
    assert 30 <= world.time() <= SERVICE_TIMEOUT / 2


def test_a_permission_of_the_queue_that_comes_a_little_later_is_waited_for(world: World) -> None:
    queue = world.queue
    assert isinstance(queue, Queue)
    queue.problem = "Amazon SQS refused sqs:GetQueueAttributes: not yet."
    world.at(10, lambda: setattr(queue, "problem", ""))
    assert result_of(check(world, "WaitingQueue")) == "open"
    assert 10 <= world.time() <= 15


# --- the route to the journal -----------------------------------------------------------------------------------------


class Unreachable(Memory):
    """A journal that there is no way to, or from."""

    def __init__(self, fails: str) -> None:
        super().__init__()
        self.fails = fails

    def read(self, resource: str) -> tuple[Entry | None, int]:
        if self.fails == "read":
            raise JournalUnavailable(NO_TABLE)
        return super().read(resource)

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        if self.fails == "write":
            raise JournalUnavailable(NO_TABLE)
        super().write(resource, entry, revision)


def test_a_journal_that_can_be_read_and_written_is_open_also_again(world: World) -> None:
    assert [result_of(check(world, "Journal")) for _ in range(2)] == ["open", "open"]
    assert world.time() == 0


def test_two_checks_of_the_journal_at_once_are_both_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    check(world, "Journal")
    monkeypatch.setattr(world.journal, "read", lambda _: (None, 0))  # as it was before the other one wrote
    assert result_of(check(world, "Journal")) == "open"


@pytest.mark.parametrize("fails", ["read", "write"])
@pytest.mark.parametrize("may_start", [True, False])
def test_a_deployment_without_its_journal_fails_if_jobs_are_to_be_started_and_is_warned_else(
    world: World,
    fails: str,
    may_start: bool,  # noqa: FBT001
) -> None:
    world.journal, world.may_start = Unreachable(fails), may_start
    answer = check(world, "Journal")
    words = f"{NO_TABLE} Until then, the provider starts and updates no jobs, but still cancels them."
    if may_start:
        assert reason_of(answer) == words
    else:
        assert result_of(answer) == f"Warning: {words}"
    assert 30 <= world.time() <= SERVICE_TIMEOUT / 2


def test_a_permission_of_the_journal_that_comes_a_little_later_is_waited_for(world: World) -> None:
    world.journal = journal = Unreachable("read")
    world.at(10, lambda: setattr(journal, "fails", ""))
    assert result_of(check(world, "Journal")) == "open"


# --- the route to the cluster -----------------------------------------------------------------------------------------


def test_a_cluster_that_knows_no_such_job_is_open_and_nothing_is_changed(world: World) -> None:
    world.simulator.start_job("job-1")
    assert result_of(check_cluster(world)) == "open"
    (record,) = world.simulator.log
    assert (record.method, record.path, record.signed) == ("GET", "/ml/modeltransform/route-check", True)
    assert world.simulator.status("job-1") == "InProgress"
    assert world.time() == 0


@pytest.mark.parametrize(
    "answer",
    [
        ErrorAnswer("BadRequestException"),
        RawAnswer(200, '{"status": "InProgress", "id": "route-check"}', "application/json"),
    ],
)
def test_a_cluster_that_answers_at_all_is_open(world: World, answer: Effect) -> None:
    world.simulator.inject(Fault(answer, times=None))
    assert result_of(check_cluster(world)) == "open"


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_cluster_that_cannot_be_reached_fails_the_deployment_in_time(
    world: World,
    impatient: None,
    is_refused: bool,  # noqa: FBT001
) -> None:
    del impatient
    host_port = world.simulator.host_port
    world.take_cluster_down(is_refused=is_refused)
    words = (
        f"Neptune at {host_port} refused the connection. Check the port in Endpoint, and that the cluster is available."
        if is_refused
        else f"The connection to Neptune at {host_port} timed out. Allow TCP port {host_port.partition(':')[2]} from "
        "the function's security group to the cluster's, and run the function in subnets of the cluster's VPC (the "
        "provider's SubnetIds)."
    )
    answer = check_cluster(world)
    assert reason_of(answer) == f"The function cannot use the cluster in CheckedEndpoint. {words}"
    assert answer["PhysicalResourceId"].startswith("no-job/")
    assert 30 <= world.time() <= SERVICE_TIMEOUT / 2


def test_a_host_that_nobody_knows_fails_the_deployment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if host == "cluster.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **options)

    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    world.settings = world.settings._replace(clusters=Hosts.of_clusters(["cluster.test"]))
    assert "The host name cluster.test in Endpoint cannot be resolved." in reason_of(
        check_cluster(world, "http://cluster.test:8182")
    )


def test_a_cluster_without_tls_fails_the_deployment(world: World) -> None:
    reason = reason_of(check_cluster(world, f"https://{world.simulator.host_port}"))
    assert f"The TLS connection to Neptune at {world.simulator.host_port} failed: " in reason


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (
            ErrorAnswer("AccessDeniedException"),
            "The function's role needs neptune-db:GetMLModelTransformJobStatus on "
            "arn:aws:neptune-db:us-east-1:123456789012:cluster-C0FFEE/*; check the provider's ClusterResourceId "
            "and its permissions boundary. Neptune can take up to ten minutes to apply a change to IAM permissions.",
        ),
        (ErrorAnswer("InternalFailureException"), " responded with 500: "),
        (RawAnswer(200, "<html>welcome</html>"), " responded without a status for job route-check."),
        (Hang(), " returned no usable response: "),
    ],
)
def test_a_cluster_that_gives_no_right_answer_fails_the_deployment(
    world: World, impatient: None, effect: Effect, words: str
) -> None:
    del impatient
    world.simulator.inject(Fault(effect, times=None))
    assert words in reason_of(check_cluster(world))
    borne = 600 if "IAM permissions" in words else 30
    assert borne <= world.time() <= borne + 30


def test_a_permission_that_neptune_applies_later_is_waited_for_also_when_a_look_fails_meanwhile(world: World) -> None:
    denied = Fault(ErrorAnswer("AccessDeniedException"), times=None)
    world.simulator.inject(denied)
    world.at(300, world.simulator.clear_faults)
    world.at(300, lambda: world.simulator.inject(Fault(ErrorAnswer("InternalFailureException"))))
    world.at(300, lambda: world.simulator.inject(denied))
    world.at(590, world.simulator.clear_faults)
    assert result_of(check_cluster(world)) == "open"
    assert 590 <= world.time() <= 625


def test_a_rule_that_comes_a_little_later_is_waited_for(world: World) -> None:
    world.take_cluster_down()
    world.at(world.time() + 10, world.bring_cluster_up)
    assert result_of(check_cluster(world)) == "open"


@pytest.mark.parametrize(("fault", "timeout"), [(Cause.SILENCE, SERVICE_TIMEOUT), (Cause.DENIAL, CLUSTER_TIMEOUT)])
def test_what_a_check_takes_at_most_leaves_time_for_its_answer(fault: Cause, timeout: float) -> None:
    longest = LIMITS[Phase.CHECK][fault] + CONNECT_SECONDS + READ_SECONDS["get"]
    assert longest + _LAST_ATTEMPT_SECONDS < timeout


@pytest.mark.parametrize(
    ("endpoint", "right"),
    [
        ("example.com", "a host under .neptune.amazonaws.com (or "),
        ("http://mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com", "an https:// endpoint; "),
        ("not a host", "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint."),
    ],
)
def test_an_endpoint_that_the_provider_may_not_speak_to_is_refused_at_once(
    world: World, endpoint: str, right: str
) -> None:
    reason = reason_of(check_cluster(world, endpoint))
    assert reason.startswith(f"CheckedEndpoint is '{endpoint}'; it should be {right}")
    assert world.time() == 0


def test_a_route_that_there_is_not_is_no_check(world: World) -> None:
    assert (
        reason_of(check(world, "Mars")) == "Route is 'Mars'; it should be Responses, WaitingQueue, Journal or Cluster."
    )


@given(
    checked=st.fixed_dictionaries(
        {
            "Route": st.sampled_from(["Responses", "WaitingQueue", "Journal", "Cluster"]) | json_values,
            "Endpoint": json_values,
        }
    )
)
def test_whatever_is_to_be_checked_has_a_result_or_a_reason(checked: dict[str, object]) -> None:
    def connect(_: object) -> NoReturn:
        raise AssertionError  # none of these endpoints is a cluster's

    checks = RouteChecks(Hosts.of_clusters(), connect, Queue(), Memory(), Clock(), may_start=True)
    asked = Asked(RequestType.CREATE, "request", "stack", "Route", "", checked)
    told = checks.look(asked, Patience(), send=lambda *_: True, check=lambda _: "")
    assert isinstance(told, Told)
    said = told.reason or told.attributes["Result"]
    assert re.fullmatch(r"open|(Route|CheckedEndpoint) is .*; it should be .*\.", said, re.S)


# --- updates, rollbacks and deletions ---------------------------------------------------------------------------------


def test_an_update_that_changes_the_network_checks_again(world: World) -> None:
    created = check_cluster(world, after="route/1")
    updated = check_again(world, created, after="route/2")
    assert result_of(updated) == "open"
    assert world.calls == ["get", "get"]
    # The checks that come after this one name its ID: they are checked again, too.
    assert updated["PhysicalResourceId"] != created["PhysicalResourceId"]


def test_the_same_properties_in_another_order_are_the_same_check(world: World) -> None:
    created = check_cluster(world, after="route/1")
    in_another_order = dict(reversed(properties("Cluster", Endpoint=world.simulator.url, After="route/1").items()))
    updated = ask(world, "Update", in_another_order, created["PhysicalResourceId"])
    assert updated["PhysicalResourceId"] == created["PhysicalResourceId"]


def test_an_update_to_a_network_without_the_route_fails_and_its_rollback_does_not(
    world: World, written: io.StringIO
) -> None:
    created = check_cluster(world, after="route/1")
    world.take_cluster_down()
    updated = check_again(world, created, after="route/2")
    assert " refused the connection." in reason_of(updated)
    assert updated["PhysicalResourceId"] == created["PhysicalResourceId"]
    rolled_back = check_again(world, updated, after="route/1")
    assert result_of(rolled_back).startswith("Warning: The function cannot use the cluster in CheckedEndpoint. ")
    assert rolled_back["PhysicalResourceId"] == created["PhysicalResourceId"]
    assert "A route check failed" in written.getvalue()


def test_a_rollback_to_a_network_with_the_route_is_no_warning(world: World) -> None:
    created = check_cluster(world)
    updated = check_again(world, created, "http://127.0.0.1:9")
    assert " refused the connection." in reason_of(updated)
    assert result_of(check_again(world, updated)) == "open"


@pytest.mark.parametrize("physical_id", ["route/0123456789abcdef", "no-job/1", "provider-RouteToCluster-1N2K5RF3Q0J6K"])
@pytest.mark.parametrize("route", ["Responses", "WaitingQueue", "Journal", "Cluster", "Mars"])
def test_a_deletion_is_answered_at_once_whatever_is_closed(world: World, route: str, physical_id: str) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = NO_ROUTE
    world.take_cluster_down()
    answer = ask(world, "Delete", properties(route, Endpoint=world.simulator.url), physical_id)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert world.time() == 0


def test_a_check_that_hangs_is_answered_before_its_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that does not answer, say."""
    created = check_cluster(world)
    release = threading.Event()
    monkeypatch.setattr(Jobs, "get", lambda *_: release.wait(30))
    event = world.event(
        "Update",
        ResourceType=ROUTE_CHECK,
        PhysicalResourceId=created["PhysicalResourceId"],
        ResourceProperties=properties("Cluster", Endpoint="http://127.0.0.1:9") | {"ServiceTimeout": "1"},
    )

    def wait_for_the_answer() -> None:
        world.host.wait_for(event["RequestId"], 30)
        release.set()

    waiting = threading.Thread(target=wait_for_the_answer)
    waiting.start()
    world.run(event)
    waiting.join()
    assert reason_of(world.answer(event)).startswith("The provider ran out of time")


def test_the_type_of_a_check_is_suggested_to_nobody(world: World) -> None:
    reason = reason_of(world.ask("Create", ResourceType=f"{ROUTE_CHECK}s"))
    assert ROUTE_CHECK not in reason.replace(f"{ROUTE_CHECK}s", "")
