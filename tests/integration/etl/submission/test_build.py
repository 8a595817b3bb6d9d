"""Building batches from decisions on record: what is in the file, what is held back, what stays as it is."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from connectors.lake import DatasetVersion, read_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches, preview_batches
from etl.submission.difference import find_decided, gather_records, latest_run
from etl.submission.outbox import RECEIVER
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH, DATASET_VERSION, RECORD
from tests.support.submission import (
    TODAY,
    People,
    bytes_of,
    dead_child,
    digest,
    living_child,
    members_of,
    publish_people,
)

TOMORROW = date(2026, 6, 2)
J_HEADER = (
    "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,户口性质,婚姻状况,"
    "类别,现存子女数,起始年月,金额"
)
T_HEADER = (
    "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,婚姻状况,类别,光荣证号,"
    "子女死亡日期,子女残疾等级,起始年月,金额"
)


@pytest.fixture(scope="module")
def people() -> People:
    people = People()
    people.add("J", "one_child", name="欧阳,若\r\n男\u2028", children=[living_child()], fen=96_000)
    people.add("J", "two_girls", hukou_division_code="110105002003", fen=96_005,
               children=[living_child(child_sex_code="2"), living_child(child_sex_code="2")])  # fmt: skip
    people.add("J", "no_living_child", id_number="110101195503050005", fen=96_000, children=[dead_child()])
    people.add("T", "death", children=[dead_child(disability_level_code="1")])
    people.add("T", "disability", fen=40_000, children=[living_child(disability_level_code="3")])
    people.add("J", "one_child", name="某" * 61, children=[living_child()], fen=96_000)
    people.add("J", "one_child", id_type_code="03", marital_status_code=None, children=[living_child()])
    return people


@pytest.fixture(scope="module")
def built(settings: Settings, people: People) -> dict:
    publish_people(settings, people)
    return build_batches(settings, TODAY)


def test_nobody_eligible_makes_no_batch(settings: Settings) -> None:
    earlier = date(2026, 5, 1)
    publish_people(settings, People(), earlier)
    built_empty = build_batches(settings, earlier)
    assert built_empty["batches"] == []
    assert (built_empty["records"], built_empty["held_back"]) == (0, 0)
    assert "Nothing new to report" in preview_batches(settings, earlier)


def test_one_batch_per_subsystem_and_every_eligible_person_is_in_it_or_held_back(built: dict) -> None:
    assert [(b["batch_id"], b["records"], b["state"]) for b in built["batches"]] == [
        ("J_110000_2026_A_0001", 3, "built"),
        ("T_110000_2026_A_0001", 2, "built"),
    ]
    assert built["records"] == 5
    assert built["held_back"] == 2
    assert built["reasons"] == {
        "id_type_code.code_not_mapped": 1,
        "marital_status_code.missing": 1,
        "name.too_long": 1,
    }


def test_records_of_programmes_gathered_together_are_those_gathered_alone(
    settings: Settings, built: dict
) -> None:
    profile = profile_on(RECEIVER, TODAY)
    with registry_session(settings) as connection:
        decided = [
            (latest_run(connection, code, TODAY), find_decided(connection, profile, code, TODAY)[0])
            for code in "JT"
        ]
        # Who is asked for in versions of another date is not there: facts are NULL, nobody is lost.
        other = (latest_run(connection, "T", date(2026, 5, 1)), decided[1][1])
    alone = [gather_records(settings, [each])[0] for each in (*decided, other)]
    assert [records.num_rows for records in alone] == [5, 2, 2]
    assert gather_records(settings, decided) == alone[:2]
    assert gather_records(settings, [decided[0], other]) == [alone[0], alone[2]]
    assert alone[1]["name"].null_count == 0
    assert alone[2]["name"].null_count == 2


def test_members_have_count_exact_header_and_rows(settings: Settings, built: dict) -> None:
    members = members_of(bytes_of(settings, "J_110000_2026_A_0001"))
    assert list(members) == ["LNJF_JFDX_110000_110101.txt", "LNJF_JFDX_110000_110105.txt"]
    text = members["LNJF_JFDX_110000_110105.txt"]
    assert text.startswith("\ufeff1\r\n" + J_HEADER + "\r\nJ112026")
    row = text.split("\r\n")[2].split(",")
    assert row[1:] == [
        "11010100100100000002", "王桂兰", "2", "1955-03-05", "10", row[6], "110105002003000",
        "2", "20", "2", "2", "2026-06", "960.05",
    ]  # fmt: skip
    assert text.endswith("960.05\r\n")


def test_separators_and_line_breaks_inside_a_name_do_not_make_columns_or_lines(
    settings: Settings, built: dict
) -> None:
    text = members_of(bytes_of(settings, "J_110000_2026_A_0001"))["LNJF_JFDX_110000_110101.txt"]
    lines = text.removesuffix("\r\n").split("\r\n")
    assert lines[0] == "\ufeff2"
    assert len(lines) == 4
    assert {len(line.split(",")) for line in lines[1:]} == {14}
    assert any(",欧阳，若 男," in line for line in lines)


def test_a_death_shows_its_date_and_a_disability_its_level(settings: Settings, built: dict) -> None:
    (text,) = members_of(bytes_of(settings, "T_110000_2026_A_0001")).values()
    _, header, *rows = text.removesuffix("\r\n").split("\r\n")
    assert header == T_HEADER
    shown = sorted(tuple(row.split(",")[9:]) for row in rows)
    assert shown == [
        ("1", "京光000004", "2015-07-08", "", "2026-06", "500.00"),
        ("2", "京光000005", "", "3", "2026-06", "400.00"),
    ]


def test_each_record_says_where_its_line_is(settings: Settings, built: dict) -> None:
    with registry_session(settings) as connection:
        records = connection.execute(sa.select(RECORD)).mappings().all()
    assert len(records) == 5
    for record in records:
        member = members_of(bytes_of(settings, record["batch_id"]))[record["member_name"]]
        line = member.split("\r\n")[record["line_number"] - 1]
        assert line.split(",")[:2] == [record["record_id"], record["person_id"]]
        assert digest(line.encode()) == record["content_sha256"]
        assert record["receiver_state_code"] == "10"


def test_the_archive_tells_no_time_and_no_machine(settings: Settings, built: dict) -> None:
    with zipfile.ZipFile(io.BytesIO(bytes_of(settings, "J_110000_2026_A_0001"))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_building_twice_adds_nothing(settings: Settings, built: dict) -> None:
    in_order = sa.select(DATASET_VERSION).order_by(*DATASET_VERSION.primary_key)
    with registry_session(settings) as connection:
        before = connection.execute(sa.select(BATCH)).all(), connection.execute(sa.select(RECORD)).all()
        versions = connection.execute(in_order).all()
    assert build_batches(settings, TODAY) == built
    with registry_session(settings) as connection:
        assert connection.execute(sa.select(BATCH)).all() == before[0]
        assert connection.execute(sa.select(RECORD)).all() == before[1]
        assert connection.execute(in_order).all() == versions


def test_held_back_persons_are_named_with_their_reasons_in_the_lake(settings: Settings, built: dict) -> None:
    held = read_dataset(settings, DatasetVersion.parse(built["version"])).to_pylist()
    assert [(row["person_id"][-1], row["failed_rules"]) for row in held] == [
        ("6", ["name.too_long"]),
        ("7", ["id_type_code.code_not_mapped", "marital_status_code.missing"]),
    ]


def test_the_preview_counts_and_shows_no_personal_value(
    settings: Settings, built: dict, people: People
) -> None:
    preview = preview_batches(settings, TODAY)
    assert "金额合计 · total amount: ¥2,880.05" in preview
    assert "| 东城区 | 1 | 0 | 1 | 2 |" in preview
    assert "| 朝阳区 | 0 | 1 | 0 | 1 |" in preview
    assert "wrong ID check character: 1" in preview
    assert "Held back: 2" in preview
    for person in people.persons:
        for secret in ("person_id", "name", "id_number", "only_child_certificate_number"):
            assert person[secret] not in preview
        assert "1955" not in preview


def test_the_next_day_reports_only_who_is_new(settings: Settings, built: dict, people: People) -> None:
    people = People(list(people.persons), list(people.children), [], list(people.decisions))
    people.persons[5] = people.persons[5] | {"name": "李秀英"}
    people.add("T", "death", children=[dead_child()])
    publish_people(settings, people, TOMORROW)
    built_next = build_batches(settings, TOMORROW)
    assert [(b["batch_id"], b["records"]) for b in built_next["batches"]] == [
        ("J_110000_2026_A_0002", 1),
        ("T_110000_2026_A_0002", 1),
    ]
    assert built_next["held_back"] == 1
    # The day before has nothing to add and changes nothing.
    assert build_batches(settings, TODAY)["batches"] == built["batches"]


def test_a_past_date_adds_nobody(settings: Settings, built: dict) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(RECORD).where(RECORD.c.batch_id == "T_110000_2026_A_0001"))
    again = build_batches(settings, TODAY)
    assert again["is_superseded"]
    assert [b["batch_id"] for b in again["batches"]] == [b["batch_id"] for b in built["batches"]]


def test_a_person_releases_or_withholds_with_name_and_time(settings: Settings, built: dict) -> None:
    with pytest.raises(Refusal):
        approve_batches(settings, TODAY, " ", True)
    withheld = approve_batches(settings, TODAY, "chen", False)
    assert (withheld["withheld"], withheld["approved"]) == (2, 0)
    approved = approve_batches(settings, TODAY, "li", True, batch_ids=["J_110000_2026_A_0001"])
    assert approved["approved"] == 1
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(BATCH.c.batch_id, BATCH.c.state, BATCH.c.approved_by, BATCH.c.approved_at)
            .where(BATCH.c.business_date == TODAY)
            .order_by(BATCH.c.batch_id)
        ).all()
    assert [tuple(row[:3]) for row in rows] == [
        ("J_110000_2026_A_0001", "approved", "li"),
        ("T_110000_2026_A_0001", "withheld", "chen"),
    ]
    assert all(row.approved_at is not None for row in rows)


def test_a_withheld_batch_stays_withheld_and_visible_until_it_is_released_by_id(
    settings: Settings, built: dict
) -> None:
    batch_id = "T_110000_2026_A_0001"
    with registry_session(settings) as connection:
        withhold = sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state="withheld")
        connection.execute(withhold)
    for day in (TODAY, TOMORROW):
        again = approve_batches(settings, day, "li", True)
        assert batch_id not in [batch["batch_id"] for batch in again["batches"]]
        preview = preview_batches(settings, day)
        assert f"## {batch_id}" in preview
        assert "不予上报 · withheld, release by id" in preview
    released = approve_batches(settings, TOMORROW, "li", True, batch_ids=[batch_id])
    assert [(batch["batch_id"], batch["state"]) for batch in released["batches"]] == [(batch_id, "approved")]


def test_an_old_answer_does_not_undo_a_later_word_and_repeats_itself_without_effect(
    settings: Settings, built: dict
) -> None:
    batch_id = "T_110000_2026_A_0001"
    shown = [batch_id]
    answered = datetime.now(UTC) - timedelta(minutes=5)
    with registry_session(settings) as connection:
        connection.execute(
            sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state="built", approved_at=None)
        )
    for _ in range(2):
        approve_batches(settings, TODAY, "chen", True, shown, answered_at=answered)
        assert word_about(settings, batch_id) == ("approved", "chen", answered)
    approve_batches(settings, TODAY, "li", False, shown)
    with pytest.raises(Refusal, match=r"answer_stale.*is withheld since"):
        approve_batches(settings, TODAY, "chen", True, shown, answered_at=answered)
    assert word_about(settings, batch_id)[:2] == ("withheld", "li")
    approve_batches(settings, TODAY, "wang", True, shown)
    with pytest.raises(Refusal, match=r"answer_stale.*is approved since"):
        approve_batches(settings, TODAY, "chen", False, shown, answered_at=answered)
    assert word_about(settings, batch_id)[:2] == ("approved", "wang")


def word_about(settings: Settings, batch_id: str) -> tuple[str, str, datetime]:
    with registry_session(settings) as connection:
        row = connection.execute(
            sa.select(BATCH.c.state, BATCH.c.approved_by, BATCH.c.approved_at).where(
                BATCH.c.batch_id == batch_id
            )
        ).one()
    return row.state, row.approved_by, row.approved_at
