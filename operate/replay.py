"""`make replay`: replays the events that the function could not finish; run it with `python -m operate.replay`.

An event stays in the failed-events queue until Lambda has accepted it. Exit code: 0 if every event was replayed or
there was none, 1 if one could not be replayed.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operate import account, command, provider_stack
from provider.custom_resource.waiting import OWED, Owed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Long polling asks all of the queue's servers; short polling can miss messages.
_RECEIVE_SECONDS = 5
# How long an event that stays in the queue is hidden from the next run.
_HIDDEN_SECONDS = 60
_BATCH = 10


class NoEvent(ValueError):
    """A message does not contain an event that can be replayed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the events of the queue; returns the exit code."""
    parser = command.parser("replay", "Replay the events that the function could not finish.")
    return command.run(parser, arguments, lambda options: _replay(options.stack))


def _replay(name: str) -> int:
    here = account.find()
    stack = provider_stack.find(here, name)
    print(here, flush=True)
    sqs, functions = here.session.client("sqs"), here.session.client("lambda")
    queue, function = stack.outputs["FailedEventsQueueUrl"], stack.outputs["FunctionName"]
    replayed = left = skipped = 0
    done: set[tuple[object, ...]] = set()
    for message in _messages(sqs, queue):
        try:
            event = event_in(message["Body"])
            identity = _identity(event)
            if identity in done:  # a duplicate, or it has already failed again
                skipped += 1
                print(f"Skipped and left in the queue: {_about(event)}. It has just been replayed.", flush=True)
                continue
            if OWED in event:  # the function accepts it only from the queue
                sqs.send_message(QueueUrl=stack.outputs["WaitingQueueUrl"], MessageBody=json.dumps(event))
            else:
                functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
        except (NoEvent, ClientError, BotoCoreError) as error:
            left += 1
            print(f"Left in the queue: {error}", flush=True)
            continue
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        done.add(identity)
        replayed += 1
        print(f"Replayed: {_about(event)}", flush=True)
    if replayed:
        print(f"{_count(replayed)} replayed. To see the outcome: make logs STACK={stack.name}")
        print("An event that fails again returns to the queue some minutes later.")
    if skipped:
        print(f"{_count(skipped)} skipped. If the queue is not empty in some minutes, replay again.")
    if left:
        print(f"{_count(left)} could not be replayed and left in the queue {queue}")
        return 1
    if not replayed:
        print("The failed-events queue is empty: there is nothing to replay.")
    return 0


def _messages(sqs: SQSClient, queue: str) -> Iterator[MessageTypeDef]:
    """Receive each message in the queue once."""
    seen: set[str] = set()
    while True:
        messages = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=_RECEIVE_SECONDS,
            VisibilityTimeout=_HIDDEN_SECONDS,
        ).get("Messages", [])
        news = [it for it in messages if it["MessageId"] not in seen]
        if not news:
            return
        seen |= {it["MessageId"] for it in news}
        yield from news


def event_in(body: str) -> dict[str, Any]:
    """Find the event in a message; raises `NoEvent` if there is none.

    The message is either Lambda's record of an event from CloudFormation (in `requestPayload`, perhaps in the envelope
    of Amazon SNS), or a message from the waiting queue, which is itself the event: a request that waited, or a job to
    cancel.
    """
    try:
        record = json.loads(body)
    except ValueError as error:
        raise NoEvent(f"the message is not JSON: {_cut(body)}") from error
    event = record.get("requestPayload", record) if isinstance(record, dict) else None
    match event:
        case {"Records": [{"Sns": {"Message": str(text)}}]}:
            return event_in(text)
    if not isinstance(event, dict) or event.keys().isdisjoint(("RequestId", OWED)):
        raise NoEvent(f"the message contains no request from CloudFormation: {_cut(body)}")
    return event


def _identity(event: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what two events have in common if replaying one of them is enough."""
    if OWED in event:
        try:
            owed = Owed.from_json(event)
        except ValueError as error:
            raise NoEvent(f"the message's {OWED} is not valid") from error
        return owed.resource, owed.identity
    # A request may have two events: its own, and one that follows its job after it was answered.
    return str(event.get("RequestId")), _follows(event)


def _about(event: Mapping[str, Any]) -> str:
    if OWED in event:
        return f"the cancellation of {event[OWED]['Job']}"
    stack = str(event.get("StackId", "")).split("/")
    name = stack[1] if len(stack) > 1 else "an unknown stack"
    if _follows(event):
        waited = ", whose CompletionHandle waits for the job's end"
    else:
        waited = ", which has waited for its job" if "Waiting" in event else ""
    return f"{event.get('RequestType', 'request')} of {event.get('LogicalResourceId', 'a resource')} in {name}{waited}"


def _follows(event: Mapping[str, Any]) -> bool:
    """Tell whether an event's request was answered, and only the end of its job is still awaited."""
    waiting = event.get("Waiting")
    return isinstance(waiting, dict) and "Follows" in waiting


def _count(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


def _cut(text: str) -> str:
    longest = 100  # and never a pre-signed URL, which the message may contain
    return f"{text[:longest].partition('http')[0]!r}"


if __name__ == "__main__":
    sys.exit(main())
