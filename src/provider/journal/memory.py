"""The journal of a local run, which ends with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider.journal.errors import Conflict
from provider.journal.table import from_json, to_json

if TYPE_CHECKING:
    from provider.journal.entry import Entry


class Memory:
    """The journal, in memory."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[str, int]] = {}

    def read(self, resource: str) -> tuple[Entry | None, int]:
        """Read the entry of a resource; see `Table.read`."""
        text, revision = self._items.get(resource, ("", 0))
        return (from_json(text), revision) if text else (None, 0)

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        """Write the entry of a resource; see `Table.write`."""
        if self._items.get(resource, ("", 0))[1] != revision:
            raise Conflict
        self._items[resource] = (to_json(entry), revision + 1)
