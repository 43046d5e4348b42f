"""What was seen of Neptune beside what the simulator plays; here another simulator is what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from operate import cluster
from operate.cluster import NOT_ASKED, Told
from operate.seen import Log, Operation, Seen, log_of
from operate.simulated import Beside, beside
from provider.kinds import KINDS
from simulator.kinds import KIND_NAMES
from tests.operate.test_acceptance import STACK, said
from tests.operate.test_trial import TestCluster, trial

if TYPE_CHECKING:
    from provider.kinds.kind import Kind
    from simulator import Simulator
    from simulator.kinds import KindName

HERE = TestCluster.HERE
ADOPTING = trial(job="movies")
NO_SUCH_JOB = "MLResourceNotFoundException, HTTP 404"


def seen(*, running: Told = NOT_ASKED, unknown: Told = NOT_ASKED, log: Log | None = None) -> Seen:
    return Seen(Operation("", ()), running=running, unknown=unknown, log=log or Log())


@pytest.mark.parametrize(("kind", "name"), list(zip(KINDS, KIND_NAMES, strict=True)), ids=KIND_NAMES)
def test_a_cluster_that_is_as_the_simulator_plays_it_differs_in_nothing(
    simulator: Simulator, kind: Kind, name: KindName
) -> None:
    simulator.of(name).start_job("movies")
    tried = trial(endpoint=simulator.url, job="movies", resource_type=kind.resource_type)
    running, unknown = (cluster.ask(HERE, tried, job) for job in ("movies", "other"))

    rows = beside(tried, seen(running=running, unknown=unknown))

    assert [it.what for it in rows] == [
        "status",
        "error for a job that does not exist",
        f"fields of the response when {running.status}",
    ]
    assert all(it.seen and it.is_same for it in rows)
    assert "id, " in rows[-1].seen
    assert ".arn" in rows[-1].seen


def test_a_proxy_of_the_operators_is_not_asked_for_what_is_reached_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    (row,) = beside(ADOPTING, seen(unknown=Told("", error=NO_SUCH_JOB)))

    assert row.is_same


def test_what_the_simulator_does_not_play_is_different() -> None:
    running = Told("Halting", fields=("id", "status"))
    log = log_of([said(1, "Not yet", error="Neptune at [cluster] refused the request: no (NewException)")], STACK)
    rows = beside(ADOPTING, seen(running=running, unknown=Told("", error="Code, HTTP 400"), log=log))

    assert rows == [
        Beside("status", "Halting", ""),
        Beside("error for a job that does not exist", "Code, HTTP 400", NO_SUCH_JOB),
        Beside("error in the function's log", "NewException", ""),
        Beside("fields of the response when Halting", "id, status", ""),
    ]
    assert not any(it.is_same for it in rows)


def test_other_fields_at_a_status_that_is_played_are_different() -> None:
    (*_, row) = beside(ADOPTING, seen(running=Told("InProgress", fields=("id", "progress", "status"))))

    assert row.seen == "id, progress, status"
    assert row.played
    assert not row.is_same


def test_words_of_the_provider_are_no_statuses_and_errors_that_are_played_are_the_same() -> None:
    log = log_of(
        [
            said(1, "The job has ended", status="NotFound"),
            said(2, "Asking again", error="Neptune at [cluster] responded with 500: no (ThrottlingException)"),
        ],
        STACK,
    )
    gone = replace(seen(log=log), ended=Told(cluster.GONE, error=NO_SUCH_JOB))

    assert [(it.what, it.is_same) for it in beside(ADOPTING, gone)] == [
        ("error for a job that does not exist", False),
        ("error in the function's log", True),
    ]


@pytest.mark.parametrize("unknown", [NOT_ASKED, Told("", error="AccessDeniedException, HTTP 403")])
def test_a_cluster_that_cannot_be_asked_has_not_shown_its_error(unknown: Told) -> None:
    assert beside(ADOPTING, seen(unknown=unknown)) == [Beside("error for a job that does not exist", "", NO_SUCH_JOB)]
