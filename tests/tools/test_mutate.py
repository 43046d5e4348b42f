from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutate
from tools.mutate import Mutant, equivalents, mutants_of, mutated

ROOT = Path(__file__).parents[2]


def changes(source: str) -> set[str]:
    """What the source can be changed into, where that is one line."""
    return {mutated(source.encode(), it).decode().strip() for it in mutants_of("file.py", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b < c", {"a = (b <= c)"}),
        ("a = b == c", {"a = (b != c)"}),
        ("a = b not in c", {"a = (b in c)"}),
        ("a = b is None", {"a = (b is not None)"}),
        ("a = b and c", {"a = (b or c)", "a = b", "a = c"}),
        ("a = not b", {"a = b"}),
        ("a = b + c", {"a = (b - c)"}),
        ("a = b | c", {"a = b", "a = c"}),
        ("a = True", {"a = False"}),
        ("a = 4.5", {"a = 5.5"}),
        ("a = 'ü'; b = 1", {"a = 'Xü'; b = 1", "a = 'ü'; b = 2"}),
        ("a = 'some words'", set()),
        ("a = f'{b + 1}'", set()),
        ("a = b if c else d", {"a = b if (not (c)) else d"}),
        ("a(b, c=d)", {"pass", "a(b)"}),
        ("raise a", {"pass"}),
        ("a = [b for b in c if b]", {"a = [b for b in c if (not (b))]"}),
        ("def a(b=1): return c", {"def a(b=2): return c", "def a(b=1): return None"}),
        ("a: Literal['b'] = c", set()),
        ("'text'", set()),
        ("logger.info('a', b=1)", set()),
        ("a = cast('b', c < d)", {"a = cast('b', (c <= d))"}),
        ("if TYPE_CHECKING: a = 1", set()),
        ("if a: b", {"if (not (a)): b", "if a: pass"}),
        ("import a", set()),
    ],
)
def test_each_part_of_a_source_is_changed_in_small_ways(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


def test_an_exception_of_several_is_left_out() -> None:
    written = changes("try:\n    a = b\nexcept (C, D):\n    pass")
    assert {line for text in written for line in text.splitlines() if "except" in line} == {
        "except (C,):",
        "except (D,):",
    }


def test_a_mutant_knows_its_place() -> None:
    (mutant,) = mutants_of("file.py", "a = 'ü'  # ü\nb = (\n    c\n    < d\n)\n")[1:]
    assert mutant == Mutant("file.py", 25, 34, "(c <= d)", "c < d", 3, "c", (2, 5), is_imported=True)
    assert mutant.key == ("file.py", "c", "c < d -> (c <= d)")


def test_a_mutant_knows_whether_it_is_run_by_an_import() -> None:
    source = "a = 1\nclass B:\n    c = 2\n    def d(self, e=3):\n        f = 4\n    g = 5\n"
    told = {it.before: it.is_imported for it in mutants_of("file.py", source)}
    assert told == {"1": True, "2": True, "3": False, "4": False, "5": True}


def test_a_default_matters_where_its_function_is_called() -> None:
    (mutant,) = mutants_of("file.py", "def d(\n    self,\n    e=3,\n):\n    f()\n    g()\n")[:1]
    assert (mutant.before, mutant.line, mutant.lines) == ("3", 3, (5, 6))


def test_every_mutant_of_the_provider_is_another_program_that_python_takes() -> None:
    source = (ROOT / "src/provider/custom_resource/deadline.py").read_text()
    mutants = mutants_of("deadline.py", source)
    assert len(mutants) > 20
    for mutant in mutants:
        changed = mutated(source.encode(), mutant).decode()
        compile(changed, "deadline.py", "exec")
        assert changed != source


def test_each_mutant_that_is_left_out_exists_and_has_its_reason() -> None:
    existing = {
        mutant.key
        for file in (ROOT / mutate.SOURCE).rglob("*.py")
        for mutant in mutants_of(file.relative_to(ROOT).as_posix(), file.read_text())
    }
    for key, reason in equivalents().items():
        assert key in existing
        assert len(reason) > 20, key


def test_a_mutant_is_written_and_taken_back(tmp_path: Path) -> None:
    class Tests(mutate.Tests):
        def __init__(self) -> None:
            self.seconds = {"test_a.py::test_a": 0.1}

        def of(self, mutant: Mutant) -> list[str]:
            del mutant
            return ["test_a.py::test_a"]

    (tmp_path / "a.py").write_text("def twice(n):\n    return n * 2\n\n\nUNUSED = 1\n")
    (tmp_path / "test_a.py").write_text("import a\n\n\ndef test_a():\n    assert a.twice(3) == 6\n")
    source = (tmp_path / "a.py").read_text()
    noticed = {it.change: mutate.is_noticed(it, tmp_path, Tests()) for it in mutants_of("a.py", source)}
    assert noticed == {"n * 2 -> (n / 2)": True, "return n * 2 -> return None": True, "2 -> 3": True, "1 -> 2": False}
    assert (tmp_path / "a.py").read_text() == source
