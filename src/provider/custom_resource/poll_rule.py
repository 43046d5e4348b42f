"""The EventBridge rule that re-invokes the function while a job outlives the invocation."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from provider.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_events import EventBridgeClient

INTERVAL_SECONDS = 60  # the shortest that a rule can have

_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
_TARGET_ID = "provider"
_MAX_NAME_CHARACTERS = 64
_NAMEABLE = re.compile(r"[A-Za-z0-9._-]+")


class PollRuleError(Exception):
    """EventBridge could not be used; the message says why and what to do.

    Attributes:
        may_exist: Whether a rule may exist all the same.
    """

    def __init__(self, message: str, *, may_exist: bool) -> None:
        super().__init__(message)
        self.may_exist = may_exist


class PollRule:
    """The rule of one request. Its name follows from the request, so that a duplicate delivery makes no second rule.

    Args:
        prefix: How the names of all rules begin; the function's policy covers no others.
        request_id: The request's id.
        region: The function's AWS Region.
    """

    def __init__(self, prefix: str, request_id: str, region: str) -> None:
        readable = _NAMEABLE.fullmatch(request_id) and len(prefix) + len(request_id) <= _MAX_NAME_CHARACTERS
        digest = hashlib.sha256(request_id.encode()).hexdigest()[: _MAX_NAME_CHARACTERS - len(prefix)]
        self.name = prefix + (request_id if readable else digest)
        self._region = region

    def put(self, function_arn: str, event: Mapping[str, object]) -> None:
        """Have the function invoked every minute.

        Args:
            function_arn: The function, with the qualifier that it was invoked with.
            event: What it is invoked with.

        Raises:
            PollRuleError: EventBridge refused or could not be reached.
        """
        events = self._client()
        self._call(
            "PutRule",
            events.put_rule,
            Name=self.name,
            ScheduleExpression="rate(1 minute)",
            State="ENABLED",
            Description="Waits for a Neptune ML model transform job to stop; removes itself.",
        )
        target = {"Id": _TARGET_ID, "Arn": function_arn, "Input": json.dumps(event)}
        self._call("PutTargets", events.put_targets, Rule=self.name, Targets=[target])

    def remove(self) -> None:
        """Remove the rule, if there is one.

        Raises:
            PollRuleError: EventBridge refused or could not be reached.
        """
        events = self._client()
        self._call("RemoveTargets", events.remove_targets, Rule=self.name, Ids=[_TARGET_ID])
        self._call("DeleteRule", events.delete_rule, Name=self.name)
        logger.info("Removed the poll rule", rule=self.name)

    def _client(self) -> EventBridgeClient:
        return boto3.client("events", region_name=self._region, config=_CONFIG)

    def _call(self, operation: str, call: Callable[..., object], **parameters: object) -> None:
        had_rule = operation != "PutRule"
        try:
            answer = call(**parameters)
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            if code == "ResourceNotFoundException" and operation in ("RemoveTargets", "DeleteRule"):
                return
            words = error.response["Error"].get("Message") or code
            raise self._refused(operation, words, may_exist=had_rule) from error
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise PollRuleError(
                "EventBridge cannot be reached: the function's subnets have no route to it. Give them a NAT gateway or "
                f"an interface endpoint for com.amazonaws.{self._region}.events.",
                may_exist=had_rule,
            ) from error
        except BotoCoreError as error:
            raise PollRuleError(
                f"The call of EventBridge (events:{operation}) failed: {error}", may_exist=True
            ) from error
        if isinstance(answer, dict) and answer.get("FailedEntryCount"):
            entry = (answer.get("FailedEntries") or [{}])[0]
            raise self._refused(operation, entry.get("ErrorMessage") or "no reason given", may_exist=True)

    def _refused(self, operation: str, words: str, *, may_exist: bool) -> PollRuleError:
        return PollRuleError(
            f"EventBridge refused events:{operation} on {self.name}: {words.rstrip('.')}.", may_exist=may_exist
        )
