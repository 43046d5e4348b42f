"""Whatever Lambda delivers gets a decision: an answer, a poll rule, or a line that says why there is none."""

from __future__ import annotations

from typing import Any

from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st

from tests.any_order.aws import CLUSTER, Aws, Job
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]

VALID: dict[str, Any] = {
    "RequestType": "Delete",
    "RequestId": "00000000-0000-4000-8000-000000000001",
    "StackId": STACK_ID,
    "ResponseURL": "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=5ec7e7",
    "ResourceType": "Custom::NeptuneMLModelTransformJob",
    "LogicalResourceId": "Job",
    "PhysicalResourceId": "job-1",
    "ResourceProperties": {
        "ServiceToken": FUNCTION_ARN,
        "ServiceTimeout": "600",
        "Endpoint": CLUSTER,
        "Id": "job-1",
        "NeptuneIamRoleArn": "arn:aws:iam::123456789012:role/NeptuneML",
        "Clean": "true",
        "WaitForStop": "true",
    },
    "OldResourceProperties": {"Id": "job-0", "Endpoint": CLUSTER},
    "CrHelperPoll": True,
    "CrHelperData": {"ArrivedAt": EPOCH, "CancelledAt": None},
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
    event = {name: value for name, value in VALID.items() if not name.startswith("CrHelper") or draw(st.booleans())}
    event["RequestType"] = draw(st.sampled_from(["Create", "Update", "Delete"]))
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=3)):
        event[name] = draw(json_values | st.just(GONE))
    properties = event.get("ResourceProperties")
    if isinstance(properties, dict):
        changed = dict(properties)
        for name in draw(
            st.lists(st.sampled_from(["Id", "Endpoint", "Clean", "ServiceTimeout", "WaitForStop"]) | texts, max_size=3)
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
    aws = Aws(jobs={"job-1": Job(5.0), "job-2": Job(5.0)})
    told = aws.invoke(event)
    note(told["Status"])
    answers = [answer for answered in aws.answered.values() for answer in answered]
    if told["Status"] == "UNANSWERED":
        assert answers == []
        assert aws.cancelled == []
        assert told["Reason"].isprintable()
    elif told["Status"] == "PENDING":
        assert answers == []
        assert len(aws.rules) == 1 or "CrHelperPoll" in event  # a forged tick has no rule
    else:
        (answer,) = answers
        assert answer.body["Status"] == told["Status"]
        assert answer.body["PhysicalResourceId"]
        assert answer.body["RequestId"] == event["RequestId"]
        assert aws.rules == {}
    if aws.cancelled:
        assert event["RequestType"] == "Delete"
        assert set(aws.cancelled) == {event["PhysicalResourceId"]} == {event["ResourceProperties"]["Id"]}
