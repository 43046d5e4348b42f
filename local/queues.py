"""The queues of a deployed provider in MiniStack."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.ministack import MiniStack

# How soon MiniStack stops delivering, and how long an invocation that it has already begun may take.
_NOTICE_SECONDS, _LOOK_SECONDS = 0.2, 60.0


class Depth(NamedTuple):
    """The number of messages in a queue."""

    due: int
    in_flight: int
    delayed: int


def depth(ministack: MiniStack, url: str) -> Depth:
    """Count the messages of a queue.

    Args:
        ministack: Where the queue is.
        url: The queue's URL.

    Returns:
        The number of messages that are due, in flight and delayed.
    """
    answer = ministack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: Mapping[str, str] = answer["Attributes"]  # type: ignore[assignment]
    suffixes = ("", "NotVisible", "Delayed")
    return Depth(*(int(attributes[f"ApproximateNumberOfMessages{suffix}"]) for suffix in suffixes))


@contextmanager
def held_up(ministack: MiniStack, outputs: Mapping[str, str]) -> Iterator[None]:
    """Stop the deliveries of the queue of waiting requests for a while; those under way end first.

    MiniStack needs this when a stack is deleted while a wait condition holds up its creation: there, the creation goes
    on during the deletion, and the signal that the job is stopping would also roll it back.

    Args:
        ministack: Where the provider is deployed.
        outputs: The outputs of the provider's stack.

    Raises:
        TimeoutError: An earlier delivery does not end.
    """
    functions, url = ministack.client("lambda"), outputs["WaitingQueueUrl"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=outputs["FunctionName"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        time.sleep(_NOTICE_SECONDS)
        deadline = time.monotonic() + _LOOK_SECONDS
        while depth(ministack, url).in_flight:
            if time.monotonic() > deadline:
                raise TimeoutError(f"a delivery has not ended within {_LOOK_SECONDS:g} s")
            time.sleep(_NOTICE_SECONDS)
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
