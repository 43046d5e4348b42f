"""What is taken away from the deployed provider for a while."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.provider import Provider


@contextmanager
def denied(provider: Provider, action: str) -> Iterator[None]:
    """Take an action out of the function's policy."""
    iam = provider.ministack.client("iam")
    policy = {"RoleName": configuration(provider)["Role"].rpartition("/")[2], "PolicyName": "provider"}
    allowed: Any = iam.get_role_policy(**policy)["PolicyDocument"]
    less = json.loads(json.dumps(allowed))
    (statement,) = [it for it in less["Statement"] if isinstance(it["Action"], list) and action in it["Action"]]
    statement["Action"].remove(action)
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(allowed))


@contextmanager
def out_of_reach(provider: Provider, service: str, *, timeout: int = 900) -> Iterator[None]:
    """Have nobody listen where the function looks for a service of AWS."""
    before = configuration(provider)["Environment"]["Variables"]
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # but does not listen
        nowhere = f"https://127.0.0.1:{refusing.getsockname()[1]}"
        _configure(provider, timeout, {**before, f"AWS_ENDPOINT_URL_{service}": nowhere})
        try:
            yield
        finally:
            _configure(provider, 900, before)


def configuration(provider: Provider) -> Any:  # noqa: ANN401 - as AWS answers it
    return provider.ministack.client("lambda").get_function_configuration(FunctionName=provider.outputs["FunctionName"])


def _configure(provider: Provider, timeout: int, variables: Mapping[str, str]) -> None:
    client, name = provider.ministack.client("lambda"), provider.outputs["FunctionName"]
    client.update_function_configuration(FunctionName=name, Timeout=timeout, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
