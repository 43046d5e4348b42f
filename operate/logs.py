"""`make logs`: shows the deployed function's log in a readable form; run it with `python -m operate.logs`.

Exit code: 0 if the log was read, 1 if it cannot be read, 2 for wrong arguments, 130 after Ctrl-C.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from local import function_log
from local.readable_log import readable
from operate import account, command, provider_stack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mypy_boto3_logs import CloudWatchLogsClient

    from local.function_log import Message

_LOOK_SECONDS = 2.0
# CloudWatch may show a message later than one that was written after it.
_LATE_SECONDS = 30.0
# Lambda writes these lines for every invocation. Its other lines (about a timeout or a crash) matter.
_OF_LAMBDA = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "XRAY TraceId: ")


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the log; returns the exit code."""
    parser = command.parser("logs", "Follow the log of the deployed function.")
    parser.add_argument("--minutes", default="10", help="how many minutes back to start (%(default)s)")
    parser.add_argument("--all", action="store_true", help="the raw log, including Lambda's own lines")
    parser.add_argument("--once", action="store_true", help="show what there is, then exit")
    return command.run(parser, arguments, _logs)


def _logs(options: argparse.Namespace) -> int:
    minutes = command.number_of("MINUTES", options.minutes, "minutes")
    here = account.find()
    group = provider_stack.find(here, options.stack).outputs["LogGroupName"]
    _say(f"{here}\n{group}, the last {minutes:g} minutes" + ("" if options.once else "; press Ctrl-C to exit"))
    start = time.time() - minutes * 60
    _show(here.session.client("logs"), group, start, everything=options.all, once=options.once)
    return 0


def _show(client: CloudWatchLogsClient, group: str, start: float, *, everything: bool, once: bool) -> None:
    shown: frozenset[Message] = frozenset()
    while True:
        messages = function_log.read_since(client, group, start)
        for message in messages:
            if message not in shown and (everything or not message.text.startswith(_OF_LAMBDA)):
                _say(message.text if everything else readable(message.text, of_many=True))
        shown = frozenset(messages)
        if once:
            return
        start = max(start, time.time() - _LATE_SECONDS)
        time.sleep(_LOOK_SECONDS)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
