from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provider.clock import Clock
from provider.custom_resource.deadline import TimeLimits

NOW = 5000.0
CLOCK = Clock(monotonic=lambda: NOW, wall=lambda: 1e9, sleep=lambda _: None)


def limits(
    *, age: float = 0.0, service_timeout: float = 3600, remaining: float = 900, is_tick: bool = False
) -> TimeLimits:
    return TimeLimits.of(
        CLOCK, arrived_at=1e9 - age, service_timeout=service_timeout, remaining=remaining, is_tick=is_tick
    )


def test_a_long_request_is_handed_over_before_the_invocation_ends() -> None:
    it = limits()
    assert it.wait_until == it.handover == NOW + 780
    assert it.has_time_for_a_tick(it.wait_until)


def test_a_short_request_fails_before_cloudformation_gives_up() -> None:
    it = limits(service_timeout=60)
    assert it.wait_until == it.deadline == NOW + 54
    assert not it.has_time_for_a_tick(it.wait_until)
    assert it.deadline < it.last_word < NOW + 60


def test_a_request_whose_deadline_leaves_no_time_for_a_tick_waits_to_its_end() -> None:
    it = limits(service_timeout=860)  # the deadline comes 35 s after the time for a handover
    assert it.handover < it.wait_until == it.deadline == NOW + 815


def test_a_tick_near_the_deadline_has_the_word_before_the_watchdog() -> None:
    it = limits(age=3500, remaining=20, is_tick=True)
    assert it.wait_until == it.last_word - 2 == NOW + 16


def test_time_that_went_before_counts() -> None:
    assert limits(age=3000).deadline == NOW + 555


def test_a_tick_looks_once_unless_the_next_would_come_too_late() -> None:
    assert limits(age=1000, is_tick=True).wait_until == NOW
    late = limits(age=3500, is_tick=True)
    assert late.wait_until == late.deadline == NOW + 55


def test_a_late_event_has_the_invocations_time_to_be_answered() -> None:
    it = limits(age=5000)
    assert it.wait_until < NOW
    assert it.last_word == NOW + 885


@given(st.floats(-100, 10_000), st.integers(1, 3600), st.floats(1, 900), st.booleans())
def test_nothing_waits_past_the_requests_deadline_or_the_invocations_end(
    age: float,
    service_timeout: int,
    remaining: float,
    is_tick: bool,  # noqa: FBT001
) -> None:
    it = limits(age=age, service_timeout=service_timeout, remaining=remaining, is_tick=is_tick)
    given_up = NOW + service_timeout - age
    assert it.deadline < given_up
    assert it.wait_until <= max(NOW, min(it.deadline, it.last_word))
    assert it.handover < it.last_word < NOW + remaining or it.last_word < given_up
    if given_up > NOW + service_timeout * 0.1:
        assert it.last_word < given_up
