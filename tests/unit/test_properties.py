from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provider.hosts import NEPTUNE_HOSTS, is_allowed
from provider.properties import (
    MAX_ID_BYTES,
    Endpoint,
    InvalidProperties,
    Operator,
    definitions,
    parse,
    parse_for_delete,
)

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
MINIMAL: dict[str, object] = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "Id": "job-1",
    "Endpoint": CLUSTER,
}


def problem(_operator: Operator | None = None, /, **properties: object) -> str:
    with pytest.raises(InvalidProperties) as caught:
        parse({**MINIMAL, **properties}, _operator or Operator())
    return str(caught.value)


def test_a_minimal_resource_has_the_documented_defaults() -> None:
    parsed = parse(MINIMAL, Operator())
    assert parsed.endpoint == Endpoint("https", CLUSTER, 8182)
    assert parsed.endpoint.url == f"https://{CLUSTER}:8182"
    assert (parsed.clean, parsed.wait_for_stop, parsed.neptune_iam_role_arn) == (False, True, None)
    assert parsed.service_timeout == 3600


def test_parsed_properties_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse(MINIMAL, Operator()).clean = True  # type: ignore[misc]


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "tRuE", True], ids=repr)
def test_booleans_are_taken_in_any_letter_case_and_as_such(value: object) -> None:
    parsed = parse({**MINIMAL, "Clean": value, "WaitForStop": value}, Operator())
    assert parsed.clean is True
    assert parsed.wait_for_stop is True


@pytest.mark.parametrize("value", ["false", "False", False], ids=repr)
def test_false_is_false(value: object) -> None:
    parsed = parse({**MINIMAL, "Clean": value, "WaitForStop": value}, Operator())
    assert parsed.clean is False
    assert parsed.wait_for_stop is False


@pytest.mark.parametrize("value", ["yes", "1", "", 1, 0, [], {}, 1.0], ids=repr)
def test_nothing_else_is_a_boolean(value: object) -> None:
    assert problem(Clean=value).startswith("Clean is ")
    assert problem(Clean=value).endswith("it should be true or false.")


@pytest.mark.parametrize(
    ("written", "port"),
    [
        (CLUSTER, 8182),
        (f"{CLUSTER}:9000", 9000),
        (f"https://{CLUSTER}:9000", 9000),
        (f"HTTPS://{CLUSTER.upper()}", 8182),
    ],
)
def test_an_endpoint_has_three_forms(written: str, port: int) -> None:
    assert parse({**MINIMAL, "Endpoint": written}, Operator()).endpoint == Endpoint("https", CLUSTER, port)


@pytest.mark.parametrize(
    "written",
    [
        "",
        f"{CLUSTER}:",
        f"{CLUSTER}:0",
        f"{CLUSTER}:65536",
        f"{CLUSTER}:port",
        f"{CLUSTER}/",
        f"https://{CLUSTER}/ml",
        f"https://{CLUSTER}?x=1",
        f"https://user@{CLUSTER}",
        f"ftp://{CLUSTER}",
        f" {CLUSTER}",
        f"{CLUSTER}.",
        f"https://https://{CLUSTER}",
        f"evil.example#.{CLUSTER}",
        f"evil.example\\.{CLUSTER}",
        "https://",
        "[::1]:8182",
        f"{'a' * 64}.neptune.amazonaws.com",
        ["list"],
    ],
)
def test_another_form_of_endpoint_is_refused_with_the_right_ones(written: object) -> None:
    message = problem(Endpoint=written)
    assert message.startswith("Endpoint is ")
    assert "should be a" in message or "host, host:port or https://host:port" in message


@pytest.mark.parametrize(
    "host",
    ["example.com", "neptune.amazonaws.com", "evil-neptune.amazonaws.com", f"{CLUSTER}.evil.example", "127.0.0.1"],
)
def test_only_neptune_is_called(host: str) -> None:
    assert "should be a host below .neptune.amazonaws.com" in problem(Endpoint=host)


def test_plain_http_is_refused_for_neptune() -> None:
    assert "should be an https:// endpoint" in problem(Endpoint=f"http://{CLUSTER}")


def test_the_operator_allows_more_hosts_and_plain_http_for_them() -> None:
    operator = Operator(allowed_hosts=("localhost", ".graph.example"))
    for host in ("localhost", "db.graph.example"):
        assert parse({**MINIMAL, "Endpoint": f"http://{host}:80"}, operator).endpoint == Endpoint("http", host, 80)
    assert "should be a host below" in problem(operator, Endpoint="graph.example")


def test_the_default_endpoint_is_for_resources_without_one() -> None:
    without = {name: value for name, value in MINIMAL.items() if name != "Endpoint"}
    assert parse(without, Operator(default_endpoint=CLUSTER)).endpoint.host == CLUSTER
    with pytest.raises(InvalidProperties, match="Endpoint is missing, and the provider has no default"):
        parse(without, Operator())


@pytest.mark.parametrize(
    "value", ["a b", "a\tb", "a\nb", "\u00a0", "a\u200bb", "a\x00", "a/b", "a\\b", ".", "..", "", 5, "\ud800"]
)
def test_an_id_that_no_job_can_have_is_refused(value: object) -> None:
    message = problem(Id=value)
    assert message.startswith("Id is ")
    assert message.encode()


def test_an_id_has_at_most_1024_bytes() -> None:
    assert parse({**MINIMAL, "Id": "é" * 512}, Operator()).id == "é" * 512
    message = problem(Id="é" * 513)
    assert "at most 1,024 bytes (it has 1,026)" in message
    assert len(message) < 300


def test_arns_look_like_arns() -> None:
    assert "should be the ARN of an IAM role" in problem(NeptuneIamRoleArn="arn:aws:iam::123456789012:user/x")
    assert "should be an ARN" in problem(ServiceToken="provider")
    role = "arn:aws-cn:iam::123456789012:role/path/NeptuneML"
    assert parse({**MINIMAL, "NeptuneIamRoleArn": role}, Operator()).neptune_iam_role_arn == role


@pytest.mark.parametrize("value", ["0", "3601", "-1", "1.5", "", "abc", True, "\u0661"], ids=repr)
def test_a_service_timeout_is_1_to_3600_seconds(value: object) -> None:
    assert "should be a whole number of seconds from 1 to 3600" in problem(ServiceTimeout=value)


@pytest.mark.parametrize("value", ["1", "3600", 60], ids=repr)
def test_a_service_timeout_is_a_number_or_its_text(value: object) -> None:
    assert parse({**MINIMAL, "ServiceTimeout": value}, Operator()).service_timeout == int(str(value))


@pytest.mark.parametrize(
    ("written", "meant"), [("Clen", "Clean"), ("clean", "Clean"), ("JobId", "Id"), ("waitForStop", "WaitForStop")]
)
def test_a_mistyped_property_is_refused_with_the_nearest_name(written: str, meant: str) -> None:
    assert f"'{written}' is not a property" in problem(None, **{written: "true"})
    assert f"did you mean {meant}?" in problem(None, **{written: "true"})


def test_an_unknown_property_without_a_near_name_is_refused_with_all_names() -> None:
    message = problem(Zzzz="1")
    assert all(definition.name in message for definition in definitions())


def test_all_problems_are_told_at_once() -> None:
    message = problem(Clean="perhaps", Id="a b", Clen="x")
    assert "Clean is 'perhaps'" in message
    assert "Id is 'a b'" in message
    assert "'Clen' is not a property" in message


def test_required_properties_are_required() -> None:
    with pytest.raises(InvalidProperties, match=r"ServiceToken is missing.*Endpoint is missing.*Id is missing"):
        parse({}, Operator())


def test_a_delete_needs_only_what_it_uses() -> None:
    parsed = parse_for_delete(
        {"Id": "job-1", "Endpoint": CLUSTER, "Clean": "TRUE", "ServiceToken": 5, "ServiceTimeout": "x", "Other": "y"},
        Operator(),
    )
    assert (parsed.id, parsed.clean, parsed.wait_for_stop) == ("job-1", True, True)


def test_a_delete_still_needs_the_cluster() -> None:
    with pytest.raises(InvalidProperties, match="Endpoint is missing"):
        parse_for_delete({"Id": "job-1"}, Operator())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)
names = st.sampled_from([definition.name for definition in definitions()]) | st.text()


@given(st.dictionaries(names, json_values), st.booleans())
def test_whatever_is_sent_is_parsed_or_refused_in_short_words(raw: dict[str, Any], is_delete: bool) -> None:  # noqa: FBT001
    parsed, refusal = None, ""
    try:
        parsed = (parse_for_delete if is_delete else parse)(raw, Operator())
    except InvalidProperties as error:
        refusal = str(error)
    if parsed:
        assert parsed.id == raw["Id"]
        assert is_allowed(parsed.endpoint.host, NEPTUNE_HOSTS)
    else:
        assert 0 < len(refusal.encode()) < 1000 * (len(raw) + 3)


@given(st.text(min_size=1))
@example("..")
@example("a\u2028b")
def test_an_id_is_either_refused_or_safe_in_a_path(text: str) -> None:
    try:
        job_id = parse({**MINIMAL, "Id": text}, Operator()).id
    except InvalidProperties:
        return
    assert job_id == text
    assert not re.search(r"[\s/\\\x00-\x1f\x7f]", text)
    assert len(text.encode()) <= MAX_ID_BYTES
    assert text not in (".", "..")


@given(st.text(alphabet="abc.:/@#?[]\\%0159-_ neptuamzows", max_size=60))
def test_no_text_before_the_suffix_leads_elsewhere(text: str) -> None:
    try:
        endpoint = parse({**MINIMAL, "Endpoint": f"{text}.neptune.amazonaws.com"}, Operator()).endpoint
    except InvalidProperties:
        return
    assert endpoint.host == f"{text.rpartition('://')[2]}.neptune.amazonaws.com"
    assert is_allowed(endpoint.host, NEPTUNE_HOSTS)


@given(st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True), st.integers(1, 65535), st.booleans())
def test_every_host_and_port_round_trips(name: str, port: int, with_scheme: bool) -> None:  # noqa: FBT001
    host = f"{name}.neptune.amazonaws.com"
    written = f"{'https://' if with_scheme else ''}{host}:{port}"
    endpoint = parse({**MINIMAL, "Endpoint": written}, Operator()).endpoint
    assert endpoint.url == f"https://{host}:{port}"


def test_patterns_for_checks_before_deployment_accept_what_the_parser_accepts() -> None:
    right = {**MINIMAL, "NeptuneIamRoleArn": "arn:aws:iam::123456789012:role/NeptuneML"}
    parse(right, Operator())
    for definition in definitions():
        if definition.pattern:
            assert re.search(definition.pattern, str(right[definition.name])), definition.name
