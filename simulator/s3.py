"""Locations in Amazon S3."""

from __future__ import annotations

import re
from dataclasses import dataclass

# General purpose bucket naming rules, Amazon S3 User Guide.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_KEY_BYTES = 1024
# A key's parts become file names, which file systems limit to 255 bytes.
_MAX_PART_BYTES = 255


@dataclass(frozen=True, slots=True)
class S3Location:
    """A place below a bucket: `s3://BUCKET/PART/PART`.

    Attributes:
        bucket: The bucket's name.
        parts: The key's parts, in order; none of them empty, `.` or `..`.
    """

    bucket: str
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise ValueError(f"{self.bucket!r} is not an S3 bucket name")
        for part in self.parts:
            if part in {"", ".", ".."} or "\0" in part or "/" in part or len(part.encode()) > _MAX_PART_BYTES:
                raise ValueError(f"{part!r} cannot be a part of an S3 key here")
        if len("/".join(self.parts).encode()) > _MAX_KEY_BYTES:
            raise ValueError("an S3 key has at most 1,024 bytes")

    def __str__(self) -> str:
        return "/".join(("s3:/", self.bucket, *self.parts))

    def __truediv__(self, path: str) -> S3Location:
        """Return the location of `path`, a relative key, below this one."""
        return S3Location(self.bucket, (*self.parts, *path.split("/")))

    @classmethod
    def parse(cls, uri: str) -> S3Location:
        """Read an `s3://BUCKET/KEY` URI; slashes at the end or in a row count as one.

        Raises:
            ValueError: If it is not one, or its key would leave the bucket's directory.
        """
        scheme, _, rest = uri.partition("://")
        if scheme != "s3":
            raise ValueError(f"{uri!r} is not an S3 location (s3://BUCKET/KEY)")
        try:
            bucket, *parts = rest.split("/")
            return cls(bucket, tuple(part for part in parts if part))
        except UnicodeEncodeError as error:
            raise ValueError("an S3 location is Unicode text that UTF-8 can encode") from error
