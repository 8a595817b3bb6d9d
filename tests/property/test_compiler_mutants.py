"""Seeded faults of the compiler, one at a time: the comparison with Great Expectations catches each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import quality.compiled.conditions
import quality.compiled.count
import quality.compiled.plan
import quality.compiled.regex
import quality.compiled.statement
from connectors.engine import sql_text
from connectors.settings import Settings
from quality.gx_context import open_context
from tests.support.validations import KNOWN, ODD_TEXTS, UNKNOWN, Situation, by_gx, compiled, odd_rows

# Great Expectations 1.24 warns of its own use of others while it is imported and run.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

NUMBERS = [1.5, None, float("nan"), 2.5, 0.0]
WHOLES = [1, 2, None, 2, 2**53, 2**53 + 1, 7]
TEXTS = [*ODD_TEXTS, "a", "a", "01", "02", "o'clock", None]
SITUATIONS = {
    "known": Situation("odd", odd_rows(TEXTS, NUMBERS, WHOLES), {"least": 8}, KNOWN),
    "unknown": Situation("odd", odd_rows(TEXTS, NUMBERS, WHOLES), {}, {**UNKNOWN, "expectations": [
        entry for entry in UNKNOWN["expectations"] if "no_such_column" not in str(entry)
    ]}),
}  # fmt: skip
# Modules in the order in which they import each other.
CHAIN = (
    quality.compiled.regex, quality.compiled.conditions, quality.compiled.plan, quality.compiled.statement,
    quality.compiled.count,
)  # fmt: skip
REGEX, CONDITIONS, PLAN, STATEMENT, COUNT = (module.__name__.rpartition(".")[2] for module in CHAIN)
REPEATED = "repeated"
# The fault, where it is seeded, what stands there and what is put in its place.
MUTANTS = (
    ("a missing value is not in the set", CONDITIONS,
     "return exp.and_(is_present(column, kind), exp.not_(is_inside))",
     "return exp.or_(exp.not_(exp.paren(is_present(column, kind))), exp.not_(is_inside))"),
    ("a missing value does not match", CONDITIONS,
     "return exp.and_(is_present(column, kind), exp.not_(matches))",
     "return exp.or_(exp.not_(exp.paren(is_present(column, kind))), exp.not_(matches))"),
    ("no number is a value", STATEMENT, "if kind not in FLOATING:", "if True:"),
    ("the set has a missing value", CONDITIONS, "for value in values]",
     "for value in values] + [exp.null()]"),
    ("the first value of a set is lost", CONDITIONS, "for value in values]", "for value in values[1:]]"),
    ("an empty set is everything", CONDITIONS, "else exp.false()", "else exp.true()"),
    ("values of a set are compared without blanks", CONDITIONS,
     "exp.column(column).isin(*literals)",
     "(exp.Trim(this=exp.column(column)) if kind == TEXT else exp.column(column)).isin(*literals)"),
    ("the type of a set's values is not looked at", CONDITIONS, "type(value) is not python_type", "False"),
    ("any regex is let through", REGEX, "if not PLAIN.fullmatch(pattern):", "if False:"),
    ("a line break at the end does not match", REGEX, r'END = r"\n?\z"', r'END = r"\z"'),
    ("the end is not looked at", REGEX, r'END = r"\n?\z"', 'END = ""'),
    ("the beginning is not looked at", REGEX, 'pattern[:-1] + END if', 'pattern[:-1].lstrip("^") + END if'),
    ("the whole text must match", REGEX, 'else pattern\n', 'else "^" + pattern + "$"\n'),
    ("the end goes to the last alternative's neighbour", REGEX, "pattern[:-1] + END if",
     '"(" + pattern[:-1] + ")" + END if'),
    ("unknown arguments are passed over", PLAN, "    if unknown:\n", "    if False:\n"),
    ("an unknown type is a missing value", PLAN, "CONDITIONS.get(name, (None, frozenset()))",
     'CONDITIONS.get(name, CONDITIONS["expect_column_values_to_not_be_null"])'),
    ("every type can be unique", PLAN, "if kind not in (TEXT, WHOLE):", "if False:"),
    ("bits are read one too far", COUNT, "if mask[place] >> bit & 1", "if mask[place] >> (bit + 1) & 1"),
    ("bits are written one too far", STATEMENT, "str(1 << bit)", "str(2 << bit)"),
    ("the first mask is every mask", COUNT, 'rows.column(f"broken_{number}")',
     'rows.column("broken_0")'),
    ("combinations are counted, not rows", COUNT, "unexpected[check.id] += row_count",
     "unexpected[check.id] += 1"),
    ("missing values are those present", COUNT, "name: rows - sum(", "name: sum("),
    ("missing values are those of the neighbour", COUNT, 'f"present_{number}").to_pylist()',
     'f"present_{max(number - 1, 0)}").to_pylist()'),
    ("one row too many", COUNT, "return Tally(rows)\n", "return Tally(rows + 1)\n"),
    ("shares are those of all rows", COUNT, "missing.get(check.column, 0), found)",
     "0, found)"),
    ("rows in any order are taken for ordered ones", COUNT,
     "return is_ascending(", "return True or is_ascending("),
    ("ordered rows are read of another column", COUNT, "exp.select(exp.column(column))",
     'exp.select(exp.column("landing_row").as_(column))'),
    ("the last partition is left out", COUNT, "in range(partitions)", "in range(partitions - 1)"),
    ("only extras are counted", REPEATED, "SELECT COUNT(*) AS row_count", "SELECT COUNT(*) - 1 AS row_count"),
    ("values are counted, not rows", REPEATED, "SELECT COUNT(*) AS row_count", "SELECT 1 AS row_count"),
    ("missing values repeat each other", REPEATED, "value IS NOT NULL AND ", ""),
    ("three make a repetition", REPEATED, "GROUP BY value\n    HAVING COUNT(*) > 1",
     "GROUP BY value\n    HAVING COUNT(*) > 2"),
    ("one hash is one value", REPEATED, "GROUP BY value\n", "GROUP BY HASH(value) % 6\n"),
)  # fmt: skip


def load(edits: dict[str, tuple[str, str]]) -> None:
    """Run the modules of the compiler anew, with faults in their text."""
    for module in CHAIN:
        path = Path(str(module.__file__))
        text = edited(path.read_text(encoding="utf-8"), edits.get(path.stem))
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - our own text
    # Small shares, so that these few rows fill several of them.
    quality.compiled.count.VALUES_PER_PARTITION = 10
    quality.compiled.statement.CHECKS_PER_MASK = 4
    repeated = edited(sql_text("quality/repeated"), edits.get(REPEATED))
    quality.compiled.count.sql_text = lambda _: repeated


def edited(text: str, edit: tuple[str, str] | None) -> str:
    if edit is None:
        return text
    assert edit[0] in text, f"{edit[0]} no longer stands there"
    return text.replace(*edit)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(var=tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="module")
def context(installation: Settings) -> Any:
    return open_context(installation)


@pytest.fixture(scope="module")
def expected(installation: Settings, context: Any) -> dict[str, Any]:
    return {name: by_gx(installation, context, situation) for name, situation in SITUATIONS.items()}


@pytest.fixture
def faulty() -> Iterator[None]:
    """Leave the compiler as it was, its very classes too: to who imported them others are never equal."""
    kept = [(module, dict(module.__dict__)) for module in CHAIN]
    yield
    for module, names in kept:
        module.__dict__.clear()
        module.__dict__.update(names)


def agrees(installation: Settings, context: Any, expected: dict[str, Any]) -> bool:
    return all(
        compiled(installation, context, situation) == expected[name] for name, situation in SITUATIONS.items()
    )


@pytest.mark.usefixtures("faulty")
def test_without_a_fault_the_results_agree(
    installation: Settings, context: Any, expected: dict[str, Any]
) -> None:
    load({})
    assert agrees(installation, context, expected)


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("fault", "place", "stands", "instead"), MUTANTS, ids=[mutant[0] for mutant in MUTANTS]
)
def test_a_fault_of_the_compiler_is_caught(
    installation: Settings,
    context: Any,
    expected: dict[str, Any],
    fault: str,
    place: str,
    stands: str,
    instead: str,
) -> None:
    load({place: (stands, instead)})
    try:
        is_caught = not agrees(installation, context, expected)
    except Exception as error:
        print(f"{fault}: {type(error).__name__}")
        is_caught = True
    assert is_caught, fault
