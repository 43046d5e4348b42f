"""The deployed provider's queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import queues
from tests.e2e.provider import SLACK_SECONDS, wait_until

if TYPE_CHECKING:
    from tests.e2e.provider import Provider

# For so long an invocation takes looks by itself.
LOOKS_SECONDS = 2.5
# Then the queue delivers a message, in MiniStack up to a second late, when a tenth of the wait is over, and a second.
QUEUE_SECONDS = 3.0
STOP_SECONDS = 12.0
# After a look that failed the message comes again; in place of a minute, which a unit test holds.
AGAIN_SECONDS = 8
# Of a short ServiceTimeout, what is kept back for the answer; in place of a tenth, which a unit test holds.
ANSWER_SHARE = 0.5

WAITING, FAILED = "WaitingQueueUrl", "FailedEventsQueueUrl"


def depth(provider: Provider, queue: str = WAITING) -> queues.Depth:
    return queues.depth(provider.ministack, provider.outputs[queue])


def assert_nothing_waits(provider: Provider) -> None:
    # A message is deleted when its invocation has ended, a moment after the answer.
    wait_until(lambda: depth(provider) == (0, 0, 0), SLACK_SECONDS, "an empty queue")


def assert_queues_are_empty(provider: Provider) -> None:
    """What one test leaves must not finish the next one."""
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)
