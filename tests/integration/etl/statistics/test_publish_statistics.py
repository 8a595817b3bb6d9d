"""Statistics of a night from the registry and the lake: the same on every rerun, nobody named."""

import io
import json
from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.births.reconcile import reconcile_births
from etl.statistics.publish import publish_statistics
from etl.statistics.summary import night_summary, render_summary
from schemas.refusal import Refusal
from schemas.registry import BATCH, DECISION, DECISION_RUN, RECORD, STEP_RUN
from tests.support.births import OTHER_VILLAGE, TODAY, VILLAGE, child, record, staged

TOMORROW = TODAY + timedelta(days=1)
INSTANT = sa.func.now()


def decided(connection: sa.Connection) -> None:
    decision = {
        "programme_code": "T", "person_id": "P0000000000000000001", "decision_code": "eligible",
        "category_code": "death", "amount_fen": 1, "amount_unit": "month", "division_code": OTHER_VILLAGE,
        "missing_document_codes": [], "policy_version": "p",
    }  # fmt: skip
    record_state(connection, DECISION, [decision], TODAY)
    run = {
        "business_date": TODAY, "inputs": [], "decisions": "decision.t@0", "policy_version": "p",
        "eligible": 1, "ineligible": 2, "unknown": 0,
    }  # fmt: skip
    connection.execute(sa.insert(DECISION_RUN), [{**run, "programme_code": code} for code in "TJ"])


def sent(connection: sa.Connection) -> None:
    batches = [
        {
            "batch_id": f"T_110000_2026_A_000{number}", "receiver": "national", "subsystem_code": "T",
            "period": "2026", "operation_code": "A", "sequence": number, "business_date": TODAY,
            "file_name": f"{number}.zip", "record_count": 3, "byte_count": 1, "sha256": "s", "content": b"c",
            "state": state, "inputs": [], "policy_version": "p",
        }
        for number, state in ((1, "sent"), (2, "built"))
    ]  # fmt: skip
    connection.execute(sa.insert(BATCH), batches)
    records = [
        {
            "record_id": f"r{batch}{line}", "receiver": "national", "subsystem_code": "T",
            "person_id": f"P{batch}{line}", "period": "2026", "operation_code": "A", "sequence": 1,
            "batch_id": f"T_110000_2026_A_000{batch}", "member_name": "m", "line_number": line,
            "content_sha256": "c", "receiver_state_code": state, "ordinal": 1, "start_month": TODAY,
        }
        for batch, states in ((1, ("30", "31", "10")), (2, ("10", "10", "10")))
        for line, state in enumerate(states, start=3)
    ]  # fmt: skip
    connection.execute(sa.insert(RECORD), records)


def stage(settings: Settings) -> None:
    person = {
        "person_id": "P1", "id_number": "mother one", "hukou_division_code": VILLAGE,
        "residence_division_code": OTHER_VILLAGE, "sex_code": "2", "birth_date": date(1995, 3, 4),
        "life_status_code": "1", "name": "王芳", "phone": "13900000001",
    }  # fmt: skip
    tables = staged([record("m1"), record("m2", mother_id_number=None)], [child(1)])
    tables["population_person"] = type(tables["population_person"]).from_pylist([person])
    with registry_session(settings) as connection:
        for name, table in tables.items():
            counts = Reconciled(table.num_rows + 1, table.num_rows, 1)
            publish_dataset(connection, settings, f"staging.{name}", table, TODAY, counts=counts, inputs=[])


def test_without_births_there_are_no_statistics(settings: Settings) -> None:
    with pytest.raises(Refusal, match="dataset_not_published"):
        publish_statistics(settings, TODAY)


def test_an_empty_night_can_be_summed_up(settings: Settings) -> None:
    summary = night_summary(settings, TODAY)
    assert (summary["datasets"], summary["subsidy"], summary["submissions"]) == ([], {}, [])
    assert summary["births"] == dict.fromkeys(
        ("linked", "only_mch", "only_population", "conflicts", "tasks"), 0
    )


def test_the_night_is_written_and_written_again_with_the_same_bytes(settings: Settings) -> None:
    stage(settings)
    reconcile_births(settings, TODAY)
    with registry_session(settings) as connection:
        decided(connection)
        sent(connection)
    first = publish_statistics(settings, TODAY)
    files = {path.name: path.read_bytes() for path in (settings.mart / "2026-06-01").iterdir()}
    assert sorted(files) == [
        "cube_2026-06-01.parquet",
        "months_2026-06-01.parquet",
        "statistics_2026-06-01.xlsx",
    ]
    assert publish_statistics(settings, TODAY) == first
    assert {path.name: path.read_bytes() for path in (settings.mart / "2026-06-01").iterdir()} == files


def test_the_cube_counts_what_the_night_found(settings: Settings) -> None:
    cube = pq.read_table(settings.mart / "2026-06-01" / "cube_2026-06-01.parquet")
    assert cube.schema.names == [
        "business_date", "measure", "level_code", "division_code", "division_name", "category", "value",
    ]  # fmt: skip
    city = {
        (row["measure"], row["category"]): row["value"]
        for row in cube.to_pylist()
        if row["level_code"] == "1"
    }
    assert city == {
        ("persons_by_sex", "2"): 1,
        ("persons_by_hukou", "here"): 1,
        ("persons_by_age", "18-34"): 1,
        ("births_by_class", "linked"): 1,
        ("births_by_class", "only_mch"): 1,
        ("births_by_sex", "2"): 2,
        ("births_by_delay", "on_time"): 2,
        ("births_by_parity", "1"): 2,
        ("births_in_situation", "missing_in_population"): 1,
        ("decisions", "T/eligible"): 1,
        ("eligible_by_category", "T/death"): 1,
        ("eligible_without_case", "T/death"): 1,
        ("tasks_open", "birth_missing_in_population"): 1,
    }


def test_what_is_published_names_nobody(settings: Settings) -> None:
    cube = pq.read_table(settings.mart / "2026-06-01" / "cube_2026-06-01.parquet")
    written = json.dumps(cube.to_pylist(), default=str, ensure_ascii=False)
    for personal in ("mother one", "1995-03-04", "P0000000000000000001", '"P1"', "m1"):
        assert personal not in written


def test_the_summary_has_the_shape_that_was_agreed(settings: Settings) -> None:
    with registry_session(settings) as connection:
        connection.execute(
            sa.insert(STEP_RUN).values(
                business_date=TODAY,
                step="reconcile_births",
                started_at=INSTANT,
                seconds=1.23,
                state="done",
                counts={},
            )
        )
    summary = night_summary(settings, TODAY)
    assert summary == {
        "business_date": "2026-06-01",
        "datasets": [
            {
                "name": name,
                "received": rows + 1,
                "accepted": rows,
                "quarantined": 1,
                "version": f"staging.{name}@0",
            }
            for name, rows in (("family_child", 1), ("mch_birth", 2), ("population_person", 1))
        ],
        "births": {"linked": 1, "only_mch": 1, "only_population": 0, "conflicts": 0, "tasks": 1},
        "subsidy": {
            "J": {"eligible": 1, "ineligible": 2, "unknown": 0},
            "T": {"eligible": 1, "ineligible": 2, "unknown": 0},
        },
        "submissions": [
            {"batch_id": "T_110000_2026_A_0001", "subsystem": "T", "records": 3, "state": "sent"},
            {"batch_id": "T_110000_2026_A_0002", "subsystem": "T", "records": 3, "state": "built"},
        ],
        "receipts": {"accepted": 1, "rejected": 1, "waiting": 1},
        "seconds": {"reconcile_births": 1.2},
    }
    json.dumps(summary)


def test_a_night_on_which_nothing_came_says_zero_and_the_version_it_rests_on(settings: Settings) -> None:
    datasets = {row["name"]: row for row in night_summary(settings, TOMORROW)["datasets"]}
    assert datasets["mch_birth"] == {
        "name": "mch_birth", "received": 0, "accepted": 0, "quarantined": 0, "version": "staging.mch_birth@0",
    }  # fmt: skip


def test_a_person_reads_the_summary_on_one_screen(settings: Settings) -> None:
    screen = io.StringIO()
    Console(width=100, file=screen).print(render_summary(night_summary(settings, TODAY)))
    text = screen.getvalue()
    assert len(text.splitlines()) < 50
    for seen in ("2026-06-01", "mch_birth", "T_110000_2026_A_0001", "已发送 sent", "reconcile_births 1.2"):
        assert seen in text
