"""The two time limits: CloudFormation's for the request, and Lambda's for the invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from provider.clock import Clock

# The part of CloudFormation's time limit that is reserved for the response; the watchdog leaves half of it.
_ANSWER_SECONDS, _ANSWER_SHARE = 30.0, 0.1
# The part of an invocation that is reserved for a last look, at a Neptune that may hang, and for the response.
_LAST_LOOK_SECONDS, _LAST_LOOK_SHARE = 60.0, 0.2
# The part of an invocation that is reserved for the watchdog's response when something hangs.
_LAST_WORD_SECONDS, _LAST_WORD_SHARE = 15.0, 0.1


class TimeLimits(NamedTuple):
    """The time limits of one invocation, all in seconds of `Clock.monotonic`.

    Attributes:
        arrived_at: When the request arrived.
        deadline: When an undecided request fails.
        last_look: Until when this invocation may wait by itself.
        last_word: When the watchdog responds because a call hangs.
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
            remaining: The function's remaining time, in seconds.

        Returns:
            The limits.
        """
        now = clock.monotonic()
        arrived = now - (clock.wall() - arrived_at)
        kept = min(_ANSWER_SECONDS, service_timeout * _ANSWER_SHARE)
        deadline = arrived + service_timeout - kept
        last_look = now + remaining - min(_LAST_LOOK_SECONDS, remaining * _LAST_LOOK_SHARE)
        last_word = now + remaining - min(_LAST_WORD_SECONDS, remaining * _LAST_WORD_SHARE)
        if deadline + kept / 2 > now:  # for a late event, only the invocation's limit is left
            last_word = min(last_word, deadline + kept / 2)
        return cls(arrived, deadline, min(deadline, last_look), last_word)
