"""Whatever Lambda delivers gets a decision: an answer, a place in the queue, or an exception that says why not."""

from __future__ import annotations

from typing import Any

from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st

from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import FIELD
from tests.any_order.aws import BLUE, Aws, Key, RunningJob, key_of_resource
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID, delivered

DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]

VALID: dict[str, Any] = {
    "RequestType": "Delete",
    "RequestId": "00000000-0000-4000-8000-000000000001",
    "StackId": STACK_ID,
    "ResponseURL": "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/key?X-Amz-Signature=5ec7e7",
    "ResourceType": "Custom::NeptuneMLModelTransformJob",
    "LogicalResourceId": "Job",
    "PhysicalResourceId": f"{BLUE}:8182/job-1",
    "ResourceProperties": {
        "ServiceToken": FUNCTION_ARN,
        "ServiceTimeout": "600",
        "Endpoint": BLUE,
        "Id": "job-1",
        "NeptuneIamRoleArn": "arn:aws:iam::123456789012:role/NeptuneML",
        "Clean": "true",
        "WaitForStop": "true",
    },
    "OldResourceProperties": {"Id": "job-0", "Endpoint": BLUE},
    FIELD: {"ArrivedAt": EPOCH, "Progress": {"unclear": True, "words": "no answer", "silent_since": EPOCH}},
}

texts = st.text(st.characters()) | st.sampled_from(
    ["true", "Create", "Update", "Delete", "job-1", "0", "-1", "x" * 5000]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=10,
)
GONE = object()


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event, a few of whose fields and properties are missing or hold something else."""
    event = {name: value for name, value in VALID.items() if name != FIELD or draw(st.booleans())}
    event["RequestType"] = draw(st.sampled_from(["Create", "Update", "Delete"]))
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=3)):
        event[name] = draw(json_values | st.just(GONE))
    properties = event.get("ResourceProperties")
    if isinstance(properties, dict):
        changed = dict(properties)
        for name in draw(
            st.lists(
                st.sampled_from(["Id", "Endpoint", "Clean", "CompletionHandle", "ServiceTimeout", "WaitForStop"])
                | texts,
                max_size=3,
            )
        ):
            changed[name] = draw(json_values | st.just(GONE))
        event["ResourceProperties"] = {name: value for name, value in changed.items() if value is not GONE}
    return {name: value for name, value in event.items() if value is not GONE}


@given(mutated() | json_values)
@example({**VALID, "ResourceProperties": {"Id": DEEP, "Endpoint": DEEP}})
@example({**VALID, "ResourceProperties": {**VALID["ResourceProperties"], "Clean": DEEP}})
@example({**VALID, "PhysicalResourceId": "\ud800"})
@example({**VALID, "ResourceProperties": {"\ud800": "\udfff"}, "RequestType": "Create"})
@example({**VALID, "ResourceProperties": {"x" * 1_000_000: "y" * 1_000_000}, "RequestType": "Create"})
def test_every_event_gets_a_decision(event: Any) -> None:  # noqa: ANN401
    aws = Aws(jobs={Key(BLUE, "job-1"): RunningJob(5.0), Key(BLUE, "job-2"): RunningJob(5.0)})
    try:
        told = aws.invoke(event)["Status"]
    except Unanswerable as error:
        told = f"an exception: {error}"
    note(told.partition(":")[0])
    answers = [answer for answered in aws.answered.values() for answer in answered]
    if told == "UNANSWERED" or told.startswith("an exception"):
        assert told.isprintable()
        assert told == "UNANSWERED" or event["RequestId"]
        assert answers == []
        assert aws.cancelled == []
    elif told == "PENDING":
        assert answers == []
        (message,) = aws.deliveries
        assert {**message.event, FIELD: None} == {**event, FIELD: None}
    else:
        (answer,) = answers
        assert answer.body["Status"] == told
        assert answer.body["PhysicalResourceId"]
        assert answer.body["RequestId"] == event["RequestId"]
        assert aws.deliveries == []
    if aws.cancelled:
        assert event["RequestType"] == "Delete"
        assert set(aws.cancelled) == {key_of_resource(event["PhysicalResourceId"])}


@given(mutated() | json_values)
def test_every_message_of_the_queue_gets_a_decision(event: Any) -> None:  # noqa: ANN401
    aws = Aws(jobs={Key(BLUE, "job-1"): RunningJob(5.0), Key(BLUE, "job-2"): RunningJob(5.0)})
    try:
        told = aws.invoke(delivered(event))["Status"]
    except Unanswerable:
        assert aws.calls["sqs", 0] == 1  # it comes again soon, and then goes to the failed events
        return
    assert told in ("SUCCESS", "FAILED", "PENDING")
