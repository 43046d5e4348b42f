"""Why an entry is not read or written."""


class Conflict(Exception):
    """It has been written since it was read."""


class JournalUnavailable(Exception):
    """It cannot be read or written; the message says why and what to open."""
