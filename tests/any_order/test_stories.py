"""What holds of a resource's life, one story a promise, and the limits of which nothing can be known."""

from __future__ import annotations

import pytest

from provider.journal.entry import LEASE_SECONDS, REMEMBERED_SECONDS, Outcome
from provider.lifecycle.delivery import Read
from provider.look import Status
from tests.any_order.stories import CREATE, DELETE, UPDATE, Story
from tests.any_order.world import FOREIGN, Run, own

SUCCESS, FAILED = Outcome.SUCCESS, Outcome.FAILED
FOREIGN_A, FOREIGN_B, FOREIGN_A_ELSEWHERE = FOREIGN
A, B = {"describes": "A", "value": "x"}, {"describes": "B", "value": "x"}
A_CHANGED = {"describes": "A", "value": "y"}
FROM_A = {"old_describes": "A", "old_value": "x"}
FROM_A_CHANGED = {"old_describes": "A", "old_value": "y"}
FROM_B = {"old_describes": "B", "old_value": "x"}


# --- Creates ----------------------------------------------------------------------------------------------------------


def test_a_create_that_comes_fifty_minutes_late_starts_its_job() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.world.advance(3000)
    assert it.run(create) == (SUCCESS, "job-r1")


def test_a_change_that_comes_fifty_minutes_late_is_made() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, waits=True, **A)
    update = it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    it.world.advance(3000)
    assert it.run(update) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "y"


def test_a_create_for_which_nobody_waits_any_more_starts_nothing() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.world.advance(4000)
    assert it.run(create) == (FAILED, "")
    assert not it.world.started


def test_each_delivery_starts_the_same_job_also_if_the_journal_is_lost_in_between() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.run(create)
    it.world.entry, it.world.revision = None, 0
    assert it.run(create) == (SUCCESS, "job-r1")
    assert len(it.world.started) == 1


def test_a_create_that_comes_after_its_delete_of_the_same_second_starts_nothing() -> None:
    it = Story()
    create, delete = it.ask(CREATE, **A), it.ask(DELETE)
    assert it.run(delete) == (SUCCESS, "")
    assert it.run(create) == (FAILED, "")
    assert not it.world.started


def test_a_start_without_effect_is_sent_again() -> None:
    it = Story()
    it.world.calls = ["turned down", "turned down"]
    assert it.do(CREATE, **A) == (SUCCESS, "job-r1")


def test_a_refused_start_leaves_nothing_to_delete() -> None:
    it = Story()
    it.world.calls = ["refused"]
    assert it.do(CREATE, **A) == (FAILED, "")
    assert it.entry_of(own("r1")) is None
    assert it.do(DELETE) == (SUCCESS, "")


def test_a_create_that_fails_names_the_job_that_it_has_begun() -> None:
    it = Story()
    it.world.checks = ["It is too long."]
    assert it.do(CREATE, **A) == (FAILED, "job-r1")
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert not it.runs(own("r1"))


def test_an_operator_who_lets_the_provider_start_nothing_has_it_keep_what_runs() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.may_start = False
    assert it.do(UPDATE, own("r1"), **A, **FROM_A) == (SUCCESS, "job-r1")
    assert it.do(UPDATE, own("r1"), **B, **FROM_A) == (FAILED, "job-r1")
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (FAILED, "job-r1")
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert not it.runs(own("r1"))


# --- Outages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(100, SUCCESS), (600, FAILED)], ids=["of 100 s is borne", "of ten minutes is not"]
)
def test_an_outage_during_a_create(seconds: float, outcome: Outcome) -> None:
    it = Story()
    it.world.silent_until = it.world.now + 60 + seconds
    assert it.do(CREATE, **A) == (outcome, "job-r1")


@pytest.mark.parametrize("what", ["an update", "a rollback", "a rollback that starts its job anew", "a deletion"])
def test_an_outage_of_nine_minutes_is_borne_by(what: str) -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    if what == "a rollback":
        it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    elif what == "a rollback that starts its job anew":
        it.do(UPDATE, own("r1"), **B, **FROM_A)
        it.world.jobs[own("r1")].status = Status.BROKEN
    it.world.silent_until = it.world.now + 60 + 540
    match what:
        case "an update":
            assert it.do(UPDATE, own("r1"), **B, **FROM_A) == (SUCCESS, "job-r2")
        case "a rollback":
            assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
            assert it.world.jobs[own("r1")].value == "x"
        case "a rollback that starts its job anew":
            assert it.do(UPDATE, own("r2"), **A, **FROM_B) == (SUCCESS, "job-r3")
        case "a deletion":
            assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
            assert not it.runs(own("r1"))


def test_new_settings_need_no_neptune_and_give_the_attributes_that_were_known_last() -> None:
    it = Story()
    it.do(CREATE, **A)
    known = it.world.told["r1"][-1].told.attributes
    assert known
    it.world.silent_until = it.world.now + 9000
    update = it.ask(UPDATE, own("r1"), **A, **FROM_A)
    assert it.run(update) == (SUCCESS, "job-r1")
    assert it.answer(update).told.attributes == known


def test_three_deletes_of_a_clean_up_meet_a_cluster_that_is_down_and_the_message_cancels_the_job() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)
    it.world.silent_until = it.world.now + 10 * 3600
    for _ in range(3):
        assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    assert "the provider keeps trying for 24 hours" in it.reason()
    it.messages()
    assert not it.runs(own("r1"))
    assert not it.world.alarms


def test_the_alarm_sounds_when_a_message_has_tried_for_a_day() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.silent_until = it.world.now + 30 * 3600
    assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    it.messages()
    assert it.runs(own("r1"))
    assert it.world.alarms == {own("r1")}


# --- What nobody names any more ---------------------------------------------------------------------------------------


def test_a_creation_that_nobody_heard_is_cancelled_by_a_delete_after_a_weekend() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.advance(70 * 3600)
    assert it.do(DELETE) == (SUCCESS, "")
    assert not it.runs(own("r1"))


def test_the_job_of_a_failed_update_after_which_nothing_follows_is_cancelled() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.advance(60)
    it.world.checks = ["It is too long."]
    update = it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A))
    it.until(update, lambda: it.entry_of(own("r2")) and it.entry_of(own("r2")).is_owed)  # killed
    it.messages()
    assert not it.runs(own("r2"))
    assert it.runs(own("r1"))


def test_a_message_comes_before_the_write_that_closes_its_job() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.checks = ["It is too long."]
    update = it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A))
    it.until(update, lambda: it.world.queue)
    it.world.advance(30)
    first = Run(it.world, it.world.queue.pop())
    while first.step():
        pass
    assert first.next  # it comes again
    it.world.advance(100)
    it.run(update)
    it.messages()
    assert not it.runs(own("r2"))


def test_a_message_whose_job_is_not_closed_ends_when_no_invocation_can_close_it_any_more() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.checks = ["It is too long."]
    update = it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A))
    it.until(update, lambda: it.world.queue)  # killed
    it.messages()
    assert it.runs(own("r2"))
    assert it.do(UPDATE, own("r1"), **A, **FROM_B) == (SUCCESS, "job-r1")
    it.messages()
    assert not it.runs(own("r2"))


def test_a_delete_cancels_its_job_first_and_waits_for_what_it_closes_besides() -> None:
    it = Story(stop_seconds=40)
    it.do(CREATE, **A)
    it.until_asked(it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A)), "start")  # killed, and given up
    it.world.advance(60)
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert [job for job, _ in it.world.cancelled] == [own("r1"), own("r2")]
    assert it.world.jobs[own("r1")].status is it.world.jobs[own("r2")].status is Status.STOPPED


def test_a_second_delete_without_a_name_waits_for_what_the_first_has_closed() -> None:
    it = Story()
    it.do(CREATE, **A)  # not heard
    it.world.silent_until = it.world.now + 60 + 700
    assert it.do(DELETE) == (FAILED, "")
    assert it.do(DELETE) == (SUCCESS, "")
    assert not it.runs(own("r1"))


def test_a_second_delete_without_a_name_waits_also_when_the_creation_is_forgotten() -> None:
    it = Story()
    it.do(CREATE, **A)  # not heard
    it.world.advance(REMEMBERED_SECONDS + 86400)
    it.world.silent_until = it.world.now + 60 + 700
    assert it.do(DELETE) == (FAILED, "")
    assert it.do(DELETE) == (SUCCESS, "")
    assert not it.runs(own("r1"))


def test_retained_jobs_run_on_whatever_becomes_of_their_resource() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(CREATE, **B)  # job-r1 was retained before anything named it
    assert it.do(UPDATE, own("r2"), **A, **FROM_B) == (SUCCESS, "job-r3")
    it.do(UPDATE, own("r3"), **B, **FROM_A)
    it.do(DELETE, own("r2"))
    it.messages()
    assert it.runs(own("r1"))


def test_a_job_that_was_started_and_is_adopted_again_is_still_a_named_one() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)  # job-r1 is retained
    it.do(UPDATE, own("r2"), adopts=own("r1"))  # not heard
    assert it.do(UPDATE, own("r2"), **B, **FROM_B) == (SUCCESS, "job-r2")
    it.messages()
    assert it.runs(own("r1"))


def test_a_rollback_to_a_started_job_by_its_id_does_not_close_it_after_updates_that_nobody_wrote_down() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_writes_until = it.world.now + 600
    it.do(UPDATE, own("r1"), adopts=own("r1"))
    it.do(UPDATE, own("r1"), adopts=FOREIGN_A)
    it.world.no_writes_until = 0.0
    assert it.do(UPDATE, FOREIGN_A, adopts=own("r1")) == (SUCCESS, "job-r1")
    it.messages()
    assert it.runs(own("r1"))


# --- Order ------------------------------------------------------------------------------------------------------------


def test_an_update_that_comes_after_its_rollback_changes_nothing() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    update = it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    assert it.run(update) == (FAILED, "")
    assert it.run(update) == (FAILED, "")
    assert not it.world.changed


def test_an_update_that_goes_on_after_its_rollback_changes_nothing() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    update = it.until_saved(it.deliver(it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)))
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    assert it.run(update) == (FAILED, "")
    assert not it.world.changed


def test_a_delete_that_comes_after_a_later_request_cancels_what_nothing_uses_any_more() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)
    late = it.ask(DELETE, own("r1"))
    it.do(UPDATE, own("r2"), **B, **FROM_B)
    assert it.run(late) == (SUCCESS, "job-r1")
    assert not it.runs(own("r1"))
    assert it.runs(own("r2"))


def test_an_earlier_request_is_seen_by_its_answer() -> None:
    """It was signed three seconds before the newest, and comes before that one is answered, and again afterwards."""
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    now = int(it.world.now)
    first = it.ask(UPDATE, own("r1"), signed_at=now - 3, **A_CHANGED, **FROM_A)
    second = it.until_saved(it.deliver(it.ask(UPDATE, own("r1"), signed_at=now, **A, **FROM_A_CHANGED)))
    assert it.run(first) == (FAILED, "")
    it.run(second)
    assert it.run(first) == (FAILED, "")
    assert not it.world.changed


def test_a_request_that_was_signed_hardly_before_the_newest_was_answered_follows_it() -> None:
    it = Story()
    it.do(CREATE, **A)
    now = int(it.world.now)
    assert it.run(it.ask(UPDATE, own("r1"), signed_at=now - 3, **B, **FROM_A)) == (SUCCESS, "job-r2")


def test_what_was_not_seen_is_newer_where_nothing_is_signed() -> None:
    it = Story()
    assert it.run(it.ask(CREATE, signed_at=None, **A)) == (SUCCESS, "job-r1")
    assert it.run(it.ask(DELETE, own("r1"), signed_at=None)) == (SUCCESS, "job-r1")
    assert it.run(it.ask(CREATE, signed_at=None, **A)) == (SUCCESS, "job-r3")


def test_a_rollback_waits_for_the_change_of_which_nobody_knows() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    it.world.calls = ["late"]
    it.until_asked(it.deliver(it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)), "change")  # killed
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    it.world.advance(1000)
    assert it.world.jobs[own("r1")].value == "x"


def test_a_request_that_has_failed_does_not_succeed_when_it_is_delivered_again() -> None:
    it = Story()
    it.world.calls = ["refused"]
    create = it.ask(CREATE, **A)
    assert it.run(create) == it.run(create) == (FAILED, "")
    assert not it.world.started


def test_a_delivery_that_finds_its_job_started_has_its_attributes() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.until(it.deliver(create), lambda: it.entry_of(own("r1")) and not it.entry_of(own("r1")).call)  # killed
    assert it.run(create) == (SUCCESS, "job-r1")
    assert it.answer(create).told.attributes


def test_all_deliveries_say_the_same() -> None:
    it = Story()
    it.do(CREATE, **A)
    update = it.ask(UPDATE, own("r1"), **B, **FROM_A)
    first = it.until(it.deliver(update), lambda: it.entry_of(own("r2")) and not it.entry_of(own("r2")).call)
    it.world.checks = ["It is too long."]
    assert it.run(update) == (FAILED, "job-r1")
    assert it.run(first) == (FAILED, "job-r1")


# --- Cancelling -------------------------------------------------------------------------------------------------------


def test_the_delete_of_nothing_is_done_at_once() -> None:
    it = Story()
    it.ask(CREATE, **A)  # it never comes
    it.world.advance(60)
    before = it.world.now
    assert it.run(it.ask(DELETE)) == (SUCCESS, "")
    assert it.world.now == before


def test_the_delete_of_a_job_that_has_ended_asks_neptune_once() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.jobs[own("r1")].status = Status.COMPLETED
    before = it.world.now + 60
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert it.world.now == before


def test_a_delete_waits_for_the_lease_only_of_a_start_that_is_under_way() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.world.calls = ["late"]
    it.until_asked(it.deliver(create), "start")  # killed
    it.world.advance(1)
    before = it.world.now
    assert it.run(it.ask(DELETE)) == (SUCCESS, "")
    assert 0 < it.world.now - before <= LEASE_SECONDS + 30
    it.world.advance(1000)
    assert not it.runs(own("r1"))
    assert it.run(create) == (FAILED, "")


def test_a_create_or_update_waits_for_nothing_that_is_owed() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)
    it.world.stuck_until = it.world.now + 9000
    assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    before = it.world.now + 60
    assert it.do(UPDATE, own("r2"), **A, **FROM_B) == (SUCCESS, "job-r4")
    assert it.world.now == before


def test_a_delete_waits_for_the_job_that_it_closed_also_if_another_delete_follows() -> None:
    it = Story(stop_seconds=40.0)
    it.do(CREATE, **A)
    first, second = it.ask(DELETE, own("r1")), it.ask(DELETE, own("r1"))
    run = it.until_asked(it.deliver(first), "cancel")
    it.until_asked(it.deliver(second), "look")
    it.run(run)
    assert it.world.jobs[own("r1")].status is Status.STOPPED
    assert it.told(first) == (SUCCESS, "job-r1")


def test_a_delete_that_does_not_wait_is_done_when_each_of_its_jobs_has_been_cancelled() -> None:
    """Another delivery writes down that the first is: this one has not cancelled the second by that."""
    it = Story(stop_seconds=1e6)
    it.do(CREATE, **A)
    it.until_asked(it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A)), "start")
    it.world.advance(LEASE_SECONDS + 1)
    delete = it.ask(DELETE, own("r1"), waits=False)
    first = it.until_asked(it.deliver(delete), "cancel")
    second = it.until(it.deliver(delete), lambda: it.entry_of(own("r1")).gone)
    assert it.run(first) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].status is it.world.jobs[own("r2")].status is Status.STOPPING
    assert it.run(second) == (SUCCESS, "job-r1")


def test_a_delete_that_does_not_wait_asks_again_until_neptune_takes_the_cancellation() -> None:
    it = Story(stop_seconds=1e6)
    it.do(CREATE, **A)
    it.world.stuck_until = it.world.now + 300
    assert it.do(DELETE, own("r1"), waits=False) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].status is Status.STOPPING


def test_a_delete_that_was_paused_leaves_a_namesake_alone() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.world.advance(60)
    delete = it.ask(DELETE, FOREIGN_A)
    first = it.until_asked(it.deliver(delete), "look")
    assert it.run(delete) == (SUCCESS, "foreign-a")
    it.world.advance(200)
    it.world.make(FOREIGN_A)
    assert it.run(first) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)


def test_a_delete_whose_reading_took_long_leaves_a_namesake_alone() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.world.advance(60)
    delete = it.ask(DELETE, FOREIGN_A)
    it.until_asked(it.deliver(delete), "look")  # killed
    first = it.deliver(delete)
    it.until(first, lambda: isinstance(first.effect, Read))
    first.step()  # it is read, and the answer is under way
    assert it.run(delete) == (SUCCESS, "foreign-a")
    it.world.advance(200)
    it.world.make(FOREIGN_A)
    assert it.run(first) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)


def test_a_stale_delete_leaves_alone_what_was_adopted_anew_and_what_was_made_anew() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(UPDATE, FOREIGN_A, **B)
    stale = it.ask(DELETE, FOREIGN_A)
    it.do(UPDATE, own("r2"), adopts=FOREIGN_A)
    assert it.run(stale) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)
    assert it.do(DELETE, FOREIGN_A) == (SUCCESS, "foreign-a")
    assert not it.runs(FOREIGN_A)
    it.world.make(FOREIGN_A)
    it.world.advance(REMEMBERED_SECONDS - 2 * 86400)
    assert it.run(stale) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)


def test_a_job_that_is_being_cancelled_is_not_adopted_until_it_has_stopped() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.world.stuck_until = it.world.now + 5000
    assert it.do(DELETE, FOREIGN_A) == (FAILED, "foreign-a")
    assert it.do(CREATE, adopts=FOREIGN_A) == (FAILED, "")
    it.messages()
    assert it.do(CREATE, adopts=FOREIGN_A) == (SUCCESS, "foreign-a")


def test_a_job_that_somebody_has_cancelled_by_hand_after_the_alarm_can_be_adopted() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.world.stuck_until = it.world.now + 1e9
    assert it.do(DELETE, FOREIGN_A) == (FAILED, "foreign-a")
    it.messages()
    assert it.world.alarms == {FOREIGN_A}
    assert it.do(CREATE, adopts=FOREIGN_A) == (FAILED, "")
    it.world.make(FOREIGN_A)
    it.world.jobs[FOREIGN_A].status = Status.STOPPED
    assert it.do(CREATE, adopts=FOREIGN_A) == (SUCCESS, "foreign-a")
    it.world.make(FOREIGN_A)
    it.world.stuck_until = 0.0
    assert it.do(DELETE, FOREIGN_A) == (SUCCESS, "foreign-a")
    assert not it.runs(FOREIGN_A)


def test_a_broken_endpoint_is_deleted() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.jobs[own("r1")].status = Status.BROKEN
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert own("r1") not in it.world.jobs


# --- Changes in place -------------------------------------------------------------------------------------------------


def test_a_change_succeeds_when_it_has_come_about() -> None:
    it = Story(is_endpoint=True, ready_seconds=300)
    it.do(CREATE, waits=True, **A)
    before = it.world.now + 60
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (SUCCESS, "job-r1")
    assert it.world.now >= before + 300
    assert it.world.jobs[own("r1")].value == "y"


def test_a_change_that_neptune_does_not_show_at_once_is_waited_for() -> None:
    it = Story(is_endpoint=True, ready_seconds=300)
    it.do(CREATE, waits=True, **A)
    it.world.calls = ["slow"]
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "y"


def test_a_rollback_changes_what_may_have_been_changed() -> None:
    """Nobody knows what the first change did, and the next had no effect."""
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    update = it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    it.world.calls = ["unanswered", "turned down"]
    it.until_asked(it.deliver(update), "change")  # killed
    it.world.advance(LEASE_SECONDS + 1)
    other = it.ask(UPDATE, own("r1"), describes="A", value="z", **FROM_A_CHANGED)
    second = it.until_saved(it.until_asked(it.deliver(other), "change"))
    assert not it.entry_of(own("r1")).call
    second.kill()
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "x"


def test_a_change_that_neptune_undoes_has_failed_and_its_rollback_succeeds() -> None:
    it = Story(is_endpoint=True, ready_seconds=300)
    it.do(CREATE, waits=True, **A)
    it.world.calls = ["undone"]
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (FAILED, "job-r1")
    assert "There are no such instances." in it.reason()
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    assert it.runs(own("r1"))


def test_an_endpoint_that_is_being_changed_is_changed_back_when_it_is_in_service() -> None:
    it = Story(is_endpoint=True, ready_seconds=300)
    it.do(CREATE, waits=True, **A)
    it.world.advance(60)
    it.until_asked(it.deliver(it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)), "change")  # killed
    assert it.do(UPDATE, own("r1"), **A, **FROM_A_CHANGED) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "x"
    assert len(it.world.changed) == 2


def test_what_has_ended_is_replaced_by_a_change() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.jobs[own("r1")].status = Status.BROKEN
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (SUCCESS, "job-r2")


def test_an_unchanged_job_that_has_failed_fails_no_rollback() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.jobs[own("r1")].status = Status.FAILED
    assert it.do(UPDATE, own("r1"), waits=True, **A, **FROM_A) == (SUCCESS, "job-r1")


# --- From one to another ----------------------------------------------------------------------------------------------


def test_from_adopting_to_starting_and_back() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(UPDATE, FOREIGN_A, **A)  # not heard
    it.do(UPDATE, FOREIGN_A, adopts=FOREIGN_A, **FROM_A)
    it.messages()
    assert it.runs(FOREIGN_A)
    assert not it.runs(own("r2"))
    assert it.do(UPDATE, FOREIGN_A, **A) == (SUCCESS, "job-r4")
    assert it.do(UPDATE, own("r4"), adopts=own("r4"), **FROM_A) == (SUCCESS, "job-r4")
    assert it.do(UPDATE, own("r4"), **A) == (SUCCESS, "job-r4")
    assert it.do(UPDATE, own("r4"), adopts=FOREIGN_A, **FROM_A) == (SUCCESS, "foreign-a")
    it.do(DELETE, own("r4"))
    it.messages()
    assert it.runs(FOREIGN_A)
    assert not it.runs(own("r4"))
    assert len(it.world.started) == 2


def test_a_rollback_goes_back_to_the_job_that_there_was() -> None:
    it = Story()
    it.do(CREATE, **A)
    assert it.do(UPDATE, own("r1"), **B, **FROM_A) == (SUCCESS, "job-r2")
    it.world.may_start = False
    assert it.do(UPDATE, own("r2"), **A, **FROM_B) == (SUCCESS, "job-r1")


def test_a_rollback_goes_back_to_an_adopted_job_that_has_failed_meanwhile() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    assert it.do(UPDATE, FOREIGN_A, **B) == (SUCCESS, "job-r2")
    it.world.jobs[FOREIGN_A].status = Status.FAILED
    assert it.do(UPDATE, own("r2"), adopts=FOREIGN_A, waits=True, **FROM_B) == (SUCCESS, "foreign-a")


def test_a_resource_that_was_moved_to_another_stack_keeps_its_job() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.entry, it.world.revision = None, 0
    assert it.do(UPDATE, own("r1"), **A, **FROM_A) == (SUCCESS, "job-r1")
    assert it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "y"
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    assert not it.runs(own("r1"))


def test_a_job_of_the_same_id_at_another_host_is_not_adopted_instead() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    assert it.do(UPDATE, FOREIGN_A, adopts=FOREIGN_A_ELSEWHERE) == (FAILED, "foreign-a")
    assert it.do(UPDATE, FOREIGN_A, adopts=FOREIGN_A) == (SUCCESS, "foreign-a")


# --- Without the table, and without the queue -------------------------------------------------------------------------


def test_what_adopts_goes_on_without_the_table_after_a_minute() -> None:
    it = Story()
    it.world.no_table_until = it.world.now + 1e6
    before = it.world.now
    assert it.do(CREATE, adopts=FOREIGN_A) == (SUCCESS, "foreign-a")
    assert it.do(UPDATE, FOREIGN_A, adopts=FOREIGN_B) == (SUCCESS, "foreign-b")
    assert it.do(DELETE, FOREIGN_A) == (SUCCESS, "foreign-a")
    assert it.world.now - before < 3 * (60 + 120)
    assert not it.runs(FOREIGN_A)
    assert it.runs(FOREIGN_B)


def test_a_deletion_writes_itself_down_when_the_table_is_back_within_seconds() -> None:
    """So a creation that comes later starts nothing, and nothing stays owed."""
    it = Story()
    it.do(CREATE, **A)
    it.world.jobs[own("r1")].status = Status.COMPLETED
    it.world.advance(60)
    late = it.ask(UPDATE, own("r1"), **B, **FROM_A)
    it.world.advance(20)
    it.world.no_table_until = it.world.now + 8
    assert it.run(it.ask(DELETE, own("r1"))) == (SUCCESS, "job-r1")
    assert it.run(late) == (FAILED, "")
    assert it.entry_of(own("r1")).gone
    assert len(it.world.started) == 1


@pytest.mark.parametrize("what", ["no_table_until", "no_writes_until"])
@pytest.mark.parametrize(("seconds", "outcome"), [(100, SUCCESS), (1e6, FAILED)])
def test_a_create_waits_three_minutes_for_the_table(what: str, seconds: float, outcome: Outcome) -> None:
    it = Story()
    setattr(it.world, what, it.world.now + 60 + seconds)
    before = it.world.now + 60
    assert it.do(CREATE, **A) == (outcome, "job-r1")
    assert it.world.now - before < 300
    assert bool(it.world.started) == (outcome is SUCCESS)
    assert outcome is SUCCESS or "When this is fixed, try again." in it.reason()


@pytest.mark.parametrize(("seconds", "outcome"), [(500, SUCCESS), (1e6, FAILED)])
def test_a_delete_that_names_nothing_waits_ten_minutes_for_the_table(seconds: float, outcome: Outcome) -> None:
    it = Story()
    it.do(CREATE, **A)  # not heard
    it.world.no_table_until = it.world.now + 60 + seconds
    before = it.world.now + 60
    assert it.do(DELETE) == (outcome, "")
    assert it.world.now - before < 900
    assert it.runs(own("r1")) == (outcome is FAILED)
    assert outcome is SUCCESS or "When this is fixed, delete the stack again." in it.reason()


def test_a_delete_that_is_paused_without_the_table_looks_again() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.world.no_table_until = it.world.now + 1e6
    delete = it.until_asked(it.deliver(it.ask(DELETE, FOREIGN_A)), "look")
    it.world.advance(60)
    assert it.run(delete) == (SUCCESS, "foreign-a")
    assert not it.runs(FOREIGN_A)


def test_a_table_that_can_be_read_says_what_a_delete_must_leave_alone() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(UPDATE, FOREIGN_A, **B)
    stale = it.ask(DELETE, FOREIGN_A)
    it.do(UPDATE, own("r2"), adopts=FOREIGN_A)
    it.world.no_writes_until = it.world.now + 1e6
    assert it.run(stale) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)


def test_what_the_table_says_is_gone_is_not_adopted_anew_without_writing_it_down() -> None:
    """Its Delete would find that there is nothing to cancel."""
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(DELETE, FOREIGN_A)
    it.world.jobs[FOREIGN_A].status = Status.RUNS
    it.world.no_writes_until = it.world.now + 1e6
    assert it.do(CREATE, adopts=FOREIGN_A) == (FAILED, "")


def test_a_delete_that_fails_without_the_table_does_not_promise_that_the_cancelling_goes_on() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_table_until = it.world.silent_until = it.world.now + 1e6
    assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    assert "goes on" not in it.reason()


def test_a_message_gives_a_table_that_is_away_for_good_up_after_a_day_with_the_alarm() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.stuck_until = it.world.now + 1e6
    assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    it.world.no_table_until = it.world.now + 1e9
    before = it.world.now
    it.messages()
    assert it.world.alarms == {own("r1")}
    assert it.world.now - before < 2 * 86400


def test_an_answer_that_was_lost_is_read_again() -> None:
    it = Story()
    it.world.saves = ["unanswered in a conflict"] * 4
    assert it.do(CREATE, **A) == (SUCCESS, "job-r1")
    assert len(it.world.started) == 1


def test_without_the_queue_the_request_that_closes_a_job_cancels_it_and_the_alarm_sounds() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_queue_until = it.world.now + 1e6
    it.world.checks = ["It is too long."]
    assert it.do(UPDATE, own("r1"), **B, **FROM_A) == (FAILED, "job-r1")
    assert not it.runs(own("r2"))
    assert it.world.alarms == {own("r2")}


def test_without_the_queue_the_alarm_sounds_also_if_who_closes_a_job_is_killed() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_queue_until = it.world.now + 1e6
    it.world.checks = ["It is too long."]
    update = it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A))
    it.until(update, lambda: it.entry_of(own("r2")) and it.entry_of(own("r2")).is_owed)
    assert it.world.alarms == {own("r2")}


def test_without_the_queue_nothing_is_cancelled_that_was_closed_long_ago() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_queue_until = it.world.now + 1e6
    it.world.checks = ["It is too long."]
    update = it.deliver(it.ask(UPDATE, own("r1"), **B, **FROM_A))
    it.until(update, lambda: it.entry_of(own("r2")) and it.entry_of(own("r2")).is_owed)
    it.world.advance(60)
    assert it.run(update) == (FAILED, "job-r1")
    assert not it.world.cancelled


def test_without_the_queue_a_request_waits_where_it_is_and_fails_in_time() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.world.no_queue_until = it.world.now + 1e6
    it.world.stuck_until = it.world.now + 1e6
    before = it.world.now + 60
    assert it.do(DELETE, own("r1")) == (FAILED, "job-r1")
    assert it.world.now - before < 900
    assert it.world.alarms == {own("r1")}


# --- Limits: nobody can know ------------------------------------------------------------------------------------------


def test_limit_an_update_back_to_the_description_of_a_retained_job_takes_it_up() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)  # job-r1 is retained by UpdateReplacePolicy
    assert it.do(UPDATE, own("r2"), **A_CHANGED, **FROM_B) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "y"


def test_limit_a_job_retained_at_once_is_cancelled_with_a_creation_that_never_comes() -> None:
    it = Story()
    it.do(CREATE, **A)  # retained
    it.ask(CREATE, **B)  # it never comes, and is rolled back
    assert it.do(DELETE) == (SUCCESS, "")
    assert not it.runs(own("r1"))


def test_limit_a_replacement_that_nobody_heard_runs_on_without_rollback() -> None:
    it = Story()
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)  # not heard
    it.do(DELETE, own("r1"))
    it.messages()
    assert it.runs(own("r2"))


def test_limit_a_replacement_that_is_rolled_back_and_retained_without_a_request_is_cancelled() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.do(UPDATE, own("r1"), **B, **FROM_A)  # the old ID is restored, and job-r2 retained
    it.do(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    it.messages()
    assert not it.runs(own("r2"))


def test_limit_of_two_creations_the_one_that_nobody_heard_runs_on() -> None:
    it = Story()
    it.do(CREATE, **A)  # not heard, and not rolled back
    it.do(CREATE, **B)
    assert it.do(DELETE) == (SUCCESS, "")
    it.messages()
    assert it.runs(own("r1"))
    assert not it.runs(own("r2"))


def test_limit_of_two_requests_of_one_second_the_later_to_come_is_the_newer() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, **A)
    it.world.advance(60)
    late = it.ask(UPDATE, own("r1"), **A_CHANGED, **FROM_A)
    it.run(it.ask(UPDATE, own("r1"), **A, **FROM_A_CHANGED))
    assert it.run(late) == (SUCCESS, "job-r1")
    assert it.world.jobs[own("r1")].value == "y"


def test_limit_the_entry_of_a_resource_that_was_moved_still_knows_its_job() -> None:
    """Whoever declares the first one's logical ID anew, and rolls back, goes back to a job that is another's now."""
    it = Story()
    it.do(CREATE, **A)
    moved, count = it.world.entry, it.world.revision
    it.world.entry, it.world.revision = None, 0
    it.do(UPDATE, own("r1"), **A, **FROM_A)  # in another stack
    it.world.entry, it.world.revision = moved, count
    assert it.do(DELETE) == (SUCCESS, "")
    assert not it.runs(own("r1"))


def test_limit_without_the_table_a_stale_delete_cancels_what_was_adopted_anew() -> None:
    it = Story()
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(UPDATE, FOREIGN_A, **B)
    stale = it.ask(DELETE, FOREIGN_A)
    it.do(UPDATE, own("r2"), adopts=FOREIGN_A)
    it.world.no_table_until = it.world.now + 1e6
    assert it.run(stale) == (SUCCESS, "foreign-a")
    assert not it.runs(FOREIGN_A)


def test_limit_without_the_table_a_deletion_misses_an_adopted_job_with_the_id_of_one_that_was_cancelled() -> None:
    it = Story(is_endpoint=True)
    it.do(CREATE, adopts=FOREIGN_A)
    it.do(DELETE, FOREIGN_A)
    it.world.make(FOREIGN_A)
    it.world.no_table_until = it.world.now + 600
    assert it.do(CREATE, adopts=FOREIGN_A) == (SUCCESS, "foreign-a")
    it.world.advance(600)
    assert it.do(DELETE, FOREIGN_A) == (SUCCESS, "foreign-a")
    assert it.runs(FOREIGN_A)


def test_limit_after_a_deletion_that_ends_without_the_table_its_resource_does_not_adopt_a_new_job_of_that_id() -> None:
    it = Story(is_endpoint=True, stop_seconds=40.0)
    it.do(CREATE, adopts=FOREIGN_A)
    delete = it.until_asked(it.deliver(it.ask(DELETE, FOREIGN_A)), "cancel")
    it.world.no_table_until = it.world.now + 600
    assert it.run(delete) == (SUCCESS, "foreign-a")
    it.world.advance(600)
    it.world.make(FOREIGN_A)
    assert it.do(CREATE, adopts=FOREIGN_A) == (FAILED, "")
    assert it.runs(FOREIGN_A)


def test_limit_without_the_table_for_minutes_a_deletion_does_not_keep_a_late_creation_from_starting_its_job() -> None:
    it = Story()
    create = it.ask(CREATE, **A)
    it.world.no_table_until = it.world.now + 600
    assert it.run(create) == (FAILED, "job-r1")
    assert it.do(DELETE, own("r1")) == (SUCCESS, "job-r1")
    it.world.advance(600)
    assert it.run(create) == (SUCCESS, "job-r1")
    assert it.runs(own("r1"))
