from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.clock import Clock
from provider.custom_resource.deadline import TimeLimits

NOW = 5000.0
WALL = 1e9


def limits(*, age: float = 0.0, service_timeout: float = 3600, remaining: float = 900, now: float = NOW) -> TimeLimits:
    clock = Clock(monotonic=lambda: now, wall=lambda: WALL, sleep=lambda _: None)
    return TimeLimits.of(clock, arrived_at=WALL - age, service_timeout=service_timeout, remaining=remaining)


def test_a_fresh_request_has_its_hour_less_half_a_minute_and_the_invocation_less_a_minute() -> None:
    assert limits() == TimeLimits(arrived_at=NOW, deadline=NOW + 3570, last_look=NOW + 840, last_word=NOW + 885)


def test_a_short_time_limit_is_kept_by_a_tenth_and_the_watchdog_speaks_before_cloudformation_gives_up() -> None:
    assert limits(service_timeout=60) == TimeLimits(NOW, deadline=NOW + 54, last_look=NOW + 54, last_word=NOW + 57)


def test_from_five_minutes_on_half_a_minute_is_kept() -> None:
    assert limits(service_timeout=299).deadline == pytest.approx(NOW + 269.1)
    assert limits(service_timeout=300).deadline == NOW + 270
    assert limits(service_timeout=301).deadline == NOW + 271


def test_a_short_invocation_keeps_a_fifth_for_the_last_look_and_a_tenth_for_the_last_word() -> None:
    it = limits(remaining=100)
    assert (it.last_look, it.last_word) == (NOW + 80, NOW + 90)
    assert (limits(remaining=300).last_look, limits(remaining=301).last_look) == (NOW + 240, NOW + 241)
    assert (limits(remaining=150).last_word, limits(remaining=151).last_word) == (NOW + 135, NOW + 136)


def test_a_request_of_some_fifteen_minutes_is_not_failed_while_a_look_fits() -> None:
    for service_timeout in (900, 930, 945):
        it = limits(service_timeout=service_timeout)
        assert it.deadline == NOW + service_timeout - 30
        assert it.last_look == min(it.deadline, NOW + 840)


def test_time_that_went_before_counts() -> None:
    it = limits(age=3000)
    assert (it.arrived_at, it.deadline, it.last_look) == (NOW - 3000, NOW + 570, NOW + 570)
    assert it.last_word == NOW + 585


def test_a_late_event_has_the_invocations_time_to_be_answered() -> None:
    it = limits(age=5000)
    assert it.deadline == it.last_look == NOW - 1430
    assert it.last_word == NOW + 885


def test_an_event_that_comes_when_its_time_is_just_over_still_gets_its_look() -> None:
    assert limits(age=3584).last_word == NOW + 1  # the watchdog still comes before CloudFormation gives up
    assert limits(age=3585).last_word == limits(age=3586).last_word == NOW + 885


@given(st.floats(-100, 10_000), st.integers(1, 3600), st.floats(1, 900), st.floats(0, 1e7))
def test_nothing_waits_past_the_requests_deadline_or_the_invocations_end(
    age: float, service_timeout: int, remaining: float, now: float
) -> None:
    it = limits(age=age, service_timeout=service_timeout, remaining=remaining, now=now)
    given_up = now + service_timeout - age
    assert it.deadline < given_up
    assert it.last_look <= it.deadline
    assert it.last_look < it.last_word < now + remaining
    half_of_what_is_kept_back = min(30, service_timeout * 0.1) / 2
    if given_up - half_of_what_is_kept_back > now + 1e-3:  # later, its look may take what the invocation has left
        assert it.last_word < given_up


@given(st.floats(-1000, 1000), st.integers(1, 3600), st.floats(1, 900), st.floats(-1e6, 1e6))
def test_the_start_of_the_clock_means_nothing(age: float, service_timeout: int, remaining: float, now: float) -> None:
    one, other = (limits(age=age, service_timeout=service_timeout, remaining=remaining, now=it) for it in (0.0, now))
    for name in ("arrived_at", "deadline", "last_look", "last_word"):
        assert getattr(other, name) - now == pytest.approx(getattr(one, name), abs=1e-6)
