"""The properties that belong to CloudFormation's protocol, whatever the resource is."""

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
    description="The ARN of the provider function: the `ServiceToken` output of the provider's stack.",
)
SERVICE_TIMEOUT = Property(
    name="ServiceTimeout",
    type=values.TIMEOUT,
    update="No interruption",
    default=values.LONGEST_TIMEOUT_SECONDS,
    description=(
        "The longest that one operation on this resource may take, in seconds, from 1 to 3600. "
        "If the {thing} {not_stopped} by then, the deletion fails, and can be tried again. If it {not_completed} by "
        "then, a creation that waits for it fails."
    ),
)
COMPLETION_HANDLE = Property(
    name="CompletionHandle",
    type=values.HANDLE,
    update="No interruption",
    excludes="WaitForCompletion",
    default_text="nothing is signalled",
    description=(
        "The `Ref` of an `AWS::CloudFormation::WaitConditionHandle`. The creation succeeds when Neptune has the "
        "{thing}; when it {completed}, the handle is signalled with its attributes, and if it fails, with the reason. "
        "So a wait condition can wait for it for up to 12 hours; see [longer than an hour]"
        "(../reference.md#longer-than-an-hour). Do not combine it with `WaitForCompletion: true`."
    ),
)


def schema_of(own: Schema) -> Schema:
    """Make the schema of a resource type.

    Args:
        own: Its own properties.

    Returns:
        The schema, with the properties of the protocol before its own.
    """
    return own._replace(rows=(SERVICE_TOKEN, SERVICE_TIMEOUT, COMPLETION_HANDLE, *own.rows))
