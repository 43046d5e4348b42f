"""The example of a pipeline, applied with the module as it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import sam
from local.ministack import MiniStack
from simulator import JobPlan, Simulator
from tests.cfn_lint.linting import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.conftest import Configure

EXPORTED, NEWER = "-var=export_location=s3://movies/exported", "-var=export_location=s3://movies/newer"
HOSTS = "127.0.0.1,localhost"
PARAMETERS = {"ClusterResourceId": "*", "StartJobs": "true", "AllowedHosts": HOSTS, "ResponseHosts": HOSTS}


def test_a_pipeline_is_applied_again_with_newer_data_and_destroyed(configure: Configure, built_template: Path) -> None:
    with MiniStack() as ministack, Simulator() as neptune:
        terraform = configure(ROOT / "examples/terraform/pipeline", ministack)
        neptune.plan = neptune.of("endpoints").plan = JobPlan(run_seconds=1.0, stop_seconds=1.0)
        sam.deploy(ministack, built_template, "neptune-ml-provider", PARAMETERS)
        variables = [f"-var=endpoint={neptune.url}", "-var=output_location=s3://movies/model"]

        terraform.succeed("apply", "-auto-approve", *variables, EXPORTED)

        first = terraform.outputs()
        (training,) = neptune.of("modeltraining").jobs()
        assert first["model_location"].startswith(f"s3://movies/model/trained/{training}")
        assert neptune.of("endpoints").status(first["endpoint_id"]) == "InService"

        terraform.succeed("apply", "-auto-approve", *variables, NEWER)

        second = terraform.outputs()
        assert second["endpoint_id"] == first["endpoint_id"]
        assert second["model_location"] != first["model_location"]
        assert len(neptune.of("modeltraining").jobs()) == len(neptune.jobs()) == 2
        terraform.succeed("plan", "-detailed-exitcode", *variables, NEWER)  # nothing is left to change

        terraform.succeed("destroy", "-auto-approve", *variables, NEWER)

        stacks = ministack.client("cloudformation").describe_stacks()["Stacks"]
        assert neptune.of("endpoints").jobs() == {}
        assert [it["StackName"] for it in stacks] == ["neptune-ml-provider"]
