"""Prompts for the operator."""

from __future__ import annotations

from operate.command import CannotGoOn


class NobodyAnswers(CannotGoOn):
    """A question was asked, but standard input has ended."""


def ask(question: str) -> str:
    """Ask a question that is answered with one line.

    Args:
        question: The question.

    Returns:
        The answer, stripped of surrounding white space.

    Raises:
        NobodyAnswers: Standard input has ended.
    """
    try:
        return input(question).strip()
    except EOFError as error:
        print()
        raise NobodyAnswers("Standard input ended before an answer. To run without questions, set YES=1.") from error


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask a yes-or-no question until it is answered.

    Args:
        question: The question.
        default: What an empty answer means.

    Returns:
        Whether the answer is yes.

    Raises:
        NobodyAnswers: Standard input has ended.
    """
    while True:
        answer = ask(f"{question} [{'Y/n' if default else 'y/N'}] ").lower()
        if answer in ("", "y", "yes", "n", "no"):
            return answer.startswith("y") if answer else default
        print("Please answer y or n.")
