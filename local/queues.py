"""The queues of a deployed provider: how many messages they have, and how to hold them up."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.ministack import MiniStack

# How soon MiniStack notices that it is to deliver nothing, and how long a look may take that has begun before.
_NOTICE_SECONDS, _LOOK_SECONDS = 0.2, 60.0


class Depth(NamedTuple):
    """How many messages a queue has."""

    due: int
    in_flight: int
    delayed: int


def depth(ministack: MiniStack, url: str) -> Depth:
    """Count the messages of a queue.

    Args:
        ministack: Where it is.
        url: The queue.
    """
    answer = ministack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: Mapping[str, str] = answer["Attributes"]  # type: ignore[assignment]
    suffixes = ("", "NotVisible", "Delayed")
    return Depth(*(int(attributes[f"ApproximateNumberOfMessages{suffix}"]) for suffix in suffixes))


@contextmanager
def held_up(ministack: MiniStack, outputs: Mapping[str, str]) -> Iterator[None]:
    """Have the queue of waiting requests deliver nothing for a while; what it had delivered before is done first.

    A stack that is deleted while a wait condition holds up its creation needs that in MiniStack. The creation goes on
    there beside the deletion, and the signal that its job is stopping would have it rolled back, too.

    Args:
        ministack: Where the provider is deployed.
        outputs: The outputs of the provider's stack.

    Raises:
        TimeoutError: What it had delivered before does not end.
    """
    functions, url = ministack.client("lambda"), outputs["WaitingQueueUrl"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=outputs["FunctionName"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        time.sleep(_NOTICE_SECONDS)
        deadline = time.monotonic() + _LOOK_SECONDS
        while depth(ministack, url).in_flight:
            if time.monotonic() > deadline:
                raise TimeoutError(f"a look has not ended within {_LOOK_SECONDS:g} s")
            time.sleep(_NOTICE_SECONDS)
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
