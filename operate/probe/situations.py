"""The situations to play, and the questions that each of them answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.stacks import NotSettled
from operate.probe import judgement
from operate.probe.judgement import Finding, firsts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from operate.probe.stage import Stage

_FAILED: Final = {"Answer": "FAILED"}
_OLD: Final = {"a": "those from before it", "b": "those of the failed one"}


def findings(stage: Stage) -> Iterator[tuple[str, Finding]]:
    """Play all situations, one after the other; yields each question with the finding."""
    for questions, play in SITUATIONS.items():
        try:
            found = play(stage)
        except (NotSettled, ClientError, BotoCoreError) as error:
            found = dict.fromkeys(questions, Finding("", str(error).splitlines()[0]))
        yield from found.items()
    yield "signing-times", judgement.signing_times(stage.requests())


def _failed_update(stage: Stage) -> dict[str, Finding]:
    stack = stage.stack("failed-update")
    stage.do(stack, "create_stack", resources={"A": stage.resource("a")})
    stage.do(stack, "update_stack", resources={"A": stage.resource("b", Update={**_FAILED, "Id": "A-b"})})
    stage.do(stack, "delete_stack")
    return {"failed-update-id": judgement.failed_update(stage.requests(stack))}


def _failed_rollback(stage: Stage) -> dict[str, Finding]:
    stack = stage.stack("rollback")
    stage.do(stack, "create_stack", resources={"A": stage.resource("a", Update=_FAILED)})
    stage.do(stack, "update_stack", resources={"A": stage.resource("b", Update=_FAILED)})
    with stage.calmed():
        stage.do(stack, "continue_update_rollback")
    stage.do(stack, "delete_stack")
    requests = stage.requests(stack)
    return {
        "rollback-old": judgement.old_properties(requests, 1, _OLD),
        "continued-rollback-old": judgement.old_properties(requests, 2, {**_OLD, "a": "those of the rollback"}),
    }


def _update_without_rollback(stage: Stage) -> dict[str, Finding]:
    stack = stage.stack("update-failed")
    stage.do(stack, "create_stack", resources={"A": stage.resource("a")})
    for mark, update in (("b", _FAILED), ("c", {})):
        stage.do(stack, "update_stack", resources={"A": stage.resource(mark, Update=update)}, DisableRollback=True)
    stage.do(stack, "delete_stack")
    return {"update-failed-old": judgement.old_properties(stage.requests(stack), 1, _OLD)}


def _cancelled_update(stage: Stage) -> dict[str, Finding]:
    stack, slow = stage.stack("cancelled"), {"Seconds": 3 * stage.unit}
    stage.do(stack, "create_stack", resources={name: stage.resource("a") for name in "AB"})
    resources = {"A": stage.resource("b", Update=slow), "B": stage.resource("b", needs="A")}
    stage.do(stack, "update_stack", resources=resources, settles=False)
    stage.wait(lambda: firsts(stage.requests(stack), "A", "Update"), 30)
    stage.do(stack, "cancel_update_stack")
    stage.do(stack, "delete_stack")
    return {"cancelled-old": judgement.old_properties(stage.requests(stack), 1, _OLD)}


def _failed_clean_up(stage: Stage) -> dict[str, Finding]:
    stack, fails = stage.stack("clean-up"), {**_FAILED, "Seconds": stage.unit / 2}
    stage.do(stack, "create_stack", resources={name: stage.resource("a", Delete=fails) for name in "AB"})
    resources = {name: stage.resource("b", Update={"Id": f"{name}-b"}) for name in "AB"}
    stage.do(stack, "update_stack", resources=resources)
    before = stage.requests(stack)
    stage.do(stack, "delete_stack")
    return judgement.clean_up(before, [it for it in stage.requests(stack) if it not in before])


def _failed_creation(stage: Stage) -> dict[str, Finding]:
    stack = stage.stack("failed-create")
    resources = {
        "Fails": stage.resource("a", Create={**_FAILED, "Seconds": stage.unit}),
        "Slow": stage.resource("a", Create={"Seconds": 5 * stage.unit}),
        "Unheard": stage.resource("a", timeout=12, Create={"Answer": "NONE"}),
    }
    stage.do(stack, "create_stack", resources=resources)
    for create in firsts(stage.requests(stack), "Unheard", "Create"):  # Lambda delivers it again after a minute
        stage.wait(lambda: sum(it.id == create.id for it in stage.requests(stack)) > 1, 15)  # noqa: B023 - called here
    stage.do(stack, "delete_stack")
    return judgement.failed_creation(stage.requests(stack))


def _import(stage: Stage) -> dict[str, Finding]:
    stack, resource = stage.stack("import"), stage.resource("a")
    names = {"StackName": stack.name, "ChangeSetName": "import"}
    to_import = {"ResourceType": resource["Type"], "LogicalResourceId": "A", "ResourceIdentifier": {"Id": "imported"}}
    template = json.dumps({"Resources": {"A": {**resource, "DeletionPolicy": "Delete"}}})
    try:
        stage.call(
            "create_change_set", **names, ChangeSetType="IMPORT", ResourcesToImport=[to_import], TemplateBody=template
        )
    except ClientError as error:
        return {"import": _refusal(error)}
    change = _settled(stage, "describe_change_set", "Status", **names)
    if change["Status"] != "CREATE_COMPLETE":
        return {"import": Finding("refused", change.get("StatusReason", ""))}
    stack.id = change["StackId"]
    stage.do(stack, "execute_change_set", ChangeSetName="import")
    stage.do(stack, "delete_stack")
    return {"import": judgement.moved(stage.requests(stack), "imported")}


def _refactoring(stage: Stage) -> dict[str, Finding]:
    source, target = stage.stack("refactored-from"), stage.stack("refactored-to")
    resources = {name: stage.resource("a") for name in "AB"}
    stage.do(source, "create_stack", resources=resources)
    before, stacks = stage.requests(source), ((source, "B"), (target, "A"))
    definitions = [
        {"StackName": stack.name, "TemplateBody": json.dumps({"Resources": {name: resources[name]}})}
        for stack, name in stacks
    ]
    try:
        answer = stage.call("create_stack_refactor", StackDefinitions=definitions, EnableStackCreation=True)
    except ClientError as error:
        return {"refactoring": _refusal(error)}
    refactor = {"StackRefactorId": answer["StackRefactorId"]}
    it = _settled(stage, "describe_stack_refactor", "Status", **refactor)
    if it["Status"] == "CREATE_COMPLETE":
        stage.call("execute_stack_refactor", **refactor)
        it = _settled(stage, "describe_stack_refactor", "ExecutionStatus", **refactor)
    if it.get("ExecutionStatus") != "EXECUTE_COMPLETE":
        return {"refactoring": Finding("refused", it.get("ExecutionStatusReason") or it.get("StatusReason", ""))}
    target.is_there()  # learns the stack's ID, which its events need after its deletion
    for stack, _ in reversed(stacks):
        stage.do(stack, "delete_stack")
    later = [it for it in stage.requests(source, target) if it not in before]
    return {"refactoring": judgement.moved(later, "moved")}


def _settled(stage: Stage, operation: str, field: str, **parameters: str) -> Any:  # noqa: ANN401 - boto3's
    """Poll an operation until it is over."""
    stage.wait(lambda: stage.call(operation, **parameters)[field].endswith(("_COMPLETE", "FAILED")), 30)
    return stage.call(operation, **parameters)


def _refusal(error: ClientError) -> Finding:
    """Count an error as a refusal, unless it is about permissions or an unknown call."""
    return Finding("refused" if error.response["Error"]["Code"] == "ValidationError" else "", str(error))


SITUATIONS: Final[Mapping[tuple[str, ...], Callable[[Stage], Mapping[str, Finding]]]] = {
    ("failed-update-id",): _failed_update,
    ("rollback-old", "continued-rollback-old"): _failed_rollback,
    ("update-failed-old",): _update_without_rollback,
    ("cancelled-old",): _cancelled_update,
    ("clean-up-at-once", "clean-up-attempts"): _failed_clean_up,
    ("failed-create-id", "outstanding-id", "outstanding-delete", "unheard-delete"): _failed_creation,
    ("import",): _import,
    ("refactoring",): _refactoring,
}
"""The situations by the questions that they answer; the questions are in `docs/cloudformation.md`."""
