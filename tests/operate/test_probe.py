"""What a probe makes of what CloudFormation has sent, and what its report tells."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stacks import NotSettled, StackEvent
from operate.account import Account
from operate.probe import judgement, recorder
from operate.probe.judgement import Finding, Request
from operate.probe.report import PAGE, assumptions, differs, report
from operate.probe.situations import SITUATIONS
from operate.probe.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ASSUMED = assumptions(PAGE.read_text())
OLD = {"a": "those from before it", "b": "those of the failed one"}
FAILED = {"answer": "FAILED"}
_numbers = count(1)


def sent(at: float, resource: str, request_type: str, physical_id: str = "", **fields: Any) -> Request:  # noqa: ANN401
    defaults: dict[str, Any] = {
        "id": f"request-{next(_numbers)}",
        "mark": "a",
        "old_mark": "",
        "signed": f"20260101T0000{int(at):02}Z",
        "answer": "SUCCESS",
        "names": physical_id or f"{resource}-a",
        "seconds": 0.0,
    }
    return Request(
        at=1767225600.5 + at,
        stack="stack",
        resource=resource,
        type=request_type,
        physical_id=physical_id,
        **{**defaults, **fields},
    )


CREATED = sent(0, "A", "Create")
ROLLED_BACK = (
    CREATED,
    sent(10, "A", "Update", "A-a", mark="b", old_mark="a", **FAILED),
    sent(20, "A", "Update", "A-a", old_mark="b", **FAILED),
    sent(30, "A", "Update", "A-a", old_mark="b"),
)
CLEANED_UP = (
    *(sent(10, name, "Delete", f"{name}-a", seconds=5, **FAILED) for name in "AB"),
    *(sent(at, name, "Delete", f"{name}-a", seconds=5, **FAILED) for at in (20, 30) for name in "AB"),
)
OF_STACK = [sent(40, name, "Delete", f"{name}-b", mark="b") for name in "AB"]
UNHEARD = sent(0, "Unheard", "Create", answer="NONE")
OUTSTANDING = (
    sent(0, "Fails", "Create", seconds=10, **FAILED),
    sent(0, "Slow", "Create", seconds=50),
    UNHEARD,
    sent(11, "Fails", "Delete", "Fails-a"),
    sent(12, "Slow", "Delete", "stack-Slow-1N2K5RF3Q0J6K"),
    sent(13, "Unheard", "Delete", "stack-Unheard-1N2K5RF3Q0J6K"),
    UNHEARD._replace(at=UNHEARD.at + 60),
)


def failed_update_then(*later: Request) -> Finding:
    return judgement.failed_update(
        [CREATED, sent(10, "A", "Update", "A-a", mark="b", names="A-b", old_mark="a", **FAILED), *later]
    )


def found_as_assumed() -> dict[str, Finding]:
    return {
        "failed-update-id": failed_update_then(sent(20, "A", "Update", "A-a"), sent(30, "A", "Delete", "A-a")),
        "rollback-old": judgement.old_properties(ROLLED_BACK, 1, OLD),
        "continued-rollback-old": judgement.old_properties(ROLLED_BACK, 2, OLD),
        "update-failed-old": judgement.old_properties(ROLLED_BACK, 1, OLD),
        "cancelled-old": judgement.old_properties(ROLLED_BACK, 1, OLD),
        **judgement.clean_up(CLEANED_UP, OF_STACK),
        **judgement.failed_creation(OUTSTANDING),
        "signing-times": judgement.signing_times(ROLLED_BACK),
        "import": Finding("refused", "An error occurred"),
        "refactoring": Finding("refused", "An error occurred"),
    }


def test_the_page_has_every_question_that_is_tried() -> None:
    asked = [*(name for names in SITUATIONS for name in names), "signing-times"]

    assert sorted(ASSUMED) == sorted(asked)


def test_a_cloudformation_as_it_is_assumed_differs_in_nothing() -> None:
    found = found_as_assumed()

    assert {name: it.verdict(found[name]) for name, it in ASSUMED.items()} == dict.fromkeys(ASSUMED, "as assumed")
    assert not differs(ASSUMED, found)


@pytest.mark.parametrize(
    ("later", "answer"),
    [
        ([sent(20, "A", "Update", "A-b", old_mark="b")], "the one that it named"),
        ([sent(20, "A", "Delete", "A-b", mark="b"), sent(30, "A", "Delete", "A-a")], "the one that it named"),
        ([sent(30, "A", "Delete", "A-a")], "the one before"),
    ],
)
def test_the_id_of_a_failed_update_is_told_by_whatever_comes_next(later: Sequence[Request], answer: str) -> None:
    assert failed_update_then(*later).answer == answer


def test_old_properties_from_before_differ_and_so_does_an_update_that_does_not_come() -> None:
    before = ROLLED_BACK[2]._replace(old_mark="a")

    assert judgement.old_properties([*ROLLED_BACK[:2], before], 1, OLD).answer == "those from before it"
    assert judgement.old_properties(ROLLED_BACK[:2], 1, OLD).answer == "no such Update"


@pytest.mark.parametrize(
    ("requests", "of_stack", "at_once", "attempts"),
    [
        (CLEANED_UP, OF_STACK, "at once", "attempts: 3, then forgotten"),
        (CLEANED_UP[:2], OF_STACK, "at once", "attempts: 1, then forgotten"),
        (
            [CLEANED_UP[0], CLEANED_UP[3]],
            [sent(39, "A", "Delete", "A-a"), *OF_STACK],
            "one after the other",
            "attempts: 1, then with the stack",
        ),
    ],
)
def test_a_clean_up_is_told_by_its_attempts(
    requests: Sequence[Request], of_stack: Sequence[Request], at_once: str, attempts: str
) -> None:
    found = judgement.clean_up(requests, of_stack)

    assert (found["clean-up-at-once"].answer, found["clean-up-attempts"].answer) == (at_once, attempts)


def test_what_did_not_come_to_be_could_not_be_tried() -> None:
    found = {
        "failed-update-id": judgement.failed_update([CREATED]),
        "continued-rollback-old": judgement.old_properties(ROLLED_BACK[:2], 2, OLD),
        **judgement.clean_up((), OF_STACK),
        **judgement.failed_creation(()),
    }

    assert {name for name, it in found.items() if it.answer} == set()


def answers(requests: Sequence[Request]) -> Mapping[str, str]:
    return {name: it.answer for name, it in judgement.failed_creation(requests).items()}


def test_a_delete_that_waits_for_what_is_outstanding_comes_after_it() -> None:
    waited = (
        *OUTSTANDING[:4],
        OUTSTANDING[-1],
        sent(51, "Slow", "Delete", "Slow-a"),
        sent(120, "Unheard", "Delete", "invented", signed=""),
    )

    assert answers(waited) == {
        "failed-create-id": "that of its response",
        "outstanding-id": "that of its response",
        "outstanding-delete": "after its response",
        "unheard-delete": "after its retry",
    }


def test_no_delete_after_a_failed_creation_differs() -> None:
    found = judgement.failed_creation([it for it in OUTSTANDING if it.type == "Create"])

    assert {ASSUMED[name].verdict(it) for name, it in found.items()} == {"**DIFFERENT**"}


def test_a_creation_that_was_not_outstanding_or_not_delivered_again_could_not_be_tried() -> None:
    late = [it._replace(at=it.at + 20) if it.type == "Create" and it.resource != "Fails" else it for it in OUTSTANDING]

    assert answers(late) == {
        "failed-create-id": "that of its response",
        "outstanding-id": "",
        "outstanding-delete": "",
        "unheard-delete": "",
    }
    assert answers(OUTSTANDING[:-1])["unheard-delete"] == ""


@pytest.mark.parametrize(
    ("signed", "answer"),
    [
        (["20260101T000000Z", "20260101T000001Z"], "later each time"),
        (["20260101T000000Z", "20260101T000000Z"], "sometimes the same"),
        (["20260101T000002Z", "20260101T000001Z"], "sometimes earlier"),
        (["", ""], ""),
    ],
)
def test_signing_times_are_compared_from_one_request_to_the_next(signed: Sequence[str], answer: str) -> None:
    first, second = (sent(at, "A", "Update", "A-a", signed=it) for at, it in zip((3, 5), signed, strict=True))
    again = first._replace(at=second.at + 60)

    assert judgement.signing_times([first, second, again]).answer == answer


def test_what_a_moved_resource_is_sent_differs_from_a_refusal() -> None:
    found = judgement.moved([sent(20, "A", "Update", "A-a"), sent(30, "A", "Delete", "A-a")], "moved")

    assert found == Finding("moved, and sent Update", "Deletes after that: A-a from stack")
    assert ASSUMED["refactoring"].verdict(found) == "**DIFFERENT**"


# --- the report -------------------------------------------------------------------------------------------------------


def text_of(found: Mapping[str, Finding], end: str = "") -> str:
    return report(ASSUMED, found, ROLLED_BACK, about="Region us-east-1", end=end)


def test_the_report_says_what_could_not_be_tried_and_takes_it_for_no_agreement() -> None:
    found = {**found_as_assumed(), "import": Finding("", "AccessDenied for arn:aws:iam::123456789012:user/me")}
    del found["refactoring"]
    text = text_of(found, "The probe was interrupted.")

    assert text.startswith("## Probe of CloudFormation: 12 as assumed, 0 DIFFERENT, 2 not tried")
    assert "| not tried | What happens when a custom resource is imported" in text
    assert "could not be tried: AccessDenied for arn:aws:iam::[account]:user/me" in text
    assert "could not be tried: the probe ended earlier" in text
    assert "**The probe was interrupted.**" in text


def test_the_report_names_what_differs_and_what_rests_on_it() -> None:
    found = {**found_as_assumed(), "rollback-old": Finding("those from before it", "marked a")}

    assert differs(ASSUMED, found)
    (row,) = [line for line in text_of(found).splitlines() if line.startswith("| **DIFFERENT** |")]
    assert row.endswith("| those from before it: marked a | `those of the failed one` | entry.py |")


def test_the_report_shows_what_was_sent() -> None:
    line = "   10.0 s  stack A Update of A-a: properties b (before: a), signed 20260101T000010Z, "

    assert f"{line}answered FAILED after 0 s, as A-a" in text_of({})


def test_the_recording_function_keeps_the_time_of_the_url_and_not_the_url() -> None:
    event = {
        "RequestType": "Create",
        "RequestId": "1",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/uuid",
        "ResponseURL": "https://bucket.example/1?X-Amz-Date=20260101T000000Z&X-Amz-Signature=5ec7e7",
        "LogicalResourceId": "A",
        "ResourceProperties": {"Mark": "a", "Play": {"Create": {"Answer": "FAILED", "Id": "A-x"}}},
    }
    with (
        mock.patch("boto3.client") as client,
        mock.patch.object(recorder, "urlopen") as urlopen,
        mock.patch.dict("os.environ", {"QUEUE": "queue"}),
    ):
        recorder.handler(event, None)

    body = client.return_value.send_message.call_args.kwargs["MessageBody"]
    (request,) = urlopen.call_args.args
    assert Request(**json.loads(body)).signed == "20260101T000000Z"
    assert "5ec7e7" not in body
    assert "123456789012" not in body
    assert (request.full_url, request.method) == (event["ResponseURL"], "PUT")
    assert json.loads(request.data)["PhysicalResourceId"] == "A-x"


# --- the end ----------------------------------------------------------------------------------------------------------


class OneStack:
    """A stack whose deletion is answered as it is said: an event of a resource that cannot be deleted, or an error."""

    def __init__(self, *outcomes: StackEvent | ClientError, name: str = "stack") -> None:
        self.name = name
        self.outcomes = [*outcomes]
        self.asked: list[dict[str, object]] = []
        self.events: list[StackEvent] = []
        self.is_gone = False

    def is_there(self) -> bool:
        return not self.is_gone

    def ask(self, _operation: str, **parameters: object) -> None:
        self.asked.append(parameters)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        self.events = [outcome] if isinstance(outcome, StackEvent) else []
        if isinstance(outcome, ClientError):
            raise outcome

    def settle(self, _seconds: float) -> str:
        self.is_gone = not self.events
        return "DELETE_FAILED" if self.events else "DELETE_COMPLETE"

    def operation_events(self) -> list[StackEvent]:
        return self.events


def stage() -> Stage:
    return Stage(Account("123456789012", "us-east-1", "arn", boto3.Session(region_name="us-east-1")), "probe", 0.01)


def removed(*outcomes: StackEvent | ClientError) -> list[dict[str, object]]:
    stack = OneStack(*outcomes)
    stage()._remove(stack)  # type: ignore[arg-type] # quacks like it
    return stack.asked


def not_deleted(resource_type: str) -> StackEvent:
    return StackEvent(0, "A", resource_type, "DELETE_FAILED", "because")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DeleteStack")


def test_a_stack_in_the_middle_of_something_is_deleted_after_that() -> None:
    assert removed(refusal("ValidationError"), refusal("ValidationError")) == [{}, {}, {}]


def test_a_resource_of_the_recording_functions_that_cannot_be_deleted_is_retained() -> None:
    assert removed(not_deleted("Custom::Probe")) == [{}, {"RetainResources": ["A"]}]


def test_nothing_else_is_let_go_of() -> None:
    with pytest.raises(NotSettled, match="A is DELETE_FAILED: because"):
        removed(not_deleted("AWS::IAM::Role"))
    with pytest.raises(ClientError):
        removed(refusal("AccessDenied"))


def test_one_stack_that_is_left_behind_leaves_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    probe, recorder_stack = stage(), OneStack(name="probe")
    first, stuck, last = OneStack(name="first"), OneStack(refusal("AccessDenied"), name="stuck"), OneStack(name="last")
    probe._recorder, probe._stacks = recorder_stack, [first, stuck, last]  # type: ignore[assignment,list-item]

    assert not probe.tear_down()

    assert (first.is_gone, stuck.is_gone, last.is_gone) == (True, False, True)
    assert not recorder_stack.asked  # it has to answer for the one that is left
    said = capsys.readouterr().out
    assert said.count("delete-stack") == 2
    assert said.index("--stack-name stuck") < said.index("--stack-name probe")
