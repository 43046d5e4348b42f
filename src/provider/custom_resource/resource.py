"""CloudFormation's protocol on crhelper: one outcome for a request, in time, and nothing left behind.

crhelper gives the dispatch, exceptions turned into FAILED, the watchdog's timer and the course of the polling. What its
version 2.0.12 gets wrong is mended here; `docs/crhelper.md` lists each fault with the test that shows it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from crhelper import CfnResource

from provider.custom_resource.answer import Answer, Outcome, Undeliverable, fits, tell
from provider.custom_resource.deadline import TimeLimits
from provider.custom_resource.poll_rule import PollRule, PollRuleError
from provider.custom_resource.request import POLL_DATA_FIELD, POLL_FIELD, RequestType
from provider.lifecycle import Request, RequestFailed, StillStopping
from provider.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.request import CloudFormationRequest, ReturnAddress
    from provider.lifecycle import Done, Lifecycle
    from provider.settings import Settings

# A request that was signed longer ago may have been delivered before, to an invocation that was killed.
_FRESH_SECONDS = 60.0
_RETRY_HINT = "Delete the stack again to go on waiting."


class CleanupFailed(Exception):
    """The request was answered, but its poll rule could not be removed; another delivery of the event tries again."""


def unadopted_id(request_id: str) -> str:
    """Name a resource that adopted no job.

    Args:
        request_id: The request that failed.

    Returns:
        A physical id that no job can have, for it has a slash.
    """
    return f"no-job/{request_id}"


class JobResource(CfnResource):
    """crhelper's resource for one request; each invocation makes its own, so that a warm function keeps nothing.

    Args:
        request: What CloudFormation asks.
        address: Whom to answer.
        lifecycle: What the request means for a job.
        settings: The provider's settings.
        clock: The time.
    """

    _event: dict[str, Any]  # crhelper sets these two when it is called
    _context: LambdaContext
    _limits: TimeLimits

    def __init__(
        self,
        request: CloudFormationRequest,
        address: ReturnAddress,
        *,
        lifecycle: Lifecycle,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._initialise_crhelper()
        self._request = request
        self._address = address
        self._lifecycle = lifecycle
        self._clock = clock
        self._pauses = settings.answer_pauses
        now = clock.wall()
        signed_at = now if address.signed_at is None else address.signed_at
        self._arrived_at = request.progress.arrived_at if request.progress else min(signed_at, now)
        self._is_fresh = now - signed_at <= _FRESH_SECONDS
        self._rule = PollRule(settings.poll_rule_prefix, address.request_id, settings.region)
        self._rule_may_exist = request.progress is not None
        self._still_stopping: StillStopping | None = None
        self._handed_over = False
        self._attributes: Mapping[str, str] = {}
        self._undeliverable: Undeliverable | None = None
        self._deciding = threading.RLock()
        self.answer: Answer | None = None
        """What CloudFormation was told; `None` while a poll rule goes on."""
        self.create(self._on_create)
        self.update(self._on_update)
        self.delete(self._on_delete)
        self.poll_delete(self._on_delete)

    def _initialise_crhelper(self) -> None:
        """Set what crhelper's methods read, in place of its `__init__`, which makes three boto3 clients."""
        self._create_func = self._update_func = self._delete_func = None
        self._poll_create_func = self._poll_update_func = self._poll_delete_func = None
        self._init_failed: object = None
        self._timer: threading.Timer | None = None
        self._sam_local = None  # it would leave a polling resource without an answer
        self._send_response = False
        self._sleep_on_delete = 0
        self.NoEcho = False

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> None:
        """Fulfil the request and answer it, or hand it over to a poll rule.

        Args:
            event: What Lambda delivered.
            context: The invocation.

        Raises:
            Undeliverable: CloudFormation could not be told; Lambda is to deliver the event again.
            CleanupFailed: It was told, but the poll rule is still there; likewise.
        """
        self._limits = self._time_limits(context)
        super().__call__(event, context)
        with self._deciding:  # the watchdog may still be telling CloudFormation
            if self.answer is None:
                return
        if self._undeliverable and self._request.progress and self._clock.monotonic() < self._limits.deadline:
            raise self._undeliverable  # the rule stays: its next tick tries again
        self._clean_up()
        if self._undeliverable:
            raise self._undeliverable

    # --- what crhelper dispatches to ---------------------------------------------------------------------------------

    def _on_create(self, _event: object, _context: object) -> str:
        return self._adopted(self._lifecycle.create(self._lifecycle_request()))

    def _on_update(self, _event: object, _context: object) -> str:
        return self._adopted(self._lifecycle.update(self._lifecycle_request()))

    def _on_delete(self, _event: object, _context: object) -> str | None:
        result = self._lifecycle.delete(self._lifecycle_request(self._limits.wait_until))
        if not isinstance(result, StillStopping):
            return self._adopted(result)
        if not self._limits.has_time_for_a_tick(self._clock.monotonic()):
            waited = self._clock.wall() - self._arrived_at
            raise RequestFailed(f"{result.reason} The time for waiting is up after {waited:.0f} s. {_RETRY_HINT}")
        self._still_stopping = result
        return None

    def _lifecycle_request(self, wait_until: float = 0.0) -> Request:
        request = self._request
        return Request(
            physical_id=request.physical_resource_id,
            properties=request.properties,
            old_properties=request.old_properties,
            wait_until=wait_until,
            cancelled_at=request.progress.cancelled_at if request.progress else None,
        )

    def _adopted(self, done: Done) -> str:
        self._attributes = done.attributes
        return done.physical_id

    def _time_limits(self, context: LambdaContext) -> TimeLimits:
        return TimeLimits.of(
            self._clock,
            arrived_at=self._arrived_at,
            service_timeout=self._request.service_timeout,
            remaining=context.get_remaining_time_in_millis() / 1000,
            is_tick=self._request.progress is not None,
        )

    # --- crhelper's methods, mended ----------------------------------------------------------------------------------

    def _log_setup(self, event: object, context: object) -> None:
        """Leave logging to `observability`."""

    def _wrap_function(self, func: Callable[[Any, Any], str | None]) -> None:
        try:
            self.PhysicalResourceId = func(self._event, self._context)  # type: ignore[assignment] # None: not finished
        except RequestFailed as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation waits for an answer
            logger.exception("The provider failed")
            self._fail(f"The provider failed, which is a fault of its own: {type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        self.Status, self.Reason = Outcome.FAILED, reason

    def _set_timeout(self) -> None:
        lead = self._limits.last_word - self._clock.monotonic()
        self._timer = threading.Timer(max(0.0, lead), self._timeout)
        self._timer.daemon = True
        self._timer.start()

    def _timeout(self) -> None:
        self._send(Outcome.FAILED, f"The provider ran out of time waiting for an answer from Neptune. {self._hint()}")

    def _hint(self) -> str:
        return _RETRY_HINT if self._request.request_type is RequestType.DELETE else "Try again."

    def _poll_enabled(self) -> bool:
        return self._still_stopping is not None

    def _setup_polling(self) -> None:
        with self._deciding:
            if self.answer is not None or self._still_stopping is None:  # the watchdog was first
                return
            if self._timer:
                self._timer.cancel()
            progress = {"ArrivedAt": self._arrived_at, "CancelledAt": self._still_stopping.cancelled_at}
            poll_event = {**self._event, POLL_FIELD: True, POLL_DATA_FIELD: progress}
            self._rule_may_exist = True
            try:
                self._rule.put(self._context.invoked_function_arn, poll_event)
            except PollRuleError as error:
                self._rule_may_exist = error.may_exist
                self._fail(f"{self._still_stopping.reason} The function cannot wait on: {error} {_RETRY_HINT}")
            else:
                self._rule_may_exist = False  # it is to go on
                self._handed_over = True
                logger.info("Handed the waiting over to a poll rule", rule=self._rule.name)

    def _remove_polling(self) -> None:
        """Leave the rule until CloudFormation has its answer: a function killed in between is then ticked again."""

    def _cfn_response(self, _event: object) -> None:
        self._send()

    def _send(self, status: str | None = None, reason: str = "", send_response: object = None) -> None:
        """Tell CloudFormation the outcome, unless one has been decided before."""
        del send_response
        with self._deciding:
            if self.answer is not None or self._handed_over:
                logger.warning("The request is decided already; this outcome is ignored", outcome=status or self.Status)
                return
            self.answer = self._decide(Outcome(status or self.Status), reason or self.Reason)
            try:
                tell(self._address, self.answer, self._context.log_stream_name, self._clock, pauses=self._pauses)
            except Undeliverable as error:
                self._undeliverable = error
            except Exception as error:  # noqa: BLE001 - unheard is unheard: Lambda is to deliver the event again
                logger.exception("The answer could not be delivered")
                self._undeliverable = Undeliverable(f"The answer could not be delivered: {type(error).__name__}.")

    def _decide(self, outcome: Outcome, reason: str) -> Answer:
        if outcome is Outcome.SUCCESS:
            success = Answer(outcome, self.PhysicalResourceId, data=self._attributes)
            if fits(self._address, success):
                return success
            # Cut attributes would be wrong ones, and an adopted job would be cancelled on the rollback.
            outcome, reason = (
                Outcome.FAILED,
                "The job's id and attributes are longer than CloudFormation takes (4,096 bytes).",
            )
        physical_id = self._request.physical_resource_id or unadopted_id(self._address.request_id)
        return Answer(outcome, physical_id, reason)

    def _clean_up(self) -> None:
        may_be_repeated = self._request.request_type is RequestType.DELETE and not self._is_fresh
        if not self._rule_may_exist and not may_be_repeated:
            return
        try:
            self._rule.remove()
        except Exception as error:  # noqa: BLE001 - whatever it is, the rule is still there
            logger.error("The poll rule could not be removed", rule=self._rule.name, error=str(error))
            if self._rule_may_exist:
                raise CleanupFailed(f"The rule {self._rule.name} could not be removed: {error}") from None
