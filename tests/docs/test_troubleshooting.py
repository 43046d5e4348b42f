from __future__ import annotations

import pytest

from provider.identity import LONGEST_BYTES
from provider.neptune import Jobs
from provider.values import LONGEST_TIMEOUT_SECONDS
from tests.cfn_lint.linting import ROOT
from tests.docs.messages import fragments

PAGE = " ".join((ROOT / "docs/troubleshooting.md").read_text().split())


@pytest.mark.parametrize("fragment", fragments())
def test_every_message_is_explained(fragment: str) -> None:
    assert fragment in PAGE


def test_messages_are_found_in_the_source() -> None:
    found = fragments()

    assert ": its cluster is at" in found  # part of an f-string
    assert "was requested, but Neptune does not show it yet." in found  # of one for `str.format`
    assert any(text.endswith("(the provider's SubnetIds).") for text in found)  # over several lines
    assert "a non-empty string" in found  # what parsing raises
    assert "Neptune cannot be asked; asking again" in found  # in the log
    assert not any(text in (Jobs.__doc__ or "") for text in found)


def test_numbers_are_those_of_the_source() -> None:
    assert f"a whole number of seconds from 1 to {LONGEST_TIMEOUT_SECONDS}." in PAGE
    assert f"at most {LONGEST_BYTES:,} bytes (it has" in PAGE
