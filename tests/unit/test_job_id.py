from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from provider import job_id


def test_an_id_is_readable_and_the_same_for_ever() -> None:
    # By another ID, of another version, a repeated delivery would start a second job.
    assert job_id.make("movies", "TransformJob", "request-1") == "movies-TransformJob-dhyqms3btve5gu"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_an_id_is_one_that_neptune_takes(stack: str, resource: str, request_id: str) -> None:
    assert re.fullmatch("[A-Za-z0-9][A-Za-z0-9-]{0,47}", job_id.make(stack, resource, request_id))


def test_each_request_has_an_id_of_its_own() -> None:
    longest = ("s" * 128, "L" * 255)

    assert len({job_id.make(*longest, f"request-{number}") for number in range(1000)}) == 1000
