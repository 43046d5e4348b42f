"""The properties that kinds of jobs share.

The names are the Neptune Data API's parameters in CloudFormation's spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from provider import values
from provider.kinds.kind import CANCEL, GET, START
from provider.look import Status
from provider.schema import Property

if TYPE_CHECKING:
    from provider.values import ValueType

T = TypeVar("T")

JOB_STATUSES = (
    ("InProgress", Status.RUNS),
    ("Stopping", Status.STOPPING),
    ("Stopped", Status.STOPPED),
    ("Completed", Status.COMPLETED),
    ("Failed", Status.FAILED),
)
"""What the statuses of a job mean."""


def describing(
    name: str,
    type_: ValueType[T],
    description: str,
    *,
    required: bool = False,
    update: Literal["No interruption", "Replacement"] = "Replacement",
    default_text: str = "",
    members: tuple[Property[Any], ...] = (),
) -> Property[T]:
    """Make the row of a property that describes a new job, or of a member of such a property.

    Args:
        name: The name in a template. The API's parameter has the same name, with a lower-case first letter.
        type_: The type of its values.
        description: The description on the reference page.
        required: Whether a new job requires it.
        update: Whether Neptune changes the existing job, or another job is started.
        default_text: The default, in words, for the reference page.
        members: The rows of its members, if its value is a map.

    Returns:
        The row.
    """
    return Property(
        name=name,
        type=type_,
        update=update,
        description=description,
        required=required,
        default_text=default_text,
        parameter=name[0].lower() + name[1:],
        calls=frozenset((START,)),
        describes=True,
        members=members,
    )


ENDPOINT = Property(
    name="Endpoint",
    type=values.ENDPOINT,
    update="Replacement",
    required=True,
    description=(
        "The Neptune cluster that runs the {thing}: `host`, `host:port` or `https://host:port`. The default port is "
        "8182. For an adopted {thing}, change it only together with `Id`."
    ),
)
ID = Property(
    name="Id",
    type=values.JOB_ID,
    update="Replacement",
    parameter="id",
    calls=frozenset((START, GET, CANCEL)),
    default_text="the provider generates one",
    description=(
        "The ID of an existing {thing} to adopt. It cannot contain white space, control characters or "
        "slashes. Together with the cluster's name, it can have at most 1,024 bytes."
    ),
)
SAGEMAKER_IAM_ROLE_ARN = describing(
    "SagemakerIamRoleArn",
    values.ROLE_ARN,
    "The ARN of the IAM role that SageMaker uses to run the job.",
    default_text="the role set in the cluster's parameter group",
)
SUBNETS = describing("Subnets", values.STRINGS, "The IDs of the job's subnets, in the cluster's VPC.")
SECURITY_GROUP_IDS = describing("SecurityGroupIds", values.STRINGS, "The IDs of the job's security groups.")
VOLUME_ENCRYPTION_KMS_KEY = describing(
    "VolumeEncryptionKMSKey", values.STRING, "The KMS key that encrypts the volumes of the ML instances."
)
S3_OUTPUT_ENCRYPTION_KMS_KEY = describing(
    "S3OutputEncryptionKMSKey", values.STRING, "The KMS key that encrypts the job's artifacts in Amazon S3."
)
NEPTUNE_IAM_ROLE_ARN = Property(
    name="NeptuneIamRoleArn",
    type=values.ROLE_ARN,
    update="No interruption",
    default_text="the role set in the cluster's parameter group",
    parameter="neptuneIamRoleArn",
    calls=frozenset((START, GET, CANCEL)),
    needed_to_delete=True,
    description="The ARN of the IAM role that Neptune uses to access SageMaker and Amazon S3.",
)
CLEAN = Property(
    name="Clean",
    type=values.BOOLEAN,
    update="No interruption",
    default=False,
    parameter="clean",
    calls=frozenset((CANCEL,)),
    needed_to_delete=True,
    description=(
        "Whether Neptune also deletes the {thing}'s artifacts in Amazon S3 when the {thing} is {cancelled}. If the "
        "{thing} has already ended, this is up to Neptune."
    ),
)
WAIT_FOR_COMPLETION = Property(
    name="WaitForCompletion",
    type=values.BOOLEAN,
    update="No interruption",
    default=False,
    description=(
        "Whether creating or replacing the {thing} waits until it {completed}, and fails if the {thing} fails or is "
        "stopped."
    ),
)
WAIT_FOR_STOP = Property(
    name="WaitForStop",
    type=values.BOOLEAN,
    update="No interruption",
    default=True,
    needed_to_delete=True,
    description=(
        "Whether a deletion waits until the {thing} {stopped}. If `false`, it succeeds when Neptune accepts the "
        "request."
    ),
)
