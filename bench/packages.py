"""The deployment packages: ours, and the baseline's, built by the same Makefile from the same lock."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from local import sam

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parent.parent
_SRC = _ROOT / "src"
_BASELINE = Path(__file__).parent / "baseline/function.py"
# boto3 and crhelper, with what they need.
_BASELINE_DISTRIBUTIONS = frozenset(
    ("boto3", "botocore", "crhelper", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
)
# Those whose clients the baseline makes: its own, and three of crhelper's.
_BASELINE_SERVICES = "neptunedata events lambda logs"
_REQUIREMENT = re.compile(r"^([a-z0-9-]+)==.*\n(?:[ \t]+.*\n)*", re.M)


class Sizes(NamedTuple):
    """The sizes of a package, in bytes."""

    zipped: int
    unzipped: int


@dataclass(frozen=True)
class Package:
    """An unzipped deployment package.

    Attributes:
        path: Its directory.
        handler: Its entry point, as in `module.function`.
        physical_id: The physical IDs of its resources, with `{endpoint}` and `{id}` for those of the job.
    """

    path: Path
    handler: str
    physical_id: str = "{id}"

    def zipped(self) -> bytes:
        """Zip it, as it is uploaded."""
        archive = self.path.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as file:
            for path in self._files():
                file.write(path, path.relative_to(self.path))
        content = archive.read_bytes()
        archive.unlink()
        return content

    def sizes(self) -> Sizes:
        """Measure it."""
        return Sizes(len(self.zipped()), sum(path.stat().st_size for path in self._files()))

    def without_bytecode(self, path: Path) -> Package:
        """Copy it without bytecode, to a directory that this makes."""
        return replace(self, path=shutil.copytree(self.path, path, ignore=shutil.ignore_patterns("__pycache__")))

    def _files(self) -> Iterator[Path]:
        return (path for path in sorted(self.path.rglob("*")) if path.is_file())


def build_ours(directory: Path, python: str) -> Package:
    """Build our package with `sam build`; the interpreter that is to import it compiles the bytecode."""
    built = sam.build(directory, environment={"BYTECODE_PYTHON": python}).parent / "Provider"
    return Package(built, "provider.handler.handler", "{endpoint}/{id}")


def build_baseline(directory: Path, python: str) -> Package:
    """Build the baseline's package with our Makefile and those of our locked requirements that it needs.

    It has all of botocore's data of its services; pruning them is our own idea.
    """
    sources, package = directory / "src", directory / "package"
    shutil.copytree(_SRC, sources, ignore=shutil.ignore_patterns("provider", "__pycache__"))
    (sources / "provider").mkdir()  # the directory that the Makefile packs
    shutil.copy(_BASELINE, sources / "provider")
    package.mkdir()
    (sources / "prune.py").write_text("")
    lock = (_SRC / "requirements.txt").read_text()
    needed = [match[0] for match in _REQUIREMENT.finditer(lock) if match[1] in _BASELINE_DISTRIBUTIONS]
    (sources / "requirements.txt").write_text("".join(needed))
    make = ["make", "-C", str(sources), "build-Provider", f"ARTIFACTS_DIR={package}", f"SERVICES={_BASELINE_SERVICES}"]
    make.append(f"BYTECODE_PYTHON={python}")
    subprocess.run(make, check=True, stdout=sys.stderr)
    return Package(package, "provider.function.handler")


def find_python() -> str:
    """Find the interpreter of the template's version, or else the current one; never the wrapper of one."""
    runtime = re.search(r"Runtime: (python[0-9.]+)", (_ROOT / "template.yaml").read_text())
    if found := shutil.which(runtime[1] if runtime else "python3"):
        print_path = [found, "-I", "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(print_path, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return sys.executable
