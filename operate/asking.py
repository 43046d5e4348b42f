"""Questions to the operator."""

from __future__ import annotations

from operate.command import CannotGoOn


class NobodyAnswers(CannotGoOn):
    """There is a question, and its standard input has ended."""


def ask(question: str) -> str:
    """Ask for a line.

    Args:
        question: The question.

    Returns:
        The answer, without white space around it.

    Raises:
        NobodyAnswers: There is no answer.
    """
    try:
        return input(question).strip()
    except EOFError as error:
        print()
        raise NobodyAnswers("Nobody answers. To go on without questions, give YES=1.") from error


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask for a yes or a no.

    Args:
        question: The question.
        default: What an empty answer means.

    Returns:
        Whether the answer is a yes.

    Raises:
        NobodyAnswers: There is no answer.
    """
    while True:
        answer = ask(f"{question} [{'Y/n' if default else 'y/N'}] ").lower()
        if answer in ("", "y", "yes", "n", "no"):
            return answer.startswith("y") if answer else default
        print("Answer y or n.")
