"""CloudFormation, played by Hypothesis: requests, duplicates, faults and kills in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from provider.neptune import Status
from tests.any_order.aws import CLUSTER, ENDED, STEPS, Aws, Fault, Job
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

JOBS = ("job-a", "job-b", "job-c")
fault_plans = st.dictionaries(st.sampled_from(STEPS), st.lists(st.sampled_from(Fault), max_size=4), max_size=3)
service_timeouts = st.sampled_from([120, 300, 3600])


@dataclass
class Request:
    """What CloudFormation asked, and what it knows of the answer."""

    event: dict[str, Any]
    at: float
    service_timeout: int

    @property
    def request_id(self) -> str:
        request_id: str = self.event["RequestId"]
        return request_id


@dataclass
class Resource:
    """A resource in a stack, as CloudFormation sees it."""

    properties: dict[str, str]
    physical_id: str | None = None
    pending: Request | None = None
    former: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class CloudFormation(RuleBasedStateMachine):
    resources = Bundle("resources")
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.aws = Aws()
        self.all: dict[str, Request] = {}
        self.may_cancel: set[str] = set()

    @initialize(stops=st.lists(st.sampled_from([0.0, 5.0, 400.0, 1500.0, None]), min_size=3, max_size=3))
    def some_jobs_run(self, stops: list[float | None]) -> None:
        self.aws.jobs = {name: Job(stop_seconds) for name, stop_seconds in zip(JOBS, stops, strict=True)}

    # --- what CloudFormation does -------------------------------------------------------------------------------------

    def _request(self, request_type: str, properties: dict[str, str], **fields: object) -> Request:
        request_id = f"00000000-0000-4000-8000-{len(self.all):012}"
        signed = f"{datetime.fromtimestamp(EPOCH + self.aws.time, UTC):%Y%m%dT%H%M%SZ}"
        event = {
            "RequestType": request_type,
            "RequestId": request_id,
            "StackId": STACK_ID,
            "ResponseURL": f"https://bucket.s3.amazonaws.com/{request_id}?X-Amz-Date={signed}&X-Amz-Signature=5ec7e7",
            "ResourceType": "Custom::NeptuneMLModelTransformJob",
            "LogicalResourceId": "Job" * 85,
            "ResourceProperties": properties,
            **fields,
        }
        request = Request(event, self.aws.time, int(properties["ServiceTimeout"]))
        self.all[request_id] = request
        self.aws.invoke_later(event)
        return request

    @rule(target=resources, job=st.sampled_from([*JOBS, "unknown"]), timeout=service_timeouts, wait=st.booleans())
    def create(self, job: str, timeout: int, wait: bool) -> Resource:  # noqa: FBT001
        properties = {
            "ServiceToken": FUNCTION_ARN,
            "Endpoint": CLUSTER,
            "Id": job,
            "ServiceTimeout": str(timeout),
            "WaitForStop": str(wait).lower(),
        }
        resource = Resource(properties)
        resource.pending = self._request("Create", properties)
        return resource

    def _settle(self, resource: Resource) -> bool:
        """Take note of an answer; tell whether the resource can be asked again."""
        if resource.pending is None:
            return True
        answered = self.aws.answered.get(resource.pending.request_id)
        if not answered:
            return False
        first = answered[0].body
        if first["Status"] == "SUCCESS" and resource.pending.event["RequestType"] == "Update":
            old = resource.physical_id
            if old != first["PhysicalResourceId"]:
                assert old is not None
                resource.former.append((old, resource.pending.event["OldResourceProperties"]))
        if resource.physical_id is None or first["Status"] == "SUCCESS":
            resource.physical_id = first["PhysicalResourceId"]
        if first["Status"] == "SUCCESS":
            resource.properties = resource.pending.event["ResourceProperties"]
        resource.pending = None
        return True

    @rule(resource=resources, job=st.sampled_from(JOBS), wait=st.booleans())
    def update(self, resource: Resource, job: str, wait: bool) -> None:  # noqa: FBT001
        if not self._settle(resource) or resource.physical_id not in JOBS:
            return
        new = {**resource.properties, "Id": job, "WaitForStop": str(wait).lower()}
        resource.pending = self._request(
            "Update", new, PhysicalResourceId=resource.physical_id, OldResourceProperties=resource.properties
        )

    @rule(target=requests, resource=resources)
    def delete(self, resource: Resource) -> Any:  # noqa: ANN401
        """Delete the resource, or what an Update replaced; or roll a Create back that has not answered yet."""
        if not self._settle(resource):
            invented = {"PhysicalResourceId": "graph-Job-1N2K5RF3Q0J6K"}
            assert resource.pending is not None
            if resource.pending.event["RequestType"] != "Create":
                return multiple()
            return self._request("Delete", resource.properties, **invented)
        former = resource.former.pop() if resource.former else (str(resource.physical_id), resource.properties)
        physical_id, properties = former
        if physical_id in JOBS:
            self.may_cancel.add(physical_id)
        return self._request("Delete", properties, PhysicalResourceId=physical_id)

    # --- what Lambda does ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.aws.queue)
    @rule(faults=fault_plans, seconds=st.sampled_from([20.0, 900.0]))
    def deliver(self, faults: dict[str, list[Fault]], seconds: float) -> None:
        self.aws.faults = faults
        self.aws.invocation_seconds = seconds
        self.aws.deliver_next()
        self.aws.faults = {}

    @rule(request=requests)
    def deliver_twice(self, request: Request) -> None:
        self.aws.invoke_later(request.event)

    @precondition(lambda self: self.aws.dead_letters)
    @rule()
    def replay_a_dead_letter(self) -> None:
        self.aws.invoke_later(self.aws.dead_letters.pop())

    # --- what time and Neptune do -------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 61.0, 600.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.aws.time + seconds
        while self.aws.time < until:
            while self.aws.queue:
                self.aws.deliver_next()
            self.aws.pass_time(min(20.0, max(0.1, until - self.aws.time)))

    @rule(job=st.sampled_from(JOBS), status=st.sampled_from([Status.COMPLETED, Status.FAILED]))
    def a_job_ends_by_itself(self, job: str, status: str) -> None:
        if self.aws.status(job) == Status.IN_PROGRESS:
            self.aws.jobs[job].status = status

    @rule(job=st.sampled_from(JOBS))
    def neptune_forgets_an_ended_job(self, job: str) -> None:
        if self.aws.status(job) in ENDED:
            del self.aws.jobs[job]

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def no_job_but_a_resources_own_was_cancelled(self) -> None:
        assert set(self.aws.cancelled) <= self.may_cancel

    @invariant()
    def success_on_a_delete_means_that_the_job_runs_no_more(self) -> None:
        for request_id, answered in self.aws.answered.items():
            event = self.all[request_id].event
            if event["RequestType"] != "Delete" or event["PhysicalResourceId"] not in JOBS:
                continue
            waits = event["ResourceProperties"]["WaitForStop"] == "true"
            allowed = {None, *ENDED} if waits else {None, *ENDED, Status.STOPPING}
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
                if event["RequestType"] == "Create" and answer.body["Status"] == "FAILED":
                    assert "/" in answer.body["PhysicalResourceId"]

    @invariant()
    def an_undisturbed_request_is_answered_in_time(self) -> None:
        late = {delivery.event["RequestId"] for delivery in self.aws.queue}
        for request_id, request in self.all.items():
            answered = self.aws.answered.get(request_id)
            if request_id not in self.aws.disturbed | late:
                latest = answered[0].at if answered else self.aws.time
                assert latest <= request.at + request.service_timeout

    def teardown(self) -> None:
        """When nothing goes wrong any more, every request gets its outcome and nothing is left behind."""
        self.aws.invocation_seconds = 900.0
        for _ in range(400):
            if self.aws.queue:
                self.aws.deliver_next()
            elif self.aws.rules:
                self.aws.pass_time(61)
            else:
                break
        dead = {event["RequestId"] for event in self.aws.dead_letters}
        assert not self.aws.queue
        assert not [name for name, it in self.aws.rules.items() if it.input is not None or not dead], self.aws.rules
        for request_id in self.all:
            assert request_id in self.aws.answered or request_id in dead, self.all[request_id].event


TestAnyOrder = CloudFormation.TestCase
TestAnyOrder.settings = settings(
    max_examples=max(300, settings().max_examples // 10),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
