"""Why an entry could not be read or written."""


class Conflict(Exception):
    """The entry was written since it was read."""


class JournalUnavailable(Exception):
    """The entry could not be read or written. The message says why, and what to open."""
