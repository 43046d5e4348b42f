"""The properties that every kind of job has.

The names are the Neptune Data API's parameters in CloudFormation's spelling.
"""

from __future__ import annotations

from provider import values
from provider.kinds.kind import CANCEL, GET
from provider.schema import Property

ENDPOINT = Property(
    name="Endpoint",
    type=values.ENDPOINT,
    update="Replacement",
    required=True,
    description=(
        "The Neptune cluster that runs the job: `host`, `host:port` or `https://host:port`. The port is 8182 if none "
        "is given. `!GetAtt Cluster.Endpoint` fits. Another name of the same cluster is no replacement."
    ),
)
ID = Property(
    name="Id",
    type=values.JOB_ID,
    update="Replacement",
    required=True,
    parameter="id",
    calls=frozenset((GET, CANCEL)),
    description=(
        "The id of the job, without white space, control characters or slashes; with the cluster's name it has at most "
        "1,024 bytes. The job must exist when the resource is created."
    ),
)
NEPTUNE_IAM_ROLE_ARN = Property(
    name="NeptuneIamRoleArn",
    type=values.ROLE_ARN,
    update="No interruption",
    default_text="the role that the cluster's parameter group names",
    parameter="neptuneIamRoleArn",
    calls=frozenset((GET, CANCEL)),
    needed_to_delete=True,
    description="The ARN of the IAM role with which Neptune reaches SageMaker and Amazon S3, passed on to Neptune.",
)
CLEAN = Property(
    name="Clean",
    type=values.BOOLEAN,
    update="No interruption",
    default=False,
    parameter="clean",
    calls=frozenset((CANCEL,)),
    needed_to_delete=True,
    description="Whether cancelling the job also deletes its Neptune ML artifacts in Amazon S3.",
)
WAIT_FOR_STOP = Property(
    name="WaitForStop",
    type=values.BOOLEAN,
    update="No interruption",
    default=True,
    needed_to_delete=True,
    description=(
        "Whether a deletion succeeds only when the job has stopped. "
        "With `false` it succeeds as soon as Neptune has accepted the cancellation."
    ),
)
