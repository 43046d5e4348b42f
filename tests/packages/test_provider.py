"""The provider as the CDK deploys it, with a job of the same app."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from local.ministack import MiniStack
from local.stacks import Stack
from simulator import JobStatus, Simulator
from tests.packages import synthesis

if TYPE_CHECKING:
    from pathlib import Path

APP = """
const { App, Stack } = require('aws-cdk-lib');
const ml = require('cdk-neptune-ml');
const app = new App();
const stack = new Stack(app, 'movies');
const here = '127.0.0.1,localhost';
const provider = new ml.NeptuneMlProvider(stack, 'Provider', {
  clusterResourceId: '*', parameters: { AllowedHosts: here, ResponseHosts: here },
});
ml.NeptuneMlModelTransformJob.fromJobId(stack, 'Job', 'job-1', { provider, endpoint: process.env.ENDPOINT });
app.synth();
"""
# MiniStack does not transform the template of a nested stack.
TRANSFORM = """
import json, sys
from types import SimpleNamespace
from samtranslator.translator.transform import transform
print(json.dumps(transform(json.load(sys.stdin), {}, SimpleNamespace(load=dict))))
"""
SETTLE_SECONDS = 120.0


def publish(ministack: MiniStack, assembly: Path) -> None:
    """Do what `cdk bootstrap` and the first half of `cdk deploy` do."""
    ministack.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
    account = ministack.client("sts").get_caller_identity()["Account"]
    s3 = ministack.client("s3")
    for asset in json.loads((assembly / "movies.assets.json").read_text())["files"].values():
        path = assembly / asset["source"]["path"]
        body = path.read_bytes()
        if ".nested." in path.name:
            command = [".venv/ministack/bin/python", "-c", TRANSFORM]
            body = subprocess.run(
                command, input=body, capture_output=True, check=True, env={**ministack.environment()}
            ).stdout
        (destination,) = asset["destinations"].values()
        bucket = destination["bucketName"].replace("${AWS::AccountId}", account).replace("${AWS::Region}", "us-east-1")
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=body)


def test_a_provider_is_deployed_with_a_job_of_its_app_and_both_are_deleted(node: Path, tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(APP)
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    with MiniStack() as ministack, Simulator() as neptune:
        neptune.start_job("job-1")
        synthesis.run(["node", "app.js"], tmp_path, ENDPOINT=neptune.url)
        publish(ministack, tmp_path / "cdk.out")
        stack = Stack(ministack.client("cloudformation"), "movies")

        stack.create(
            (tmp_path / "cdk.out/movies.template.json").read_text(),
            capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )

        assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
        assert stack.events()[-1].logical_id == "movies"  # not only the nested stack is there
        assert neptune.status("job-1") == JobStatus.IN_PROGRESS

        stack.delete()

        assert stack.settle(SETTLE_SECONDS) == "DELETE_COMPLETE"
        assert neptune.status("job-1") == JobStatus.STOPPED
        assert ministack.client("cloudformation").describe_stacks()["Stacks"] == []
