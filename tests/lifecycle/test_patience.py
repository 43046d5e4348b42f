from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.lifecycle.patience import LIMITS, NONE, Fault, Patience, Phase

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOW = 1_000_000.0
FAULTS = tuple(Fault)
PROMISED = [
    # The user of a Create tries again; a name that does not exist is a slip of the pen.
    (Phase.CREATE, tuple(it for it in Fault if it is not Fault.UNKNOWN_HOST), 3 * MINUTE),
    (Phase.CREATE, (Fault.UNKNOWN_HOST,), 45.0),
    # A rollback must not fail, nor a job run on, for what passes within ten minutes.
    (Phase.UPDATE, FAULTS, 10 * MINUTE),
    (Phase.DELETE, FAULTS, 10 * MINUTE),
    # What takes hours is not given up for a cluster that is being upgraded.
    (Phase.COMPLETING, FAULTS, HOUR),
    (Phase.STOPPING, FAULTS, HOUR),
    (Phase.OWED, FAULTS, DAY),
    # What can do without the journal waits a moment for it, so that its success is written down.
    (Phase.UNWRITTEN, FAULTS, 10.0),
    # A role that was just made takes effect after minutes; a deployment waits for the rest.
    (Phase.CHECK, tuple(it for it in Fault if it is not Fault.DENIAL), 30.0),
    (Phase.CHECK, (Fault.DENIAL,), 10 * MINUTE),
]
CELLS = [(phase, fault, seconds) for phase, faults, seconds in PROMISED for fault in faults]


@pytest.mark.parametrize("since", [Patience(silent_since=NOW), Patience(refused_since=NOW)])
@pytest.mark.parametrize(("phase", "fault", "seconds"), CELLS)
def test_a_fault_is_borne_for_so_long(phase: Phase, fault: Fault, seconds: float, since: Patience) -> None:
    patience = since._replace(fault=fault)

    assert not patience.is_over(phase, NOW + seconds - 1, LIMITS)
    assert patience.is_over(phase, NOW + seconds, LIMITS)


def test_every_fault_has_a_limit_in_every_phase() -> None:
    assert {(phase, fault) for phase, fault, _ in CELLS} == {(phase, fault) for phase in Phase for fault in Fault}


@pytest.mark.parametrize("phase", Phase)
def test_nothing_is_over_without_a_fault_and_a_person_waits_for_none(phase: Phase) -> None:
    assert not Patience(cancelled_at=NOW - DAY).is_over(phase, NOW, LIMITS)
    assert Patience(silent_since=NOW).is_over(phase, NOW, NONE)


TIMES = st.none() | st.floats(0, 1e11) | st.integers(0, 10**11)
PATIENCE = st.builds(Patience, TIMES, TIMES, st.sampled_from(Fault), st.text(), TIMES, TIMES)


@given(patience=PATIENCE)
def test_it_is_read_back_from_a_message_as_it_was(patience: Patience) -> None:
    assert Patience.from_json({**json.loads(json.dumps(patience.as_json())), "of another version": 1}) == patience


@pytest.mark.parametrize("before", Fault)
@pytest.mark.parametrize("after", Fault)
def test_a_host_that_was_known_before_is_not_mistyped(before: Fault, after: Fault) -> None:
    patience = Patience().after(before, "", 0.0).after(after, "", 1.0)
    assert patience.fault is (before if after is Fault.UNKNOWN_HOST else after)


def test_a_patience_that_nothing_has_tried_takes_no_room_in_a_message() -> None:
    assert Patience().as_json() == {}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(Fault),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@given(data=st.dictionaries(st.sampled_from(Patience._fields) | st.text(), ANYTHING, max_size=5))
def test_garbage_is_named_or_is_a_patience(data: dict[str, object]) -> None:
    try:
        patience = Patience.from_json(data)
    except ValueError as error:
        assert str(error) in data.keys() & set(Patience._fields)  # noqa: PT017 - either way is right
        return

    assert Patience.from_json(json.loads(json.dumps(patience.as_json(), allow_nan=False))) == patience
    assert not patience.is_over(Phase.UPDATE, 0.0, LIMITS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("silent_since", "1"),
        ("silent_since", True),
        ("refused_since", -1),
        ("refused_since", None),
        ("cancelled_at", float("nan")),
        ("cancelled_at", 1e12),
        ("fault", "boredom"),
        ("fault", ["silence"]),
        ("words", 1),
    ],
)
def test_what_is_no_patience_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}$"):
        Patience.from_json({"words": "", field: value})
