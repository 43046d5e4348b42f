"""The function that this project replaces: the transform job's Delete, written as crhelper's README shows."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import boto3
from crhelper import CfnResource

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = logging.getLogger(__name__)
# None of them: crhelper's defaults, polling_interval=2 (minutes) and sleep_on_delete=120 (seconds).
helper = CfnResource(**json.loads(os.environ.get("CRHELPER_SETTINGS", "{}")))

try:
    neptune = boto3.client("neptunedata", endpoint_url=os.environ["NEPTUNE_ENDPOINT"])
except Exception as error:  # noqa: BLE001 - crhelper's way of answering for an initialisation that failed
    helper.init_failure(error)


@helper.create
@helper.update
def adopt(event: dict[str, Any], _context: LambdaContext) -> str:
    """Check that the job exists; its ID is the resource's."""
    job = neptune.get_ml_model_transform_job(id=event["ResourceProperties"]["Id"])
    helper.Data["Status"] = job["status"]
    return job["id"]


@helper.delete
def cancel(event: dict[str, Any], _context: LambdaContext) -> None:
    """Cancel the job."""
    clean = event["ResourceProperties"].get("Clean") == "true"
    neptune.cancel_ml_model_transform_job(id=event["PhysicalResourceId"], clean=clean)


@helper.poll_delete
def has_stopped(event: dict[str, Any], _context: LambdaContext) -> str | None:
    """Tell crhelper that the deletion is complete when the job runs no more."""
    job_id: str = event["PhysicalResourceId"]
    status = neptune.get_ml_model_transform_job(id=job_id)["status"]
    logger.info("The job %s is %s", job_id, status)
    return job_id if status in ("Stopped", "Completed", "Failed") else None


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Fulfil one request of CloudFormation."""
    helper(event, context)
