"""The built Terraform module; its tests are skipped where Terraform or its AWS provider is not installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.terraform.terraform import NotInstalled, Terraform
from tools import packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ministack import MiniStack


class Configure(Protocol):
    def __call__(self, main: str | Path | Mapping[str, object], ministack: MiniStack) -> Terraform:
        """Put the built module beside a configuration: its text, the directory of an example, or its JSON."""


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    def make(main: str | Path | Mapping[str, object], ministack: MiniStack) -> Terraform:
        directory = tmp_path / "configuration"
        shutil.unpack_archive(packages.build_terraform(tmp_path, "1.0.0"), directory / "neptune-ml")
        if isinstance(main, str):
            (directory / "main.tf").write_text(main)
        elif not isinstance(main, Path):
            (directory / "main.tf.json").write_text(json.dumps(main, indent=2))
        else:
            shutil.copytree(main, directory, dirs_exist_ok=True)
        terraform = Terraform(directory, ministack.environment())
        try:
            terraform.init()
        except NotInstalled as missing:
            pytest.skip(str(missing))
        return terraform

    return make
