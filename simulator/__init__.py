"""A simulator of Amazon Neptune ML over HTTP, with faults on demand; see `README.md`.

Example:
    >>> from simulator import ErrorAnswer, Fault, ManualClock, Simulator
    >>> with Simulator(clock=ManualClock()) as simulator:  # doctest: +SKIP
    ...     simulator.start_job("job-1", stop_seconds=60)
    ...     simulator.of("endpoints").start_job("endpoint-1", status="InService")
    ...     simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["cancel"], times=2))

`python -m simulator` runs it for other processes.
"""

from simulator.clock import ManualClock
from simulator.errors import ERROR_STATUSES
from simulator.faults import GARBAGE, Effect, ErrorAnswer, Fault, Hang, RawAnswer, Reset, Truncated
from simulator.jobs import JobExistsError, JobNotFoundError, JobPlan
from simulator.kinds import KindName
from simulator.lives import JobStatus
from simulator.request_log import RequestRecord
from simulator.simulator import Simulator

__all__ = [
    "ERROR_STATUSES",
    "GARBAGE",
    "Effect",
    "ErrorAnswer",
    "Fault",
    "Hang",
    "JobExistsError",
    "JobNotFoundError",
    "JobPlan",
    "JobStatus",
    "KindName",
    "ManualClock",
    "RawAnswer",
    "RequestRecord",
    "Reset",
    "Simulator",
    "Truncated",
]
