"""A simulator of the model transform API of Amazon Neptune ML (start, get, list, cancel), with faults on demand.

Example:
    >>> from simulator import ErrorAnswer, Fault, ManualClock, Simulator
    >>> with Simulator(artifacts_dir=tmp_path, clock=ManualClock()) as simulator:  # doctest: +SKIP
    ...     simulator.start_job("job-1", stop_seconds=60)
    ...     simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["cancel"], times=2))

`python -m simulator` runs it for other processes, with the jobs that its command line names.
"""

from simulator.clock import Clock, ManualClock
from simulator.errors import ERROR_STATUSES
from simulator.faults import (
    GARBAGE,
    Effect,
    ErrorAnswer,
    Fault,
    Hang,
    OperationName,
    RawAnswer,
    Reset,
    Truncated,
)
from simulator.jobs import (
    DEFAULT_STOP_SECONDS,
    JobEndedError,
    JobExistsError,
    JobNotFoundError,
    JobPlan,
    JobStatus,
)
from simulator.request_log import RequestRecord
from simulator.simulator import Simulator

__all__ = [
    "DEFAULT_STOP_SECONDS",
    "ERROR_STATUSES",
    "GARBAGE",
    "Clock",
    "Effect",
    "ErrorAnswer",
    "Fault",
    "Hang",
    "JobEndedError",
    "JobExistsError",
    "JobNotFoundError",
    "JobPlan",
    "JobStatus",
    "ManualClock",
    "OperationName",
    "RawAnswer",
    "RequestRecord",
    "Reset",
    "Simulator",
    "Truncated",
]
