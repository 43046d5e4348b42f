"""What is had from crhelper: that a request is dispatched, and watched meanwhile."""

from __future__ import annotations

import threading

from provider.custom_resource.on_crhelper import Dispatch

EVENT = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId", "ResponseURL", "PhysicalResourceId"), "x")


def test_the_watchdog_comes_while_a_request_is_being_fulfilled() -> None:
    expired = threading.Event()
    responses: list[str | None] = []

    def wait(*_: object) -> None:
        assert expired.wait(10)

    dispatch = Dispatch(
        create=wait, update=wait, delete=wait, respond=responses.append, expire=expired.set, seconds=-1.0
    )
    dispatch({**EVENT, "RequestType": "Create"}, None)
    assert responses == [None]
