"""The files that jobs leave behind: a directory that stands for Amazon S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.jobs import Job
    from simulator.s3 import S3Location


class ArtifactDirectory:
    """Keeps each object `s3://BUCKET/KEY` as the file `BUCKET/KEY` of a directory.

    Args:
        root: The directory; created with the first artifact.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, job: Job) -> None:
        """Write the artifacts of `job`.

        Raises:
            OSError: If they cannot be written.
        """
        for location in _locations(job):
            path = self._path(location)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path.name} of {job.kind.title.lower()} {job.id}, simulated\n", encoding="utf-8")

    def delete(self, job: Job) -> None:
        """Delete the artifacts of `job`, and its directories if nothing else is in them.

        Raises:
            OSError: If they cannot be deleted.
        """
        for location in _locations(job):
            self._path(location).unlink(missing_ok=True)
        for directory in (*(self._path(location).parent for location in _locations(job)), self._path(job.output)):
            if directory.is_dir() and not any(directory.iterdir()):
                directory.rmdir()

    def names(self, job: Job) -> tuple[str, ...]:
        """Return the `s3://` names of the artifacts of `job` that there are."""
        return tuple(str(location) for location in _locations(job) if self._path(location).is_file())

    def _path(self, location: S3Location) -> Path:
        return self._root.joinpath(location.bucket, *location.parts)


def _locations(job: Job) -> tuple[S3Location, ...]:
    return tuple(
        job.output / f"{phase.role}/{phase.artifact}" for phase in job.kind.phases if phase.artifact is not None
    )
