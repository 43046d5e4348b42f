"""The messages in the provider's source: every text of three words or more that it may write for somebody to read."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src/provider"
_LEAST_WORDS = 3
_WORD = re.compile(r"\S*[A-Za-z]\S*")
# What is written for somebody who looks for no failure: the reference page, and the log of what goes well.
_OF_THE_REFERENCE = {"description", "default_text"}
_NO_MESSAGES = {"_TABLE"}  # the plan
_PLACE = re.compile(r"\{\w+\}")  # where `str.format` writes something


def fragments() -> list[str]:
    """The fixed parts of all messages, in the order of the source."""
    found = [text for path in sorted(SOURCE.rglob("*.py")) for text in _fragments(ast.parse(path.read_text()))]
    return [text for text in dict.fromkeys(found) if len(_WORD.findall(text)) >= _LEAST_WORDS]


def _fragments(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (" ".join(part.split()) for part in _PLACE.split(node.value))
    for child in ast.iter_child_nodes(node):
        if not _is_of_no_failure(child):
            yield from _fragments(child)


def _is_of_no_failure(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg=name):
            return name in _OF_THE_REFERENCE
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _NO_MESSAGES
        case (
            ast.Expr(value=ast.Constant())  # a docstring
            | ast.Call(func=ast.Name(id="Attribute" | "describing" | "ValueType"))  # a row of the reference
            | ast.Call(func=ast.Name(id="frozenset"))  # a set is for no reader
            | ast.Subscript(value=ast.Name(id="Literal"))  # a name
            | ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr="info"))
        ):
            return True
    return False
