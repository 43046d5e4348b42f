"""An operator of a deployed provider: who they are, and the commands of `operate` that they run."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.response_host import ResponseHost
    from tests.e2e.provider import Provider

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 300
POLICY = ROOT / "docs/deployer-policy.json"


def environment(provider: Provider) -> dict[str, str]:
    return {**provider.ministack.environment(), "PYTHONPATH": f"{ROOT}/src", "PYTHONUNBUFFERED": "1"}


def run(provider: Provider, module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**environment(provider), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )


@contextmanager
def nudged(provider: Provider) -> Iterator[None]:
    """On a busy machine MiniStack keeps the last line of an invocation back until the next one: there is always one."""
    ended = threading.Event()

    def nudge() -> None:
        while not ended.wait(2):
            provider.invoke({})

    thread = threading.Thread(target=nudge)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def credentials(provider: Provider, user: str, *policies: str) -> dict[str, str]:
    """Those of a new user, who may do what these policies allow, and no more."""
    iam = provider.ministack.client("iam")
    iam.create_user(UserName=user)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=user, PolicyName=f"policy-{number}", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


WAITED = {"ArrivedAt": 1.8e9, "Patience": {}}


def delete_of(provider: Provider, stack_id: str, job: str, host: ResponseHost) -> dict[str, Any]:
    request_id = f"replayed-{job}-{uuid.uuid4()}"
    return {
        "RequestType": "Delete",
        "RequestId": request_id,
        "StackId": stack_id,
        "ResponseURL": host.url_for(request_id),
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": provider.physical_id(job),
        "ResourceProperties": provider.resource(job)["Properties"],
    }
