"""Terraform as its users run it, with an AWS provider from wherever one is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Below these, a mirror is HOST/hashicorp/aws: where Terraform itself looks, and where packages put one.
_ROOTS = ("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/local/share/terraform/plugins", "/opt/*")
_CLI_CONFIG = "~/.terraformrc"
VARIABLES = "terraform.tfvars"
_APPLY_SECONDS = 300
_INIT_SECONDS = 120


class NotInstalled(Exception):
    """Terraform, or its AWS provider, is not here; the message says which."""


@dataclass(frozen=True)
class Terraform:
    """A configuration in a directory of its own.

    Attributes:
        directory: Where it stands.
        environment: Where its AWS is.
    """

    directory: Path
    environment: Mapping[str, str]

    def init(self) -> None:
        problem = ""
        for options in _sources():
            try:
                process = self._run("init", "-input=false", "-no-color", *options, seconds=_INIT_SECONDS)
            except subprocess.TimeoutExpired:
                problem = f"terraform init took longer than {_INIT_SECONDS} s"
                continue
            if process.returncode == 0:
                return
            problem = " ".join(process.stderr.rpartition("Error: ")[2].split())
        raise NotInstalled(f"terraform finds no AWS provider; TERRAFORM_PLUGIN_DIR can name a mirror ({problem[:200]})")

    def set_variables(self, **variables: object) -> None:
        """Write them where Terraform reads them by itself, as the example has them."""
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in variables.items()]
        (self.directory / VARIABLES).write_text("".join(lines))

    def apply(self) -> subprocess.CompletedProcess[str]:
        return self._run("apply", "-auto-approve", "-input=false", "-no-color")

    def destroy(self) -> subprocess.CompletedProcess[str]:
        return self._run("destroy", "-auto-approve", "-input=false", "-no-color")

    def has_changes(self) -> bool:
        """Whether it would change something."""
        process = self._run("plan", "-detailed-exitcode", "-input=false", "-no-color")
        assert process.returncode in (0, 2), process.stderr
        return process.returncode != 0

    def plan(self) -> subprocess.CompletedProcess[str]:
        return self._run("plan", "-out=plan", "-input=false", "-no-color")

    def planned_template(self) -> Any:  # noqa: ANN401 - a template
        """The template of the stack that it would create."""
        planned = self.plan()
        assert planned.returncode == 0, planned.stderr
        (change,) = json.loads(self._run("show", "-json", "plan").stdout)["resource_changes"]
        return json.loads(change["change"]["after"]["template_body"])

    def badly_formatted(self) -> str:
        """What `terraform fmt` would change."""
        process = self._run("fmt", "-check", "-diff", "-no-color")
        assert bool(process.returncode) == bool(process.stdout), process.stderr
        return process.stdout

    def attributes(self) -> dict[str, str]:
        """The job's attributes, which are the only output."""
        attributes: dict[str, str] = json.loads(self._run("output", "-json", "attributes").stdout)
        return attributes

    def _run(self, *arguments: str, seconds: float = _APPLY_SECONDS) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env={
                **self.environment,
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
                "TF_REGISTRY_CLIENT_TIMEOUT": "10",
                "TF_REGISTRY_DISCOVERY_RETRY": "0",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )


def require_terraform() -> None:
    """See that there is a Terraform at all, before anything is set up for it."""
    if not shutil.which("terraform"):
        raise NotInstalled("there is no terraform on the PATH")


def _sources() -> Iterator[list[str]]:
    """Options of `terraform init`, one set for each place that may have an AWS provider, the quickest first."""
    named = os.environ.get("TERRAFORM_PLUGIN_DIR")
    if named:
        yield [f"-plugin-dir={named}"]
    config = Path(os.environ.get("TF_CLI_CONFIG_FILE") or _CLI_CONFIG).expanduser()
    if config.is_file() or os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield []
    for root in _ROOTS:
        top = Path(root).expanduser()
        for provider in Path(top.anchor).glob(f"{top.relative_to(top.anchor)}/*/hashicorp/aws"):
            yield [f"-plugin-dir={provider.parents[2]}"]
    yield []  # from the registry, if there is a way there
