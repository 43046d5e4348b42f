"""What is had from crhelper: that a request is dispatched, and watched meanwhile."""

from __future__ import annotations

import threading

from provider.custom_resource.on_crhelper import Dispatch

EVENT = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId", "ResponseURL", "PhysicalResourceId"), "x")


def test_the_watchdog_comes_while_a_request_is_being_fulfilled() -> None:
    expired = threading.Event()
    responses: list[str] = []

    def wait(*_: object) -> None:
        assert expired.wait(10)

    dispatch = Dispatch(
        create=wait, update=wait, delete=wait, respond=responses.append, expire=expired.set, seconds=-1.0
    )
    dispatch({**EVENT, "RequestType": "Create"}, None)
    assert responses == [""]


def test_the_reason_of_what_the_provider_raises_is_responded() -> None:
    responses: list[str] = []

    def fail(*_: object) -> None:
        raise ValueError("why it failed")

    dispatch = Dispatch(
        create=fail, update=fail, delete=fail, respond=responses.append, expire=lambda: None, seconds=60.0
    )
    dispatch({**EVENT, "RequestType": "Create"}, None)
    assert responses == ["why it failed"]


def test_a_watchdog_that_has_come_is_over_when_the_request_is() -> None:
    """What it logs and counts is of this request, not of the next one of a warm function."""
    expired, released = threading.Event(), threading.Event()

    def expire() -> None:
        expired.set()
        assert released.wait(10)

    def fulfil(*_: object) -> None:
        assert expired.wait(10)

    dispatch = Dispatch(
        create=fulfil, update=fulfil, delete=fulfil, respond=lambda _: None, expire=expire, seconds=-1.0
    )
    invocation = threading.Thread(target=dispatch, args=({**EVENT, "RequestType": "Create"}, None))
    invocation.start()
    assert expired.wait(10)
    invocation.join(0.2)
    is_over_too_soon = not invocation.is_alive()
    released.set()
    invocation.join(10)
    assert not is_over_too_soon
    assert not invocation.is_alive()


def test_an_interpreter_that_ends_does_not_wait_for_the_watchdog() -> None:
    def nothing(*_: object) -> None: ...

    dispatch = Dispatch(
        create=nothing, update=nothing, delete=nothing, respond=nothing, expire=threading.Event().set, seconds=3600.0
    )
    before = set(threading.enumerate())
    dispatch._set_timeout()
    (watchdog,) = set(threading.enumerate()) - before
    try:
        assert watchdog.daemon
    finally:
        dispatch._watchdog.cancel()
        watchdog.join(10)
