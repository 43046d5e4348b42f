"""`make deploy`: deploys the provider to an AWS account; run it with `python -m operate.deploy`.

It shows the account and Region, asks for the parameters group by group, and has SAM build and deploy. Exit code: 0 if
the provider is deployed as requested, 1 if not, 2 for wrong arguments, 130 if interrupted.
"""

from __future__ import annotations

import argparse
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
from operate.asking import ask, confirm
from operate.command import CannotGoOn, WrongArguments
from operate.parameters import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.parameters import Group, Parameter
    from operate.provider_stack import ProviderStack

_ROOT = Path(__file__).parent.parent
_SAM = _ROOT / ".venv/sam/bin/sam"
_TEMPLATE = _ROOT / "template.yaml"
_BUILT = _ROOT / ".aws-sam/build/template.yaml"
_WIDTH = 100
_EMPTY = '""'
# A stack in one of these states cannot be updated, only deleted.
_DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


class WrongParameter(WrongArguments):
    """A parameter does not exist, or its value is missing or invalid; the message says what is expected."""


class CannotDeploy(CannotGoOn):
    """The provider cannot be deployed in the current situation; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy the provider.

    Args:
        arguments: The command line, without the program's name; `None`: this process's.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    return command.run(
        lambda: _deploy(options.stack, shlex.split(options.parameters), options.template, asks=not options.yes)
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operate.deploy", description="Deploy the provider to an AWS account.", allow_abbrev=False
    )
    parser.add_argument("--stack", default=provider_stack.DEFAULT_NAME, help="the stack's name (default: %(default)s)")
    parser.add_argument("--parameters", default="", help="the template's parameters: 'Name=value ...'")
    parser.add_argument("--yes", action="store_true", help="do not ask questions")
    parser.add_argument("--template", type=Path, help="a template built by `sam build` (default: build it now)")
    return parser


def _deploy(name: str, given: Sequence[str], template: Path | None, *, asks: bool) -> int:
    here = account.find()
    print(here)
    version, groups = read(_TEMPLATE)
    deployed = provider_stack.look_up(here, name)
    if deployed and deployed.status in _DEAD:
        raise CannotDeploy(
            f"The stack {name} is {deployed.status}, because its creation or deletion failed; its events show why. It "
            "cannot be updated. Delete it, then deploy again:\n"
            f"  aws cloudformation delete-stack --stack-name {name}\n"
            f"  aws cloudformation wait stack-delete-complete --stack-name {name}"
        )
    if deployed and not deployed.is_provider:
        raise CannotDeploy(
            f"The stack {name} is {deployed.status} and has no output ServiceToken, so it is not a deployed provider. "
            "Deploying over it would delete its resources. Choose another name: make deploy STACK=another-name"
        )
    if deployed:
        print(f"The stack {name} will be updated from version {deployed.version} to {version}.")
    else:
        print(f"The stack {name} will be created, version {version}. (To choose another name: make deploy STACK=...)")
    values = chosen(groups, deployed, given, asks=asks)

    built = template or _BUILT
    if not template:
        print("\nsam build ...", flush=True)
        _sam(["build"], stdout=subprocess.DEVNULL)  # its output ends with advice about `sam deploy`
    print("\nsam deploy ...", flush=True)
    _sam(_deployment(name, here.region, built, values, asks=asks))
    after = provider_stack.look_up(here, name)
    missing = [f"the stack {name} does not exist"] if after is None else _missing(after, version, values)
    if after is None or missing:
        # SAM exits with 0 when its change set is declined.
        print("\n  ".join(["Nothing was deployed: the change set was declined.", *missing]))
        return 1
    print(_what_next(after))
    return 0


def _missing(stack: ProviderStack, version: str, values: Mapping[str, str]) -> list[str]:
    """List how a stack differs from what was requested."""
    wanted = {"its version": version, **values}
    has = {"its version": stack.version, **stack.parameters}
    return [
        f"{name} is {repr(has[name]) if name in has else 'missing'}, not {value!r}"
        for name, value in wanted.items()
        if has.get(name) != value
    ]


def _sam(arguments: Sequence[str], stdout: int | None = None) -> None:
    environment = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    code = subprocess.run([_SAM, *arguments], cwd=_ROOT, env=environment, stdout=stdout, check=False).returncode
    if code:
        raise CannotDeploy(f"sam {arguments[0]} failed with exit code {code}; see its output above.")


def _deployment(name: str, region: str, built: Path, values: Mapping[str, str], *, asks: bool) -> list[str]:
    return [
        *("deploy", "--template-file", str(built), "--stack-name", name, "--region", region),
        *("--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-fail-on-empty-changeset"),
        "--confirm-changeset" if asks else "--no-confirm-changeset",
        *("--parameter-overrides", *(override(name, value) for name, value in values.items())),
    ]


def chosen(
    groups: Sequence[Group], deployed: ProviderStack | None, given: Sequence[str], *, asks: bool
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
        WrongParameter: A parameter does not exist, or a value is missing or invalid.
        NobodyAnswers: A question was asked, but standard input has ended.
    """
    parameters = {it.name: it for group in groups for it in group.parameters}
    values = {
        it.name: current for it in parameters.values() if (current := _so_far(it, deployed)) is not None
    } | _parsed(given, parameters)
    if asks:
        print("For each group of parameters, press Enter to keep the values, or n to change them.")
        for group in groups:
            values |= _asked(group, values)
    for it in parameters.values():
        if problem := it.problem_of(values.get(it.name, "")):
            raise WrongParameter(problem)
    return values


def _so_far(parameter: Parameter, deployed: ProviderStack | None) -> str | None:
    return (deployed.parameters if deployed else {}).get(parameter.name, parameter.default)


def _parsed(given: Sequence[str], parameters: Mapping[str, Parameter]) -> dict[str, str]:
    values = {}
    for item in given:
        name, is_there, value = item.partition("=")
        if not is_there:
            raise WrongParameter(f"PARAMETERS contains {item!r}; it should be Name=value.")
        if name not in parameters:
            nearest = difflib.get_close_matches(name, parameters, n=1)
            hint = f"Did you mean {nearest[0]}?" if nearest else f"Its parameters are {', '.join(parameters)}."
            raise WrongParameter(f"{name} is not a parameter of the template. {hint}")
        values[name] = value
    return values


def _asked(group: Group, values: Mapping[str, str]) -> dict[str, str]:
    print(f"\n{group.label}")
    for it in group.parameters:
        print(f"  {it.name}: {values.get(it.name) or '(empty)' if it.name in values else '(required)'}")
    missing = [it for it in group.parameters if it.problem_of(values.get(it.name, ""))]
    if not missing and confirm("Keep these values?", default=True):
        return {}
    # The missing values may be all that this group needs.
    answers = {it.name: _answer(it, values.get(it.name)) for it in missing}
    rest = [it for it in group.parameters if it not in missing]
    if missing and (not rest or confirm("Keep the other values in this group?", default=True)):
        return answers
    return answers | {it.name: _answer(it, values.get(it.name)) for it in rest}


def _answer(parameter: Parameter, value: str | None) -> str:
    print(textwrap.indent(textwrap.fill(parameter.description, _WIDTH), "  "))
    if parameter.allowed:
        print(f"  One of: {', '.join(parameter.allowed)}")
    shown = f" [{value}]" if value else ""
    hint = f" ({_EMPTY} clears it)" if value and not parameter.allowed else ""
    while True:
        answer = ask(f"  {parameter.name}{shown}{hint}: ") or value or ""
        answer = "" if answer == _EMPTY else answer
        problem = parameter.problem_of(answer)
        if not problem:
            return answer
        print(f"  {problem}")


def _what_next(stack: ProviderStack) -> str:
    token = f"{stack.name}-ServiceToken"
    starts = stack.parameters.get("StartJobs") == "true"
    note = "" if starts else " (this requires StartJobs=true)"
    return "\n".join(
        [
            "",
            f"The provider is deployed: stack {stack.name}, version {stack.version}.",
            "You can now declare jobs in your stacks. For example, this resource adopts a running job:",
            "",
            "  TransformJob:",
            "    Type: Custom::NeptuneMLModelTransformJob",
            "    Properties:",
            f"      ServiceToken: !ImportValue {token}",
            "      Endpoint: !GetAtt Cluster.Endpoint",
            "      Id: the-id-of-the-job",
            "",
            f"The stack in examples/started-job.yaml starts a job and waits until it completes{note}.",
            f"To test the deployment, run: make accept STACK={stack.name} ENDPOINT=... JOB=...",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
