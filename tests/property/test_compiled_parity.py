"""The compiled suite against Great Expectations itself: the whole result, expectation by expectation."""

import logging
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.settings import PROJECT, Settings
from quality.batch import batch_frame
from quality.compiled.count import failed_rows
from quality.gx_context import open_context
from quality.rules import judge_rows
from quality.suites import is_flagged
from quality.validation import read_suite, validate_compiled
from schemas.contract import DATASETS, Contract, load_contract
from schemas.property import Property
from tests.support.draws import drawing
from tests.support.received import KNOWN_PERSONS, TODAY, conform, row_of
from tests.support.validations import KNOWN, ODD_TEXTS, UNKNOWN, Situation, by_gx, compiled, odd_rows

FEW = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
# Great Expectations 1.24 warns of its own use of others while it is imported and run.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(var=tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="module")
def context(installation: Settings) -> Any:
    return open_context(installation)


def planted(entry: Property) -> st.SearchStrategy[Any]:
    """Draw a value of a property: a right one, a missing one, or one wrong in a way that its type allows."""
    if entry.codes:
        return st.sampled_from([*entry.codes[:3], *entry.codes[:3], *ODD_TEXTS])
    if entry.pattern:
        right = st.from_regex(entry.pattern, fullmatch=True)
        return right | right.map(lambda text: text + "\n") | st.sampled_from(ODD_TEXTS)
    if entry.is_key and entry.logical_type == "integer":
        return st.none() | st.integers(1, 8) | st.sampled_from([2**53, 2**53 + 1])
    if entry.logical_type == "string":
        return st.sampled_from(ODD_TEXTS)
    return st.just(...)


@st.composite
def conformed(draw: st.DrawFn, name: str, most: int = 12) -> pa.Table:
    """Draw conformed rows with defects planted after conforming, as a fault of ours would leave them."""
    contract = load_contract(name)
    clean = conform(name, row_of(name)).accepted.to_pylist()[0]
    warnings = [rule.id for rule in contract.row_rules if rule.severity == "warn"]
    rows = []
    for number in range(draw(st.integers(0, most))):
        drawn = {entry.name: draw(planted(entry)) for entry in contract.properties if draw(st.booleans())}
        said = {key: value for key, value in drawn.items() if value is not ...}
        failed = draw(st.lists(st.sampled_from(warnings), unique=True, max_size=3) | st.none())
        rows.append({**clean, **said, "landing_row": number, "failed_rules": failed})
    return pa.Table.from_pylist(rows, schema=contract.staging_schema)


def check_dataset(installation: Settings, context: Any, name: str, rows: pa.Table, least: int) -> None:
    shares = [rule.id for rule in load_contract(name).rules if rule.is_share_of_previous]
    situation = Situation(name, rows, dict.fromkeys(shares, least))
    assert compiled(installation, context, situation) == by_gx(installation, context, situation)
    assert not validate_compiled(
        installation, context, name, situation.batch(installation), situation.parameters
    ).left


@pytest.mark.parametrize("name", DATASETS)
def test_every_suite_gives_the_result_of_great_expectations(
    installation: Settings, context: Any, name: str
) -> None:
    @FEW
    @given(conformed(name), st.integers(0, 12))
    def same(rows: pa.Table, least: int) -> None:
        check_dataset(installation, context, name, rows, least)

    same()


@pytest.mark.deep
@pytest.mark.parametrize("name", DATASETS)
def test_every_suite_gives_that_result_on_many_tables(
    installation: Settings, context: Any, name: str
) -> None:
    @MANY
    @given(conformed(name, most=60), st.integers(0, 60))
    def same(rows: pa.Table, least: int) -> None:
        check_dataset(installation, context, name, rows, least)

    same()
    check_dataset(installation, context, name, load_contract(name).staging_schema.empty_table(), 1)


def numbers() -> st.SearchStrategy[list[Any]]:
    return st.lists(
        st.sampled_from([None, float("nan"), 0.0, -0.0, 1.5, float("inf")]), min_size=1, max_size=5
    )


def wholes() -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from([None, 1, 2, 3, 2**53, 2**53 + 1, -5]), min_size=1, max_size=7)


@drawing(5, 100)
def test_every_type_of_expectation_gives_it_on_odd_values(
    installation: Settings, context: Any, examples: int
) -> None:
    @settings(parent=FEW, max_examples=examples)
    @given(
        st.lists(st.sampled_from(ODD_TEXTS) | st.text(max_size=8), max_size=30),
        numbers(),
        wholes(),
        st.integers(0, 9),
    )
    def same(texts: list[str | None], drawn_numbers: list[Any], drawn_wholes: list[Any], least: int) -> None:
        situation = Situation("odd", odd_rows(texts, drawn_numbers, drawn_wholes), {"least": least}, KNOWN)
        assert compiled(installation, context, situation) == by_gx(installation, context, situation)

    same()


def test_what_cannot_be_compiled_is_left_to_great_expectations_and_named(
    installation: Settings, context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rows = odd_rows([*ODD_TEXTS], [1.5, None], [1, 2, 3])
    situation = Situation("odd", rows, {}, UNKNOWN)
    with caplog.at_level(logging.WARNING, logger="quality.validation"):
        validation = validate_compiled(
            installation, context, "odd", situation.batch(installation), {}, UNKNOWN
        )
    assert list(validation.left) == [entry["id"] for entry in UNKNOWN["expectations"][:-1]]
    assert len(caplog.records) == len(validation.left)
    assert not any(text in caplog.text for text in ("o'clock", "110101", "０１"))
    expected = by_gx(installation, context, situation)
    found = compiled(installation, context, situation)
    # An error is told with its traceback, which names lines of code.
    for entry in (*expected["results"], *found["results"]):
        entry["exception_info"] = "True" in str(entry["exception_info"])
    assert found == expected


def flags_by_hand(contract: Contract, rows: pa.Table) -> dict[str, list[bool]]:
    """Judge every flag anew: rejects by the row rules of conforming, warnings from each row's own list."""
    place = rows.append_column("received_row", pa.array(range(rows.num_rows), pa.int64()))
    rejects = tuple(rule for rule in contract.row_rules if rule.severity == "reject" and is_flagged(rule))
    relations = {"conformed": place, "received_person": KNOWN_PERSONS}
    judgement = judge_rows(Settings(var=PROJECT / "var"), contract, relations, TODAY, rules=rejects)
    order = np.argsort(judgement.rows.column("received_row").to_numpy())
    flags = {rule.id: (~judgement.breaks(rule))[order].tolist() for rule in rejects}
    lists = [row or [] for row in rows.column("failed_rules").to_pylist()]
    for rule in contract.row_rules:
        if rule.severity == "warn" and is_flagged(rule):
            flags[rule.id] = [rule.id not in failed for failed in lists]
    return flags


@pytest.mark.parametrize("name", DATASETS)
def test_flags_and_failed_rows_are_those_found_by_hand(installation: Settings, name: str) -> None:
    @FEW
    @given(conformed(name))
    def same(rows: pa.Table) -> None:
        contract = load_contract(name)
        batch = Situation(name, rows, {}).batch(installation)
        frame = batch_frame(installation, batch)
        by_hand = flags_by_hand(contract, rows)
        assert set(by_hand) == set(batch.flags)
        for flag, kept in by_hand.items():
            assert sorted(frame[flag].tolist()) == sorted(kept), flag
        rules = {entry["id"]: entry["meta"]["rule_ids"][0] for entry in read_suite(name)["expectations"]}
        failed = failed_rows(installation, batch, read_suite(name)).to_pylist()
        found = {(row["landing_row"], rules[id_]) for row in failed for id_ in row["expectation_ids"]}
        for flag, kept in by_hand.items():
            expected = {place for place, is_kept in enumerate(kept) if not is_kept}
            assert {place for place, rule in found if rule == flag} == expected, flag
        key = rows.column(contract.key).to_pylist()
        missing = {place for place, value in enumerate(key) if value is None}
        assert {place for place, rule in found if rule == f"{contract.key}_missing"} == missing

    same()
