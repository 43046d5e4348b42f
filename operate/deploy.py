"""`make deploy`: deploys the provider to an AWS account; run it with `python -m operate.deploy`.

It shows the account and Region, asks for the parameters group by group, and has SAM build and deploy. Exit code: 0 if
the provider is deployed as requested, 1 if not, 2 for wrong arguments, 130 if interrupted.

`sam deploy --guided` would ask for every parameter and eight settings one by one, without a description or a check. It
saves the answers to a file of the repository, and from another checkout resets the parameters to their defaults.
"""

from __future__ import annotations

import difflib
import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from local.sam import override
from operate import account, command, provider_stack
from operate.command import CannotGoOn, WrongArguments, ask, confirm
from operate.parameters import read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from operate.parameters import Parameter
    from operate.provider_stack import ProviderStack

_ROOT = Path(__file__).parent.parent
_SAM = _ROOT / ".venv/sam/bin/sam"
_TEMPLATE = _ROOT / "template.yaml"
_WIDTH = 100
_EMPTY = '""'
# A stack in one of these states cannot be updated, only deleted.
_DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy the provider; returns the exit code."""
    parser = command.parser("deploy", "Deploy the provider to an AWS account.")
    parser.add_argument("--parameters", default="", help="the template's parameters: 'Name=value ...'")
    parser.add_argument("--yes", action="store_true", help="do not ask questions")
    parser.add_argument("--template", type=Path, help="a template built by `sam build` (default: build it now)")
    return command.run(parser, arguments, _deploy)


def _deploy(options: argparse.Namespace) -> int:
    name, here = options.stack, account.find()
    print(here)
    version, groups = read(_TEMPLATE)
    deployed = provider_stack.look_up(here, name)
    if deployed and deployed.status in _DEAD:
        raise CannotGoOn(
            f"The stack {name} is {deployed.status}, because its creation or deletion failed; its events show why. It "
            "cannot be updated. Delete it, then deploy again:\n"
            f"  aws cloudformation delete-stack --stack-name {name}\n"
            f"  aws cloudformation wait stack-delete-complete --stack-name {name}"
        )
    if deployed and not deployed.is_provider:
        raise CannotGoOn(
            f"The stack {name} is {deployed.status} and has no output ServiceToken, so it is not a deployed provider. "
            "Deploying over it would delete its resources. Choose another name: make deploy STACK=another-name"
        )
    if deployed:
        print(f"The stack {name} will be updated from version {deployed.version} to {version}.")
    else:
        print(f"The stack {name} will be created, version {version}. (To choose another name: make deploy STACK=...)")
    values = chosen(groups, deployed, shlex.split(options.parameters), asks=not options.yes)

    if not options.template:
        print("\nsam build ...", flush=True)
        _sam(["build"], stdout=subprocess.DEVNULL)  # its output ends with advice about `sam deploy`
    print("\nsam deploy ...", flush=True)
    built = options.template or _ROOT / ".aws-sam/build/template.yaml"
    _sam(
        [
            *("deploy", "--template-file", str(built), "--stack-name", name, "--region", here.region),
            *("--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-fail-on-empty-changeset"),
            "--no-confirm-changeset" if options.yes else "--confirm-changeset",
            *("--parameter-overrides", *(override(name, value) for name, value in values.items())),
        ]
    )
    after = provider_stack.look_up(here, name)
    if after is None or after.version != version or after.parameters != values:
        print("Nothing was deployed: the change set was declined.")  # SAM exits with 0 then
        return 1
    print(_what_next(after))
    return 0


def _sam(arguments: Sequence[str], stdout: int | None = None) -> None:
    environment = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    code = subprocess.run([_SAM, *arguments], cwd=_ROOT, env=environment, stdout=stdout, check=False).returncode
    if code:
        raise CannotGoOn(f"sam {arguments[0]} failed with exit code {code}; see its output above.")


def chosen(
    groups: Mapping[str, Sequence[Parameter]], deployed: ProviderStack | None, given: Sequence[str], *, asks: bool
) -> dict[str, str]:
    """Choose the values of all parameters.

    Args:
        groups: The template's parameters.
        deployed: The existing stack, whose values are kept unless changed; `None`: it does not exist.
        given: Parameters from the command line, each as `Name=value`.
        asks: Whether to ask about the parameters.

    Returns:
        The values by parameter name.

    Raises:
        WrongArguments: A parameter does not exist, or a value is missing or invalid.
        CannotGoOn: A question was asked, but standard input has ended.
    """
    parameters = {it.name: it for group in groups.values() for it in group}
    values = {name: it.default for name, it in parameters.items() if it.default is not None}
    values |= {name: value for name, value in (deployed.parameters if deployed else {}).items() if name in parameters}
    values |= _parsed(given, parameters)
    if asks:
        print("For each group of parameters, press Enter to keep the values, or n to change them.")
        for label, group in groups.items():
            print(f"\n{label}")
            values |= _asked(group, values)
    for it in parameters.values():
        if problem := it.problem_of(values.get(it.name, "")):
            raise WrongArguments(problem)
    return values


def _parsed(given: Sequence[str], parameters: Mapping[str, Parameter]) -> dict[str, str]:
    values = {}
    for item in given:
        name, is_there, value = item.partition("=")
        if not is_there:
            raise WrongArguments(f"PARAMETERS contains {item!r}; it should be Name=value.")
        if name not in parameters:  # SAM ignores it
            nearest = difflib.get_close_matches(name, parameters, n=1)
            hint = f"Did you mean {nearest[0]}?" if nearest else f"Its parameters are {', '.join(parameters)}."
            raise WrongArguments(f"{name} is not a parameter of the template. {hint}")
        values[name] = value
    return values


def _asked(group: Sequence[Parameter], values: Mapping[str, str]) -> dict[str, str]:
    for it in group:
        print(f"  {it.name}: {values.get(it.name) or '(empty)' if it.name in values else '(required)'}")
    missing = [it for it in group if it.problem_of(values.get(it.name, ""))]
    if not missing and confirm("Keep these values?", default=True):
        return {}
    # The missing values may be all that this group needs.
    answers = {it.name: _answer(it, values.get(it.name, "")) for it in missing}
    rest = [it for it in group if it not in missing]
    if missing and (not rest or confirm("Keep the other values in this group?", default=True)):
        return answers
    return answers | {it.name: _answer(it, values.get(it.name, "")) for it in rest}


def _answer(parameter: Parameter, value: str) -> str:
    print(textwrap.indent(textwrap.fill(parameter.row["Description"], _WIDTH), "  "))
    if parameter.allowed:
        print(f"  One of: {', '.join(parameter.allowed)}")
    shown = f" [{value}]" if value else ""
    hint = f" ({_EMPTY} clears it)" if value and not parameter.allowed else ""
    while True:
        answer = ask(f"  {parameter.name}{shown}{hint}: ") or value
        answer = "" if answer == _EMPTY else answer
        problem = parameter.problem_of(answer)
        if not problem:
            return answer
        print(f"  {problem}")


def _what_next(stack: ProviderStack) -> str:
    note = "" if stack.parameters.get("StartJobs") == "true" else " (this requires StartJobs=true)"
    return "\n".join(
        [
            "",
            f"The provider is deployed: stack {stack.name}, version {stack.version}.",
            f"Resources in your stacks use it with ServiceToken: !ImportValue {stack.name}-ServiceToken.",
            f"The stack in examples/started-job.yaml starts a job and waits until it completes{note}.",
            f"To test the deployment, run: make accept STACK={stack.name} ENDPOINT=... JOB=...",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
