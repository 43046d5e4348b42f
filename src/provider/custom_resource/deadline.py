"""The time limits of one invocation: CloudFormation's for the request, Lambda's for the function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider.custom_resource.poll_rule import INTERVAL_SECONDS

if TYPE_CHECKING:
    from provider.clock import Clock

# Of an invocation, kept back for handing the rest over to a poll rule, and for saying so if that fails.
_HANDOVER_SECONDS, _HANDOVER_SHARE = 120.0, 0.25
# Of an invocation, kept back for the watchdog to answer when something hangs.
_LAST_WORD_SECONDS, _LAST_WORD_SHARE = 15.0, 0.1
# Before the watchdog's, for a last look at the job: it knows more to say.
_LAST_LOOK_SECONDS, _LAST_LOOK_SHARE = 5.0, 0.1
# Of CloudFormation's time limit, kept back for the answer to arrive; the watchdog leaves half of it.
_ANSWER_SECONDS, _ANSWER_SHARE = 45.0, 0.1
# A poll rule's first tick comes within its interval, or a little later.
_FIRST_TICK_SECONDS = INTERVAL_SECONDS + 15.0


@dataclass(frozen=True)
class TimeLimits:
    """The time limits of one invocation, all in seconds of `Clock.monotonic`.

    Attributes:
        deadline: When a request that is not decided yet is to fail.
        handover: When what is not decided yet is to be handed over to a poll rule.
        last_word: When the watchdog answers for a call that hangs.
        wait_until: Until when the invocation may wait for a job to stop.
    """

    deadline: float
    handover: float
    last_word: float
    wait_until: float

    @classmethod
    def of(
        cls, clock: Clock, *, arrived_at: float, service_timeout: float, remaining: float, is_tick: bool
    ) -> TimeLimits:
        """Compute the limits.

        Args:
            clock: The time.
            arrived_at: When the request arrived, seconds of `Clock.wall`.
            service_timeout: CloudFormation's time limit for the request, in seconds.
            remaining: What the function has left, in seconds.
            is_tick: Whether a poll rule invoked the function: its next tick does the waiting, if one comes in time.

        Returns:
            The limits.
        """
        now = clock.monotonic()
        left = arrived_at + service_timeout - clock.wall()
        kept = min(_ANSWER_SECONDS, service_timeout * _ANSWER_SHARE)
        deadline = now + left - kept
        handover = now + remaining - min(_HANDOVER_SECONDS, remaining * _HANDOVER_SHARE)
        last_word = now + remaining - min(_LAST_WORD_SECONDS, remaining * _LAST_WORD_SHARE)
        last_look = last_word - min(_LAST_LOOK_SECONDS, remaining * _LAST_LOOK_SHARE)
        if left > kept:  # of a late event, only the invocation's limit is left
            last_word = min(last_word, deadline + kept / 2)
        if is_tick and deadline - now >= _FIRST_TICK_SECONDS:
            wait_until = now
        elif deadline - handover < _FIRST_TICK_SECONDS:  # a rule would tick too late: the invocation waits to its end
            wait_until = min(deadline, last_look)
        else:
            wait_until = handover
        return cls(deadline, handover, last_word, wait_until)

    def has_time_for_a_tick(self, now: float) -> bool:
        """Tell whether a poll rule would tick before the deadline.

        Args:
            now: Seconds of `Clock.monotonic`.

        Returns:
            Whether a tick comes in time.
        """
        return self.deadline - now >= _FIRST_TICK_SECONDS
