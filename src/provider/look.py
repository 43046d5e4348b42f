"""What a look at a job found."""

from __future__ import annotations

from enum import StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """A job's status, compared with what is known about the job."""

    UNSEEN = auto()  # not looked at yet
    RUNS = auto()  # and its status will change by itself
    READY = auto()  # an endpoint in service
    SAME = auto()  # in service, as before a change
    UNDONE = auto()  # in service, as before a change, with Neptune's reason
    STOPPING = auto()
    COMPLETED = auto()
    STOPPED = auto()
    FAILED = auto()
    BROKEN = auto()  # it has failed, and exists until it is deleted
    ABSENT = auto()
    SILENT = auto()  # Neptune did not respond


ENDED = (Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.ABSENT)
"""Nothing is left running."""


class Look(NamedTuple):
    """A job, as Neptune reported it.

    Attributes:
        status: What the look found.
        words: Neptune's name for the status, or why there is none.
        arns: Its ARNs in SageMaker, separated by commas; empty if Neptune reports none.
        failure: Why it, or its last change, failed, in Neptune's words.
        attributes: The attributes that `Fn::GetAtt` returns. A value is empty if Neptune did not report it.
        log: The URL of its log.
        is_changing: Whether Neptune may refuse requests until its status has changed.
    """

    status: Status
    words: str = ""
    arns: str = ""
    failure: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})
    log: str = ""
    is_changing: bool = False
