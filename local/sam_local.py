"""`sam local invoke`, with the settings of `samconfig.toml`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from local import engine
from local.environment import without_aws
from local.processes import kill_group, process_group
from local.sam import SamError

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).parent.parent
_SAM = _ROOT / ".venv/sam/bin/sam"
_SOURCES = (_ROOT / "template.yaml", _ROOT / "src")
_CONTAINER = "SAM_CONTAINER_ID: "

BUILT = _ROOT / ".aws-sam/build/template.yaml"
"""The template that `sam build` writes and `sam local invoke` reads by default."""


def is_up_to_date() -> bool:
    """Tell whether the last `sam build` is newer than `template.yaml` and everything in `src/`.

    Returns:
        Whether it is; a build is then not repeated.
    """
    if not BUILT.exists():
        return False
    built_at = BUILT.stat().st_mtime
    # Directories show that files were deleted.
    paths = [path for source in _SOURCES for path in (source, *source.rglob("*")) if "__pycache__" not in path.parts]
    return all(path.stat().st_mtime < built_at for path in paths)


def base_image(template: Path) -> str:
    """Name the image in which SAM runs the function.

    Args:
        template: The built template.

    Returns:
        The name and tag of AWS's Lambda base image.
    """
    document = yaml.safe_load(template.read_text())
    version = document["Resources"]["Provider"]["Properties"]["Runtime"].removeprefix("python")
    return f"public.ecr.aws/lambda/python:{version}-{document['Parameters']['Architecture']['Default']}"


def invoke(event: Path, template: Path, on_line: Callable[[str], None] = lambda _: None) -> str:
    """Invoke the function with an event, in its container.

    It gets none of the user's AWS credentials; SAM invents some.

    Args:
        event: The event's file.
        template: The built template.
        on_line: Called with each line of the function's log as it comes, without SAM's own lines.

    Returns:
        The function's return value, in JSON.

    Raises:
        SamError: SAM failed; the message has its output.
    """
    if not _SAM.exists():
        raise SamError("SAM is not installed: run `make install`")
    command = [
        *(str(_SAM), "local", "invoke", "--config-file", str(_ROOT / "samconfig.toml")),
        *("--template-file", str(template.absolute()), "--event", str(event.absolute())),
    ]
    output = _Output(on_line)
    with tempfile.TemporaryFile("w+") as returned:
        with process_group(
            command, directory=_ROOT, environment=without_aws(), stdout=returned, stderr=subprocess.PIPE
        ) as process:
            output.read(process)
        returned.seek(0)
        result = returned.read()
    if process.returncode or not result.strip():
        lines = "\n".join([*output.chatter, result])
        raise SamError(f"sam local invoke failed with exit code {process.returncode}:\n{lines}")
    return result


class _Output:
    """What SAM writes to its standard error: its own lines, and the function's log."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._in_log = False
        self._container_id: str | None = None
        self.chatter: list[str] = []

    def read(self, process: subprocess.Popen[str]) -> None:
        """Read until SAM ends. If that is interrupted, kill SAM, and remove the container that it has created."""
        try:
            for line in process.stderr or ():
                self._add(line.rstrip())
            process.wait()
        except BaseException:
            kill_group(process)
            # SAM names a container before it starts it, perhaps in a line that has not been read yet.
            for line in process.stderr or ():
                self._find_container(line.rstrip())
            if self._container_id:
                engine.remove_container(self._container_id)  # which would run on without SAM
            raise

    def _add(self, line: str) -> None:
        if self._find_container(line):
            self._in_log = True
        elif line.startswith("END RequestId: "):
            self._in_log = False
        elif self._in_log and not line.startswith("START RequestId: "):  # SAM sometimes omits it
            self._on_line(line)
        else:
            self.chatter.append(line)

    def _find_container(self, line: str) -> bool:
        if line.startswith(_CONTAINER):
            self._container_id = line.removeprefix(_CONTAINER)
        return line.startswith(_CONTAINER)
