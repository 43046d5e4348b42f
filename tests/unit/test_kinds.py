"""Every kind's rows against botocore's model of the Neptune Data API: what AWS adds or renames shows here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name

from provider.kinds import ENDPOINT, KINDS
from provider.kinds.kind import CANCEL, GET, START, Call, Kind
from provider.neptune import READ_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from botocore.model import OperationModel, Shape

    from provider.schema import Property

SERVICE = botocore.session.get_session().get_service_model("neptunedata")
OPERATIONS = {xform_name(name): SERVICE.operation_model(name) for name in SERVICE.operation_names}

# What CloudFormation has for a JSON type.
TYPES = {
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "list": "Array of String",
    "structure": "Map",
}
# AWS names the action of a look-up for what it looks up. Service Authorization Reference, Amazon Neptune.
ENDINGS = {START: "", GET: "Status", CANCEL: ""}

# The service model's text names other actions than Neptune's user guide ("Data-access actions") and the Service
# Authorization Reference, which IAM goes by.
UNDOCUMENTED = {"Custom::NeptuneMLDataProcessingJob": {START}}

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource_type)


def calls(kind: Kind) -> list[Call]:
    return [kind.start, kind.get, kind.cancel]


def operation(call: Call) -> OperationModel:
    return OPERATIONS[call.method]


def members(shape: Shape | None) -> dict[str, Shape]:
    return dict(getattr(shape, "members", {}))


def at(shape: Shape | None, path: tuple[str, ...]) -> Shape | None:
    for name in path:
        shape = members(getattr(shape, "member", shape)).get(name)
    return shape


@every_kind
def test_each_call_is_a_method_of_the_client_and_called_what_rows_call_it(kind: Kind) -> None:
    assert [call.name for call in calls(kind)] == [START, GET, CANCEL]
    assert {call.method for call in calls(kind)} <= set(OPERATIONS)
    assert set(READ_SECONDS) == {call.name for call in calls(kind)}


@every_kind
def test_each_call_needs_the_iam_action_that_the_service_model_names(kind: Kind) -> None:
    for call in calls(kind):
        assert call.action == f"neptune-db:{operation(call).name}{ENDINGS[call.name]}"
        if call.name not in UNDOCUMENTED.get(kind.resource_type, ()):
            assert f"{call.action}</a> IAM action" in operation(call).documentation


@every_kind
def test_each_call_carries_what_aws_takes_and_nothing_else(kind: Kind) -> None:
    problems: list[str] = []
    for call in calls(kind):
        carried = [row for row in kind.properties if call.name in row.calls]
        known = members(operation(call).input_shape)
        if call is kind.start and kind.update:
            del known[kind.update]
        problems += differences(f"{operation(call).name}: ", carried, known)
    assert not problems, "\n".join(
        [f"{kind.noun.replace(' ', '_')}.py in src/provider/kinds (then: make docs, CHANGELOG.md):", *problems]
    )


def differences(where: str, rows: Iterable[Property[Any]], known: Mapping[str, Shape]) -> Iterator[str]:
    """How rows differ from what boto3 knows, and what to do about it."""
    ours = {row.parameter: row for row in rows}
    yield from (
        f"{where}boto3 does not know `{ours[name].name}`: AWS has to add it first"
        for name in ours.keys() - known.keys()
    )
    yield from (f"{where}boto3 knows `{name}`: add a row for it" for name in known.keys() - ours.keys())
    for name in ours.keys() & known.keys():
        row, shape = ours[name], known[name]
        if row.type.name != TYPES[shape.type_name]:
            yield f"{where}`{row.name}` should be of the type {TYPES[shape.type_name]}"
        if row.members:
            yield from differences(f"{where}{row.name}: ", row.members, members(shape))
            required = {it.parameter for it in row.members if it.required}
            if required != set(getattr(shape, "required_members", ())):
                yield f"{where}{row.name}: boto3 requires other members"


@every_kind
def test_a_job_that_is_to_be_started_requires_what_aws_requires(kind: Kind) -> None:
    shape = operation(kind.start).input_shape
    assert shape is not None
    assert {row.parameter for row in kind.properties if row.describes and row.required} == set(shape.required_members)
    assert all(row.describes for group in kind.either for row in group)


@every_kind
def test_what_only_the_start_carries_describes_the_job(kind: Kind) -> None:
    describing = [row for row in kind.properties if row.describes]
    assert describing == [row for row in kind.properties if row.calls == {START}]
    assert {row.update for row in describing} == (
        {"Replacement", "No interruption"} if kind.update else {"Replacement"}
    )


@every_kind
def test_a_row_names_a_parameter_if_calls_carry_it_and_only_calls_that_there_are(kind: Kind) -> None:
    for row in kind.properties:
        assert bool(row.parameter) is bool(row.calls), row.name
        assert row.calls <= {call.name for call in calls(kind)}, row.name
        if row.parameter:
            assert row.name == row.parameter[0].upper() + row.parameter[1:]


@every_kind
def test_what_a_cancellation_carries_besides_the_identity_is_needed_to_delete(kind: Kind) -> None:
    needed = {row.name for row in kind.properties if row.needed_to_delete and row.parameter}
    assert needed == {row.name for row in kind.properties if CANCEL in row.calls} - {"Id"}


@every_kind
def test_what_getatt_returns_is_a_text_of_the_answer(kind: Kind) -> None:
    output = operation(kind.get).output_shape
    assert at(output, ("status",)) is not None
    of_attributes = [path for attribute in kind.attributes for path in attribute.paths]
    for path in [*of_attributes, *kind.arns, *kind.failure_reasons, *kind.log_urls]:
        found = at(output, path)
        assert found is not None, path
        assert found.type_name == "string"
    assert at(operation(kind.cancel).output_shape, ("status",)) is not None


@every_kind
def test_every_arn_of_the_answer_shows_a_change(kind: Kind) -> None:
    output = operation(kind.get).output_shape
    assert set(kind.arns) == {(name, "arn") for name, shape in members(output).items() if "arn" in members(shape)}


@every_kind
def test_a_status_means_the_same_in_any_letter_case(kind: Kind) -> None:
    assert tuple((it, kind.meaning_of(it.upper())) for it, _ in kind.statuses) == kind.statuses
    assert kind.meaning_of("Unheard") is None


def test_every_status_of_a_sagemaker_endpoint_means_something() -> None:
    described = botocore.session.get_session().get_service_model("sagemaker").shape_for("EndpointStatus")
    assert {it for it, _ in ENDPOINT.statuses} == set(described.metadata["enum"])


@every_kind
def test_names_are_names_of_cloudformation_and_occur_once(kind: Kind) -> None:
    for names in ([row.name for row in kind.properties], [it.name for it in kind.attributes] + ["Id", "Status"]):
        assert len(set(names)) == len(names)
        assert all(name.isalnum() and name[0].isupper() for name in names)
    assert kind.resource_type.startswith("Custom::")


@every_kind
def test_identity_is_required_and_every_default_is_of_its_type(kind: Kind) -> None:
    assert [row.name for row in kind.properties if row.required and not row.describes] == ["Endpoint"]
    assert kind.adopts in kind.properties
    in_place = {row.name for row in kind.properties if row.describes and kind.update} - {"VolumeEncryptionKMSKey"}
    replacing = {"Endpoint", "Id"} | {row.name for row in kind.properties if row.describes} - in_place
    for row in kind.properties:
        if row.default is not None:
            assert row.type.parse(str(row.default)) == row.default
        assert row.update == ("Replacement" if row.name in replacing else "No interruption")
