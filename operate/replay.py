"""`make replay`: the events that the function could not finish, once more; run it with `python -m operate.replay`.

Each event leaves the queue of failed events when Lambda has taken it, not before. Exit code: 0 if every event was
replayed, or there was none; 1 if one could not be.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operate import account, command, provider_stack
from provider.custom_resource.waiting import OWED, Owed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# A queue of few messages answers from some of its servers only, unless it is given time.
_RECEIVE_SECONDS = 5
# Until an event that is left in the queue can be received again.
_HIDDEN_SECONDS = 60
_BATCH = 10


class NoEvent(ValueError):
    """A message holds no event that CloudFormation has sent."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the events of the queue.

    Args:
        arguments: The command line, without the program's name; `None`: this process's.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    return command.run(lambda: _replay(options.stack))


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
            if identity in done:  # it came twice, or has failed again already
                skipped += 1
                print(f"Skipped, and left in the queue: {_about(event)}. It has just been replayed.", flush=True)
                continue
            if OWED in event:  # which the function takes from the queue alone
                sqs.send_message(QueueUrl=stack.outputs["WaitingQueueUrl"], MessageBody=json.dumps(event))
            else:
                _invoke(functions, function, event)
        except (NoEvent, ClientError, BotoCoreError) as error:
            left += 1
            print(f"Left in the queue: {error}", flush=True)
            continue
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        done.add(identity)
        replayed += 1
        print(f"Replayed: {_about(event)}", flush=True)
    if replayed:
        print(f"{_count(replayed)} replayed. What becomes of them: make logs STACK={stack.name}")
        print("An event that cannot be finished this time, either, comes back to the queue some minutes later.")
    if skipped:
        print(f"{_count(skipped)} skipped. If the queue still has any in some minutes, replay it again.")
    if left:
        print(f"{_count(left)} could not be replayed, and stay in the queue {queue}")
        return 1
    if not replayed:
        print("The queue of failed events is empty: there is nothing to replay.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operate.replay",
        description="Replay the events that the function could not finish.",
        allow_abbrev=False,
    )
    parser.add_argument("--stack", default=provider_stack.DEFAULT_NAME, help="the provider's stack (%(default)s)")
    return parser


def _messages(sqs: SQSClient, queue: str) -> Iterator[MessageTypeDef]:
    """Receive the messages of the queue, each once."""
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
    """Find the event in a message of the queue.

    Args:
        body: The message: Lambda's record of an event that CloudFormation sent (in `requestPayload`; in the envelope
            of Amazon SNS, if it came by way of that); or a message of the waiting queue, which is the event itself: a
            request that waited, or a job that is to be cancelled.

    Returns:
        The event.

    Raises:
        NoEvent: There is none.
    """
    try:
        record = json.loads(body)
    except ValueError as error:
        raise NoEvent(f"the message is no JSON: {_cut(body)}") from error
    event = record.get("requestPayload", record) if isinstance(record, dict) else None
    match event:
        case {"Records": [{"Sns": {"Message": str(text)}}]}:
            return event_in(text)
    if not isinstance(event, dict) or event.keys().isdisjoint(("RequestId", OWED)):
        raise NoEvent(f"the message holds no request of CloudFormation: {_cut(body)}")
    return event


def _identity(event: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what is the same in two events of which one is enough."""
    if OWED in event:
        try:
            owed = Owed.from_json(event)
        except ValueError as error:
            raise NoEvent(f"the message's {OWED} is not what the provider puts into its queue") from error
        return owed.resource, owed.identity
    # A request may have an event of its own, and one of following its job after it was answered.
    return str(event.get("RequestId")), _follows(event)


def _invoke(functions: LambdaClient, function: str, event: Mapping[str, Any]) -> None:
    functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())


def _about(event: Mapping[str, Any]) -> str:
    if OWED in event:
        return f"the cancelling of {event[OWED]['Job']}"
    stack = str(event.get("StackId", "")).split("/")
    name = stack[1] if len(stack) > 1 else "an unknown stack"
    if _follows(event):
        waited = ", whose CompletionHandle waits for the job's end"
    else:
        waited = ", which has waited for its job" if "Waiting" in event else ""
    return f"{event.get('RequestType', 'request')} of {event.get('LogicalResourceId', 'a resource')} in {name}{waited}"


def _follows(event: Mapping[str, Any]) -> bool:
    """Tell whether an event's request is answered, and only its job's end is still looked for."""
    waiting = event.get("Waiting")
    return isinstance(waiting, dict) and "Follows" in waiting


def _count(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


def _cut(text: str) -> str:
    longest = 100  # and never as far as a pre-signed URL, which such a message may hold
    return f"{text[:longest].partition('http')[0]!r}"


if __name__ == "__main__":
    sys.exit(main())
