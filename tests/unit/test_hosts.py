from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.hosts import PARTITIONS, Hosts, problem_of
from provider.values import Endpoint

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
BUCKET = "cloudformation-custom-resource-response-useast1"
CLUSTERS = Hosts.of_clusters()
RESPONSES = Hosts.of_responses("us-east-1")


NOTEBOOK = Path(sys.executable).parents[2] / "notebook/bin/python"
# What a notebook checks a cluster's host by, without the hosts of Neptune Analytics.
NOTEBOOKS_HOSTS = """
import json
from graph_notebook.neptune import client
hosts = set(client.NEPTUNE_CONFIG_HOST_IDENTIFIERS) - set(client.ANALYTICS_CONFIG_HOST_IDENTIFIERS)
print(json.dumps(sorted(hosts)))
"""


def botocores(data: str) -> list[dict[str, Any]]:
    loader = botocore.session.get_session().get_component("data_loader")
    partitions: list[dict[str, Any]] = loader.load_data(data)["partitions"]
    return partitions


REGIONS = {
    region: partition["outputs"]["dnsSuffix"]
    for partition in botocores("partitions")
    for region in partition["regions"]
    if re.fullmatch(partition["regionRegex"], region)
}
"""The suffixes of all of AWS's Regions."""


def https(host: str) -> Endpoint:
    return Endpoint("https", host, 8182)


# --- partitions -------------------------------------------------------------------------------------------------------


def test_the_partitions_are_those_that_botocore_knows() -> None:
    suffixes = {partition["dnsSuffix"] for partition in botocores("endpoints")}
    assert set(PARTITIONS.values()) == set(REGIONS.values()) == suffixes


@pytest.mark.parametrize(("region", "suffix"), REGIONS.items())
def test_each_region_has_its_partitions_hosts(region: str, suffix: str) -> None:
    responses, signals = Hosts.of_responses(region).own, Hosts.of_signals(region).own
    for other in PARTITIONS.values():
        s3 = f"s3.{region}.{other}"
        bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        assert bool(responses.fullmatch(f"{bucket}.{s3}")) is (other == suffix)
        assert bool(signals.fullmatch(f"cloudformation-waitcondition-{region}.{s3}")) is (other == suffix)
    assert problem_of(https(f"db.cluster-c0ffee.{region}.neptune.{suffix}"), CLUSTERS) == ""


@pytest.mark.skipif(not NOTEBOOK.exists(), reason="needs graph-notebook: make .venv/notebook.done")
def test_the_hosts_that_awss_notebook_client_takes_for_neptunes_are_called() -> None:
    told = subprocess.run([NOTEBOOK, "-c", NOTEBOOKS_HOSTS], capture_output=True, text=True, check=True, timeout=120)
    forms = json.loads(told.stdout)
    assert "neptune.*.amazonaws.com.cn" in forms
    for form in forms:
        # Of some partitions it has no more than the suffix.
        host = f"db.cluster-c0ffee.{'' if 'neptune' in form else 'neptune.'}{form}"
        for region in [region for region, suffix in REGIONS.items() if form.endswith(f"*.{suffix}")] or [""]:
            assert problem_of(https(host.replace("*", region)), CLUSTERS) == ""


# --- clusters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        CLUSTER,
        "db.cluster-c0ffee.cn-north-1.neptune.amazonaws.com.cn",
        "db.cluster-c0ffee.neptune.cn-northwest-1.amazonaws.com.cn",
        "db.cluster-c0ffee.neptune.eusc-de-east-1.amazonaws.eu",
    ],
)
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
        "db.neptune.s3.amazonaws.com",  # anybody's bucket
        "db.neptune.us-east-1.amazonaws.com",
        "db.neptune.s3.amazonaws.com.cn",
        "db.neptune.s3.cn-north-1.amazonaws.com.cn",
        "db.neptune.us-east-1.amazonaws.com.cn",
        "neptune.cn-north-1.amazonaws.com.cn",
        "127.0.0.1",
        "s3.amazonaws.com",
    ],
)
def test_nothing_else_is_called(host: str) -> None:
    assert problem_of(https(host), CLUSTERS) == (
        "a host under .neptune.amazonaws.com (or its equivalent in another AWS partition, such as "
        ".neptune.cn-north-1.amazonaws.com.cn); the provider's operator can allow others with its AllowedHosts "
        "parameter."
    )


def test_plain_http_is_refused_for_neptune() -> None:
    assert problem_of(Endpoint("http", CLUSTER, 8182), CLUSTERS) == (
        "an https:// endpoint; http:// is only for hosts in the provider's AllowedHosts parameter."
    )


def test_the_operator_allows_more_hosts_and_plain_http_for_them() -> None:
    hosts = Hosts.of_clusters(["LocalHost", ".graph.example", CLUSTER])
    for host in ("localhost", "db.graph.example", "a.b.graph.example", CLUSTER):
        for scheme in ("http", "https"):
            assert problem_of(Endpoint(scheme, host, 80), hosts) == ""
    for host in ("graph.example", ".graph.example", "dbgraph.example", "db.graphXexample", "localhost.evil.example"):
        assert "a host under" in problem_of(https(host), hosts)
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
        # One that nobody knows yet is of the commercial partition.
        ("xx-north-1", "cloudformation-custom-resource-response-xxnorth1.s3.xx-north-1.amazonaws.com"),
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
