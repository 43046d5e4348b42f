"""A ZIP file whose bytes depend only on its contents.

Python's `zipfile` compresses with the zlib of the interpreter, and different builds of zlib (such as zlib-ng) write
different bytes for the same contents. This module compresses with libdeflate, whose version is locked.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import deflate

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL = 9
_VERSION = 20  # of the format: 2.0, deflated files
_UNIX = 3 << 8
_DEFLATED = 8
_MIDNIGHT, _JANUARY_1980 = 0, (1 << 5) | 1  # the earliest possible time
_READABLE_FILE = 0o100644 << 16  # as Lambda requires

# APPNOTE.TXT of PKWARE, 4.3.7 (local file header), 4.3.12 (central directory) and 4.3.16 (its end).
_COMMON = struct.Struct("<5H3L2H")
_PLACE = struct.Struct("<3H2L")
_END = struct.Struct("<4H2LH")


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Make a ZIP file from files' contents by their names in ASCII, with slashes, and return it.

    Its files are in the order of their names, without times, and readable by everyone. It has at most 65,535 files, and
    4 GiB.
    """
    body, directory = bytearray(), bytearray()
    for name, content in sorted(files.items()):
        encoded = name.encode("ascii")
        packed = deflate.deflate_compress(content, _LEVEL)
        common = _COMMON.pack(
            *(_VERSION, 0, _DEFLATED, _MIDNIGHT, _JANUARY_1980),
            *(zlib.crc32(content), len(packed), len(content), len(encoded), 0),
        )
        directory += b"PK\1\2" + struct.pack("<H", _UNIX | _VERSION) + common
        directory += _PLACE.pack(0, 0, 0, _READABLE_FILE, len(body)) + encoded
        body += b"PK\3\4" + common + encoded + packed
    end = b"PK\5\6" + _END.pack(0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + end)
