"""The probe of CloudFormation, in MiniStack: it differs from CloudFormation, and the report has to say so."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.processes import process_group
from operate.probe.report import PAGE, assumptions
from tests.e2e.operating import LONGEST_SECONDS, POLICY, ROOT, credentials, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.provider import Provider

COMMAND = [sys.executable, "-m", "operate.probe", "--unit", "0.5", "--yes"]

# MiniStack invokes a custom resource once, whatever is outstanding one after the other, and waits for it; it signs no
# URL, sends no Delete after a failed Create, updates no stack that is UPDATE_FAILED, and knows no refactoring. An
# import of a custom resource it takes, and then cannot carry out.
IN_MINISTACK = {
    "failed-update-id": "as assumed",
    "rollback-old": "as assumed",
    "continued-rollback-old": "as assumed",
    "update-failed-old": "not tried",
    "cancelled-old": "as assumed",
    "clean-up-at-once": "as assumed",
    "clean-up-attempts": "**DIFFERENT**",
    "failed-create-id": "**DIFFERENT**",
    "outstanding-id": "not tried",
    "outstanding-delete": "not tried",
    "unheard-delete": "not tried",
    "signing-times": "not tried",
    "import": "not tried",
    "refactoring": "not tried",
}


@pytest.fixture(scope="module")
def prober(provider: Provider) -> dict[str, str]:
    """Somebody who may do what the documented policies allow, and no more."""
    own = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.S)
    assert own
    return {**environment(provider), **credentials(provider, "prober", POLICY.read_text(), own[1])}


def left_behind(provider: Provider) -> list[str]:
    stacks = provider.ministack.client("cloudformation").describe_stacks()["Stacks"]
    names = [it["StackName"] for it in stacks if it["StackStatus"] != "DELETE_COMPLETE"]
    queues = provider.ministack.client("sqs").list_queues(QueueNamePrefix="neptune-ml-probe-").get("QueueUrls", [])
    return [*(name for name in names if name.startswith("neptune-ml-probe-")), *queues]


def test_the_report_says_how_ministack_differs(provider: Provider, prober: Mapping[str, str], tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    done = subprocess.run(
        [*COMMAND, "--report", str(file)],
        cwd=ROOT,
        env=prober,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    report = file.read_text()
    verdicts = {question: verdict for verdict, question in re.findall(r"^\| (.+?) \| (.+?) \|", report, re.M)}

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("Account 000000000000, Region us-east-1, as arn:aws:iam::")
    assert {name: verdicts[it.question] for name, it in assumptions(PAGE.read_text()).items()} == IN_MINISTACK
    assert "attempts: 1, then forgotten" in report
    assert "Unknown action: CreateStackRefactor" in report
    assert "Update of A-a: properties b (before: a)" in report
    for secret in ("000000000000", "127.0.0.1", "cfn-response"):
        assert secret not in report
    assert left_behind(provider) == []


def test_a_probe_that_is_interrupted_leaves_nothing_behind(provider: Provider, prober: Mapping[str, str]) -> None:
    with process_group(COMMAND, directory=ROOT, environment=prober, stdout=subprocess.PIPE) as probe:
        assert probe.stdout is not None
        # Of what is played next, a rollback fails: the stack could not be updated as it is then.
        assert any("UPDATE_ROLLBACK_FAILED" in line for line in iter(probe.stdout.readline, ""))
        probe.send_signal(signal.SIGINT)
        rest, _ = probe.communicate(timeout=LONGEST_SECONDS)

    assert probe.returncode == 128 + signal.SIGINT, rest
    assert "The probe was interrupted." in rest
    assert "could not be tried: the probe ended earlier" in rest
    assert left_behind(provider) == []


def test_nothing_is_made_unless_somebody_says_so(provider: Provider, prober: Mapping[str, str]) -> None:
    done = subprocess.run(
        COMMAND[:-1], cwd=ROOT, env=prober, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "To run without questions, set YES=1." in done.stderr
    assert left_behind(provider) == []


@pytest.mark.parametrize("unit", ["0", "31", "nan", "soon"])
def test_a_unit_that_is_none_is_told(prober: Mapping[str, str], unit: str) -> None:
    done = subprocess.run([*COMMAND, "--unit", unit], cwd=ROOT, env=prober, capture_output=True, text=True, check=False)

    assert (done.returncode, f"UNIT is {unit!r}; it should be" in done.stderr) == (2, True)
