from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provider import values
from provider.values import Endpoint

if TYPE_CHECKING:
    from provider.values import ValueType

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/NeptuneML"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:provider"


def problem(kind: ValueType[Any], value: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        kind.parse(value)
    return str(caught.value)


# --- booleans and numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "tRuE", True], ids=repr)
def test_true_is_taken_in_any_letter_case_and_as_such(value: object) -> None:
    assert values.BOOLEAN.parse(value) is True


@pytest.mark.parametrize("value", ["false", "False", "FALSE", False], ids=repr)
def test_false_is_taken_in_any_letter_case_and_as_such(value: object) -> None:
    assert values.BOOLEAN.parse(value) is False


@pytest.mark.parametrize("value", ["yes", "1", "0", "", 1, 0, [], ["true"], {}, 1.0, None], ids=repr)
def test_nothing_else_is_a_boolean(value: object) -> None:
    assert problem(values.BOOLEAN, value) == "true or false"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1", 1), ("3600", 3600), (60, 60), (3600, 3600), ("0003600", 3600), ("0001", 1), ("00000000000000000060", 60)],
    ids=repr,
)
def test_a_time_out_is_a_number_or_its_text_whatever_zeros_it_begins_with(value: object, seconds: int) -> None:
    assert values.TIMEOUT.parse(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(
            "0",
            "000",
            0,
            "3601",
            3601,
            "9999",
            "36000",
            "-1",
            -1,
            "+1",
            "1.5",
            1.5,
            "",
            " 1",
            "1\n",
            "X60",
            "abc",
            True,
        ),
        "\u0661",
    ],
    ids=ascii,
)
def test_a_time_out_is_1_to_3600_seconds(value: object) -> None:
    assert problem(values.TIMEOUT, value) == "a whole number of seconds from 1 to 3600"


@pytest.mark.parametrize("value", [None, [], {}, "9" * 5000, "0" * 5000], ids=lambda value: repr(value)[:9])
def test_nothing_else_is_a_time_out(value: object) -> None:
    assert problem(values.TIMEOUT, value) == "a whole number of seconds from 1 to 3600"


# --- job IDs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *("a b", " a", "a\tb", "a\nb", "\u00a0", "a\u2028b", "a\u200bb", "a\u202eb", "a\x00", "a\x7f", "a\x1cb"),
        *("a/b", "/", "a\\b", ".", "..", "\ud800"),
    ],
    ids=ascii,
)
def test_an_id_that_no_job_can_have_is_refused(value: object) -> None:
    assert problem(values.JOB_ID, value).startswith("an ID as Neptune lists it, without whitespace")


@pytest.mark.parametrize("value", ["", None, 5, ["a"], {}], ids=repr)
def test_an_id_is_a_text(value: object) -> None:
    assert problem(values.JOB_ID, value) == "a non-empty string"


@pytest.mark.parametrize("value", ["movies-2026-01", "a", "...", ".a", "größe?x=1&y#z%2F", "a:b", "x" * 1024])
def test_an_id_is_taken_as_it_is(value: str) -> None:
    assert values.JOB_ID.parse(value) == value


@given(st.text(min_size=1))
@example("..")
@example("a\u2028b")
def test_an_id_is_either_refused_or_safe_in_a_path(text: str) -> None:
    try:
        job_id = values.JOB_ID.parse(text)
    except ValueError:
        return
    assert job_id == text
    assert not re.search(r"[\s/\\\x00-\x1f\x7f]", text)
    assert text not in (".", "..")
    assert text.encode()


# --- ARNs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [ROLE, "arn:aws-cn:iam::123456789012:role/path/NeptuneML", "arn:aws-us-gov:iam::123456789012:role/x"],
)
def test_the_arn_of_a_role_is_taken_in_every_partition(value: str) -> None:
    assert values.ROLE_ARN.parse(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:iam::123456789012:user/x",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::12345678901:role/x",
        "arn:aws:iam:us-east-1:123456789012:role/x",
        f"{ROLE} ",
        f" {ROLE}",
        FUNCTION,
        "NeptuneML",
    ],
)
def test_nothing_else_is_the_arn_of_a_role(value: object) -> None:
    assert problem(values.ROLE_ARN, value).startswith("the ARN of an IAM role, such as arn:aws:iam::")


@pytest.mark.parametrize("value", [FUNCTION, f"{FUNCTION}:live", ROLE, "arn:aws:s3:::bucket", "arn:aws-cn:sns:cn-a::x"])
def test_an_arn_has_its_six_parts(value: str) -> None:
    assert values.ARN.parse(value) == value


@pytest.mark.parametrize("value", ["provider", "arn:aws:lambda", "arn:aws:sns:a:b", f"x{FUNCTION}", f"{FUNCTION}\n"])
def test_nothing_else_is_an_arn(value: str) -> None:
    assert problem(values.ARN, value) == "an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name"


@pytest.mark.parametrize("kind", [values.ARN, values.ROLE_ARN], ids=["ARN", "role's ARN"])
@pytest.mark.parametrize("value", ["", None, 5, ["arn"], {}], ids=repr)
def test_an_arn_is_a_text(kind: ValueType[Any], value: object) -> None:
    assert problem(kind, value) == "a non-empty string"


# --- endpoints --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "scheme", "port"),
    [
        (CLUSTER, "https", 8182),
        (f"{CLUSTER}:9000", "https", 9000),
        (f"{CLUSTER}:1", "https", 1),
        (f"{CLUSTER}:65535", "https", 65535),
        (f"https://{CLUSTER}:9000", "https", 9000),
        (f"https://{CLUSTER}", "https", 8182),
        (f"HTTPS://{CLUSTER.upper()}", "https", 8182),
        (f"http://{CLUSTER}:80", "http", 80),
        (f"HTTP://{CLUSTER}", "http", 8182),
    ],
)
def test_an_endpoint_has_three_forms(written: str, scheme: str, port: int) -> None:
    assert values.ENDPOINT.parse(written) == Endpoint(scheme, CLUSTER, port)


@pytest.mark.parametrize(
    "written",
    [
        f"{CLUSTER}:",
        f"{CLUSTER}:0",
        f"{CLUSTER}:65536",
        f"{CLUSTER}:08182",
        f"{CLUSTER}:port",
        f"{CLUSTER}:-1",
        f"{CLUSTER}/",
        f"https://{CLUSTER}/ml",
        f"https://{CLUSTER}?x=1",
        f"https://{CLUSTER}#x",
        f"https://user@{CLUSTER}",
        f"https://:secret@{CLUSTER}",
        f"ftp://{CLUSTER}",
        f"://{CLUSTER}",
        f"//{CLUSTER}",
        f" {CLUSTER}",
        f"{CLUSTER}\n",
        f"{CLUSTER}.",
        f".{CLUSTER}",
        f"https://https://{CLUSTER}",
        f"evil.example#.{CLUSTER}",
        f"evil.example\\.{CLUSTER}",
        "https://",
        "[::1]:8182",
        "[::1",
        f"{'a' * 64}.neptune.amazonaws.com",
        f"-a.{CLUSTER}",
        f"a-.{CLUSTER}",
        f"a..{CLUSTER}",
        f"a_b.{CLUSTER}",
        ".".join(["a" * 49] * 5) + ".abcd",
    ],
)
def test_another_form_of_endpoint_is_refused_with_the_right_ones(written: str) -> None:
    assert problem(values.ENDPOINT, written).startswith("host, host:port or https://host:port")


def test_a_host_name_has_at_most_253_characters_in_labels_of_63() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert values.ENDPOINT.parse(longest).host == longest
    assert problem(values.ENDPOINT, f"{longest}d").startswith("host")


@pytest.mark.parametrize("value", ["", None, 5, ["list"], {}], ids=repr)
def test_an_endpoint_is_a_text(value: object) -> None:
    assert problem(values.ENDPOINT, value) == "a non-empty string"


@given(st.text(alphabet="abc.:/@#?[]\\%0159-_ neptuamzows", max_size=60))
def test_no_text_before_a_suffix_leads_elsewhere(text: str) -> None:
    try:
        endpoint = values.ENDPOINT.parse(f"{text}.neptune.amazonaws.com")
    except ValueError:
        return
    assert endpoint.host == f"{text.rpartition('://')[2]}.neptune.amazonaws.com"


@given(st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True), st.integers(1, 65535))
def test_every_host_and_port_are_read_as_they_were_written(host: str, port: int) -> None:
    assert values.ENDPOINT.parse(f"{host}:{port}") == Endpoint("https", host, port)
    assert values.ENDPOINT.parse(f"https://{host}:{port}") == Endpoint("https", host, port)


# --- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "rights", "wrongs"),
    [
        (values.JOB_ID, ["job-1", "a", "...", "größe", "x" * 1024], ["", "a b", "a/b", "a\\b", ".", "..", "x" * 1025]),
        (values.ARN, [FUNCTION, ROLE], ["provider", f"{FUNCTION} x"]),
        (values.ROLE_ARN, [ROLE], [FUNCTION, "arn:aws:iam::123456789012:user/x"]),
        (values.ENDPOINT, [CLUSTER, f"{CLUSTER}:1", f"HTTPS://{CLUSTER}", f"http://{CLUSTER}:65535"], ["a/b", "a b"]),
    ],
    ids=["job ID", "ARN", "role's ARN", "endpoint"],
)
def test_a_pattern_for_checks_before_a_deployment_tells_right_from_plainly_wrong(
    kind: ValueType[Any], rights: list[str], wrongs: list[str]
) -> None:
    for right in rights:
        kind.parse(right)
        assert re.search(kind.pattern, right)
    for wrong in wrongs:
        assert not re.search(kind.pattern, wrong)


def test_types_have_cloudformations_names() -> None:
    assert [kind.name for kind in (values.BOOLEAN, values.TIMEOUT, values.JOB_ID, values.ARN)] == [
        "Boolean",
        "Integer",
        "String",
        "String",
    ]
    assert {values.ROLE_ARN.name, values.ENDPOINT.name} == {"String"}
