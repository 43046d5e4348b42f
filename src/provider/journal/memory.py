"""The journal of a local run, which ends with the process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from provider.journal.errors import Conflict
from provider.journal.table import from_json, to_json

if TYPE_CHECKING:
    from provider.journal.entry import Entry


class Memory:
    """The journal, in memory."""

    def __init__(self) -> None:
        self._entries: dict[str, str] = {}
        self._revisions: Counter[str] = Counter()

    def read(self, resource: str) -> tuple[Entry | None, int]:
        """Read the entry of a resource; see `Table.read`."""
        text = self._entries.get(resource)
        return from_json(text) if text else None, self._revisions[resource]

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        """Write the entry of a resource; see `Table.write`."""
        if self._revisions[resource] != revision:
            raise Conflict
        self._entries[resource] = to_json(entry)
        self._revisions[resource] += 1
