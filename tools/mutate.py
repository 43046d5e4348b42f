"""Break the provider in small ways, and check whether the tests notice.

`make mutate` takes a sample of all such changes (mutants), the same sample for the same seed. For each mutant, it runs
the tests that reach the changed line, the quickest first, and prints those that no test notices. Mutants that change no
behavior do not count: `equivalent_mutants.toml` lists them with the reasons. Before that, `make mutate` plays
`tests/any_order/mutants.py`, a fixed list of faults in the protocol that no change of one expression would cause.

The maintained tools do not fit. mutmut 3.8 changes only the bodies of functions without decorators: neither the time
limits, which are constants, nor the rows of the kinds. cosmic-ray 8.7 runs every test for every mutant, in the working
tree itself. Neither takes a sample.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree as ET

from coverage import CoverageData

from local.processes import process_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
SOURCE = Path("src/provider")
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
LEAST_KILLED = 0.95

# The reference pages repeat the rows of the kinds, and the test of the flow knows what the function imports.
_QUICK_TESTS = (
    "tests/unit",
    "tests/journal",
    "tests/lifecycle",
    "tests/docs/test_reference.py",
    "tests/function/test_flow.py",
)
_TESTS = (*_QUICK_TESTS, "tests/any_order", "tests/function")
# Tests that depend on real time may fail under this load.
_MOST_FAILING = 3
# The tests of a mutant take no longer than this together.
_LONGEST_SECONDS = 150.0
# pytest's exit codes. A mutant that cannot be imported interrupts pytest, or leaves it without the named tests.
_PASSED, _FAILED, _INTERRUPTED, _NOT_FOUND = 0, 1, 2, 4

# How many characters of a long change are shown: before the difference, and in total.
_SHOWN_BEFORE, _LONGEST_SHOWN = 60, 160
# Logs, traces and names of types are for people.
_NOT_MUTATED = ("logger", "tracer", "TypeVar")
_BOUNDARIES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
# No clock shows exactly the time that it is compared with: such a comparison is turned around instead.
_READS_A_CLOCK = re.compile(r"\b(now|_?clock)\b")
_OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


@dataclass(frozen=True, order=True)
class Mutant:
    """A change of the source.

    Attributes:
        file: The file's path below the project's root.
        start: The offset of the changed text in the file, in bytes.
        end: The offset of its end.
        after: The new text.
        before: The changed text, on one line.
        line: The number of the first changed line.
        text: That line.
        lines: The first and the last line of the changed statement.
        is_imported: Whether the statement runs when the file is imported.
    """

    file: str
    start: int
    end: int
    after: str
    before: str
    line: int
    text: str
    lines: tuple[int, int]
    is_imported: bool

    def __str__(self) -> str:
        """Show the mutant in two lines; a long change only around the difference."""
        same = takewhile(lambda pair: pair[0] == pair[1], zip(self.before, self.after, strict=False))
        start = max(0, len(list(same)) - _SHOWN_BEFORE)
        before, after = (textwrap.shorten(it[start:], _LONGEST_SHOWN) for it in (self.before, self.after))
        return f"{self.file}:{self.line}  {self.text}\n    {before} -> {after}"

    @property
    def change(self) -> str:
        """The change in words."""
        return f"{self.before} -> {self.after}"

    @property
    def key(self) -> tuple[str, str, str]:
        """How `equivalent_mutants.toml` names it, because line numbers change."""
        return self.file, self.text, self.change


class _Finder(ast.NodeVisitor):
    """Finds the mutants of a file."""

    def __init__(self, file: str, source: str) -> None:
        self._file = file
        self._bytes = source.encode()
        self._lines = source.splitlines()
        self._offsets = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._offsets.append(self._offsets[-1] + len(line))
        self._statement = (1, 1)
        self._functions = 0
        self.found: list[Mutant] = []

    def visit(self, node: ast.AST) -> None:
        """Find the mutants of a node, and below it."""
        if isinstance(node, ast.stmt):
            around, self._statement = self._statement, _header(node)
            self._visit_statement(node)
            self._statement = around
        else:
            self._visit_other(node)

    def _visit_statement(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)) or _is_left_out(node):
            return
        if isinstance(node, (ast.Expr, ast.Raise, ast.Continue, ast.Break)):
            self._add(node, "pass")
        # Whoever gets "", 0 or False here asks for no more than that, and mypy refuses None.
        if isinstance(node, ast.Return) and not (isinstance(node.value, ast.Constant) and not node.value.value):
            self._add(node, "return None")
        if isinstance(node, (ast.If, ast.While)):
            self._negate(node.test)
        if isinstance(node, ast.FunctionDef):
            self._functions += 1
            self._visit_all(node.body)
            self._statement = node.body[0].lineno, cast("int", node.end_lineno)  # where a default has its effect
            self._visit_all([*node.args.defaults, *filter(None, node.args.kw_defaults)])
            self._functions -= 1
        elif isinstance(node, ast.ClassDef):
            self._visit_all(node.body)
        elif isinstance(node, ast.AnnAssign):
            self._visit_all([node.value] if node.value else [])
        else:
            self.generic_visit(node)

    def _visit_other(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr) or _is_left_out(node):  # Python 3.11 has no positions in f-strings
            return
        if isinstance(node, ast.expr):
            for mutated in _mutations(node):
                self._add(node, f"({ast.unparse(mutated)})" if _needs_parentheses(mutated) else ast.unparse(mutated))
        if isinstance(node, ast.IfExp):
            self._negate(node.test)
        if isinstance(node, ast.comprehension):
            for test in node.ifs:
                self._negate(test)
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
            for mutated in _without_each(node.type, node.type.elts, lambda new, left: setattr(new, "elts", left)):
                self._add(node.type, ast.unparse(mutated))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            self._visit_all(node.args[1:])
        else:
            self.generic_visit(node)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _negate(self, test: ast.expr) -> None:
        is_done = isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot))
        if not is_done and not isinstance(test, (ast.Constant, ast.UnaryOp)):
            self._add(test, f"(not ({ast.unparse(test)}))")

    def _add(self, node: ast.expr | ast.stmt, after: str) -> None:
        before = ast.unparse(node)
        if before == after:
            return
        start = self._offsets[node.lineno - 1] + node.col_offset
        end = self._offsets[cast("int", node.end_lineno) - 1] + cast("int", node.end_col_offset)
        text, is_imported = self._lines[node.lineno - 1].strip(), not self._functions
        mutant = Mutant(self._file, start, end, after, before, node.lineno, text, self._statement, is_imported)
        self.found.append(mutant)


def _header(node: ast.stmt) -> tuple[int, int]:
    """Return the lines of a statement, without those of the statements in it."""
    body: list[ast.stmt] = getattr(node, "body", [])
    return node.lineno, max(node.lineno, body[0].lineno - 1) if body else cast("int", node.end_lineno)


def _is_left_out(node: ast.AST) -> bool:
    """Tell whether a node has no observable effect."""
    if isinstance(node, ast.If):
        is_for_mypy = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return is_for_mypy or all(map(_is_left_out, [*node.body, *node.orelse]))
    if isinstance(node, ast.Assign):  # for mypy and ruff
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _is_left_out(node.value)
    if not isinstance(node, ast.Call):
        return False
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name) and function.id in _NOT_MUTATED


def _needs_parentheses(node: ast.expr) -> bool:
    return isinstance(node, (ast.BoolOp, ast.BinOp, ast.Compare, ast.UnaryOp, ast.IfExp))


def _mutations(node: ast.expr) -> Iterator[ast.expr]:
    """Make the mutants of one expression, without those below it."""
    if isinstance(node, ast.Compare):
        others = {**_BOUNDARIES, **(_OPPOSITES if _READS_A_CLOCK.search(ast.unparse(node)) else {})}
        for index, operator in enumerate(node.ops):
            new = copy.deepcopy(node)
            new.ops[index] = others[type(operator)]()
            yield new
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from _without_each(node, node.values, lambda new, left: setattr(new, "values", left))
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _other_values(node.value))
    elif isinstance(node, ast.Call):
        yield from _without_each(node, node.keywords, lambda new, left: setattr(new, "keywords", left), least=0)


def _other_values(value: object) -> Iterator[bool | float | str]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
    elif isinstance(value, str) and not any(character.isspace() for character in value):  # with spaces, it is a message
        yield f"X{value}"


def _without_each(
    node: ast.expr, parts: Sequence[ast.AST], put: Callable[[ast.expr, list[ast.AST]], None], least: int = 1
) -> Iterator[ast.expr]:
    """Make copies of a node, each without one of its parts."""
    for index in range(len(parts) if len(parts) > least else 0):
        new = copy.deepcopy(node)
        put(new, [part for position, part in enumerate(parts) if position != index])
        yield new.values[0] if isinstance(new, ast.BoolOp) and len(new.values) == 1 else new


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Find the mutants of a file, in order, without those that are not valid Python."""
    finder = _Finder(file, source)
    finder.visit(ast.parse(source))
    mutants = []
    for mutant in sorted(set(finder.found)):
        with suppress(SyntaxError):
            compile(mutated(source.encode(), mutant), file, "exec", dont_inherit=True)
            mutants.append(mutant)
    return mutants


def mutated(source: bytes, mutant: Mutant) -> bytes:
    """Change a source."""
    return source[: mutant.start] + mutant.after.encode() + source[mutant.end :]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Read why each equivalent mutant changes no behavior, by the mutant's key."""
    listed = tomllib.loads(EQUIVALENT.read_text())["equivalent"]
    return {(it["file"], it["line"], it["change"]): it["reason"] for it in listed}


class Tests:
    """The tests, how long each takes, and which lines each reaches, from one run of all tests in a copy."""

    def __init__(self, tree: Path) -> None:
        data, times = tree / ".coverage", tree / "times.xml"
        options = ["-q", "-p", "no:cacheprovider", "-n", "2", "-m", "not slow", f"--junit-xml={times}"]
        coverage = [f"--cov={SOURCE}", "--cov-context=test", "--cov-report="]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_TESTS, *options, *coverage, "-o", "addopts="],
            cwd=tree,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode not in (_PASSED, _FAILED):
            raise RuntimeError(f"The tests cannot be run:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        self.seconds: dict[str, float] = {}
        failed = []
        for case in ET.parse(times).iter("testcase"):  # noqa: S314 - pytest has written it
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                failed.append(name)
            elif "skipped" not in outcomes:  # a test that is expected to fail shows a fault of crhelper
                self.seconds[name] = float(case.get("time", "0"))
        if len(failed) > _MOST_FAILING:
            raise RuntimeError(f"Tests fail without any mutant:\n{done.stdout[-3000:]}")
        for name in failed:
            print(f"left out because it fails without any mutant: {name}")
        self._reached: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._imported: dict[str, set[int]] = defaultdict(set)
        recorded = CoverageData(str(data))
        recorded.read()
        for file in recorded.measured_files():
            name = Path(file).relative_to(tree.resolve()).as_posix()
            for line, contexts in recorded.contexts_by_lineno(file).items():
                tests = {context.rpartition("|")[0] for context in contexts}
                self._reached[name][line] = tests & set(self.seconds)
                if "" in tests:  # before the tests, when their modules are imported
                    self._imported[name].add(line)

    def of(self, mutant: Mutant) -> list[str]:
        """Choose the tests that may notice a mutant, the quickest first, up to a time limit.

        These are the tests that reach its statement. If the statement runs when the file is imported, they are the
        quick tests, and all tests in modules that reach the file.
        """
        first, last = mutant.lines
        reached = self._reached[mutant.file]
        tests = {test for line in range(first, last + 1) for test in reached[line]}
        # For an import, coverage.py knows no test, or only the one that imported the file first.
        if not tests or mutant.is_imported or self._imported[mutant.file] & set(range(first, last + 1)):
            modules = {_module(test) for of_line in reached.values() for test in of_line}
            quick = {test for test in self.seconds if test.startswith(_QUICK_TESTS)}
            tests |= quick | {test for test in self.seconds if _module(test) in modules or not modules}
        chosen, left = [], _LONGEST_SECONDS
        for test in sorted(tests, key=lambda test: (not test.startswith(_QUICK_TESTS), self.seconds[test], test)):
            left -= self.seconds[test]
            if left < 0:
                break
            chosen.append(test)
        return chosen


def _module(test: str) -> str:
    return test.partition("::")[0]


def is_noticed(mutant: Mutant, tree: Path, tests: Tests) -> bool:
    """Tell whether a test fails or hangs with a mutant, in a copy of the project, which is restored."""
    chosen = tests.of(mutant)
    if not chosen:
        return False
    file, names, output = tree / mutant.file, tree / "chosen.txt", tree / "output.txt"
    source = file.read_bytes()
    names.write_text("\n".join(chosen))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", f"@{names}"]
    try:
        _write(file, mutated(source, mutant))
        with output.open("w") as written, process_group(command, directory=tree, stdout=written, stderr=written) as it:
            try:
                code = it.wait(60 + 3 * sum(tests.seconds[test] for test in chosen))
            except subprocess.TimeoutExpired:
                return True
    finally:
        _write(file, source)
    if code not in (_PASSED, _FAILED, _INTERRUPTED, _NOT_FOUND):
        raise RuntimeError(f"pytest ended with {code} for {mutant}:\n{output.read_text()[-2000:]}")
    return code != _PASSED


def _write(file: Path, content: bytes) -> None:
    """Write a file so that Python does not use the bytecode of the old content."""
    before = file.stat().st_mtime
    file.write_bytes(content)
    os.utime(file, (before + 1, before + 1))


def _copy(tree: Path) -> None:
    """Copy the project into a directory."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample of the mutants; the exit code is 1 if too few are noticed."""
    parser = argparse.ArgumentParser(description="Break the provider, and check whether the tests notice.")
    parser.add_argument("--sample", type=int, default=150, help="how many mutants (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (%(default)s)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        first = Path(directory) / "0"
        first.mkdir()
        _copy(first)
        files = sorted((first / SOURCE).rglob("*.py"))
        every = [it for file in files for it in mutants_of(file.relative_to(first).as_posix(), file.read_text())]
        sample = random.Random(options.seed).sample(every, min(options.sample, len(every)))  # noqa: S311 - no secret
        excluded = equivalents()
        to_try = [it for it in sample if it.key not in excluded]
        print(
            f"{len(sample)} of {len(every)} mutants, seed {options.seed}; {len(sample) - len(to_try)} are equivalent",
            flush=True,
        )
        tests = Tests(first)
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        trees.put(first)
        for number in range(1, os.cpu_count() or 1):
            shutil.copytree(first, Path(directory) / str(number), symlinks=True)
            trees.put(Path(directory) / str(number))

        def is_killed(mutant: Mutant) -> bool:
            tree = trees.get()
            try:
                killed = is_noticed(mutant, tree, tests)
            finally:
                trees.put(tree)
            if not killed:
                print(f"not noticed: {mutant}", flush=True)
            return killed

        with ThreadPoolExecutor(trees.qsize()) as pool:
            killed = sum(pool.map(is_killed, to_try))
    share = killed / max(1, len(to_try))
    print(f"{killed} of {len(to_try)} noticed: {share:.1%} (target: {LEAST_KILLED:.0%})")
    return int(share < LEAST_KILLED)


if __name__ == "__main__":
    sys.exit(main())
