"""`sam build`, and `sam deploy` into MiniStack."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from local.environment import without_aws
from local.leftovers import temporary_directory
from local.ministack import REGION
from local.processes import process_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ministack import MiniStack

_ROOT = Path(__file__).parent.parent
_SAM = _ROOT / ".venv/sam/bin/sam"
_BUCKET = "sam-deployments"


class SamError(RuntimeError):
    """SAM failed; the message has its output."""


def build(
    build_dir: Path, template: Path = _ROOT / "template.yaml", *, environment: Mapping[str, str] | None = None
) -> Path:
    """Build a template and its functions' packages with `sam build`.

    Args:
        build_dir: The directory to build in, which SAM empties first. SAM writes `build.toml` next to it.
        template: The template to build.
        environment: More environment variables, such as `BYTECODE_PYTHON` of `src/Makefile`.

    Returns:
        The built template.

    Raises:
        SamError: SAM is not installed, or the build failed.
    """
    _run(
        ["build", "--template-file", str(template), "--build-dir", str(build_dir)],
        {**without_aws(), **(environment or {})},
    )
    return build_dir / "template.yaml"


def deploy(
    ministack: MiniStack, built_template: Path, stack_name: str, parameters: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Deploy a built template with `sam deploy`, or update its stack.

    SAM uses the credentials of MiniStack's root user, who needs no policies.

    Args:
        ministack: Where to deploy to.
        built_template: The built template.
        stack_name: The stack's name.
        parameters: The template's parameters; commas separate the items of a list.

    Returns:
        The stack's outputs.

    Raises:
        SamError: SAM is not installed, or the deployment failed.
    """
    ministack.client("s3").create_bucket(Bucket=_BUCKET)
    overrides = [override(name, value) for name, value in (parameters or {}).items()]
    _run(
        [
            *("deploy", "--template-file", str(built_template), "--stack-name", stack_name, "--region", REGION),
            *("--s3-bucket", _BUCKET, "--capabilities", "CAPABILITY_IAM"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *(["--parameter-overrides", *overrides] if overrides else []),
        ],
        {**ministack.environment(), "SAM_CLI_POLL_DELAY": "0.2"},
    )
    stack = ministack.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def override(name: str, value: str) -> str:
    """Write a parameter as `sam deploy --parameter-overrides` takes it.

    Args:
        name: The parameter.
        value: Its value.

    Returns:
        One argument.
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def _run(arguments: list[str], environment: Mapping[str, str]) -> None:
    if not _SAM.exists():
        raise SamError("SAM is not installed: run `make install`")
    # Its files have a directory of their own, its processes (make, pip) a group of their own: nothing is left behind.
    with ExitStack() as cleanup:
        scratch = cleanup.enter_context(temporary_directory("sam-"))
        process = cleanup.enter_context(
            process_group(
                [str(_SAM), *arguments],
                directory=_ROOT,
                environment={**environment, "TMPDIR": str(scratch)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        output, _ = process.communicate()
    if process.returncode:
        raise SamError(f"sam {arguments[0]} failed with exit code {process.returncode}:\n{output}")
