"""The errors of the Neptune Data API."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Names and HTTP statuses from botocore's service model `neptunedata`: the errors of the four operations, then those of
# any request, and that of a method that a path does not have. Throttling has two errors, the second with a 500.
ERROR_STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "BadRequestException": 400,
        "ClientTimeoutException": 408,
        "ConstraintViolationException": 400,
        "IllegalArgumentException": 400,
        "InvalidArgumentException": 400,
        "InvalidParameterException": 400,
        "MLResourceNotFoundException": 404,
        "MissingParameterException": 400,
        "PreconditionsFailedException": 400,
        "TooManyRequestsException": 429,
        "UnsupportedOperationException": 400,
        "AccessDeniedException": 403,
        "InternalFailureException": 500,
        "ServerShutdownException": 500,
        "ThrottlingException": 500,
        "MethodNotAllowedException": 405,
    }
)


class NeptuneError(Exception):
    """An error with which the API answers.

    Args:
        code: One of `ERROR_STATUSES`.
        message: The answer's `detailedMessage`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = ERROR_STATUSES[code]
