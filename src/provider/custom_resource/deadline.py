"""The two time limits: CloudFormation's for the request, Lambda's for the invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from provider.clock import Clock

# Of CloudFormation's time limit, kept back for the answer to arrive; the watchdog leaves half of it.
_ANSWER_SECONDS, _ANSWER_SHARE = 30.0, 0.1
# Of an invocation, kept back for a last look at a Neptune that hangs, and for the answer.
_LAST_LOOK_SECONDS, _LAST_LOOK_SHARE = 60.0, 0.2
# Of an invocation, kept back for the watchdog to answer when something hangs.
_LAST_WORD_SECONDS, _LAST_WORD_SHARE = 15.0, 0.1


class TimeLimits(NamedTuple):
    """The time limits of one invocation, all in seconds of `Clock.monotonic`.

    Attributes:
        arrived_at: When the request arrived.
        deadline: When a request that is not decided yet is to fail.
        last_look: Until when this invocation may wait by itself.
        last_word: When the watchdog answers for a call that hangs.
    """

    arrived_at: float
    deadline: float
    last_look: float
    last_word: float

    @classmethod
    def of(cls, clock: Clock, *, arrived_at: float, service_timeout: float, remaining: float) -> TimeLimits:
        """Compute the limits.

        Args:
            clock: The time.
            arrived_at: When the request arrived, seconds of `Clock.wall`.
            service_timeout: CloudFormation's time limit for the request, in seconds.
            remaining: What the function has left, in seconds.

        Returns:
            The limits.
        """
        now = clock.monotonic()
        arrived = now - (clock.wall() - arrived_at)
        kept = min(_ANSWER_SECONDS, service_timeout * _ANSWER_SHARE)
        deadline = arrived + service_timeout - kept
        last_look = now + remaining - min(_LAST_LOOK_SECONDS, remaining * _LAST_LOOK_SHARE)
        last_word = now + remaining - min(_LAST_WORD_SECONDS, remaining * _LAST_WORD_SHARE)
        if deadline + kept / 2 > now:  # of a late event, only the invocation's limit is left
            last_word = min(last_word, deadline + kept / 2)
        return cls(arrived, deadline, min(deadline, last_look), last_word)
