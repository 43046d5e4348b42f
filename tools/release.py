"""Make a release: the function's package, the template that deploys it, and the packages for users' tools.

The same sources result in the same bytes on every machine: the dependencies are locked, one version of Python compiles
the package, and it contains no times and no order of a directory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import yaml

from tools import packages
from tools.archive import zipped

NAME = "neptune-ml-provider"
PYTHON = "3.13.18"
"""The Python that compiles a release's bytecode, for the function's runtime."""

_ROOT = Path(__file__).parent.parent
_UV = _ROOT / ".venv/uv/bin/uv"
_CYCLONEDX = _ROOT / ".venv/sbom/bin/python"
_PYTHONS = _ROOT / ".venv/python"
_PACKAGE = "provider.zip"
_LICENCE = "MIT-0"


class ReleaseError(RuntimeError):
    """The release cannot be made; the message says why, and what to do."""


def make(output: Path, *, python: str, source_url: str = "", tag: str = "") -> list[Path]:
    """Make a release.

    Args:
        output: The directory to write the release to; it is emptied first.
        python: The interpreter that compiles the bytecode.
        source_url: The URL of the sources, for the Serverless Application Repository; empty: none.
        tag: The tag of the release; empty: no release notes are written.

    Returns:
        The files of the release.
    """
    template = (_ROOT / "template.yaml").read_text()
    version = version_of(template)
    if tag and tag != f"v{version}":
        raise ReleaseError(f"the tag {tag} is not that of the template's version: it would be v{version}")
    if tag and not packages.can_build_constructs():
        raise ReleaseError("the CDK package cannot be built: install Node.js 20 or later, and run make again")
    notes = notes_of(version, (_ROOT / "CHANGELOG.md").read_text()) if tag else ""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="release-") as directory:
        package = Path(directory) / "package"
        _build(package, python)
        archive = zipped({path.relative_to(package).as_posix(): path.read_bytes() for path in _files_in(package)})
        sbom = _sbom(package, version, hashlib.sha256(archive).hexdigest())
    (output / _PACKAGE).write_bytes(archive)
    (output / "template.yaml").write_text(released(template, source_url))
    packages.build_cfn_lint(output, version)
    packages.build_terraform(output, version)
    if packages.can_build_constructs():
        packages.build_constructs(output, version, template=released(template), archive=archive, source_url=source_url)
    (output / "sbom.cdx.json").write_text(sbom)
    shutil.copyfile(_ROOT / "LICENSE", output / "LICENSE")
    shutil.copyfile(_ROOT / "docs/releases.md", output / "README.md")
    made = _files_in(output)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (output / "SHA256SUMS").write_text("".join(sums))
    if notes:
        (output / "NOTES.md").write_text(notes)
    return _files_in(output)


def version_of(template: str) -> str:
    """Read the provider's version, such as `1.0.0`, from the text of its template."""
    found = re.search(r"^    Release: \{ Version: ([0-9.]+) \}", template, re.M)
    if found is None:
        raise ReleaseError("template.yaml has no version in its mapping Provider")
    return found[1]


def notes_of(version: str, changelog: str) -> str:
    """Find the changelog's section of a version, without the heading."""
    found = re.search(rf"^## {re.escape(version)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None:
        raise ReleaseError(f"CHANGELOG.md has no section for {version}")
    return found[1].strip() + "\n"


def released(template: str, source_url: str = "") -> str:
    """Make the template that deploys the package, with metadata for the Serverless Application Repository."""
    application = {
        "Name": NAME,
        "Description": "CloudFormation resource types for Amazon Neptune ML. A stack starts or adopts a job, and can "
        "wait for it. Deleting the stack cancels the job.",
        "Author": "contributors",
        "SpdxLicenseId": _LICENCE,
        "LicenseUrl": "LICENSE",
        "ReadmeUrl": "README.md",
        "Labels": ["neptune", "neptune-ml", "sagemaker", "cloudformation", "custom-resource"],
        **({"HomePageUrl": source_url, "SourceCodeUrl": source_url} if source_url else {}),
        "SemanticVersion": version_of(template),
    }
    metadata = yaml.safe_dump({"AWS::ServerlessRepo::Application": application}, sort_keys=False, width=118)
    replacements = {
        "\nMetadata:\n": f"\nMetadata:\n{textwrap.indent(metadata, '  ')}",
        "      BuildMethod: makefile\n": "",
        "      CodeUri: src/\n": f"      CodeUri: {_PACKAGE}\n",
    }
    for old, new in replacements.items():
        if template.count(old) != 1:
            raise ReleaseError(f"template.yaml should have this once: {old.strip()}")
        template = template.replace(old, new)
    return template


def find_python(name: str = "") -> tuple[str, str]:
    """Find the interpreter that compiles the bytecode, by its name or path; without one, `PYTHON` is downloaded once.

    Returns its path, and its version.
    """
    runtime = PYTHON.rpartition(".")[0]
    path = name or _managed_python()
    try:
        found = _run([path, "-I", "-c", "import platform; print(platform.python_version())"]).strip()
    except (OSError, ReleaseError) as error:
        raise ReleaseError(f"BYTECODE_PYTHON names {path}, which does not run: {error}") from error
    if not found.startswith(f"{runtime}."):
        raise ReleaseError(
            f"BYTECODE_PYTHON names Python {found}, whose bytecode Lambda's Python {runtime} would ignore. Name a "
            f"Python {runtime}, or none to have {PYTHON} downloaded"
        )
    return path, found


def _managed_python() -> str:
    environment = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(_PYTHONS), "UV_PYTHON_INSTALL_BIN": "0"}
    try:
        _run([str(_UV), "python", "install", "--managed-python", PYTHON], environment)
        found = _run([str(_UV), "python", "find", "--no-project", "--managed-python", PYTHON], environment)
    except ReleaseError as error:
        runtime = PYTHON.rpartition(".")[0]
        raise ReleaseError(
            f"Python {PYTHON}, which compiles the bytecode of releases, could not be downloaded. With another Python "
            f"{runtime}, BYTECODE_PYTHON=/path/to/python{runtime} make release makes a package that works as well, but "
            f"it may not have the bytes of the published one\n{error}"
        ) from error
    return found.strip()


def _build(package: Path, python: str) -> None:
    """Build the package as `sam build` does."""
    package.mkdir()
    environment = {**os.environ, "BYTECODE_PYTHON": python, "ARTIFACTS_DIR": str(package)}
    _run(["make", "--directory", str(_ROOT / "src"), "build-Provider"], environment)


def _sbom(package: Path, version: str, sha256: str) -> str:
    """List the package's components with versions, licenses and dependencies, in CycloneDX's JSON."""
    needed = re.findall(r"^[a-z].*$", (_ROOT / "src/requirements.in").read_text(), re.M)
    project = f'[project]\nname = "{NAME}"\nversion = "{version}"\nlicense = "{_LICENCE}"\ndependencies = {needed}\n'
    with tempfile.TemporaryDirectory(prefix="sbom-") as directory:
        described = Path(directory) / "pyproject.toml"
        described.write_text(project)
        # The inspected Python reads PYTHONPATH, and with -S nothing else; the tool itself ignores it (-I).
        done = _run(
            [
                *(str(_CYCLONEDX), "-I", "-m", "cyclonedx_py", "environment", "-S", "--output-reproducible"),
                *("--pyproject", str(described), "--spec-version", "1.6", "--output-format", "JSON", sys.executable),
            ],
            {**os.environ, "PYTHONPATH": str(package)},
        )
    sbom = json.loads(done)
    sbom["metadata"]["component"]["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return json.dumps(sbom, indent=2) + "\n"


def _files_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise ReleaseError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def main() -> int:
    """Make a release as the command line says; the exit code is 1 if it cannot be made."""
    parser = argparse.ArgumentParser(prog="make release", description="Make a release.")
    parser.add_argument("--source-url", default="")
    parser.add_argument("--tag", default="")
    given = parser.parse_args()
    if not packages.can_build_constructs():
        print("note: without Node.js 20 or later, there will be no CDK package")
    try:
        python, version = find_python(os.environ.get("BYTECODE_PYTHON", ""))
        print(f"The package is compiled by Python {version} ...")
        if version != PYTHON:
            print(f"note: releases are compiled by {PYTHON}: the bytes may not be those of the published package")
        made = make(_ROOT / "release", python=python, source_url=given.source_url, tag=given.tag)
    except (ReleaseError, packages.PackageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in made:
        print(f"{path.stat().st_size:>9,} bytes  {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
