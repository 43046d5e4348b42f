from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.hosts import Hosts, problem_of
from provider.values import Endpoint

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
BUCKET = "cloudformation-custom-resource-response-useast1"
CLUSTERS = Hosts.of_clusters()
RESPONSES = Hosts.of_responses("us-east-1")


def https(host: str) -> Endpoint:
    return Endpoint("https", host, 8182)


# --- clusters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [CLUSTER, "db.cluster-c0ffee.cn-north-1.neptune.amazonaws.com.cn"])
def test_neptunes_own_hosts_are_called(host: str) -> None:
    assert problem_of(https(host), CLUSTERS) == ""


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "neptune.amazonaws.com",
        ".neptune.amazonaws.com",
        "evil-neptune.amazonaws.com",
        "db.neptuneXamazonaws.com",
        f"{CLUSTER}.evil.example",
        f"{CLUSTER}.eu",
        "127.0.0.1",
        "s3.amazonaws.com",
    ],
)
def test_nothing_else_is_called(host: str) -> None:
    assert problem_of(https(host), CLUSTERS) == (
        "a host below .neptune.amazonaws.com or .neptune.amazonaws.com.cn; the provider's operator can allow others "
        "(its AllowedHosts parameter)."
    )


def test_plain_http_is_refused_for_neptune() -> None:
    assert problem_of(Endpoint("http", CLUSTER, 8182), CLUSTERS) == (
        "an https:// endpoint; http:// is only for hosts that the provider's AllowedHosts names."
    )


def test_the_operator_allows_more_hosts_and_plain_http_for_them() -> None:
    hosts = Hosts.of_clusters(["LocalHost", ".graph.example", CLUSTER])
    for host in ("localhost", "db.graph.example", "a.b.graph.example", CLUSTER):
        for scheme in ("http", "https"):
            assert problem_of(Endpoint(scheme, host, 80), hosts) == ""
    for host in ("graph.example", ".graph.example", "dbgraph.example", "db.graphXexample", "localhost.evil.example"):
        assert "a host below" in problem_of(https(host), hosts)
    assert problem_of(https(f"other.{CLUSTER}"), hosts) == ""


def test_the_operators_dots_are_dots() -> None:
    assert problem_of(https("127x0.0.1"), Hosts.of_clusters(["127.0.0.1"]))


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", f"{BUCKET}.s3.amazonaws.com"),
        ("us-east-1", f"{BUCKET}.s3-us-east-1.amazonaws.com"),
        ("us-east-1", f"{BUCKET}.s3.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "cloudformation-custom-resource-response-usgovwest1.s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "cloudformation-custom-resource-response-euscdeeast1.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_cloudformations_response_hosts_are_answered(region: str, host: str) -> None:
    assert Hosts.of_responses(region).own.fullmatch(host)


@pytest.mark.parametrize(
    "host",
    [
        "amazonaws.com",
        "internal.amazonaws.com",
        "bucket.s3.amazonaws.com",
        "ec2.us-east-1.amazonaws.com",
        f"{BUCKET}.amazonaws.com",
        f"{BUCKET}.s3.amazonaws.com.evil.example",
        f"{BUCKET}.s3.evil.example",
        f"{BUCKET}x.s3.amazonaws.com",
        f"x{BUCKET}.s3.amazonaws.com",
        f"x.{BUCKET}.s3.amazonaws.com",
        f"{BUCKET}.s3.us-west-2.amazonaws.com",
        f"{BUCKET}.s3_us-east-1.amazonaws.com",
        f"{BUCKET}Xs3.amazonaws.com",
        f"{BUCKET}.s3.amazonawsXcom",
        f"{BUCKET}.s3-website-us-east-1.amazonaws.com",
        "cloudformation-custom-resource-response-uswest2.s3.amazonaws.com",
        "cloudformation-custom-resource-response-us-east-1.s3.amazonaws.com",
    ],
)
def test_no_other_host_is_answered(host: str) -> None:
    assert not RESPONSES.own.fullmatch(host)
    assert not RESPONSES.more.fullmatch(host)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "cloudformation-waitcondition-us-east-1.s3.amazonaws.com"),
        ("us-west-2", "cloudformation-waitcondition-us-west-2.s3-us-west-2.amazonaws.com"),
        ("eu-north-1", "cloudformation-waitcondition-eu-north-1.s3.eu-north-1.amazonaws.com"),
        ("cn-north-1", "cloudformation-waitcondition-cn-north-1.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_handles_of_the_regions_wait_conditions_are_signalled(region: str, host: str) -> None:
    assert Hosts.of_signals(region).own.fullmatch(host)
    assert not Hosts.of_responses(region).own.fullmatch(host)


@pytest.mark.parametrize(
    "host",
    [
        f"{BUCKET}.s3.amazonaws.com",
        "cloudformation-waitcondition-useast1.s3.amazonaws.com",
        "cloudformation-waitcondition-us-west-2.s3.amazonaws.com",
        "cloudformation-waitcondition-us-east-1.s3.us-west-2.amazonaws.com",
        "x.cloudformation-waitcondition-us-east-1.s3.amazonaws.com",
        "cloudformation-waitcondition-us-east-1.s3.amazonaws.com.evil.example",
        "localhost",
    ],
)
def test_no_other_host_is_signalled(host: str) -> None:
    assert not Hosts.of_signals("us-east-1").own.fullmatch(host)
    assert not Hosts.of_signals("us-east-1").more.fullmatch(host)
    assert Hosts.of_signals("us-east-1", [host]).more.fullmatch(host)


def test_hosts_of_a_local_run_are_a_setting_of_their_own() -> None:
    hosts = Hosts.of_responses("us-east-1", ["host.docker.internal"])
    assert hosts.more.fullmatch("host.docker.internal")
    assert not hosts.own.fullmatch("host.docker.internal")


@given(st.text())
def test_without_a_setting_nothing_is_allowed_besides(host: str) -> None:
    assert not CLUSTERS.more.fullmatch(host)
    assert not RESPONSES.more.fullmatch(host)


names = st.from_regex(r"\.?[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){0,3}", fullmatch=True)


@given(st.lists(names, max_size=4), names)
def test_a_host_is_allowed_if_it_is_named_or_below_a_name_with_a_leading_dot(allowed: list[str], host: str) -> None:
    is_named = any(host == name if name[0] != "." else host.endswith(name) and host != name for name in allowed)
    assert bool(Hosts.of_clusters(allowed).more.fullmatch(host)) is is_named


@given(st.text(alphabet="abc.-s3uet1/:@", max_size=40))
def test_only_the_one_bucket_of_the_region_is_answered(text: str) -> None:
    if text and RESPONSES.own.fullmatch(f"{text}.amazonaws.com"):
        assert re.fullmatch(rf"{BUCKET}\.s3([.-]us-east-1)?", text)
    assert not RESPONSES.own.fullmatch(f"{text}{BUCKET}.s3.amazonaws.com") or not text
