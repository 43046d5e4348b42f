"""Why an entry could not be read or written."""


class JournalError(Exception):
    """A call of the journal failed."""


class Conflict(JournalError):
    """The entry was written since it was read."""


class JournalUnavailable(JournalError):
    """The entry could not be read or written. The message says why, and what to open."""
