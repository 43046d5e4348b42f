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
_INIT_SECONDS, _SECONDS = 120, 300


class NotInstalled(Exception):
    """Terraform, or its AWS provider, is not here; the message says which."""


@dataclass(frozen=True)
class Terraform:
    """A configuration.

    Attributes:
        directory: Where it is.
        environment: Has the settings of its AWS.
    """

    directory: Path
    environment: Mapping[str, str]

    def init(self) -> None:
        if not shutil.which("terraform"):
            raise NotInstalled("there is no terraform on the PATH")
        problem = ""
        for options in _sources():
            try:
                process = self("init", *options, seconds=_INIT_SECONDS)
            except subprocess.TimeoutExpired:
                problem = f"terraform init took longer than {_INIT_SECONDS} s"
                continue
            if process.returncode == 0:
                return
            problem = " ".join(process.stderr.rpartition("Error: ")[2].split())
        raise NotInstalled(f"terraform finds no AWS provider; TERRAFORM_PLUGIN_DIR can name a mirror ({problem[:200]})")

    def succeed(self, *arguments: str) -> str:
        process = self(*arguments)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def planned(self) -> dict[str, Any]:
        """The templates of the stacks that it would create, by their names."""
        self.succeed("plan", "-out=plan")
        changes = (
            it["change"]["after"] for it in json.loads(self.succeed("show", "-json", "plan"))["resource_changes"]
        )
        return {it["name"]: json.loads(it["template_body"]) for it in changes}

    def outputs(self) -> dict[str, Any]:
        return {name: it["value"] for name, it in json.loads(self.succeed("output", "-json")).items()}

    def __call__(self, command: str, *arguments: str, seconds: float = _SECONDS) -> subprocess.CompletedProcess[str]:
        settings = {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_ARGS": "-no-color",
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_REGISTRY_CLIENT_TIMEOUT": "10",
            "TF_REGISTRY_DISCOVERY_RETRY": "0",
        }
        return subprocess.run(
            ["terraform", command, *arguments],
            cwd=self.directory,
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )


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
