"""CloudFormation, played by Hypothesis: requests, duplicates, faults and kills in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from provider.custom_resource.waiting import FIELD
from provider.kinds import KINDS
from tests.any_order.aws import (
    BLUE,
    BLUE_TOO,
    COMPLETED,
    FAILED,
    GREEN,
    IN_PROGRESS,
    REFUSED,
    STEPS,
    STOPPING,
    Aws,
    Fault,
    Key,
    Plan,
    RunningJob,
    Started,
    ended,
    key_of,
    key_of_resource,
)
from tests.function.world import DESCRIPTIONS, EPOCH, FUNCTION_ARN, STACK_ID

if TYPE_CHECKING:
    from provider.kinds.kind import Kind

JOBS = ("job-a", "job-b")
DESCRIBED_BY = "VolumeEncryptionKMSKey"
"""The property by which the jobs that are described differ: each kind has it."""
DESCRIBED_AS = ("key-a", "key-b")
VERSION = "a version"
"""Stands for the properties that describe a job and can be changed while it stays the same, if its kind has any."""
VERSIONS = ("version-a", "version-b")
CLUSTERS = (BLUE, GREEN)
INVENTED = "graph-Job-1N2K5RF3Q0J6K"
ATTEMPTS = 3
MOST_RESOURCES = 3
ROLLBACK_SECONDS, DAY_SECONDS = 1800.0, 86400.0
# What Neptune has forgotten could be started again by the same request; none is that old.
FORGOTTEN_AFTER_SECONDS = 4000.0
fault_plans = st.dictionaries(st.sampled_from(STEPS), st.lists(st.sampled_from(Fault), max_size=4), max_size=3)
service_timeouts = st.sampled_from([30, 120, 3600])
kinds = st.sampled_from(KINDS)
endpoints = st.sampled_from([BLUE, BLUE_TOO, GREEN])
# Which job a resource is to have: one that runs already, or one that is started.
which_jobs = st.one_of(
    st.fixed_dictionaries({"Id": st.sampled_from(JOBS)}),
    st.fixed_dictionaries(
        {DESCRIBED_BY: st.sampled_from([*DESCRIBED_AS, REFUSED]), VERSION: st.sampled_from(VERSIONS)}
    ),
)
which_started_jobs = st.fixed_dictionaries(
    {DESCRIBED_BY: st.sampled_from(DESCRIBED_AS), VERSION: st.sampled_from(VERSIONS)}
)
FLAGS = {"WaitForStop": ["true", "false"], "WaitForCompletion": ["true", "false", "false"], "Clean": ["true", "false"]}
flags = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in FLAGS.items()})
plans = st.builds(
    Plan,
    stop_seconds=st.sampled_from([0.0, 5.0, 400.0, 1500.0, None]),
    appear_seconds=st.sampled_from([0.0, 0.0, 5.0, 20.0]),
    run_seconds=st.sampled_from([None, None, 3.0, 60.0, 1000.0]),
    ends_as=st.sampled_from([COMPLETED, FAILED]),
)


@dataclass
class Request:
    """What CloudFormation asked."""

    event: dict[str, Any]
    at: float

    @property
    def request_id(self) -> str:
        return str(self.event["RequestId"])

    @property
    def type(self) -> str:
        return str(self.event["RequestType"])

    @property
    def service_timeout(self) -> int:
        return int(self.event["ResourceProperties"]["ServiceTimeout"])


@dataclass
class CleanUp:
    """What CloudFormation does with a physical id that a replacement has left: three attempts, then it forgets it."""

    physical_id: str
    properties: dict[str, str]
    attempts: list[Request] = field(default_factory=list)


@dataclass
class Resource:
    """A resource in a stack, as CloudFormation sees it."""

    name: str
    kind: Kind
    properties: dict[str, Any]
    physical_id: str | None = None
    pending: Request | None = None
    is_failed: bool = False
    """Whether its creation, or the attempt at its deletion, has failed: what is to come is a Delete."""
    is_to_be_deleted: bool = False
    is_rollback: bool = False
    """Whether the pending Update is a rollback."""
    is_gone: bool = False
    """Whether it is deleted, or retained."""
    replaced: tuple[str, dict[str, Any]] | None = None
    """What a replacement has left, while the update of the stack may still be rolled back."""
    clean_ups: list[CleanUp] = field(default_factory=list)

    def key(self, physical_id: str | None) -> Key | None:
        """The job that a physical id of this resource means."""
        return key_of_resource(str(physical_id), self.kind.resource_type)

    def described(self, which: dict[str, str]) -> dict[str, Any]:
        """What its properties say of its job."""
        if "Id" in which:
            return {"Id": which["Id"]}
        version = dict.fromkeys(self.in_place(), which[VERSION])
        return {**DESCRIPTIONS[self.kind.resource_type], **version, DESCRIBED_BY: which[DESCRIBED_BY]}

    def in_place(self) -> list[str]:
        """The properties that describe its job and can be changed while it stays the same."""
        changed = {row.name for row in self.kind.properties if row.describes and row.update == "No interruption"}
        return [name for name in DESCRIPTIONS[self.kind.resource_type] if name in changed]

    def is_same_as(self, other: Resource) -> bool:
        return (self.name, self.kind) == (other.name, other.kind)


class Cloud(RuleBasedStateMachine):
    """What can happen, and what must hold whatever happens.

    Known limits, which are not played:

    - Neptune refuses a start once (400) and accepts it when the same Create is delivered again: what is refused here is
      refused each time, for that is what the function takes a refusal for.
    - An update fails while rollback is disabled, or a creation that was never answered is deleted a day later or more:
      CloudFormation rolls back within the hour here (`_roll_back`).
    - A retained job is taken for one that was never reported: see `_is_taken_for_unreported`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.aws = Aws()
        self.all: dict[str, Request] = {}
        self.owners: dict[str, Resource] = {}
        self.known: list[Resource] = []
        self.may_cancel: set[Key] = set()
        self.abandoned: set[str] = set()
        """Requests that were rolled back unheard, or failed: what they have started is to be cancelled."""
        self.retained: dict[Key, float] = {}
        self.checked = 0

    @initialize(
        stops=st.lists(st.sampled_from([0.0, 5.0, 400.0, 1500.0, None]), min_size=4, max_size=4),
        lists_ended=st.booleans(),
        remembers_ids=st.booleans(),
    )
    def some_jobs_run(self, *, stops: list[float | None], lists_ended: bool, remembers_ids: bool) -> None:
        names = [(cluster, job) for cluster in CLUSTERS for job in JOBS]
        self.aws.lists_ended, self.aws.remembers_ids = lists_ended, remembers_ids
        for kind in KINDS:
            for name, stop_seconds in zip(names, stops, strict=True):
                key = Key(*name, kind.resource_type)
                self.aws.jobs[key] = RunningJob(stop_seconds, arn=f"arn:{'/'.join(key)}")

    # --- what CloudFormation does -------------------------------------------------------------------------------------

    def _request(self, resource: Resource, request_type: str, properties: dict[str, str], **fields: object) -> Request:
        request_id = f"00000000-0000-4000-8000-{len(self.all):012}"
        signed = f"{datetime.fromtimestamp(EPOCH + self.aws.time, UTC):%Y%m%dT%H%M%SZ}"
        host = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"
        event = {
            "RequestType": request_type,
            "RequestId": request_id,
            "StackId": STACK_ID,
            "ResponseURL": f"https://{host}/{request_id}?X-Amz-Date={signed}&X-Amz-Signature=5ec7e7",
            "ResourceType": resource.kind.resource_type,
            "LogicalResourceId": resource.name,
            "ResourceProperties": properties,
            **fields,
        }
        request = Request(event, self.aws.time)
        self.all[request_id] = request
        self.owners[request_id] = resource
        self.aws.invoke_later(event)
        return request

    def _create(self, name: str, kind: Kind, which: dict[str, str], more: dict[str, str]) -> Resource:
        resource = Resource(name, kind, {})
        resource.properties = {"ServiceToken": FUNCTION_ARN, **resource.described(which), **more}
        resource.pending = self._request(resource, "Create", resource.properties)
        self.known.append(resource)
        return resource

    def _update(self, resource: Resource, new: dict[str, str], old: dict[str, str], *, is_rollback: bool) -> Request:
        resource.is_rollback = is_rollback
        resource.pending = self._request(
            resource, "Update", new, PhysicalResourceId=resource.physical_id, OldResourceProperties=old
        )
        return resource.pending

    def _delete(self, resource: Resource, physical_id: str, properties: dict[str, str]) -> Request:
        key = resource.key(physical_id)
        if key is not None:
            self.may_cancel.add(key)
        return self._request(resource, "Delete", properties, PhysicalResourceId=physical_id)

    def has_room(self) -> bool:
        return sum(not it.is_gone for it in self.known) < MOST_RESOURCES

    def begin(self, kind: Kind, endpoint: str, which: dict[str, str], timeout: int, more: dict[str, str]) -> Resource:
        name = f"{len(self.known):03}" + "Job" * 84
        return self._create(name, kind, which, {"Endpoint": endpoint, "ServiceTimeout": str(timeout), **more})

    def begin_again(self, resource: Resource, kind: Kind) -> Resource:
        """The same name is in the template again, perhaps with another type."""
        namesakes = [it for it in self.known if it.name == resource.name]
        if not all(it.is_gone and self._is_cleaned_up(it) for it in namesakes):
            return resource
        which = {name: resource.properties[name] for name in ("Id", DESCRIBED_BY) if name in resource.properties}
        which[VERSION] = VERSIONS[0]
        more = {name: resource.properties[name] for name in ("Endpoint", "ServiceTimeout", *FLAGS)}
        return self._create(resource.name, kind, which, more)

    def _settle(self, resource: Resource) -> bool:
        """Take note of an answer; tell whether the resource can be asked again."""
        request = resource.pending
        if request is None:
            return self._is_cleaned_up(resource)
        answered = self.aws.answered.get(request.request_id)
        if not answered and not self._is_over(request):
            return False
        answer = answered[0].body if answered else {"Status": "FAILED", "PhysicalResourceId": INVENTED}
        has_failed = answer["Status"] == "FAILED"
        resource.pending = None
        if request.type == "Create":
            resource.physical_id, resource.is_failed = answer["PhysicalResourceId"], has_failed
            if has_failed:
                self.abandoned.add(request.request_id)
        elif request.type == "Delete":
            resource.is_gone, resource.is_failed = not has_failed, has_failed
        elif not has_failed:
            self._take_over(resource, request, answer["PhysicalResourceId"])
        else:
            self.abandoned.add(request.request_id)
            if resource.is_rollback:  # "continue the rollback", until it succeeds
                self._update(
                    resource,
                    request.event["ResourceProperties"],
                    request.event["OldResourceProperties"],
                    is_rollback=True,
                )
            else:
                self._update(
                    resource,
                    request.event["OldResourceProperties"],
                    request.event["ResourceProperties"],
                    is_rollback=True,
                )
            return False
        return self._is_cleaned_up(resource)

    def _take_over(self, resource: Resource, update: Request, physical_id: str) -> None:
        old = str(resource.physical_id), update.event["OldResourceProperties"]
        resource.physical_id, resource.properties = physical_id, update.event["ResourceProperties"]
        if (key := resource.key(physical_id)) is not None:
            self.retained.pop(key, None)
        let_go = [it for it in (old, resource.replaced) if it and it[0] != physical_id]
        resource.replaced = None
        if resource.is_rollback:
            resource.clean_ups += [CleanUp(*it) for it in let_go]
        elif let_go:
            (resource.replaced,) = let_go

    def update(self, resource: Resource, endpoint: str, which: dict[str, str], more: dict[str, str]) -> None:
        if not self._is_live(resource) or resource.replaced:
            return
        kept = {name: resource.properties[name] for name in ("ServiceToken", "ServiceTimeout")}
        new = {**kept, "Endpoint": endpoint, **resource.described(which), **more}
        self._update(resource, new, resource.properties, is_rollback=False)

    def change_in_place(self, resource: Resource) -> None:
        """Change what can be changed while the job stays the same, if its kind has that."""
        if self._is_live(resource) and not resource.replaced and "Id" not in resource.properties:
            other = dict(zip(VERSIONS, reversed(VERSIONS), strict=True))
            changed = {name: other[resource.properties[name]] for name in resource.in_place()}
            self._update(resource, {**resource.properties, **changed}, resource.properties, is_rollback=False)

    def update_settings(self, resource: Resource, more: dict[str, str]) -> None:
        if self._is_live(resource) and not resource.replaced:
            self._update(resource, {**resource.properties, **more}, resource.properties, is_rollback=False)

    def an_update_of_settings_meets_a_cluster_that_is_down(self, resource: Resource) -> None:
        if not self._is_live(resource) or resource.replaced:
            return
        self.aws.outages = dict.fromkeys(("get", "list", "start", "cancel"), Fault.UNREACHABLE)
        new = {**resource.properties, "Clean": "true"}
        update = self._update(resource, new, resource.properties, is_rollback=False)
        for _ in range(60):
            if update.request_id in self.aws.answered or not self.aws.deliveries:
                break
            self.aws.deliver_next()
        self.aws.outages = {}

    def _is_live(self, resource: Resource) -> bool:
        return self._settle(resource) and not (resource.is_gone or resource.is_failed)

    def another_resource_of_the_stack_fails(self, resource: Resource, restores_id: bool, is_retained: bool) -> None:  # noqa: FBT001
        """A replacement that has succeeded is rolled back: by its id, or by an Update."""
        if not self._is_live(resource) or not resource.replaced:
            return
        replacement = str(resource.physical_id), resource.properties
        if not restores_id:
            self._update(resource, resource.replaced[1], resource.properties, is_rollback=True)
            return
        resource.physical_id, resource.properties = resource.replaced
        resource.replaced = None
        self._let_go(resource, *replacement, is_retained=is_retained)

    def the_update_of_the_stack_is_complete(self, resource: Resource, is_retained: bool) -> None:  # noqa: FBT001
        if self._is_live(resource) and resource.replaced:
            replaced, resource.replaced = resource.replaced, None
            self._let_go(resource, *replaced, is_retained=is_retained)

    def _let_go(self, resource: Resource, physical_id: str, properties: dict[str, str], *, is_retained: bool) -> None:
        if is_retained:  # UpdateReplacePolicy
            self._retain(resource, physical_id)
        else:
            resource.clean_ups.append(CleanUp(physical_id, properties))

    def _retain(self, resource: Resource, physical_id: str) -> None:
        key = resource.key(physical_id)
        if key is not None:
            self.retained[key] = self.aws.time

    def retain(self, resource: Resource) -> None:
        """The stack is deleted, and its template has `DeletionPolicy: Retain`."""
        if self._is_live(resource) and not resource.replaced:
            resource.is_gone = True
            self._retain(resource, str(resource.physical_id))

    def delete(self, resource: Resource) -> None:
        """Delete the resource, or roll a Create back that has not answered yet."""
        if not self._settle(resource):
            create = resource.pending
            if create is None or create.type != "Create":
                return
            self.abandoned.add(create.request_id)
            resource.physical_id = INVENTED
        if not (resource.is_gone or resource.replaced):
            resource.is_to_be_deleted = True
            resource.pending = self._delete(resource, str(resource.physical_id), resource.properties)

    def clean_up_after_a_replacement(self, resource: Resource) -> None:
        for clean_up in resource.clean_ups:
            self._clean_up(resource, clean_up)

    def _clean_up(self, resource: Resource, clean_up: CleanUp) -> bool:
        """Ask for the next attempt, if there is to be one; tell whether there is."""
        if self._is_done(clean_up) or (clean_up.attempts and not self._has_ended(clean_up.attempts[-1])):
            return False
        clean_up.attempts.append(self._delete(resource, clean_up.physical_id, clean_up.properties))
        return True

    def _is_done(self, clean_up: CleanUp) -> bool:
        if any(self._has_succeeded(attempt) for attempt in clean_up.attempts):
            return True
        return len(clean_up.attempts) == ATTEMPTS and self._has_ended(clean_up.attempts[-1])

    def _is_cleaned_up(self, resource: Resource) -> bool:
        return all(self._is_done(clean_up) for clean_up in resource.clean_ups)

    def _has_succeeded(self, request: Request) -> bool:
        answered = self.aws.answered.get(request.request_id)
        return answered is not None and answered[0].body["Status"] == "SUCCESS"

    def _has_ended(self, request: Request) -> bool:
        return request.request_id in self.aws.answered or self._is_over(request)

    def _is_over(self, request: Request) -> bool:
        return self.aws.time > request.at + request.service_timeout

    # --- what Lambda and SQS do ---------------------------------------------------------------------------------------

    def deliver(self, faults: dict[str, list[Fault]], seconds: float) -> None:
        self.aws.faults = faults
        self.aws.invocation_seconds = seconds
        self.aws.deliver_next()
        self.aws.faults = {}

    def deliver_twice(self, data: st.DataObject) -> None:
        """A request comes again, perhaps long after it has ended."""
        self._deliver_again(data.draw(st.sampled_from(list(self.all.values()))).event)

    def deliver_a_message_twice(self, data: st.DataObject, after: float) -> None:
        delivery = data.draw(st.sampled_from(self.aws.deliveries))
        self._deliver_again(delivery.event, after)

    def replay_a_dead_letter(self) -> None:
        letter = self.aws.dead_letters.pop()
        self._deliver_again(letter)

    def _deliver_again(self, event: dict[str, Any], after: float = 0.0) -> None:
        self.aws.invoke_later(event, after=after, is_message=FIELD in event)

    def the_queue_changes_its_mind(self, fault: Fault) -> None:
        self.aws.outages = {} if fault is Fault.NONE else dict.fromkeys(("send", "check", "visibility"), fault)

    # --- what time and Neptune do -------------------------------------------------------------------------------------

    def time_passes(self, seconds: float) -> None:
        end = self.aws.time + seconds
        while self.aws.time < end:
            until = min(end, self.aws.time + ROLLBACK_SECONDS)
            while self.aws.deliveries and self.aws.deliveries[0].at <= until:
                self.aws.deliver_next()
            self.aws.time = max(self.aws.time, until)
            for resource in self.known:
                asked_at = resource.pending.at if resource.pending else self.aws.time
                if self.aws.time < end or self.aws.time >= asked_at + ROLLBACK_SECONDS:
                    self._roll_back(resource)

    def _roll_back(self, resource: Resource) -> None:
        """Roll back what has failed: CloudFormation does not wait for hours."""
        self._settle(resource)
        if resource.pending is None and resource.is_failed and not resource.is_to_be_deleted:
            self.delete(resource)

    def jobs_that_are_started_have_another_fate(self, plan: Plan) -> None:
        self.aws.plan = plan

    def a_job_ends_by_itself(self, data: st.DataObject, status: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.aws.jobs)))
        if self.aws.status(key) == IN_PROGRESS:
            self.aws.jobs[key].status = status

    def neptune_forgets_an_ended_job(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.aws.jobs)))
        began = next((it.at for it in self.aws.started if it.key == key), -FORGOTTEN_AFTER_SECONDS)
        if self.aws.status(key) in ended(key.kind) and self.aws.time >= began + FORGOTTEN_AFTER_SECONDS:
            del self.aws.jobs[key]

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def no_job_but_a_resources_own_was_cancelled(self) -> None:
        by = {it.key: it.request_id for it in self.aws.started}
        for key in self.aws.cancelled[self.checked :]:
            if key in self.may_cancel:
                continue
            if key in self.retained:
                assert self._is_taken_for_unreported(key), key
            else:
                assert by.get(key) in self.abandoned, key
        self.checked = len(self.aws.cancelled)

    def _is_taken_for_unreported(self, key: Key) -> bool:
        """Tell whether a retained job cannot be told from one that was never reported, which is a known limit.

        It was started less than a day ago, and after that its resource was to have a job of the same description again:
        by a Create that was not answered (so that its Delete does not say which request it was), by an Update that
        failed, or by one in place of a job before it that had failed or was gone.
        """
        own = next(it for it in self.aws.started if it.key == key)
        owner = self.owners[own.request_id]
        in_place = {it for it, request in self.all.items() if self._is_changed_in_place(request.event)}
        for request_id in self.abandoned | in_place:
            event, answered = self.all[request_id].event, self.aws.answered.get(request_id)
            unheard = event["RequestType"] == "Update" or not answered or self._is_rolled_back_unheard(request_id)
            is_of_it = self.owners[request_id].is_same_as(owner) and description(own) == event[
                "ResourceProperties"
            ].get(DESCRIBED_BY)
            if is_of_it and unheard and own.at <= self.all[request_id].at < own.at + DAY_SECONDS:
                return True
        return False

    def _is_rolled_back_unheard(self, request_id: str) -> bool:
        return self.owners[request_id].physical_id == INVENTED

    @invariant()
    def a_request_starts_one_job_and_no_other_starts_the_same(self) -> None:
        one_each = {(it.request_id, it.key) for it in self.aws.started}
        assert len({it.request_id for it in self.aws.started}) == len(one_each)
        assert len({it.key for it in self.aws.started}) == len(one_each)
        # What is gone, and not remembered, may be made again by another delivery.
        again = Counter(it.key for it in self.aws.started if self.aws.remembers_ids or it.key.kind.ended)
        assert set(again.values()) <= {1}
        assert all(self.all[it.request_id].type != "Delete" for it in self.aws.started)

    @invariant()
    def success_on_a_delete_means_that_the_job_runs_no_more(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Delete" or event["PhysicalResourceId"] == INVENTED:
                continue
            waits = event["ResourceProperties"]["WaitForStop"] == "true"
            over = {None, *ended(self.owners[request_id].kind)}
            allowed = over if waits else {*over, STOPPING}
            for answer in answered:
                if answer.body["Status"] == "SUCCESS":
                    assert answer.job_status in allowed

    @invariant()
    def success_names_a_job_that_there_is(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            for answer in answered:
                name = answer.body["PhysicalResourceId"]
                if event["RequestType"] == "Delete" or answer.body["Status"] == "FAILED":
                    continue
                if name == event.get("PhysicalResourceId"):
                    continue  # an Update that keeps the identity
                assert answer.job_status is not None
                assert answer.job_status == COMPLETED or event["ResourceProperties"]["WaitForCompletion"] == "false"

    @invariant()
    def success_means_that_the_job_is_what_the_resource_describes(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event, resource = self.all[request_id].event, self.owners[request_id]
            properties = event["ResourceProperties"]
            if event["RequestType"] == "Delete" or "Id" in properties or answered[0].job_status is None:
                continue
            if answered[0].body["Status"] == "SUCCESS":
                for name in resource.in_place():
                    assert answered[0].parameters[name[0].lower() + name[1:]] == properties[name]

    @invariant()
    def an_answer_is_about_its_request(self) -> None:
        by = {it.key: it.request_id for it in self.aws.started}
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            for answer in answered:
                assert answer.body["LogicalResourceId"] == event["LogicalResourceId"]
                if event["RequestType"] == "Delete" or answer.body["Status"] == "FAILED":
                    assert answer.body["PhysicalResourceId"] == event.get(
                        "PhysicalResourceId", answer.body["PhysicalResourceId"]
                    )
                if event["RequestType"] == "Create":
                    key = self.owners[request_id].key(answer.body["PhysicalResourceId"])
                    assert key is not None or answer.body["Status"] == "FAILED"
                    if "Id" in event["ResourceProperties"]:
                        assert (key is not None) is (answer.body["Status"] == "SUCCESS")
                    else:
                        assert key is None or by[key] == request_id

    def _keeps_the_identity(self, event: dict[str, Any]) -> bool:
        properties, physical_id = event["ResourceProperties"], event["PhysicalResourceId"]
        if not physical_id.startswith(f"{properties['Endpoint']}:8182/"):
            return False
        if "Id" in properties:
            return bool(physical_id == f"{properties['Endpoint']}:8182/{properties['Id']}")
        if self._is_changed_in_place(event):
            return False  # Neptune is needed for that
        resource = self.owners[event["RequestId"]]
        return self._is_described(resource.key(physical_id), resource, properties)

    def _is_changed_in_place(self, event: dict[str, Any]) -> bool:
        properties, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
        names = self.owners[event["RequestId"]].in_place()
        return event["RequestType"] == "Update" and any(properties.get(name) != old.get(name) for name in names)

    def _is_described(self, key: Key | None, resource: Resource, properties: dict[str, Any]) -> bool:
        """Tell whether a resource has started a job, and described it so."""
        return any(
            it.key == key
            and self.owners[it.request_id].is_same_as(resource)
            and description(it) == properties[DESCRIBED_BY]
            for it in self.aws.started
        )

    @invariant()
    def an_update_that_keeps_the_identity_never_fails(self) -> None:
        starters = {it.request_id for it in self.aws.started}
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] == "Update" and self._keeps_the_identity(event):
                assert {answer.body["Status"] for answer in answered} == {"SUCCESS"}
                assert {answer.body["PhysicalResourceId"] for answer in answered} == {event["PhysicalResourceId"]}
                assert request_id not in starters

    @invariant()
    def another_name_of_a_cluster_is_not_another_job(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Update" or answered[0].body["Status"] == "FAILED":
                continue
            properties, resource = event["ResourceProperties"], self.owners[request_id]
            old, new = event["PhysicalResourceId"], answered[0].body["PhysicalResourceId"]
            if "Id" in properties:
                wanted = key_of(properties["Endpoint"], properties["Id"], resource.kind.resource_type)
                assert resource.key(new) == wanted
                if resource.key(old) == wanted and answered[0].job_status is not None:
                    assert new == old
                continue
            assert self._is_described(resource.key(new), resource, properties)
            key = resource.key(old)
            is_here = key is not None and key.cluster == key_of(properties["Endpoint"], "").cluster
            if is_here and self._is_described(key, resource, properties):
                # What can be changed in place is made anew if it is gone, or has failed.
                assert new == old or self.aws.status(key) in {
                    None,
                    *([FAILED, STOPPING] if resource.in_place() else []),
                }

    @invariant()
    def an_undisturbed_request_is_answered_in_time(self) -> None:
        late = {delivery.event["RequestId"] for delivery in self.aws.deliveries if delivery.at <= self.aws.time}
        for request_id, request in self.all.items():
            if request_id not in self.aws.disturbed | late:
                answered = self.aws.answered.get(request_id)
                latest = answered[0].at if answered else self.aws.time
                assert latest <= request.at + request.service_timeout

    def teardown(self) -> None:
        """When nothing goes wrong any more, every request gets its outcome and nothing is left behind."""
        self.aws.invocation_seconds, self.aws.outages = 900.0, {}
        self.aws.plan = Plan(run_seconds=60.0)  # what waits for completion has it soon
        attempts: dict[int, int] = {}
        for _ in range(60):
            while self.aws.deliveries:
                self.aws.deliver_next()
            self.aws.time += 3601
            if not sum(self._go_on(resource, attempts) for resource in self.known):
                break
        else:
            raise AssertionError("CloudFormation does not come to rest")
        assert not self.aws.deliveries
        self.no_job_but_a_resources_own_was_cancelled()
        self.a_request_starts_one_job_and_no_other_starts_the_same()
        dead = {event["RequestId"] for event in self.aws.dead_letters}
        for request_id in self.all:
            assert request_id in self.aws.answered or request_id in dead, self.all[request_id].event
        for resource in self.known:
            for clean_up in resource.clean_ups:
                key = resource.key(clean_up.physical_id)
                assert not self._runs(key) or self._is_live_job(key) or self._is_told(clean_up.attempts), clean_up
        for started in self.aws.started:
            assert self._is_accounted_for(started), started

    def _go_on(self, resource: Resource, attempts: dict[int, int]) -> bool:
        """Do what CloudFormation and the user would do next; tell whether there is anything."""
        if sum(self._clean_up(resource, clean_up) for clean_up in resource.clean_ups):
            return True
        if not self._settle(resource):
            return True
        if resource.replaced:
            self.the_update_of_the_stack_is_complete(resource, is_retained=False)
            return True
        if resource.is_failed and not resource.is_gone and attempts.get(id(resource), 0) < ATTEMPTS:
            attempts[id(resource)] = attempts.get(id(resource), 0) + 1
            resource.pending = self._delete(resource, str(resource.physical_id), resource.properties)
            return True
        return False

    def _runs(self, key: Key | None) -> bool:
        """Tell whether a job runs that nobody has cancelled."""
        return key is not None and self.aws.status(key) not in {None, STOPPING, *ended(key.kind)}

    def _is_live_job(self, key: Key | None) -> bool:
        return any(key == it.key(it.physical_id) for it in self.known if not it.is_gone)

    def _is_told(self, attempts: list[Request]) -> bool:
        return all(not self._has_succeeded(attempt) for attempt in attempts)

    def _is_accounted_for(self, started: Started) -> bool:
        """Tell whether a job is a resource's own, was retained, has ended, or somebody was told of it."""
        if not self._runs(started.key) or started.key in self.retained:
            return True
        owner = self.owners[started.request_id]
        for resource in [it for it in self.known if it.is_same_as(owner)]:
            if not resource.is_gone and started.key == resource.key(resource.physical_id):
                return True
            if any(
                started.key == resource.key(it.physical_id) and self._is_told(it.attempts) for it in resource.clean_ups
            ):
                return True
        later = [
            it
            for it in self.all.values()
            if self.owners[it.request_id].is_same_as(owner) and it.at >= self.all[started.request_id].at
        ]
        return any(
            it.request_id in self.aws.told
            and (it.type != "Delete" or owner.key(it.event["PhysicalResourceId"]) in (None, started.key))
            for it in later
        )


def description(started: Started) -> str:
    return str(started.parameters["volumeEncryptionKMSKey"])


class CloudFormation(Cloud):
    """Every delivery is a step of its own: all orders, however unlikely."""

    resources = Bundle("resources")

    # A few resources that much happens to, rather than many that little happens to.
    create = precondition(Cloud.has_room)(
        rule(
            target=resources,
            kind=kinds,
            endpoint=endpoints,
            which=which_jobs | st.just({"Id": "unknown"}),
            timeout=service_timeouts,
            more=flags,
        )(Cloud.begin)
    )
    create_again = rule(target=resources, resource=resources, kind=kinds)(Cloud.begin_again)
    update = rule(resource=resources, endpoint=endpoints, which=which_jobs, more=flags)(Cloud.update)
    change_in_place = rule(resource=resources)(Cloud.change_in_place)
    update_settings = rule(resource=resources, more=flags)(Cloud.update_settings)
    an_update_of_settings_meets_a_cluster_that_is_down = rule(resource=resources)(
        Cloud.an_update_of_settings_meets_a_cluster_that_is_down
    )
    another_resource_of_the_stack_fails = rule(
        resource=resources, restores_id=st.booleans(), is_retained=st.booleans()
    )(Cloud.another_resource_of_the_stack_fails)
    the_update_of_the_stack_is_complete = rule(resource=resources, is_retained=st.booleans())(
        Cloud.the_update_of_the_stack_is_complete
    )
    retain = rule(resource=resources)(Cloud.retain)
    delete = rule(resource=resources)(Cloud.delete)
    clean_up_after_a_replacement = rule(resource=resources)(Cloud.clean_up_after_a_replacement)
    deliver = precondition(lambda self: self.aws.deliveries)(
        rule(faults=fault_plans, seconds=st.sampled_from([20.0, 900.0]))(Cloud.deliver)
    )
    deliver_twice = precondition(lambda self: self.all)(rule(data=st.data())(Cloud.deliver_twice))
    deliver_a_message_twice = precondition(lambda self: self.aws.deliveries)(
        rule(data=st.data(), after=st.sampled_from([0.0, 30.0, 4000.0]))(Cloud.deliver_a_message_twice)
    )
    replay_a_dead_letter = precondition(lambda self: self.aws.dead_letters)(rule()(Cloud.replay_a_dead_letter))
    the_queue_changes_its_mind = rule(
        fault=st.sampled_from(
            [Fault.NONE, Fault.UNAVAILABLE, Fault.UNREACHABLE, Fault.DENIED, Fault.LOST_ANSWER, Fault.LATE]
        )
    )(Cloud.the_queue_changes_its_mind)
    time_passes = rule(seconds=st.sampled_from([1.0, 61.0, 200.0, 600.0, 4000.0, DAY_SECONDS]))(Cloud.time_passes)
    jobs_that_are_started_have_another_fate = rule(plan=plans)(Cloud.jobs_that_are_started_have_another_fate)
    a_job_ends_by_itself = precondition(lambda self: self.aws.jobs)(
        rule(data=st.data(), status=st.sampled_from([COMPLETED, FAILED]))(Cloud.a_job_ends_by_itself)
    )
    neptune_forgets_an_ended_job = precondition(lambda self: self.aws.jobs)(
        rule(data=st.data())(Cloud.neptune_forgets_an_ended_job)
    )


@dataclass(frozen=True)
class Weather:
    """What befalls a request: faults at its first deliveries, what comes again and when; then time passes."""

    faults: list[dict[str, list[Fault]]]
    again: list[tuple[int, float]]
    seconds: float


faults_of_a_delivery = st.dictionaries(
    st.sampled_from(["get", "list", "start", "start", "cancel", "answer"]),
    st.lists(st.sampled_from([it for it in Fault if it is not Fault.NONE]), min_size=1, max_size=2),
    max_size=1,
)
weathers = st.builds(
    Weather,
    faults=st.lists(faults_of_a_delivery, max_size=3),
    again=st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([1.0, 30.0, 100.0, 170.0, 500.0])),
        max_size=2,
    ),
    seconds=st.sampled_from([0.0, 1.0, 40.0, 130.0, 700.0, 2 * DAY_SECONDS]),
)
# Of short waits there can be more.
short_timeouts = st.sampled_from([30, 300, 900])
short_plans = st.builds(
    Plan,
    stop_seconds=st.sampled_from([0.0, 5.0, 100.0, None]),
    appear_seconds=st.sampled_from([0.0, 20.0]),
    run_seconds=st.sampled_from([None, None, 3.0, 60.0]),
    ends_as=st.sampled_from([COMPLETED, FAILED]),
)


class OneStack(Cloud):
    """Every request is a step, with what befalls it: long lives of one resource."""

    def _live_through(self, weather: Weather) -> None:
        for age, seconds in weather.again:
            newest = list(self.all.values())[-age:]
            self._deliver_again(newest[0].event, seconds)
        for faults in weather.faults:
            if self.aws.deliveries:
                self.deliver({step: list(planned) for step, planned in faults.items()}, 900.0)
        self.time_passes(weather.seconds)

    @property
    def _it(self) -> Resource:
        return self.known[-1]

    @initialize(
        kind=kinds,
        endpoint=st.sampled_from(CLUSTERS),
        which=which_jobs,
        timeout=short_timeouts,
        more=flags,
        weather=weathers,
    )
    def it_is_created(
        self, *, kind: Kind, endpoint: str, which: dict[str, str], timeout: int, more: dict[str, str], weather: Weather
    ) -> None:
        self.begin(kind, endpoint, which, timeout, more)
        self._live_through(weather)

    @rule(endpoint=endpoints, which=which_jobs, more=flags, plan=short_plans, weather=weathers)
    def it_is_updated(
        self, endpoint: str, which: dict[str, str], more: dict[str, str], plan: Plan, weather: Weather
    ) -> None:
        self.aws.plan = plan
        self.update(self._it, endpoint, which, more)
        self._live_through(weather)

    @rule(which=which_started_jobs, plan=short_plans, weather=weathers)
    def it_is_described_otherwise(self, which: dict[str, str], plan: Plan, weather: Weather) -> None:
        self.aws.plan = plan
        kept = {name: self._it.properties[name] for name in FLAGS}
        self.update(self._it, self._it.properties["Endpoint"], which, kept)
        self._live_through(weather)

    @rule(plan=short_plans, weather=weathers)
    def it_is_changed_in_place(self, plan: Plan, weather: Weather) -> None:
        self.aws.plan = plan
        self.change_in_place(self._it)
        self._live_through(weather)

    @rule(is_retained=st.booleans(), weather=weathers)
    def it_ends(self, is_retained: bool, weather: Weather) -> None:  # noqa: FBT001
        if is_retained:
            self.retain(self._it)
        else:
            self.delete(self._it)
        self._live_through(weather)

    @rule(kind=kinds, plan=short_plans, weather=weathers)
    def it_is_created_again(self, kind: Kind, plan: Plan, weather: Weather) -> None:
        self.aws.plan = plan
        self.begin_again(self._it, kind)
        self._live_through(weather)

    @rule(restores_id=st.booleans(), is_retained=st.booleans(), plan=short_plans, weather=weathers)
    def its_replacement_is_rolled_back(
        self,
        restores_id: bool,  # noqa: FBT001
        is_retained: bool,  # noqa: FBT001
        plan: Plan,
        weather: Weather,
    ) -> None:
        self.aws.plan = plan
        self.another_resource_of_the_stack_fails(self._it, restores_id, is_retained)
        self._live_through(weather)

    @rule(is_retained=st.booleans(), weather=weathers)
    def what_it_has_replaced_is_cleaned_up(self, is_retained: bool, weather: Weather) -> None:  # noqa: FBT001
        self.the_update_of_the_stack_is_complete(self._it, is_retained)
        self.clean_up_after_a_replacement(self._it)
        self._live_through(weather)


TestAnyOrder = CloudFormation.TestCase
TestOneStack = OneStack.TestCase
TestAnyOrder.settings = settings(
    max_examples=max(300, settings().max_examples // 10),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
TestOneStack.settings = settings(
    max_examples=max(300, settings().max_examples // 10),
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
