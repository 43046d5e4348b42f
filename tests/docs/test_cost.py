"""The numbers of `docs/cost.md`, computed again from the pace at which the provider looks."""

from __future__ import annotations

import re

import pytest

from provider.custom_resource.conversation import _LOOKS_SECONDS
from provider.custom_resource.waiting import pause
from tests.cfn_lint.linting import ROOT

PAGE = (ROOT / "docs/cost.md").read_text()
ROWS = re.findall(r"^\| (\d+) s \| (\d+) \| ([\d.]+) s \| ([\d.]+) \|", PAGE, re.M)
LOOK_SECONDS, MEAN_CHANCE = 0.1, 0.5  # as the page says
GIGABYTES = 0.25
DOLLARS_OF_A_GIGABYTE_SECOND, DOLLARS_OF_AN_INVOCATION, DOLLARS_OF_AN_SQS_REQUEST = 0.0000166667, 0.2e-6, 0.4e-6
DOLLARS_OF_A_READ_UNIT, DOLLARS_OF_A_WRITE_UNIT = 0.125e-6, 0.625e-6
WRITE_UNITS = 3 * 2  # three writes of an item of two kilobytes


def deletion(stop_seconds: float) -> tuple[int, int, float]:
    """How often Neptune is looked at, how often the request is put into the queue, and what is billed, in seconds."""
    now = billed = LOOK_SECONDS
    looks, messages = 1, 0
    while now < stop_seconds:
        wait = pause(now, MEAN_CHANCE)
        if not messages and now + wait <= _LOOKS_SECONDS:
            billed += wait
        else:
            messages += 1
            wait = int(wait)
        now += wait + LOOK_SECONDS
        billed += LOOK_SECONDS
        looks += 1
    return looks, messages, billed


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_costs_of_a_deletion_are_computed(row: tuple[str, ...]) -> None:
    looks, messages, billed = deletion(float(row[0]))
    cents = 100 * (
        billed * GIGABYTES * DOLLARS_OF_A_GIGABYTE_SECOND
        + (1 + messages) * DOLLARS_OF_AN_INVOCATION
        + 3 * messages * DOLLARS_OF_AN_SQS_REQUEST
        + looks * DOLLARS_OF_A_READ_UNIT
        + WRITE_UNITS * DOLLARS_OF_A_WRITE_UNIT
    )

    assert row[1:] == (str(looks), f"{billed:.1f}", f"{cents:.4f}")


def test_the_cost_of_looking_for_the_end_of_a_job_is_computed() -> None:
    now, looks = 0.0, 0
    while now < 12 * 3600:
        now += max(1, int(pause(now, MEAN_CHANCE))) + LOOK_SECONDS
        looks += 1
    dollars_of_a_look = LOOK_SECONDS * GIGABYTES * DOLLARS_OF_A_GIGABYTE_SECOND + DOLLARS_OF_AN_INVOCATION
    cents = 100 * looks * (dollars_of_a_look + 3 * DOLLARS_OF_AN_SQS_REQUEST)

    assert f"twelve hours are {looks:,} checks, or {cents:.2f} cents" in " ".join(PAGE.split())


def test_there_are_rows() -> None:
    assert len(ROWS) == 6
