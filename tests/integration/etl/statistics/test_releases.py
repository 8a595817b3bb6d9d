"""Releases: two persons, never rewritten, the same bytes counted anew, every change told with its cause."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.commands.statistics import statistics
from etl.statistics import count
from etl.statistics.period import parse_period
from etl.statistics.release import approve_release, propose_release
from etl.statistics.release_files import json_bytes, sha256_of
from etl.statistics.release_pages import choose_release, compare_releases
from etl.statistics.release_verify import SAME_BYTES, verify_releases
from quality.score import record_scores, score_trend
from schemas.contract import load_contract
from schemas.division import level_of, load_divisions
from schemas.refusal import Refusal
from schemas.registry import DECISION, RELEASE, SCORE, TASK
from tests.support.statistics import NO_RETIRED

VILLAGE, DISTRICT = "110101001001", "110101000000"
MAY = parse_period("2026-05")
FIRST, LAST, NEXT, LATER, NEWEST = (
    date(2026, 5, 30),
    date(2026, 5, 31),
    *(date(2026, 6, n) for n in (1, 2, 3)),
)
NOW = datetime(2026, 6, 4, 2, 0, tzinfo=UTC)
PERSON = {"person_id": "P1", "residence_division_code": VILLAGE, "hukou_division_code": VILLAGE,
          "sex_code": "2", "birth_date": date(1970, 1, 1), "life_status_code": "1"}  # fmt: skip
Row = dict[str, Any]


def birth(day: date) -> Row:
    return {"division_code": VILLAGE, "class_code": "linked", "sex_code": "1", "mch_record_id": "m",
            "report_delay_code": "late", "birth_date": day, "parity": "1", "conflict_fields": ["parity"],
            "missing_fields": ["weight"], "situation_codes": ["late"]}  # fmt: skip


def task(number: int) -> Row:
    return {"task_id": f"t{number}", "process_name": "births", "kind_code": "birth_conflict",
            "subject_id": "s", "division_code": VILLAGE, "level_code": "4", "due_date": LAST,
            "detail_codes": []}  # fmt: skip


def scored(checked: int, failed: int) -> pa.Table:
    """Draw the scores of one village's rows, which are also its town's, its district's and the city's."""
    codes = (VILLAGE, "110101001000", DISTRICT, "110000000000")
    counts = {"checked": checked, "accepted": checked, "failed_before": failed, "failed_after": 0,
              "score_before": 100 * (checked - failed) / checked, "score_after": 100.0}  # fmt: skip
    return pa.Table.from_pylist(
        [
            {"division_code": code, "level_code": level_of(code), "dimension": goal, **counts}
            for code in codes
            for goal in ("completeness", "correctness", "compliance")
        ]
    )


def score(settings: Settings, day: date, scores: pa.Table, dataset: str = "mch_birth") -> None:
    with registry_session(settings) as connection:
        record_scores(connection, load_contract(dataset), scores, day)


def night(settings: Settings, day: date, births: Sequence[Row], tasks: Sequence[Row]) -> None:
    """Put what the statistics count of one night on record."""
    lake = {"staging.population_person": [PERSON], "core.birth_match": list(births)}
    decision = {"programme_code": "T", "person_id": "P1", "decision_code": "eligible",
                "category_code": "death", "amount_fen": 1, "amount_unit": "month",
                "division_code": VILLAGE, "policy_version": "p", "missing_document_codes": []}  # fmt: skip
    with registry_session(settings) as connection:
        for name, rows in lake.items():
            counts = Reconciled(len(rows), len(rows), 0)
            table = pa.Table.from_pylist(rows)
            publish_dataset(connection, settings, name, table, day, counts=counts, inputs=[])
        record_state(connection, DECISION, [decision], day, where={"programme_code": "T"})
        record_state(connection, TASK, tasks, day, where={"process_name": "births"})
    score(settings, day, scored(10, 2))


def row_of(settings: Settings, number: int) -> sa.RowMapping:
    with registry_session(settings) as connection:
        return connection.execute(sa.select(RELEASE).where(RELEASE.c.number == number)).mappings().one()


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def folder(settings: Settings, name: str) -> Path:
    return settings.mart / "releases" / "2026-05" / name


def test_a_month_that_may_still_be_rewritten_is_not_proposed(settings: Settings) -> None:
    night(settings, FIRST, [birth(date(2026, 5, 2))], [task(1)])
    score(settings, FIRST, scored(5, 2), "birth_service")
    night(settings, LAST, [birth(date(2026, 5, 2))], [task(1), task(2)])
    with pytest.raises(Refusal, match=r"period_not_settled.*nights up to 2026-05-31.*subsidy\.decision"):
        propose_release(settings, MAY, "zhang", NOW)
    with pytest.raises(Refusal, match="known_before_the_end"):
        propose_release(settings, MAY, "zhang", NOW, known_on=FIRST)


def test_a_proposal_lies_beside_until_another_person_releases_it(settings: Settings) -> None:
    night(settings, NEXT, [birth(date(2026, 5, 2)), birth(NEXT)], [task(2)])
    told = propose_release(settings, MAY, "zhang", NOW)
    assert (told["number"], told["state"], told["known_on"]) == (1, "proposed", "2026-05-31")
    assert sorted(bytes_below(folder(settings, "r1.proposed"))) == [
        "cube_2026-05_r1.parquet", "divisions_2026-05_r1.parquet", "manifest.json",
        "months_2026-05_r1.parquet", "retired_divisions_2026-05_r1.parquet", "statistics_2026-05_r1.xlsx",
    ]  # fmt: skip
    assert propose_release(settings, MAY, "wang", NOW)["manifest"] != told["manifest"]
    again = propose_release(settings, MAY, "zhang", NOW)
    assert again == told
    assert not folder(settings, "r1").exists()


@pytest.mark.parametrize(("user", "digest", "refusal"), [
    ("zhang", None, "same_person"), (" ZHANG ", None, "same_person"), ("  ", None, "user_missing"),
    ("li", "00000000", "another_proposal"), ("li", "", "another_proposal"),
])  # fmt: skip
def test_nobody_releases_alone_or_without_having_looked(
    settings: Settings, user: str, digest: str | None, refusal: str
) -> None:
    shown = row_of(settings, 1)["manifest_sha256"][:8]
    with pytest.raises(Refusal, match=refusal):
        approve_release(settings, MAY, user, shown if digest is None else digest, NOW)


def test_the_database_itself_asks_for_two_persons(settings: Settings) -> None:
    alone = {"state": "released", "approved_by": "Zhang ", "approved_at": NOW}
    with (
        pytest.raises(sa.exc.IntegrityError, match="ck_release_two_persons"),
        registry_session(settings) as connection,
    ):
        connection.execute(sa.update(RELEASE).values(alone))


def test_what_was_changed_after_the_proposal_is_not_released(settings: Settings) -> None:
    cube = folder(settings, "r1.proposed") / "cube_2026-05_r1.parquet"
    kept = cube.read_bytes()
    cube.chmod(0o644)
    cube.write_bytes(kept[:-1] + b"?")
    with pytest.raises(Refusal, match=r"release_changed.*cube_2026-05_r1\.parquet"):
        approve_release(settings, MAY, "li", row_of(settings, 1)["manifest_sha256"], NOW)
    cube.write_bytes(kept)


def test_the_second_person_releases_what_was_shown(settings: Settings) -> None:
    proposed = bytes_below(folder(settings, "r1.proposed"))
    # An earlier approval broke off between the rename and the registry: it is taken up again.
    folder(settings, "r1.proposed").rename(folder(settings, "r1"))
    with pytest.raises(Refusal, match="release_in_the_way"):
        propose_release(settings, MAY, "zhang", NOW)
    told = approve_release(settings, MAY, "li", row_of(settings, 1)["manifest_sha256"][:8], NOW)
    assert told["state"] == "released"
    released = bytes_below(folder(settings, "r1"))
    approval = json.loads(released.pop("approval.json"))
    assert released == proposed
    assert approval["approved_by"] == row_of(settings, 1)["approved_by"] == "li"
    assert not folder(settings, "r1.proposed").exists()
    with pytest.raises(Refusal, match="nothing_proposed"):
        approve_release(settings, MAY, "li", told["manifest"], NOW)


@pytest.mark.parametrize("statement", [
    sa.update(RELEASE).values(manifest_sha256="another"), sa.delete(RELEASE),
])  # fmt: skip
def test_the_database_keeps_what_is_released(settings: Settings, statement: Any) -> None:
    with (
        pytest.raises(sa.exc.IntegrityError, match="never rewritten"),
        registry_session(settings) as connection,
    ):
        connection.execute(statement)


def test_a_release_says_what_the_month_was(settings: Settings) -> None:
    _, frozen = choose_release(settings, "2026-05", 1)
    city = {
        (row["measure"], row["category"]): row["value"]
        for row in frozen.cube.to_pylist()
        if row["level_code"] == "1"
    }
    assert city["births_by_class", "linked"] == 1
    assert city["tasks_open", "birth_conflict"] == 2
    assert set(frozen.months["month"].to_pylist()) == {"2026-05"}
    assert frozen.manifest["inputs"][:2] == ["staging.population_person@0", "core.birth_match@0"]
    workbook = openpyxl.load_workbook(folder(settings, "r1") / "statistics_2026-05_r1.xlsx")
    line = workbook["汇总 Summary"]["A3"].value
    assert "2026年5月 (2026-05-01 – 2026-05-31)" in line
    assert "第1次发布 Release 1" in line


def test_a_correction_needs_a_reason_and_a_change(settings: Settings) -> None:
    with pytest.raises(Refusal, match="reason_missing"):
        propose_release(settings, MAY, "zhang", NOW)
    night(settings, LATER, [birth(date(2026, 5, 2)), birth(NEXT)], [])
    with pytest.raises(Refusal, match="nothing_to_correct"):
        propose_release(settings, MAY, "zhang", NOW, reason="again")


def test_a_correction_lists_every_changed_cell_and_leaves_the_first_alone(settings: Settings) -> None:
    first = bytes_below(folder(settings, "r1"))
    # A birth of May that was reported in June; a task that ended in June changes nothing in May.
    late = [birth(date(2026, 5, 2)), birth(date(2026, 5, 20)), birth(NEXT)]
    night(settings, NEWEST, late, [])
    night(settings, date(2026, 6, 4), late, [])
    told = propose_release(settings, MAY, "zhang", NOW, reason="=妇幼补报")
    approve_release(settings, MAY, "li", told["manifest"], NOW)
    assert (told["number"], told["known_on"]) == (2, "2026-06-03")
    assert bytes_below(folder(settings, "r1")) == first
    changes = compare_releases(
        choose_release(settings, "2026-05", 1)[1], choose_release(settings, "2026-05", 2)[1]
    )
    assert {change.cell[0] for change in changes} == {
        "births",
        "births_by_class",
        "births_by_sex",
        "births_by_delay",
        "births_by_parity",
        "births_in_conflict",
        "births_incomplete",
        "births_in_situation",
    }
    # By level: each measure of the year and of the month, `births` being that of classes.
    assert len(changes) == told["changed"] == 14 * 4
    assert {(change.before, change.after, change.why) for change in changes} == {
        (1, 2, "core.birth_match@0 → core.birth_match@2")
    }
    table = pa.csv.read_csv(io.BytesIO((folder(settings, "r2") / "changes_2026-05_r2.csv").read_bytes()))
    assert table.num_rows == 56
    workbook = openpyxl.load_workbook(folder(settings, "r2") / "statistics_2026-05_r2.xlsx")
    sheet = workbook["更正 Corrections"]
    assert "=妇幼补报" in sheet["A2"].value
    assert sheet["A2"].data_type == "s"
    assert [cell.value for cell in sheet[5]][-3:] == ["1", "2", "core.birth_match@0 → core.birth_match@2"]


def test_every_release_is_counted_anew_with_the_same_bytes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing that came later gets in: another pointer of the last day, an older night, other names.
    with registry_session(settings) as connection:
        table = pa.Table.from_pylist([birth(date(2026, 5, 3))] * 9)
        for day in (date(2026, 4, 1), LAST):
            counts = Reconciled(9, 9, 0)
            publish_dataset(connection, settings, "core.birth_match", table, day, counts=counts, inputs=[])
    divisions = load_divisions(LAST)
    names = [f"{name}（新）" for name in divisions["division_name"].to_pylist()]
    renamed = divisions.set_column(1, "division_name", [names])
    monkeypatch.setattr(count, "divisions_on", lambda settings, day: renamed)
    monkeypatch.setattr(count, "all_retired_divisions", lambda settings, day: NO_RETIRED)
    verdicts = list(verify_releases(settings, recount=True))
    assert [(v.number, v.recount) for v in verdicts] == [(1, SAME_BYTES), (2, SAME_BYTES)]
    assert all(verdict.is_well for verdict in verdicts)


def test_a_drop_that_comes_late_does_not_fault_what_is_out(settings: Settings) -> None:
    _, frozen = choose_release(settings, "2026-05", 1)
    failed = {row["value"] for row in frozen.months.to_pylist() if row["measure"] == "quality_failed_before"}
    assert failed == {2 + 2}
    score(settings, LAST, scored(10, 9))
    score(settings, LAST, scored(7, 1), "birth_service")
    verdicts = list(verify_releases(settings, recount=True))
    assert [(v.number, v.recount, v.faults) for v in verdicts] == [(1, SAME_BYTES, ()), (2, SAME_BYTES, ())]
    with registry_session(settings) as connection:
        trend = score_trend(connection, "110000000000", LAST, 1, ["mch_birth"])
    assert {(row["business_date"], row["failed_before"]) for row in trend} == {(LAST, 9)}


def test_a_process_that_failed_on_the_last_day_is_not_run_for_it_any_more(settings: Settings) -> None:
    with (
        pytest.raises(Refusal, match=r"later_state_on_record.*task:subsidy as known on 2026-06-03 are"),
        registry_session(settings) as connection,
    ):
        record_state(connection, TASK, [task(9)], LAST, where={"process_name": "subsidy"})
    assert all(verdict.recount == SAME_BYTES for verdict in verify_releases(settings, recount=True))


def test_a_person_at_a_terminal_sees_releases_and_what_they_say(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PADIS_VAR", str(settings.var))
    monkeypatch.setenv("COLUMNS", "120")

    def padis(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(statistics, words)
        return result.exit_code, result.stdout

    digest = row_of(settings, 2)["manifest_sha256"][:8]
    for words, seen in {
        ("list",): ("2026-05 r1", "2026-05 r2", "已发布", "更正 56", digest),
        ("show", "--period", "2026-05"): ("当年出生", "=妇幼补报  (56 cells)", "core.birth_match@2", digest),
        ("diff", "--period", "2026-05"): ("r1 → r2: 56 cells", "births_by_class", "core.birth_match@0"),
        ("verify",): ("完好 as released",),
    }.items():
        status, told = padis(*words)
        assert status == 0
        assert [text for text in seen if text not in told] == []
    cube = folder(settings, "r1") / "cube_2026-05_r1.parquet"
    kept = cube.read_bytes()
    cube.chmod(0o644)
    cube.write_bytes(b"")
    status, told = padis("verify")
    cube.write_bytes(kept)
    assert status == 1
    assert "cube_2026-05_r1.parquet: 已改动 changed" in told


@pytest.mark.parametrize("file", [
    "cube_2026-05_r1.parquet", "statistics_2026-05_r1.xlsx", "manifest.json", "approval.json",
])  # fmt: skip
def test_one_changed_byte_is_found(settings: Settings, file: str) -> None:
    path = folder(settings, "r1") / file
    kept = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(kept.replace(b"li", b"lu") if file == "approval.json" else kept[:-3] + b"#" + kept[-2:])
    (verdict,) = (v for v in verify_releases(settings, "2026-05") if v.number == 1)
    path.write_bytes(kept)
    assert not verdict.is_well
    assert verdict.faults[0].startswith(file)


def test_whoever_rewrites_file_and_manifest_is_found_by_the_registry(settings: Settings) -> None:
    place = folder(settings, "r1")
    kept = bytes_below(place)
    forged = pq.read_table(place / "cube_2026-05_r1.parquet").slice(1)
    for path in place.iterdir():
        path.chmod(0o644)
    pq.write_table(forged, place / "cube_2026-05_r1.parquet")
    manifest = json.loads(kept["manifest.json"])
    manifest["files"]["cube_2026-05_r1.parquet"]["sha256"] = "0" * 64
    (place / "manifest.json").write_text(json.dumps(manifest))
    (verdict,) = (v for v in verify_releases(settings, "2026-05") if v.number == 1)
    for name, content in kept.items():
        (place / name).write_bytes(content)
    assert verdict.faults == ("manifest.json: 已改动 changed: not the manifest in the registry",)


def test_what_is_missing_or_added_is_found(settings: Settings) -> None:
    place = folder(settings, "r1")
    (place / "months_2026-05_r1.parquet").rename(place / "months.parquet")
    (verdict,) = (v for v in verify_releases(settings, "2026-05") if v.number == 1)
    (place / "months.parquet").rename(place / "months_2026-05_r1.parquet")
    assert [fault.split(":")[0] for fault in verdict.faults] == [
        "months_2026-05_r1.parquet",
        "months.parquet",
    ]
    assert all(verdict.is_well for verdict in verify_releases(settings))


def test_figures_that_can_no_longer_be_counted_are_told(settings: Settings) -> None:
    """What was recorded of a day is not rewritten by our steps; whoever does it by hand is found."""
    with registry_session(settings) as connection:
        connection.execute(sa.update(TASK).where(TASK.c.task_id == "t2").values(kind_code="another"))
    verdicts = [v for v in verify_releases(settings, "2026-05", recount=True) if v.number == 1]
    assert any("cube_2026-05_r1.parquet: 重算不一致" in fault for fault in verdicts[0].faults)


def test_whoever_rewrites_a_score_that_was_held_is_found(settings: Settings) -> None:
    with registry_session(settings) as connection:
        is_held = sa.and_(SCORE.c.business_date == LAST, SCORE.c.recorded_from == LAST)
        connection.execute(sa.update(SCORE).where(is_held).values(failed_before=1))
    verdicts = [v for v in verify_releases(settings, recount=True) if v.number == 1]
    assert any("months_2026-05_r1.parquet: 重算不一致" in fault for fault in verdicts[0].faults)


def test_whoever_rewrites_file_manifest_and_registry_is_found_by_counting_anew(settings: Settings) -> None:
    place = folder(settings, "r1")
    cube, manifest = place / "cube_2026-05_r1.parquet", place / "manifest.json"
    for path in place.iterdir():
        path.chmod(0o644)
    pq.write_table(pq.read_table(cube).slice(1), cube)
    told = json.loads(manifest.read_bytes())
    told["files"][cube.name]["sha256"] = sha256_of(cube.read_bytes())
    manifest.write_bytes(json_bytes(told))
    forged = {"manifest_sha256": sha256_of(manifest.read_bytes())}
    approval = {**json.loads((place / "approval.json").read_bytes()), **forged}
    (place / "approval.json").write_bytes(json_bytes(approval))
    with registry_session(settings) as connection:
        connection.execute(sa.text("ALTER TABLE mart.release DISABLE TRIGGER keep_release"))
        connection.execute(sa.update(RELEASE).where(RELEASE.c.number == 1).values(forged))
        connection.execute(sa.text("ALTER TABLE mart.release ENABLE TRIGGER keep_release"))
    (digests,) = (v for v in verify_releases(settings, "2026-05") if v.number == 1)
    assert digests.is_well
    (verdict,) = (v for v in verify_releases(settings, "2026-05", recount=True) if v.number == 1)
    assert "cube_2026-05_r1.parquet: 重算不一致 counted anew, it differs" in verdict.faults


def test_a_shadow_releases_nothing(settings: Settings) -> None:
    shadow = Settings(var=settings.var, shadow="s1")
    with pytest.raises(Refusal, match="shadow_never_sends"):
        propose_release(shadow, MAY, "zhang", NOW)
