from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.archive import zipped

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1).map(lambda it: f"directory/{it}.py")


@given(st.dictionaries(NAMES, st.binary(max_size=3000)))
def test_what_is_packed_is_unpacked(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.namelist() == sorted(files)


@given(st.dictionaries(NAMES, st.binary(max_size=3000)))
def test_the_order_of_the_files_makes_no_difference(files: dict[str, bytes]) -> None:
    assert zipped(files) == zipped(dict(reversed(files.items())))


def test_everybody_may_read_the_files_of_1980() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped({"a.py": b"a" * 1000}))) as archive:
        (entry,) = archive.infolist()

    assert entry.external_attr >> 16 == 0o100644
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.compress_type == zipfile.ZIP_DEFLATED
    assert entry.compress_size < 100


def test_a_name_that_readers_take_in_two_ways_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        zipped({"ä.py": b""})
