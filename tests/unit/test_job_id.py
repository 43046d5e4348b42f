from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider import job_id
from provider.job_id import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = Origin(("movies", "TransformJob"), "arn:stack/movies TransformJob", "request-1", 1_800_000_000.0)
DESCRIPTION = {"modelTransformOutputS3Location": "s3://bucket/out", "trainingJobName": "movies"}

texts = st.text(max_size=80)
origins = st.builds(
    Origin,
    names=st.lists(texts, max_size=3).map(tuple),
    resource=texts,
    request=texts,
    asked_at=st.none() | st.floats(1, 2**34),
)
descriptions = st.dictionaries(texts, texts | st.integers() | st.lists(texts, max_size=2), max_size=3)


def test_an_id_is_readable_and_the_same_for_ever() -> None:
    # Another id, of another version, would have every resource replaced that an Update meets.
    assert job_id.make(ORIGIN, DESCRIPTION) == "movies-TransformJo-sl3ndld5aehj-bvutuqadhyq"


@given(origins, descriptions)
def test_an_id_is_one_that_neptune_takes(origin: Origin, description: dict[str, Any]) -> None:
    made = job_id.make(origin, description)
    assert re.fullmatch("[A-Za-z0-9][A-Za-z0-9-]*", made)
    assert len(made) <= 48
    assert job_id.is_of(made, origin, description)
    assert job_id.asked_at(made) == int(origin.asked_at or 0)


def test_a_long_name_leaves_room_for_the_rest() -> None:
    made = job_id.make(ORIGIN._replace(names=("s" * 128, "L" * 255)), DESCRIPTION)
    assert len(made) == 48
    assert made.startswith("sssssssssss-LLLLLLLLLLL-")


def test_each_request_has_an_id_of_its_own() -> None:
    later = ORIGIN._replace(request="request-2")
    tomorrow = ORIGIN._replace(asked_at=1_800_086_400.0)
    assert len({job_id.make(origin, DESCRIPTION) for origin in (ORIGIN, later, tomorrow)}) == 3


def test_a_job_is_recognised_by_its_resource_and_its_description_whatever_the_request() -> None:
    made = job_id.make(ORIGIN, DESCRIPTION)
    assert job_id.is_of(made, ORIGIN._replace(request="another", asked_at=None, names=()), dict(DESCRIPTION))
    assert not job_id.is_of(made, ORIGIN._replace(resource="another"), DESCRIPTION)
    assert not job_id.is_of(made, ORIGIN, {**DESCRIPTION, "trainingJobName": "other"})


def test_the_order_of_a_description_and_of_its_lists_means_nothing() -> None:
    def made(description: Mapping[str, object]) -> str:
        return job_id.make(ORIGIN, description)

    assert made(DESCRIPTION) == made(dict(reversed(DESCRIPTION.items())))
    assert made({"subnets": ("a", "b")}) == made({"subnets": ["b", "a"]}) != made({"subnets": ("a", "c")})


@pytest.mark.parametrize("other", ["job-1", "", "movies-1a2b3c", "x-" * 30, "movies-TransformJo-sl3ndld5aehj-"])
def test_an_id_that_somebody_else_made_is_nobodys(other: str) -> None:
    assert not job_id.is_of(other, ORIGIN, DESCRIPTION)
    assert job_id.asked_at(other) == 0
