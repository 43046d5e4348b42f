"""The messages of the function that need an explanation, for `docs/troubleshooting.md`: both come from its source.

A comment `#:` explains the message below it; every other message explains itself.
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from provider.kinds.kind import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SOURCE = Path(__file__).parent.parent / "src/provider"
_BLOCK = re.compile(r"(<!-- generated: messages of (.+) -->\n)(?:.*\n)*?(<!-- end of messages -->)")
_NOTE = re.compile(r"(?:^ *#:.*\n)+", re.MULTILINE)
_WORDS = Words()


class Message(NamedTuple):
    """A message.

    Attributes:
        text: Its text; `<name>` stands for what varies.
        note: The comment that explains it.
        is_logged: Whether it is a line of the log.
    """

    text: str
    note: str
    is_logged: bool


def page(text: str, source: Path = SOURCE) -> str:
    """Bring the page up to date.

    Args:
        text: The page. Each of its blocks names the modules whose messages it has, or `log`.
        source: The package that has the messages.

    Returns:
        The page, with the messages.

    Raises:
        ValueError: A comment `#:` is above no message, or no block names its module.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(source.rglob("*.py")):
        for it in _messages(path, source):
            mark = "``" if "`" in it.text else "`"
            found.setdefault("log" if it.is_logged else path.stem, []).append(
                f"- {mark}{it.text}{mark}\\\n  {it.note}\n"
            )

    def block(match: re.Match[str]) -> str:
        lines = (line for name in match[2].split() for line in found.pop(name, ()))
        return f"{match[1]}{''.join(lines)}{match[3]}"

    text = _BLOCK.sub(block, text)
    if found:
        raise ValueError(f"no block of the page names {', '.join(found)}")
    return text


def _messages(path: Path, source: Path) -> list[Message]:
    content = path.read_text()
    notes = {
        content.count("\n", 0, it.end()) + 1: " ".join(re.sub(r"(?m)^ *#:", "", it[0]).split())
        for it in _NOTE.finditer(content)
    }
    if not notes:
        return []
    module = import_module(".".join(path.relative_to(source.parent).with_suffix("").parts))
    found = list(_explained(ast.parse(content), module, notes))
    if notes:
        raise ValueError(f"{path}: no message follows the comments {notes}")
    return found


def _explained(
    node: ast.AST, module: ModuleType, notes: dict[int, str], line: int = 0, *, is_logged: bool = False
) -> Iterator[Message]:
    """Find the texts below a comment, or in the statement below it."""
    if isinstance(node, ast.stmt):
        line = node.lineno
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
        is_logged = True
    if isinstance(node, ast.expr) and (text := _text(node, module).strip()):
        if note := notes.pop(node.lineno, "") or notes.pop(line, ""):
            yield Message(text, note, is_logged)
        return
    for child in ast.iter_child_nodes(node):
        yield from _explained(child, module, notes, line, is_logged=is_logged)


def _text(node: ast.AST, module: ModuleType) -> str:
    """Write a string down; empty if the node is none."""
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"\{([a-z_]+)\}", lambda place: _placeholder(place[1]), text)
        case ast.JoinedStr(values=values):
            return "".join(_text(it, module) for it in values)
        case ast.FormattedValue(value=value):
            try:
                return str(attrgetter(ast.unparse(value))(module))  # a constant
            except AttributeError:
                return _placeholder(ast.unparse(value))
    return ""


def _placeholder(expression: str) -> str:
    """Write what stands for what varies: of a job's words those of any job, of everything else a name in brackets."""
    names = re.findall(r"[A-Za-z]+(?:_[A-Za-z]+)*", expression)
    if "named" in names:
        return _WORDS.named("<id>")
    return str(_WORDS._asdict().get(names[-1], f"<{names[-1]}>"))
