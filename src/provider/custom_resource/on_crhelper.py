"""CloudFormation's protocol on crhelper.

crhelper provides the dispatch, turns exceptions into FAILED, and runs the watchdog's timer. This class avoids what
crhelper 2.0.12 gets wrong; `docs/crhelper.md` lists each fault with the test that shows it. No other file uses
crhelper's private names.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from crhelper import FAILED, CfnResource

if TYPE_CHECKING:
    from collections.abc import Callable


class Dispatch(CfnResource):
    """crhelper's resource for one request. Each invocation makes its own, so a warm function keeps no state.

    Args:
        create: Fulfils a Create. As crhelper's decorators require, it takes an event and a context, and returns the
            physical ID, or raises an exception whose message is the reason.
        update: Fulfils an Update, likewise.
        delete: Fulfils a Delete, likewise.
        respond: Called when one of them has ended, with the reason if it failed, or else an empty string.
        expire: Called by the watchdog's thread when the time is over.
        seconds: The time until then, in seconds.
    """

    # crhelper's __init__ would set these, and would also make three boto3 clients.
    _poll_create_func = _poll_update_func = _poll_delete_func = None
    _init_failed = _timer = None
    _sleep_on_delete = 0

    def __init__(
        self,
        *,
        create: Callable[[object, object], str | None],
        update: Callable[[object, object], str | None],
        delete: Callable[[object, object], str | None],
        respond: Callable[[str], None],
        expire: Callable[[], None],
        seconds: float,
    ) -> None:
        self.create(create)
        self.update(update)
        self.delete(delete)
        self._respond = respond
        self._watchdog = threading.Timer(max(0.0, seconds), expire)
        self._watchdog.daemon = True

    def __call__(self, event: object, context: object) -> None:
        """Fulfil the request.

        This also waits for the watchdog, so that its log lines and metrics do not become those of the next request.
        """
        super().__call__(event, context)
        if self._watchdog.is_alive():
            self._watchdog.join()

    def _log_setup(self, _event: object, _context: object) -> None:
        """Leave logging to `observability`."""

    def _set_timeout(self) -> None:
        self._timer = self._watchdog
        self._timer.start()

    def _send(self, status: str | None = None, reason: str = "", _send_response: object = None) -> None:
        self._respond(reason or self.Reason if FAILED in (status, self.Status) else "")
