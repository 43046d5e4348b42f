"""`make probe`: compares what CloudFormation does with what the project assumes; run it with `python -m operate.probe`.

It plays situations with stacks whose only resources belong to a recording function, deletes them, and reports what it
saw. Exit code: 0 if nothing contradicts an assumption, 1 if something does or is left behind, 2 for wrong arguments,
128 plus the signal's number if interrupted.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.interruption import Interrupted, held_back, interruptible
from local.stacks import NotSettled
from operate import account, command
from operate.command import confirm
from operate.probe.judgement import Finding
from operate.probe.report import PAGE, assumptions, differs, report
from operate.probe.situations import findings
from operate.probe.stage import Stage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

# The longest wait is five units, and the function's timeout 300 s.
_LONGEST_UNIT = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe CloudFormation; returns the exit code."""
    description = "Play situations with stacks of a recording function, and report what CloudFormation sends."
    parser = command.parser("probe", description, stack=False)
    parser.add_argument("--unit", default="10", help="the length of a time unit, in seconds (%(default)s)")
    parser.add_argument("--report", default="", help="a file to write the report to as well")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return command.run(parser, arguments, _probe)


def _probe(options: argparse.Namespace) -> int:
    unit = command.number_of("UNIT", options.unit, "seconds", 0.1, _LONGEST_UNIT)
    here, name = account.find(), f"neptune-ml-probe-{secrets.token_hex(3)}"
    print(
        f"{here}\nThis command takes about 20 minutes. It will:\n"
        f"  1. Create the stack {name}: a function that records what CloudFormation sends, its role and a queue.\n"
        f"  2. Create, update and delete stacks {name}-... whose only resources belong to this function.\n"
        "  3. Delete everything again. It costs less than a cent, and does not use a cluster.",
        flush=True,
    )
    if not options.yes and not confirm("Continue?"):
        print("Nothing was changed.")
        return 1
    stage, found, end, code = Stage(here, name, unit), dict[str, Finding](), "", 0
    try:
        with interruptible():
            try:
                stage.set_up()
                found.update(findings(stage))
            finally:
                with held_back():
                    code = int(not stage.tear_down())
    except Interrupted as interrupted:
        end, code = "The probe was interrupted.", interrupted.exit_code
    except (NotSettled, ClientError, BotoCoreError) as error:
        end, code = f"The probe could not be completed: {str(error).splitlines()[0]}", 1
    assumed = assumptions(PAGE.read_text())
    text = report(assumed, found, sorted(stage.recorded), about=f"Region {here.region}, unit {unit:g} s", end=end)
    print(f"\n{text}", flush=True)
    if options.report:
        Path(options.report).write_text(f"{text}\n")
    return code or int(differs(assumed, found))


if __name__ == "__main__":
    sys.exit(main())
