"""What holds of a resource's life whatever is delayed, repeated, lost or killed: see `model`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.any_order.model import CloudFormation

TestModel = CloudFormation.TestCase
TestModel.settings = settings(
    max_examples=max(500, settings().max_examples), stateful_step_count=60, suppress_health_check=list(HealthCheck)
)
