from __future__ import annotations

import contextlib
import errno
import http.client
import json
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from local.response_host import make_tls
from simulator import (
    GARBAGE,
    Effect,
    ErrorAnswer,
    Fault,
    Hang,
    JobPlan,
    ManualClock,
    RawAnswer,
    Reset,
    Simulator,
    Truncated,
)
from simulator.faults import FaultPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_neptunedata import NeptuneDataClient

THROTTLED = ErrorAnswer("TooManyRequestsException")
GET = b"GET /ml/modeltransform/job-1 HTTP/1.1\r\nHost: simulator\r\n\r\n"
DELETE = b"DELETE /ml/modeltransform/job-1 HTTP/1.1\r\nHost: simulator\r\n\r\n"


@pytest.fixture
def connection(simulator: Simulator) -> Iterator[socket.socket]:
    simulator.start_job("job-1", stop_seconds=60)
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=10) as connection:
        yield connection


def get(
    simulator: Simulator, method: str = "GET", *, trust: ssl.SSLContext | None = None
) -> tuple[int, str | None, bytes]:
    connection = (
        http.client.HTTPSConnection(simulator.host_port, timeout=10, context=trust)
        if trust
        else http.client.HTTPConnection(simulator.host_port, timeout=10)
    )
    with contextlib.closing(connection):
        connection.request(method, "/ml/modeltransform/job-1")
        response = connection.getresponse()
        return response.status, response.getheader("content-type"), response.read()


@pytest.fixture
def starting(neptune: NeptuneDataClient) -> NeptuneDataClient:
    """A client that soon gives up waiting."""
    return boto3.client(
        "neptunedata",
        endpoint_url=neptune.meta.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="made-up-secret",
        config=Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=1),
    )


def start(client: NeptuneDataClient) -> str:
    """Start a job; return the ID in the answer, empty if there is none."""
    return client.start_ml_model_transform_job(
        id="job-1", trainingJobName="training-1", modelTransformOutputS3Location="s3://bucket/transform"
    ).get("id", "")


def started(client: NeptuneDataClient) -> bool:
    """Start a job; return whether the client knows that it has."""
    try:
        # boto3 takes a body that is no JSON for an empty success.
        return start(client) == "job-1"
    except (ClientError, HTTPClientError, ResponseParserError):
        return False


def wait_for_requests(simulator: Simulator, count: int) -> None:
    """Wait until the simulator has got so many requests; the test's time limit bounds it."""
    while len(simulator.log) < count:
        time.sleep(0.001)


def plan(*faults: Fault) -> FaultPlan:
    made = FaultPlan()
    for fault in faults:
        made.inject(fault)
    return made


def test_a_fault_strikes_its_operations_so_many_times() -> None:
    faults = plan(Fault(THROTTLED, on=["get", "cancel"], times=2))
    assert faults.strike("list", "modeltransform") is None
    assert [
        faults.strike("get", "modeltransform"),
        faults.strike("cancel", "modeltransform"),
        faults.strike("get", "modeltransform"),
    ] == [
        Fault(THROTTLED, on=["get", "cancel"], times=2),
        Fault(THROTTLED, on=["get", "cancel"], times=2),
        None,
    ]


def test_a_fault_for_ever_lasts_until_cleared() -> None:
    faults = plan(Fault(Reset(), times=None))
    assert all(faults.strike("start", "modeltransform") for _ in range(100))
    faults.clear()
    assert faults.strike("start", "modeltransform") is None


def test_faults_strike_in_the_order_of_their_injection() -> None:
    faults = plan(Fault(Reset()), Fault(Hang(), on=["list"]), Fault(Truncated()))
    struck = [
        faults.strike("get", "modeltransform"),
        faults.strike("get", "modeltransform"),
        faults.strike("list", "modeltransform"),
        faults.strike("get", "modeltransform"),
    ]
    assert [fault.effect if fault else None for fault in struck] == [Reset(), Truncated(), Hang(), None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay_seconds": -1},
        {"late_seconds": -1, "takes_effect": True},
        {"late_seconds": 1},
        {"late_seconds": 1, "takes_effect": True, "effect": None},
        {"late_seconds": 1, "takes_effect": True, "effect": Truncated()},
    ],
)
def test_a_senseless_fault_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a time span|late_seconds needs"):
        Fault(**{"effect": Reset(), **wrong})


def test_an_error_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown error 'Nonsense'; known: BadRequestException"):
        ErrorAnswer("Nonsense")


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (RawAnswer(503), (503, "text/html; charset=utf-8", b"")),
        (RawAnswer(502, "<html>Bad Gateway</html>"), (502, "text/html; charset=utf-8", b"<html>Bad Gateway</html>")),
        (RawAnswer(500, "{}", "application/json"), (500, "application/json", b"{}")),
        (GARBAGE, (200, "application/json", b"<<< this is not JSON")),
    ],
)
def test_any_answer_can_be_put_in_the_apis_mouth(
    simulator: Simulator, effect: Effect, expected: tuple[int, str, bytes]
) -> None:
    simulator.start_job("job-1")
    simulator.inject(Fault(effect))
    assert get(simulator, "DELETE") == expected
    assert simulator.status("job-1") == "InProgress"
    assert get(simulator)[0] == 200


def test_a_lost_answer_is_not_a_lost_request(simulator: Simulator) -> None:
    simulator.start_job("job-1")
    simulator.inject(Fault(RawAnswer(500), on=["cancel"], takes_effect=True))
    assert get(simulator, "DELETE")[0] == 500
    assert simulator.status("job-1") == "Stopping"
    assert (simulator.log[0].status, simulator.log[0].job_status) == (500, "Stopping")


@pytest.mark.parametrize(("takes_effect", "status"), [(False, "InProgress"), (True, "Stopping")])
def test_a_reset_is_an_rst(simulator: Simulator, connection: socket.socket, status: str, *, takes_effect: bool) -> None:
    simulator.inject(Fault(Reset(), takes_effect=takes_effect))
    connection.sendall(DELETE)
    with pytest.raises(ConnectionResetError) as raised:
        connection.recv(1)
    assert raised.value.errno == errno.ECONNRESET
    assert simulator.status("job-1") == status
    assert (simulator.log[0].status, simulator.log[0].job_status) == (None, status)


def test_a_reset_takes_one_connection_only(simulator: Simulator, connection: socket.socket) -> None:
    connection.sendall(GET)
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    simulator.inject(Fault(Reset()))
    with pytest.raises(ConnectionResetError):
        get(simulator)
    connection.sendall(GET)
    assert b"InProgress" in connection.recv(65536)


def test_a_truncated_answer_ends_in_the_middle(simulator: Simulator) -> None:
    simulator.start_job("job-1")
    complete = get(simulator)[2]
    simulator.inject(Fault(Truncated()))
    with pytest.raises(http.client.IncompleteRead) as raised:
        get(simulator)
    assert raised.value.partial == complete[: len(complete) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(raised.value.partial)


def test_connections_break_over_https_as_well(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    with Simulator(tls=make_tls(authority)) as simulator:
        simulator.start_job("job-1")
        trust = ssl.create_default_context(cafile=authority)
        for effect, error in ((Truncated(), http.client.IncompleteRead), (Reset(), ConnectionResetError)):
            simulator.inject(Fault(effect))
            with pytest.raises(error):
                get(simulator, trust=trust)


def test_a_truncated_cancellation_takes_effect(simulator: Simulator) -> None:
    simulator.start_job("job-1")
    simulator.inject(Fault(Truncated()))
    with pytest.raises(http.client.IncompleteRead):
        get(simulator, "DELETE")
    assert simulator.status("job-1") == "Stopping"


def test_a_delay_comes_before_the_answer(simulator: Simulator) -> None:
    simulator.start_job("job-1")
    simulator.inject(Fault(delay_seconds=0.05))
    begin = time.monotonic()
    assert get(simulator)[0] == 200
    assert time.monotonic() - begin >= 0.05


def test_a_client_that_will_not_wait_has_cancelled_all_the_same(
    simulator: Simulator, connection: socket.socket
) -> None:
    simulator.inject(Fault(on=["cancel"], delay_seconds=3600))
    connection.sendall(DELETE)
    wait_for_requests(simulator, 1)
    assert (simulator.log[0].status, simulator.status("job-1")) == (None, "InProgress")
    connection.close()
    while simulator.log[0].status is None:
        time.sleep(0.001)
    assert (simulator.log[0].status, simulator.status("job-1")) == (200, "Stopping")


# --- starts, and what takes effect late ---


@pytest.mark.parametrize(("takes_effect", "running"), [(False, ()), (True, ("job-1",))])
@pytest.mark.parametrize(
    "effect",
    [Reset(), Hang(), RawAnswer(502), GARBAGE, THROTTLED],
    ids=["reset", "hang", "raw", "garbage", "throttled"],
)
def test_a_start_whose_answer_is_lost(
    simulator: Simulator, starting: NeptuneDataClient, effect: Effect, running: tuple[str, ...], *, takes_effect: bool
) -> None:
    simulator.inject(Fault(effect, on=["start"], takes_effect=takes_effect))
    assert not started(starting)
    assert simulator.running() == running
    # The second one finds the ID taken, or does what the first one did not.
    assert started(starting) != takes_effect
    assert simulator.running() == ("job-1",)


def test_a_start_whose_answer_is_cut_off_takes_effect(simulator: Simulator, starting: NeptuneDataClient) -> None:
    simulator.inject(Fault(Truncated(), on=["start"]))
    assert not started(starting)
    assert simulator.running() == ("job-1",)


def test_a_client_that_will_not_wait_has_started_a_job_all_the_same(
    simulator: Simulator, starting: NeptuneDataClient
) -> None:
    simulator.inject(Fault(on=["start"], delay_seconds=3600))
    with pytest.raises(ReadTimeoutError):
        start(starting)
    while simulator.log[0].status is None:
        time.sleep(0.001)
    assert (simulator.log[0].status, simulator.running()) == (200, ("job-1",))


@pytest.mark.parametrize("effect", [Reset(), Hang(), RawAnswer(504)], ids=lambda effect: type(effect).__name__)
def test_a_start_can_take_effect_long_after_the_client_has_given_up(
    simulator: Simulator, starting: NeptuneDataClient, clock: ManualClock, effect: Effect
) -> None:
    simulator.plan = JobPlan(run_seconds=100)
    simulator.inject(Fault(effect, on=["start"], takes_effect=True, late_seconds=30))
    assert not started(starting)
    clock.advance(29)
    assert get(simulator)[0] == 404
    assert (simulator.jobs(), simulator.running()) == ({}, ())
    assert starting.list_ml_model_transform_jobs()["ids"] == []
    clock.advance(1)
    assert starting.get_ml_model_transform_job(id="job-1")["status"] == "InProgress"
    assert simulator.running() == ("job-1",)
    assert not started(starting)
    # It runs from when it took effect, whenever somebody looks.
    clock.advance(100)
    assert simulator.jobs() == {"job-1": "Completed"}


def test_a_late_start_finds_its_id_taken(simulator: Simulator, starting: NeptuneDataClient, clock: ManualClock) -> None:
    simulator.inject(Fault(Reset(), on=["start"], takes_effect=True, late_seconds=30))
    assert not started(starting)
    assert started(starting)
    simulator.inject(Fault(Reset(), on=["start"], takes_effect=True, late_seconds=30))
    assert not started(starting)
    clock.advance(10)
    starting.cancel_ml_model_transform_job(id="job-1")
    clock.advance(60)
    assert simulator.jobs() == {"job-1": "Stopped"}


def test_jobs_are_in_the_order_of_their_starts_not_of_the_requests(
    simulator: Simulator, starting: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.inject(Fault(Reset(), on=["start"], takes_effect=True, late_seconds=30))
    assert not started(starting)
    clock.advance(1)
    simulator.start_job("job-2")
    clock.advance(29)
    assert list(simulator.jobs()) == ["job-2", "job-1"]


def test_a_cancellation_can_take_effect_late(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.start_job("job-1", stop_seconds=60)
    simulator.inject(Fault(RawAnswer(504), on=["cancel"], takes_effect=True, late_seconds=30))
    assert get(simulator, "DELETE")[0] == 504
    clock.advance(29)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "InProgress"
    clock.advance(1)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Stopping"
    clock.advance(60)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Stopped"


def test_a_cancellation_in_time_comes_before_a_late_one(simulator: Simulator, clock: ManualClock) -> None:
    simulator.start_job("job-1", stop_seconds=10)
    simulator.inject(Fault(Reset(), on=["cancel"], takes_effect=True, late_seconds=30))
    with pytest.raises(ConnectionResetError):
        get(simulator, "DELETE")
    assert json.loads(get(simulator, "DELETE")[2]) == {"status": "Stopping"}
    clock.advance(10)
    assert simulator.status("job-1") == "Stopped"


# --- the rest ---


def test_a_hanging_request_is_never_answered(simulator: Simulator, connection: socket.socket) -> None:
    simulator.inject(Fault(Hang()))
    connection.sendall(GET)
    wait_for_requests(simulator, 1)
    simulator.clear_faults()
    assert get(simulator)[0] == 200
    connection.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.recv(1)


@pytest.mark.parametrize("fault", [Fault(Hang(), times=None), Fault(times=None, delay_seconds=3600)])
def test_stopping_does_not_wait_for_hanging_requests(fault: Fault) -> None:
    with contextlib.ExitStack() as clients:
        with Simulator() as simulator:
            simulator.inject(fault)
            connections = [
                clients.enter_context(socket.create_connection(("127.0.0.1", simulator.port), timeout=10))
                for _ in range(20)
            ]
            for connection in connections:
                connection.sendall(GET)
            wait_for_requests(simulator, len(connections))
            begin = time.monotonic()
        assert time.monotonic() - begin < 5
        for connection in connections:
            assert connection.recv(1) == b""
    assert not [thread for thread in threading.enumerate() if thread.name == "neptune-ml-simulator"]


def test_a_real_client_sees_an_injected_error_once(simulator: Simulator, neptune: NeptuneDataClient) -> None:
    simulator.start_job("job-1")
    simulator.inject(Fault(THROTTLED, on=["cancel"]))
    with pytest.raises(neptune.exceptions.TooManyRequestsException):
        neptune.cancel_ml_model_transform_job(id="job-1")
    assert neptune.cancel_ml_model_transform_job(id="job-1")["status"] == "Stopping"
    assert [record.status for record in simulator.log] == [429, 200]
