"""The properties of CloudFormation's protocol, which every resource type has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider import values
from provider.schema import Property

if TYPE_CHECKING:
    from provider.schema import Schema

SERVICE_TOKEN = Property(
    name="ServiceToken",
    type=values.ARN,
    update="Not supported",
    required=True,
    description="The ARN of the provider: the `ServiceToken` output of its stack.",
)
SERVICE_TIMEOUT = Property(
    name="ServiceTimeout",
    type=values.TIMEOUT,
    update="No interruption",
    default=values.LONGEST_TIMEOUT_SECONDS,
    description=(
        "The maximum duration of an operation, in seconds. A deletion fails if the {thing} {not_stopped} by then; you "
        "can retry it. A creation that waits fails if the {thing} {not_completed} by then."
    ),
)
COMPLETION_HANDLE = Property(
    name="CompletionHandle",
    type=values.HANDLE,
    update="No interruption",
    excludes="WaitForCompletion",
    default_text="no signal",
    description=(
        "The `Ref` of an `AWS::CloudFormation::WaitConditionHandle`, which is signalled when the {thing} {completed}, "
        "or fails. A wait condition can wait [longer than an hour](../reference.md#longer-than-an-hour). Cannot be "
        "combined with `WaitForCompletion: true`."
    ),
)


def schema_of(own: Schema) -> Schema:
    """Add the properties of the protocol to a resource type's own, in front of them."""
    return own._replace(rows=(SERVICE_TOKEN, SERVICE_TIMEOUT, COMPLETION_HANDLE, *own.rows))
