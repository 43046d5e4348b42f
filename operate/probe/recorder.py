"""Records each request from CloudFormation in a queue, and answers as the resource's property `Play` specifies."""

import json
import os
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import boto3


def handler(event: dict[str, Any], _context: object) -> None:
    """Record a request, and answer it, perhaps late or never; with `CALM` set, answer `SUCCESS` at once."""
    properties = event["ResourceProperties"]
    play = {} if os.environ.get("CALM") else properties.get("Play", {}).get(event["RequestType"], {})
    record = {
        "at": time.time(),
        "stack": event["StackId"].split("/")[1],
        "resource": event["LogicalResourceId"],
        "type": event["RequestType"],
        "id": event["RequestId"],
        "physical_id": event.get("PhysicalResourceId", ""),
        "mark": properties["Mark"],
        "old_mark": event.get("OldResourceProperties", {}).get("Mark", ""),
        # The URL itself is a secret.
        "signed": parse_qs(urlsplit(event["ResponseURL"]).query).get("X-Amz-Date", [""])[0],
        "answer": play.get("Answer", "SUCCESS"),
        "names": play.get("Id") or event.get("PhysicalResourceId") or f"{event['LogicalResourceId']}-a",
        "seconds": float(play.get("Seconds", 0)),
    }
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(record))
    time.sleep(record["seconds"])
    if record["answer"] == "NONE":
        raise RuntimeError("This error makes Lambda deliver the event again")
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": record["answer"], "PhysicalResourceId": record["names"], "Reason": "The probe says so"}
    request = Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    urlopen(request, timeout=30).close()  # noqa: S310 - it is CloudFormation's
