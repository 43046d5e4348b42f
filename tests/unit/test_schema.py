from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider import kinds, values
from provider.custom_resource.properties import SERVICE_TIMEOUT, SERVICE_TOKEN, schema_of
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.kinds.common import CLEAN, ENDPOINT, ID, NEPTUNE_IAM_ROLE_ARN, WAIT_FOR_STOP, describing
from provider.schema import InvalidProperties, Schema, shown
from provider.values import Endpoint

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/NeptuneML"
MINIMAL: dict[str, object] = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "Endpoint": CLUSTER,
    "Id": "job-1",
}
SCHEMA = schema_of(MODEL_TRANSFORM_JOB.schema)
NAMES = [row.name for row in SCHEMA.rows]


def problem(**properties: object) -> str:
    with pytest.raises(InvalidProperties) as caught:
        SCHEMA.parse({**MINIMAL, **properties})
    return str(caught.value)


def test_a_minimal_resource_has_the_documented_defaults() -> None:
    parsed = SCHEMA.parse(MINIMAL)
    assert parsed[SERVICE_TOKEN] == MINIMAL["ServiceToken"]
    assert parsed[SERVICE_TIMEOUT] == 3600
    assert parsed[ENDPOINT] == Endpoint("https", CLUSTER, 8182)
    assert parsed[ID] == "job-1"
    assert parsed[CLEAN] is False
    assert parsed[WAIT_FOR_STOP] is True


def test_a_property_without_a_default_has_no_value_unless_it_is_given() -> None:
    with pytest.raises(KeyError):
        SCHEMA.parse(MINIMAL)[NEPTUNE_IAM_ROLE_ARN]
    assert SCHEMA.parse({**MINIMAL, "NeptuneIamRoleArn": ROLE})[NEPTUNE_IAM_ROLE_ARN] == ROLE


def test_what_is_given_is_taken() -> None:
    parsed = SCHEMA.parse({**MINIMAL, "Clean": "true", "WaitForStop": "false", "ServiceTimeout": "0060"})
    assert (parsed[CLEAN], parsed[WAIT_FOR_STOP], parsed[SERVICE_TIMEOUT]) == (True, False, 60)


def test_null_is_as_good_as_nothing() -> None:
    parsed = SCHEMA.parse({**MINIMAL, "Clean": None, "WaitForStop": None, "NeptuneIamRoleArn": None})
    assert (parsed[CLEAN], parsed[WAIT_FOR_STOP]) == (False, True)
    assert problem(Id=None) == NO_JOB_MEANT


def test_parsed_properties_and_rows_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SCHEMA.parse(MINIMAL).values = {}  # type: ignore[misc]
    with pytest.raises(AttributeError):
        CLEAN.default = True  # type: ignore[misc]


NO_JOB_MEANT = (
    "Specify Id to adopt an existing job, or ModelTransformOutputS3Location with DataProcessingJobId "
    "and MlModelTrainingJobId, or with TrainingJobName, for a new one."
)
STARTED = {
    **{name: value for name, value in MINIMAL.items() if name != "Id"},
    "ModelTransformOutputS3Location": "s3://bucket/folder",
    "TrainingJobName": "movies",
}


def test_a_description_is_what_the_start_carries_besides_the_id_and_the_role() -> None:
    parsed = SCHEMA.parse(
        {
            **STARTED,
            "NeptuneIamRoleArn": ROLE,
            "BaseProcessingInstanceVolumeSizeInGB": "030",
            "Subnets": ["subnet-1", "subnet-2"],
            "CustomModelTransformParameters": {"SourceS3DirectoryPath": "s3://bucket/code"},
        }
    )
    described = {
        "modelTransformOutputS3Location": "s3://bucket/folder",
        "trainingJobName": "movies",
        "baseProcessingInstanceVolumeSizeInGB": 30,
        "subnets": ("subnet-1", "subnet-2"),
        "customModelTransformParameters": {"sourceS3DirectoryPath": "s3://bucket/code"},
    }
    assert parsed.description == described


ONE, OTHER = describing("One", values.STRING, ""), describing("Other", values.STRING, "")
OF_ANOTHER_NOUN = Schema("Custom::Thing", (ID, ONE, OTHER), ID, ((ONE,), (OTHER,)), thing="endpoint")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {},
            "Specify Id to adopt an existing endpoint, or One, or Other, for a new one.",
        ),
        (
            {"Id": "it", "One": "1"},
            "Id adopts an existing endpoint and cannot be combined with properties of a new one (One); remove one or "
            "the other.",
        ),
    ],
)
def test_messages_have_the_noun_and_what_it_requires(properties: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidProperties) as caught:
        OF_ANOTHER_NOUN.parse(properties)
    assert str(caught.value) == message


def test_a_third_property_alone_describes_nothing() -> None:
    third = describing("Third", values.STRING, "")
    schema = OF_ANOTHER_NOUN._replace(rows=(*OF_ANOTHER_NOUN.rows, third))
    with pytest.raises(InvalidProperties) as caught:
        schema.parse({"Third": "3"})
    assert str(caught.value) == "A new endpoint requires One, or Other."


def test_a_resource_that_adopts_describes_no_job() -> None:
    assert SCHEMA.parse(MINIMAL).description == {}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"Id": "job-1"},
            "Id adopts an existing job and cannot be combined with properties of a new one "
            "(ModelTransformOutputS3Location and TrainingJobName); remove one or the other.",
        ),
        ({"TrainingJobName": None, "ModelTransformOutputS3Location": None}, NO_JOB_MEANT),
        (
            {"ModelTransformOutputS3Location": None},
            "ModelTransformOutputS3Location is missing; a new job requires it.",
        ),
        (
            {"TrainingJobName": None},
            "A new job requires DataProcessingJobId and MlModelTrainingJobId, or TrainingJobName.",
        ),
        (
            {"TrainingJobName": None, "DataProcessingJobId": "d"},
            "MlModelTrainingJobId is missing; specify it together with DataProcessingJobId.",
        ),
        (
            {"DataProcessingJobId": "d"},
            "MlModelTrainingJobId is missing; specify it together with DataProcessingJobId.",
        ),
        (
            {"TrainingJobName": None, "MlModelTrainingJobId": "t"},
            "DataProcessingJobId is missing; specify it together with MlModelTrainingJobId.",
        ),
        (
            {"CustomModelTransformParameters": {"SourceS3Directory": "s3://bucket/code"}},
            "'SourceS3Directory' is not a property of CustomModelTransformParameters; did you mean "
            "SourceS3DirectoryPath?",
        ),
        (
            {"CustomModelTransformParameters": {"SourceS3DirectoryPath": "folder"}},
            "CustomModelTransformParameters.SourceS3DirectoryPath is 'folder'; it should be an S3 location, such as "
            "s3://bucket/folder.",
        ),
        (
            {"CustomModelTransformParameters": {"TransformEntryPointScript": "x.py"}},
            "CustomModelTransformParameters.SourceS3DirectoryPath is missing; CustomModelTransformParameters requires "
            "it.",
        ),
        ({"CustomModelTransformParameters": "x"}, "CustomModelTransformParameters is 'x'; it should be a map."),
        (
            {"Subnets": "subnet-1"},
            "Subnets is 'subnet-1'; it should be a list of one or more non-empty strings.",
        ),
        (
            {"Subnets": ["subnet-1", ""]},
            "Subnets is a list; it should be a list of one or more non-empty strings.",
        ),
        (
            {"Subnets": ["subnet-1", 1]},
            "Subnets is a list; it should be a list of one or more non-empty strings.",
        ),
        (
            {"BaseProcessingInstanceVolumeSizeInGB": "1.5"},
            "BaseProcessingInstanceVolumeSizeInGB is '1.5'; it should be a whole number from 0 to 2147483647.",
        ),
    ],
)
def test_what_is_wrong_with_a_description_is_told(properties: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidProperties) as caught:
        SCHEMA.parse({**STARTED, **properties})
    assert str(caught.value) == message


def test_required_properties_are_required_in_the_order_of_the_reference() -> None:
    with pytest.raises(InvalidProperties) as caught:
        SCHEMA.parse({})
    assert (
        str(caught.value)
        == " ".join(
            f"{name} is missing; Custom::NeptuneMLModelTransformJob requires it."
            for name in ("ServiceToken", "Endpoint")
        )
        + f" {NO_JOB_MEANT}"
    )


def test_a_wrong_value_is_shown_with_what_it_should_be() -> None:
    assert problem(Clean="yes") == "Clean is 'yes'; it should be true or false."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Clen", "Clean"),
        ("clean", "Clean"),
        ("JobId", "Id"),
        ("waitForStop", "WaitForStop"),
        ("neptuneIamRoleArn", "NeptuneIamRoleArn"),
        ("EndPoint", "Endpoint"),
    ],
)
def test_a_mistyped_property_is_refused_with_the_nearest_name(written: str, meant: str) -> None:
    assert problem(**{written: "true"}) == (
        f"'{written}' is not a property of Custom::NeptuneMLModelTransformJob; did you mean {meant}?"
    )


def test_an_unknown_property_without_a_near_name_is_refused_with_all_names() -> None:
    names = ", ".join(row.name for row in SCHEMA.rows)
    assert problem(Zzzz="1") == f"'Zzzz' is not a property of Custom::NeptuneMLModelTransformJob; it has {names}."


def test_all_problems_are_told_at_once() -> None:
    message = problem(Clean="perhaps", Id="a b", Clen="x")
    assert "'Clen' is not a property" in message
    assert "Clean is 'perhaps'" in message
    assert "Id is 'a b'" in message


def test_a_delete_needs_only_what_the_cancellation_takes() -> None:
    broken = {"Endpoint": 5, "Id": [], "ServiceToken": 5, "ServiceTimeout": "x", "Other": "y", "Clean": "TRUE"}
    parsed = SCHEMA.parse({**broken, "NeptuneIamRoleArn": ROLE}, for_delete=True)
    assert dict(parsed.values) == {CLEAN: True, WAIT_FOR_STOP: True, NEPTUNE_IAM_ROLE_ARN: ROLE}
    assert dict(SCHEMA.parse({}, for_delete=True).values) == {CLEAN: False, WAIT_FOR_STOP: True}


def test_a_delete_does_not_guess_what_it_needs() -> None:
    with pytest.raises(InvalidProperties, match="Clean is 'perhaps'"):
        SCHEMA.parse({"Clean": "perhaps"}, for_delete=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("job-1", "'job-1'"),
        ("a\nb", r"'a\nb'"),
        ("a\u202eb", r"'a\u202eb'"),
        ("\ud800", r"'\ud800'"),
        ("größe", "'größe'"),
        ("x" * 78, f"'{'x' * 78}'"),
        ("x" * 79, f"'{'x' * 79}...'"),
        ({"Ref": "Job"}, "a map"),
        (["a"], "a list"),
        (5, "5"),
        (None, "None"),
        (10**200, "1" + "0" * 79),
    ],
    ids=lambda value: ascii(value)[-84:],
)
def test_a_value_is_shown_short_and_without_hidden_characters(value: object, text: str) -> None:
    assert shown(value) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), json_values), st.booleans())
def test_whatever_is_sent_is_parsed_or_refused_in_short_words(raw: dict[str, Any], is_delete: bool) -> None:  # noqa: FBT001
    parsed, refusal = None, ""
    try:
        parsed = SCHEMA.parse(raw, for_delete=is_delete)
    except InvalidProperties as error:
        refusal = str(error)
    if parsed is None:
        assert 0 < len(refusal.encode()) < 1000 * (len(raw) + 3)
    elif not is_delete:
        assert bool(parsed.description) is (raw.get("Id") is None)
        assert parsed.description or parsed[ID] == raw["Id"]


@given(st.text(min_size=1, max_size=3000))
def test_a_text_is_shown_in_one_short_line_that_can_be_sent(text: str) -> None:
    written = shown(text)
    assert len(written) <= 84
    assert written.encode()
    assert "\n" not in written


def test_an_endpoint_has_an_instance_at_least() -> None:
    properties = {"Endpoint": "localhost", "MlModelTrainingJobId": "job-1", "InstanceCount": "0"}
    with pytest.raises(InvalidProperties) as caught:
        kinds.ENDPOINT.schema.parse(properties)
    assert str(caught.value) == "InstanceCount is '0'; it should be a whole number from 1 to 2147483647."
    assert kinds.ENDPOINT.schema.parse({**properties, "InstanceCount": "1"}).in_place["instanceCount"] == 1
