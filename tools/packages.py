"""Build the packages that users install in their tools, as part of `make release`.

`packages/` has their sources, without a version: each is built with the version of the provider's template. The CDK
package includes the released template and the function's package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from tools.archive import zipped

_ROOT = Path(__file__).parent.parent
_SOURCES = _ROOT / "packages"
_SCHEMAS = _SOURCES / "cfn-lint/src/cfn_lint_neptune_ml/schemas"
_UV = _ROOT / ".venv/uv/bin/uv"
NODE_MODULES = _ROOT / ".venv/constructs/node_modules"
"""What `npm ci` installed of the CDK package's lock."""
_NO_VERSION = "0.0.0"
_NO_SOURCE = "https://github.com/OWNER/REPOSITORY"
# Of the files in a wheel: 1980-01-01, the earliest that a ZIP file can have.
_EPOCH = "315532800"


def can_build_constructs() -> bool:
    """Tell whether what builds the CDK package is installed."""
    return (_ROOT / ".venv/constructs.done").exists() and shutil.which("node") is not None


class PackageError(RuntimeError):
    """A package could not be built; the message has what the tool said."""


def build_cfn_lint(output: Path, version: str) -> Path:
    """Build the cfn-lint rules.

    Args:
        output: The directory for the wheel.
        version: Its version.

    Returns:
        The wheel.

    Raises:
        PackageError: It could not be built.
    """
    with tempfile.TemporaryDirectory(prefix="cfn-lint-") as directory:
        sources = _copy("cfn-lint", Path(directory), "pyproject.toml", version)
        _run([str(_UV), "build", "--quiet", "--wheel", "--no-create-gitignore", "--out-dir", str(output)], sources)
    return _one(output, "cfn_lint_neptune_ml-*.whl")


def build_constructs(output: Path, version: str, *, template: str, archive: bytes, source_url: str = "") -> list[Path]:
    """Build the CDK constructs.

    Args:
        output: The directory for the packages.
        version: Their version.
        template: The released template.
        archive: The function's package.
        source_url: Where the sources are, which npm compares with the repository that publishes; empty: it is not told.

    Returns:
        The package for npm, and the wheel.

    Raises:
        PackageError: They could not be built.
    """
    with tempfile.TemporaryDirectory(prefix="cdk-") as directory:
        sources = _copy("cdk", Path(directory), "package.json", version)
        if source_url:
            manifest = sources / "package.json"
            manifest.write_text(manifest.read_text().replace(_NO_SOURCE, source_url))
        (sources / "assets").mkdir()
        (sources / "assets/template.json").write_text(json.dumps(loads(template)))
        (sources / "assets/provider.zip").write_bytes(archive)
        for path in sources.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)  # npm puts that into its package
        (sources / "node_modules").symlink_to(NODE_MODULES)
        _run(["node_modules/.bin/jsii"], sources)
        (sources / "lib/tsconfig.tsbuildinfo").unlink()  # has paths of this machine
        _run(["node_modules/.bin/jsii-pacmak", "--targets", "js", "python"], sources)
        shutil.copy(_one(sources / "dist/js", "*.tgz"), output / f"cdk-neptune-ml-{version}.tgz")
        shutil.copy(_one(sources / "dist/python", "*.whl"), output)
    return [_one(output, "cdk-neptune-ml-*.tgz"), _one(output, "cdk_neptune_ml-*.whl")]


def build_terraform(output: Path, version: str) -> Path:
    """Build the Terraform module.

    Args:
        output: The directory for the ZIP file.
        version: Its version.

    Returns:
        The ZIP file, with the module's files at its top.
    """
    module = _SOURCES / "terraform"
    files = {it.relative_to(module).as_posix(): it for it in (*module.rglob("*.tf"), module / "README.md")}
    files |= {f"schemas/{it.name}": it for it in _SCHEMAS.glob("*.json")} | {"LICENSE": _ROOT / "LICENSE"}
    package = output / f"terraform-aws-neptune-ml-{version}.zip"
    package.write_bytes(zipped({name: file.read_bytes() for name, file in files.items()}))
    return package


def _copy(name: str, directory: Path, manifest: str, version: str) -> Path:
    """Copy a package's sources, with its version and the licence."""
    left_out = shutil.ignore_patterns("node_modules", "lib", "dist", "assets", ".jsii", "__pycache__")
    sources = shutil.copytree(_SOURCES / name, directory / name, ignore=left_out)
    shutil.copy2(_ROOT / "LICENSE", sources)
    text = (sources / manifest).read_text()
    (sources / manifest).write_text(text.replace(_NO_VERSION, version, 1))
    return sources


def _one(directory: Path, pattern: str) -> Path:
    found = list(directory.glob(pattern))
    if len(found) != 1:
        raise PackageError(f"{directory} should have one {pattern}, it has {len(found)}")
    return found[0]


def _run(command: list[str], directory: Path) -> None:
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": _EPOCH,
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    done = subprocess.run(
        command, cwd=directory, env=environment, umask=0o022, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
