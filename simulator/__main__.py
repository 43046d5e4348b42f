"""The simulator's command line: `python -m simulator`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulator import DEFAULT_STOP_SECONDS, JobStatus, RequestRecord, Simulator
from simulator.clock import check_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEVER: Final = "never"
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class _JobArgument:
    """A job as --job names it; without stop_seconds, --stop-seconds counts."""

    id: str
    status: str | None
    stop_seconds: tuple[float | None, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator until SIGINT or SIGTERM.

    Args:
        arguments: The command line, without the program's name; None: this process's.

    Returns:
        The exit code: 0; 1 if it cannot listen or keep artifacts. Wrong arguments exit with 2.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    signals = {signal.SIGINT, signal.SIGTERM}
    with contextlib.ExitStack() as stack:
        # Blocked before the first thread starts, so that one that arrives early waits for sigwait.
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        stack.callback(signal.pthread_sigmask, signal.SIG_SETMASK, previous)
        try:
            simulator = Simulator(
                artifacts_dir=options.artifacts or stack.enter_context(tempfile.TemporaryDirectory()),
                host=options.host,
                port=options.port,
                base_seconds=options.base_seconds,
                run_seconds=options.run_seconds,
                stop_seconds=options.stop_seconds,
                fails_with=options.fail_with,
                seed=options.seed,
                on_request=_print_request,
            )
            for job in options.job:
                (stop_seconds,) = job.stop_seconds or (options.stop_seconds,)
                simulator.start_job(
                    job.id,
                    base_seconds=options.base_seconds,
                    run_seconds=options.run_seconds,
                    stop_seconds=stop_seconds,
                    fails_with=options.fail_with,
                    status=job.status,
                )
            stack.enter_context(simulator)
        except ValueError as error:
            parser.error(str(error))
        except OSError as error:
            print(f"{parser.prog}: error: {error}", file=sys.stderr)
            return 1
        print(f"Neptune ML simulator listening on {simulator.url}", flush=True)
        signal.sigwait(signals)
    return 0


def _print_request(record: RequestRecord) -> None:
    print(record, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Simulate the model transform API of Amazon Neptune ML over HTTP: start, get, list and cancel. "
        "Prints where it listens, then a line for each request. SIGINT (Ctrl-C) or SIGTERM ends it.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument(
        "--artifacts",
        metavar="DIR",
        help="keep the jobs' artifacts there (default: a temporary directory, removed at the end)",
    )
    parser.add_argument(
        "--job",
        metavar="ID[:STATUS[:STOP_SECONDS]]",
        type=_job,
        action="append",
        default=[],
        help=f"start with this job; STATUS is {', '.join(JobStatus)} (default: {JobStatus.IN_PROGRESS}); repeatable",
    )
    parser.add_argument(
        "--stop-seconds",
        metavar="SECONDS",
        type=_seconds,
        default=DEFAULT_STOP_SECONDS,
        help=f"how long a cancelled job takes to stop, or '{_NEVER}' (default: %(default)s)",
    )
    parser.add_argument(
        "--base-seconds",
        metavar="SECONDS",
        type=_span,
        default=0.0,
        help="how long of its time a job is in its base processing, before its remote model transform "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--run-seconds",
        metavar="SECONDS",
        type=_seconds,
        default=None,
        help=f"how long a job runs until it is Completed, or '{_NEVER}' (default: {_NEVER})",
    )
    parser.add_argument(
        "--fail-with",
        metavar="REASON",
        help="a job that has run for --run-seconds is not Completed but Failed, with this failureReason",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="makes faults with a probability repeatable (default: %(default)s)"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _MAX_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {_MAX_PORT}")
    return int(text)


def _span(text: str) -> float:
    try:
        seconds = float(text)
        check_seconds(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    return seconds


def _seconds(text: str) -> float | None:
    if text == _NEVER:
        return None
    try:
        return _span(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of seconds nor '{_NEVER}'") from None


def _job(text: str) -> _JobArgument:
    job_id, _, rest = text.partition(":")
    status, _, stop_seconds = rest.partition(":")
    if status and status not in set(JobStatus):
        raise argparse.ArgumentTypeError(f"{status!r} is not a job status: {', '.join(JobStatus)}")
    return _JobArgument(job_id, status or None, (_seconds(stop_seconds),) if stop_seconds else ())


if __name__ == "__main__":
    sys.exit(main())
