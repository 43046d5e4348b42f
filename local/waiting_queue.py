"""The queue in which a deployed provider's requests wait, while nothing is to come out of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.ministack import MiniStack

# How soon MiniStack notices that it is to deliver nothing.
_NOTICE_SECONDS = 0.2


@contextmanager
def held_up(ministack: MiniStack, outputs: Mapping[str, str]) -> Iterator[None]:
    """Have the queue deliver nothing for a while; what it had delivered before is done first.

    A stack that is deleted while a wait condition holds up its creation needs that in MiniStack. The creation goes on
    there beside the deletion, and the signal that its job is stopping would have it rolled back, too.

    Args:
        ministack: Where the provider is deployed.
        outputs: The outputs of the provider's stack.
    """
    functions = ministack.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=outputs["FunctionName"])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        time.sleep(_NOTICE_SECONDS)
        while _in_flight(ministack, outputs):
            time.sleep(_NOTICE_SECONDS)
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def _in_flight(ministack: MiniStack, outputs: Mapping[str, str]) -> int:
    answer = ministack.client("sqs").get_queue_attributes(
        QueueUrl=outputs["WaitingQueueUrl"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])
