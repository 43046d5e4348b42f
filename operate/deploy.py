"""`make deploy`: the provider into an AWS account; run it with `python -m operate.deploy`.

It says first whose account it is, asks for the parameters group by group, and has SAM build and deploy. Exit code: 0 if
the provider is there as it was asked for, 1 if not, 2 for wrong arguments, 130 if interrupted.
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
# A stack in this state takes no update: it can only be deleted.
_DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


class WrongParameter(WrongArguments):
    """A parameter that there is not, or a value that it cannot have; the message says what would be right."""


class CannotDeploy(CannotGoOn):
    """Nothing can be deployed as it is; the message says what to do."""


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
    parser.add_argument("--stack", default=provider_stack.DEFAULT_NAME, help="its stack's name (default: %(default)s)")
    parser.add_argument("--parameters", default="", help="'Name=value ...': parameters of the template, not asked for")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--template", type=Path, help="a template that `sam build` built (default: build it now)")
    return parser


def _deploy(name: str, given: Sequence[str], template: Path | None, *, asks: bool) -> int:
    here = account.find()
    print(here)
    version, groups = read(_TEMPLATE)
    deployed = provider_stack.look_up(here, name)
    if deployed and deployed.status in _DEAD:
        raise CannotDeploy(
            f"The stack {name} is {deployed.status}: its first creation failed, or its deletion; its events say why. "
            "It cannot be updated. Delete it, then deploy again:\n"
            f"  aws cloudformation delete-stack --stack-name {name}\n"
            f"  aws cloudformation wait stack-delete-complete --stack-name {name}"
        )
    if deployed and not deployed.is_provider:
        raise CannotDeploy(
            f"The stack {name} is {deployed.status}, and has no output ServiceToken: it is no provider (yet). To "
            "deploy over it would replace its template, and so delete its resources. Give the provider a name of its "
            "own: make deploy STACK=another-name"
        )
    if deployed:
        print(f"The stack {name} is there, version {deployed.version}; this is {version}. It is updated.")
    else:
        print(f"There is no stack {name}: it is made, version {version}. (For another name: make deploy STACK=...)")
    values = chosen(groups, deployed, given, asks=asks)

    built = template or _BUILT
    if not template:
        print("\nsam build ...", flush=True)
        _sam(["build"], stdout=subprocess.DEVNULL)  # which ends with advice about `sam deploy`
    print("\nsam deploy ...", flush=True)
    _sam(_deployment(name, here.region, built, values, asks=asks))
    after = provider_stack.look_up(here, name)
    missing = [f"there is no stack {name}"] if after is None else _missing(after, version, values)
    if after is None or missing:
        # SAM is content with a change set that nobody wants, and says only if it fails itself.
        print("\n  ".join(["Nothing was deployed: the change set was declined.", *missing]))
        return 1
    print(_what_next(after))
    return 0


def _missing(stack: ProviderStack, version: str, values: Mapping[str, str]) -> list[str]:
    """List what a stack has not of what it was to have."""
    wanted = {"its version": version, **values}
    has = {"its version": stack.version, **stack.parameters}
    return [
        f"{name} is {repr(has[name]) if name in has else 'not there'}, not {value!r}"
        for name, value in wanted.items()
        if has.get(name) != value
    ]


def _sam(arguments: Sequence[str], stdout: int | None = None) -> None:
    environment = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    code = subprocess.run([_SAM, *arguments], cwd=_ROOT, env=environment, stdout=stdout, check=False).returncode
    if code:
        raise CannotDeploy(f"sam {arguments[0]} failed with exit code {code}, see above.")


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
    """Find out the parameters.

    Args:
        groups: The parameters that there are.
        deployed: The stack so far, whose parameters stay as they are unless others are given; `None`: there is none.
        given: Parameters that were given beforehand, each as `Name=value`.
        asks: Whether to ask for the others.

    Returns:
        Their values by their names.

    Raises:
        WrongParameter: One that was given is wrong, or one is missing and nobody is asked.
        NobodyAnswers: Somebody was to be asked.
    """
    parameters = {it.name: it for group in groups for it in group.parameters}
    values = {
        it.name: current for it in parameters.values() if (current := _so_far(it, deployed)) is not None
    } | _parsed(given, parameters)
    if asks:
        print("A group of parameters is kept as it is shown with Enter, or with n asked for one by one.")
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
            raise WrongParameter(f"PARAMETERS has {item!r}, which should be Name=value.")
        if name not in parameters:
            nearest = difflib.get_close_matches(name, parameters, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(parameters)}."
            raise WrongParameter(f"{name} is not a parameter of the template; {hint}")
        values[name] = value
    return values


def _asked(group: Group, values: Mapping[str, str]) -> dict[str, str]:
    print(f"\n{group.label}")
    for it in group.parameters:
        print(f"  {it.name}: {values.get(it.name) or '(empty)' if it.name in values else '(has to be given)'}")
    missing = [it for it in group.parameters if it.problem_of(values.get(it.name, ""))]
    if not missing and confirm("Keep these?", default=True):
        return {}
    # What is missing may be all that there is to say of a group.
    answers = {it.name: _answer(it, values.get(it.name)) for it in missing}
    rest = [it for it in group.parameters if it not in missing]
    if missing and (not rest or confirm("Keep the others of this group?", default=True)):
        return answers
    return answers | {it.name: _answer(it, values.get(it.name)) for it in rest}


def _answer(parameter: Parameter, value: str | None) -> str:
    print(textwrap.indent(textwrap.fill(parameter.description, _WIDTH), "  "))
    if parameter.allowed:
        print(f"  One of: {', '.join(parameter.allowed)}")
    shown = f" [{value}]" if value else ""
    hint = f" ({_EMPTY} empties it)" if value and not parameter.allowed else ""
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
    other = "starts its own, and ends when it has completed" if starts else "starts its own (with StartJobs=true)"
    return "\n".join(
        [
            "",
            f"The provider is there: the stack {stack.name}, version {stack.version}.",
            "Declare a job in a stack. One that runs already, for example:",
            "",
            "  TransformJob:",
            "    Type: Custom::NeptuneMLModelTransformJob",
            "    Properties:",
            f"      ServiceToken: !ImportValue {token}",
            "      Endpoint: !GetAtt Cluster.Endpoint",
            "      Id: the-id-of-the-job",
            "",
            f"examples/started-job.yaml is a stack that {other}.",
            f"Have the deployment prove itself: make accept STACK={stack.name} ENDPOINT=... JOB=...",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
