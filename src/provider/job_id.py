"""The IDs of the jobs that the provider starts. They are readable, and the same for each delivery of a request."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode

# Neptune accepts 48 letters, digits, hyphens (Neptune user guide, "Neptune ML management API errors and exceptions").
_NAME_CHARACTERS, _REQUEST_CHARACTERS = 16, 14


def make(stack: str, resource: str, request_id: str) -> str:
    """Make the ID of the job that a request starts.

    Args:
        stack: The stack's name.
        resource: The resource's logical ID.
        request_id: The request's ID.

    Returns:
        At most 48 letters, digits and hyphens. It does not begin with a hyphen.
    """
    names = (re.sub("[^A-Za-z0-9]+", "-", name)[:_NAME_CHARACTERS].strip("-") for name in (stack, resource))
    readable = "-".join(name for name in names if name) or "job"
    digest = hashlib.sha256(request_id.encode()).digest()
    return f"{readable}-{b32encode(digest).decode().lower()[:_REQUEST_CHARACTERS]}"
