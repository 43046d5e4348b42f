"""Lists the artifacts of a Neptune ML model transform job."""

import os
from urllib.parse import urlsplit

import boto3

s3 = boto3.client("s3")


def handler(event: object, context: object) -> list[str]:
    """List the artifacts.

    Args:
        event: Not used.
        context: Not used.

    Returns:
        Their S3 URLs; an empty list if the job has not written any yet.
    """
    del event, context
    location = urlsplit(os.environ["OUTPUT_LOCATION"])
    folder = f"{location.path.strip('/')}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.netloc, Prefix=folder)
    return [f"s3://{location.netloc}/{artifact['Key']}" for page in pages for artifact in page.get("Contents", [])]
