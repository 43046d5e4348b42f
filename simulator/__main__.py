"""The simulator's command line: `python -m simulator`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import ssl
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from simulator import RequestRecord, Simulator, lives
from simulator.jobs import DEFAULT_STOP_SECONDS
from simulator.kinds import KINDS, MODEL_TRANSFORM, Kind, kind_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.jobs import PlanFields

_NEVER: Final = "never"


class _Job(NamedTuple):
    """A job that --job describes."""

    kind: Kind
    id: str
    status: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator until SIGINT or SIGTERM.

    Args:
        arguments: The command line, without the program's name; None: this process's.

    Returns:
        The exit code: 0; 1 if it cannot listen. Wrong arguments exit with 2.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    plan: PlanFields = {
        "run_seconds": options.run_seconds,
        "stop_seconds": options.stop_seconds,
        "fails_with": options.fail_with,
    }
    signals = {signal.SIGINT, signal.SIGTERM}
    with contextlib.ExitStack() as stack:
        # Blocked before the first thread starts, so that an early signal waits for sigwait.
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        stack.callback(signal.pthread_sigmask, signal.SIG_SETMASK, previous)
        try:
            tls = _tls(options.tls_certificate, options.tls_key)
            simulator = Simulator(host=options.host, port=options.port, tls=tls, on_request=_print_request, **plan)
            for job in options.job:
                simulator.of(job.kind.name).start_job(job.id, status=job.status, **plan)
            stack.enter_context(simulator)
        except (ValueError, OverflowError) as error:  # the latter: the port is out of range
            parser.error(str(error))
        except OSError as error:
            print(f"{parser.prog}: error: {error}", file=sys.stderr)
            return 1
        print(f"Neptune ML simulator listening on {simulator.url}", flush=True)
        signal.sigwait(signals)
    return 0


def _tls(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """Load the certificate and its key; raises `ValueError` if that fails."""
    if certificate is None:
        if key is not None:
            raise ValueError("--tls-key needs --tls-certificate")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")  # rather than ask for one
    except OSError as error:
        files = certificate if key is None else f"{certificate} and {key}"
        raise ValueError(f"{files} should be a PEM certificate and its key, without a password: {error}") from error
    return context


def _print_request(record: RequestRecord) -> None:
    print(record, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Simulate Amazon Neptune ML over HTTP: data processing, model training and model transform jobs "
        "(start, get, list, cancel), and endpoints (create, update, get, list, delete). "
        "Prints where it listens, then a line for each request. SIGINT (Ctrl-C) or SIGTERM ends it. "
        "It serves plain HTTP, or HTTPS with --tls-certificate. Signatures are not checked.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument(
        "--tls-certificate",
        metavar="FILE",
        help="serve HTTPS with the certificate in this PEM file (default: plain HTTP)",
    )
    parser.add_argument(
        "--tls-key", metavar="FILE", help="the PEM file of the certificate's key (default: the certificate's file)"
    )
    parser.add_argument(
        "--job",
        metavar="[KIND:]ID[:STATUS]",
        type=_job,
        action="append",
        default=[],
        help=f"begin with this job or endpoint; KIND is {', '.join(KINDS)} (default: {MODEL_TRANSFORM.name}); "
        f"a job's STATUS is {', '.join(lives.JOB.statuses)} (default: {lives.JOB.running}), "
        f"an endpoint's {', '.join(lives.ENDPOINT.statuses)} (default: {lives.ENDPOINT.running}); repeatable",
    )
    parser.add_argument(
        "--run-seconds",
        metavar="SECONDS",
        type=_seconds,
        help="the time until a job is Completed, or an endpoint InService, or 'never' (default: never)",
    )
    parser.add_argument(
        "--fail-with",
        metavar="REASON",
        help="jobs and endpoints are Failed after --run-seconds, with this failureReason",
    )
    parser.add_argument(
        "--stop-seconds",
        metavar="SECONDS",
        type=_seconds,
        default=DEFAULT_STOP_SECONDS,
        help=f"the time until a cancelled job has stopped, or a deleted endpoint is gone, or '{_NEVER}' "
        "(default: %(default)s)",
    )
    return parser


def _seconds(text: str) -> float | None:
    try:
        return None if text == _NEVER else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of seconds nor '{_NEVER}'") from None


def _job(text: str) -> _Job:
    first, _, others = text.partition(":")
    # A model transform job whose ID is the name of a kind needs its own kind before it.
    kind, rest = (kind_named(first), others) if first in KINDS else (MODEL_TRANSFORM, text)
    job_id, _, status = rest.partition(":")
    try:
        return _Job(kind, job_id, kind.life.status_named(status) if status else None)
    except ValueError as error:
        problem = str(error) if first in KINDS else f"{error}; and {first!r} is no kind: {', '.join(KINDS)}"
        raise argparse.ArgumentTypeError(problem) from None


if __name__ == "__main__":
    sys.exit(main())
