from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.identity import LONGEST_BYTES, Identity
from provider.values import ENDPOINT, JOB_ID, Endpoint

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
HTTPS = Endpoint("https", CLUSTER, 8182)


def are_job_ids(text: str) -> bool:
    try:
        JOB_ID.parse(text)
    except ValueError:
        return False
    return True


hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
endpoints = st.builds(Endpoint, st.sampled_from(["https", "http"]), hosts, st.integers(1, 65535))
job_ids = st.text(min_size=1).filter(are_job_ids)


def test_an_identity_is_written_with_its_cluster() -> None:
    assert str(Identity(HTTPS, "job-1")) == f"{CLUSTER}:8182/job-1"
    assert str(Identity(Endpoint("http", "127.0.0.1", 80), "job-1")) == "http://127.0.0.1:80/job-1"


@given(endpoints, job_ids)
def test_every_identity_is_read_as_it_was_written(endpoint: Endpoint, job_id: str) -> None:
    assert Identity.parse(str(Identity(endpoint, job_id))) == Identity(endpoint, job_id)


@given(st.text(), st.text(), st.integers())
def test_whatever_is_read_is_written_the_same(before: str, after: str, port: int) -> None:
    for text in (before, f"{before}:{port}/{after}", f"http://{before}:{port}/{after}"):
        identity = Identity.parse(text)
        if identity is not None and not str(port).startswith("0"):
            assert str(identity) == text


logical_ids = st.text(string.ascii_letters + string.digits, min_size=1, max_size=255)
stack_names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,127}", fullmatch=True)
suffixes = st.text(string.ascii_uppercase + string.digits, min_size=12, max_size=13)


@given(st.tuples(stack_names, logical_ids, suffixes).map("-".join) | st.uuids().map(str))
def test_no_id_that_cloudformation_invents_is_an_identity(physical_id: str) -> None:
    assert Identity.parse(physical_id) is None


@given(st.text(min_size=1, max_size=1024) | st.uuids().map(str))
def test_no_marker_of_a_failed_creation_is_an_identity(request_id: str) -> None:
    assert Identity.parse(f"no-job/{request_id}") is None


@pytest.mark.parametrize(
    "physical_id",
    [
        "",
        "job-1",
        "graph-Job-1N2K5RF3Q0J6K",
        "no-job/8c2b4f6e-0000-4000-8000-000000000001",
        "no-job/a:1/b",
        "2026/01/01/[$LATEST]0123456789abcdef",
        "arn:aws:sagemaker:us-east-1:123456789012:transform-job/job-1",
        f"{CLUSTER}/job-1",
        f"{CLUSTER}:8182",
        f"{CLUSTER}:8182/",
        f"{CLUSTER}:8182/a/b",
        f"{CLUSTER}:8182/a b",
        f"{CLUSTER}:8182/a\n",
        f"{CLUSTER}:/job-1",
        f"{CLUSTER}:123456/job-1",
        f"{CLUSTER}:x/job-1",
        f"{CLUSTER.upper()}:8182/job-1",
        f"https://{CLUSTER}:8182/job-1",
        f"ftp://{CLUSTER}:8182/job-1",
        f" {CLUSTER}:8182/job-1",
        ":8182/job-1",
    ],
)
def test_nothing_of_another_form_is_an_identity(physical_id: str) -> None:
    assert Identity.parse(physical_id) is None


def test_a_physical_id_has_at_most_1024_bytes() -> None:
    assert LONGEST_BYTES == 1024


@given(hosts, st.integers(1, 65535), job_ids)
def test_what_a_template_can_name_makes_an_identity(host: str, port: int, job_id: str) -> None:
    identity = Identity(ENDPOINT.parse(f"{host}:{port}"), JOB_ID.parse(job_id))
    assert Identity.parse(str(identity)) == identity
