"""CloudFormation, played by Hypothesis: requests, duplicates, faults and kills in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from provider.custom_resource.waiting import FIELD
from tests.any_order.aws import (
    BLUE,
    BLUE_TOO,
    ENDED,
    GREEN,
    IN_PROGRESS,
    STEPS,
    STOPPING,
    Aws,
    Fault,
    RunningJob,
    key_of,
    key_of_resource,
)
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

JOBS = ("job-a", "job-b", "job-c")
CLUSTERS = (BLUE, GREEN)
INVENTED = "graph-Job-1N2K5RF3Q0J6K"
CLEAN_UP_ATTEMPTS = 3
SOME_TIME_LEFT = 60
fault_plans = st.dictionaries(st.sampled_from(STEPS), st.lists(st.sampled_from(Fault), max_size=4), max_size=3)
service_timeouts = st.sampled_from([30, 120, 3600])
endpoints = st.sampled_from([BLUE, BLUE_TOO, GREEN])


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

    properties: dict[str, str]
    physical_id: str | None = None
    pending: Request | None = None
    is_deleted: bool = False


class CloudFormation(RuleBasedStateMachine):
    resources = Bundle("resources")

    def __init__(self) -> None:
        super().__init__()
        self.aws = Aws()
        self.all: dict[str, Request] = {}
        self.clean_ups: list[CleanUp] = []
        self.may_cancel: set[tuple[str, str]] = set()

    @initialize(stops=st.lists(st.sampled_from([0.0, 5.0, 400.0, 1500.0, None]), min_size=6, max_size=6))
    def some_jobs_run(self, stops: list[float | None]) -> None:
        keys = [(cluster, job) for cluster in CLUSTERS for job in JOBS]
        self.aws.jobs = {
            key: RunningJob(stop_seconds, arn=f"arn:{'/'.join(key)}")
            for key, stop_seconds in zip(keys, stops, strict=True)
        }

    # --- what CloudFormation does -------------------------------------------------------------------------------------

    def _request(self, request_type: str, properties: dict[str, str], **fields: object) -> Request:
        request_id = f"00000000-0000-4000-8000-{len(self.all):012}"
        signed = f"{datetime.fromtimestamp(EPOCH + self.aws.time, UTC):%Y%m%dT%H%M%SZ}"
        host = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"
        event = {
            "RequestType": request_type,
            "RequestId": request_id,
            "StackId": STACK_ID,
            "ResponseURL": f"https://{host}/{request_id}?X-Amz-Date={signed}&X-Amz-Signature=5ec7e7",
            "ResourceType": "Custom::NeptuneMLModelTransformJob",
            "LogicalResourceId": "Job" * 85,
            "ResourceProperties": properties,
            **fields,
        }
        request = Request(event, self.aws.time)
        self.all[request_id] = request
        self.aws.invoke_later(event)
        return request

    def _delete(self, physical_id: str, properties: dict[str, str]) -> Request:
        key = key_of_resource(physical_id)
        if key is not None:
            self.may_cancel.add(key)
        return self._request("Delete", properties, PhysicalResourceId=physical_id)

    @rule(
        target=resources,
        endpoint=endpoints,
        job=st.sampled_from([*JOBS, "unknown"]),
        timeout=service_timeouts,
        wait=st.booleans(),
    )
    def create(self, endpoint: str, job: str, timeout: int, wait: bool) -> Resource:  # noqa: FBT001
        properties = {
            "ServiceToken": FUNCTION_ARN,
            "Endpoint": endpoint,
            "Id": job,
            "ServiceTimeout": str(timeout),
            "WaitForStop": str(wait).lower(),
        }
        return Resource(properties, pending=self._request("Create", properties))

    def _settle(self, resource: Resource) -> bool:
        """Take note of an answer; tell whether the resource can be asked again."""
        if resource.pending is None:
            return True
        answered = self.aws.answered.get(resource.pending.request_id)
        if not answered:
            return False
        first = answered[0].body
        if first["Status"] == "SUCCESS" and resource.pending.type == "Update":
            old = str(resource.physical_id)
            if old != first["PhysicalResourceId"]:
                self.clean_ups.append(CleanUp(old, resource.pending.event["OldResourceProperties"]))
        if first["Status"] == "FAILED" and resource.pending.type == "Update":
            # CloudFormation rolls back by another Update.
            update = resource.pending.event
            resource.pending = self._request(
                "Update",
                update["OldResourceProperties"],
                PhysicalResourceId=resource.physical_id,
                OldResourceProperties=update["ResourceProperties"],
            )
            return False
        if resource.physical_id is None or first["Status"] == "SUCCESS":
            resource.physical_id = first["PhysicalResourceId"]
        if first["Status"] == "SUCCESS" and resource.pending.type != "Delete":
            resource.properties = resource.pending.event["ResourceProperties"]
        resource.is_deleted |= resource.pending.type == "Delete" and first["Status"] == "SUCCESS"
        resource.pending = None
        return True

    @rule(resource=resources, endpoint=endpoints, job=st.sampled_from(JOBS), wait=st.booleans())
    def update(self, resource: Resource, endpoint: str, job: str, wait: bool) -> None:  # noqa: FBT001
        if not self._settle(resource) or resource.is_deleted or not key_of_resource(str(resource.physical_id)):
            return
        new = {**resource.properties, "Endpoint": endpoint, "Id": job, "WaitForStop": str(wait).lower()}
        resource.pending = self._request(
            "Update", new, PhysicalResourceId=resource.physical_id, OldResourceProperties=resource.properties
        )

    @rule(resource=resources)
    def an_update_of_settings_meets_a_cluster_that_is_down(self, resource: Resource) -> None:
        if not self._settle(resource) or resource.is_deleted or not key_of_resource(str(resource.physical_id)):
            return
        new = {**resource.properties, "Clean": "true"}
        self.aws.outages = {"get": Fault.UNREACHABLE}
        update = self._request(
            "Update", new, PhysicalResourceId=resource.physical_id, OldResourceProperties=resource.properties
        )
        resource.pending = update
        for _ in range(60):
            if update.request_id in self.aws.answered or not self.aws.deliveries:
                break
            self.aws.deliver_next()
        self.aws.outages = {}

    @rule(resource=resources)
    def delete(self, resource: Resource) -> None:
        """Delete the resource, or roll a Create back that has not answered yet."""
        if resource.is_deleted:
            return
        if self._settle(resource):
            resource.pending = self._delete(str(resource.physical_id), resource.properties)
        elif resource.pending is not None and resource.pending.type == "Create":
            self._delete(INVENTED, resource.properties)

    @precondition(lambda self: self.clean_ups)
    @rule(data=st.data())
    def clean_up_after_a_replacement(self, data: st.DataObject) -> None:
        self._clean_up(data.draw(st.sampled_from(self.clean_ups)))

    def _clean_up(self, clean_up: CleanUp) -> bool:
        """Ask for the next attempt, if there is to be one; tell whether there is."""
        answers = [self.aws.answered.get(attempt.request_id) for attempt in clean_up.attempts]
        if any(answer and answer[0].body["Status"] == "SUCCESS" for answer in answers):
            return False
        is_over = not clean_up.attempts or answers[-1] or self._is_over(clean_up.attempts[-1])
        if not is_over or len(clean_up.attempts) == CLEAN_UP_ATTEMPTS:
            return False
        clean_up.attempts.append(self._delete(clean_up.physical_id, clean_up.properties))
        return True

    def _is_over(self, request: Request) -> bool:
        return self.aws.time > request.at + request.service_timeout

    # --- what Lambda and SQS do ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.aws.deliveries)
    @rule(faults=fault_plans, seconds=st.sampled_from([20.0, 900.0]))
    def deliver(self, faults: dict[str, list[Fault]], seconds: float) -> None:
        self.aws.faults = faults
        self.aws.invocation_seconds = seconds
        self.aws.deliver_next()
        self.aws.faults = {}

    @rule(data=st.data())
    def deliver_twice(self, data: st.DataObject) -> None:
        """A request comes again, perhaps long after it has ended."""
        if self.all:
            self.aws.invoke_later(data.draw(st.sampled_from(list(self.all.values()))).event)

    @precondition(lambda self: self.aws.deliveries)
    @rule(data=st.data(), after=st.sampled_from([0.0, 30.0, 4000.0]))
    def deliver_a_message_twice(self, data: st.DataObject, after: float) -> None:
        delivery = data.draw(st.sampled_from(self.aws.deliveries))
        self.aws.invoke_later(delivery.event, after=after, is_message=FIELD in delivery.event)

    @precondition(lambda self: self.aws.dead_letters)
    @rule()
    def replay_a_dead_letter(self) -> None:
        self.aws.invoke_later(self.aws.dead_letters.pop())

    @rule(fault=st.sampled_from([Fault.NONE, Fault.UNAVAILABLE, Fault.UNREACHABLE, Fault.DENIED]))
    def the_queue_changes_its_mind(self, fault: Fault) -> None:
        self.aws.outages = {} if fault is Fault.NONE else {"send": fault}

    # --- what time and Neptune do -------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 61.0, 600.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.aws.time + seconds
        while self.aws.deliveries and self.aws.deliveries[0].at <= until:
            self.aws.deliver_next()
        self.aws.time = max(self.aws.time, until)

    @rule(cluster=st.sampled_from(CLUSTERS), job=st.sampled_from(JOBS), status=st.sampled_from(["Completed", "Failed"]))
    def a_job_ends_by_itself(self, cluster: str, job: str, status: str) -> None:
        if self.aws.status((cluster, job)) == IN_PROGRESS:
            self.aws.jobs[cluster, job].status = status

    @rule(cluster=st.sampled_from(CLUSTERS), job=st.sampled_from(JOBS))
    def neptune_forgets_an_ended_job(self, cluster: str, job: str) -> None:
        if self.aws.status((cluster, job)) in ENDED:
            del self.aws.jobs[cluster, job]

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def no_job_but_a_resources_own_was_cancelled(self) -> None:
        assert set(self.aws.cancelled) <= self.may_cancel

    @invariant()
    def success_on_a_delete_means_that_the_job_runs_no_more(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Delete" or event["PhysicalResourceId"] == INVENTED:
                continue
            waits = event["ResourceProperties"]["WaitForStop"] == "true"
            allowed = {None, *ENDED} if waits else {None, *ENDED, STOPPING}
            for answer in answered:
                if answer.body["Status"] == "SUCCESS":
                    assert answer.job_status in allowed

    @invariant()
    def an_answer_is_about_its_request(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            for answer in answered:
                assert answer.body["LogicalResourceId"] == event["LogicalResourceId"]
                if event["RequestType"] == "Delete" or answer.body["Status"] == "FAILED":
                    assert answer.body["PhysicalResourceId"] == event.get(
                        "PhysicalResourceId", answer.body["PhysicalResourceId"]
                    )
                if event["RequestType"] == "Create":
                    is_adopted = key_of_resource(answer.body["PhysicalResourceId"]) is not None
                    assert is_adopted is (answer.body["Status"] == "SUCCESS")

    @invariant()
    def an_update_that_keeps_the_identity_never_fails(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Update":
                continue
            properties, physical_id = event["ResourceProperties"], event["PhysicalResourceId"]
            if physical_id == f"{properties['Endpoint']}:8182/{properties['Id']}":
                assert {answer.body["Status"] for answer in answered} == {"SUCCESS"}
                assert {answer.body["PhysicalResourceId"] for answer in answered} == {physical_id}

    @invariant()
    def another_name_of_a_cluster_is_not_another_job(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Update" or answered[0].body["Status"] == "FAILED":
                continue
            properties, old = event["ResourceProperties"], event["PhysicalResourceId"]
            wanted = key_of(properties["Endpoint"], properties["Id"])
            new = answered[0].body["PhysicalResourceId"]
            assert key_of_resource(new) == wanted
            if key_of_resource(old) == wanted and answered[0].job_status is not None:
                assert new == old

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
        for _ in range(4 * CLEAN_UP_ATTEMPTS):
            while self.aws.deliveries:
                self.aws.deliver_next()
            self.aws.time += 1
            if not sum(self._clean_up(clean_up) for clean_up in self.clean_ups):
                break
        assert not self.aws.deliveries
        dead = {event["RequestId"] for event in self.aws.dead_letters}
        for request_id in self.all:
            assert request_id in self.aws.answered or request_id in dead, self.all[request_id].event
        self._nothing_that_was_let_go_runs_unnoticed(dead)

    def _nothing_that_was_let_go_runs_unnoticed(self, dead: set[str]) -> None:
        for clean_up in self.clean_ups:
            told = {
                attempt.request_id in dead or self.aws.answered[attempt.request_id][0].body["Status"] == "FAILED"
                for attempt in clean_up.attempts
            }
            runs = self.aws.status(key_of_resource(clean_up.physical_id)) == IN_PROGRESS
            assert not runs or told == {True}, clean_up


TestAnyOrder = CloudFormation.TestCase
TestAnyOrder.settings = settings(
    max_examples=max(300, settings().max_examples // 10),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
