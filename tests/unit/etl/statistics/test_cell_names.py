"""Names of cells: every measure has one, and its categories are told as the tables tell them."""

import re

from connectors.settings import PROJECT
from etl.statistics.cell_names import MEASURES, category_name, measure_name
from etl.statistics.corrections import COUNTED_FROM

WRITTEN = re.compile(r"'((?:persons|births|decisions|eligible|undecided|cases|lives|tasks|quality)[a-z_]*)'")


def test_every_measure_that_is_counted_has_a_name_and_an_input() -> None:
    sql = "\n".join(path.read_text() for path in (PROJECT / "sql" / "statistics").glob("*.sql"))
    assert set(WRITTEN.findall(sql)) == set(MEASURES)
    for measure in MEASURES:
        assert any(measure.startswith(prefix) for prefix, _ in COUNTED_FROM)


def test_a_category_is_told_as_in_its_table_and_an_unknown_one_by_its_code() -> None:
    assert measure_name("births") == "当月出生 Births of the month"
    assert category_name("births", "only_mch") == "仅妇幼 MCH only"
    assert category_name("cases_left", "J/1") == "J/死亡 Death"
    assert category_name("cases_by_state", "J/1") == "J/享受中 In payment"
    assert category_name("tasks_closed", "record_rejected") == "上报退回 Rejected record"
    assert category_name("cases_left_by_category", "T3/complication_1") == "T3/并发症一级 Complication 1"
    assert category_name("lives_by_state", "J/applied") == "J/已申请 Applied"
    assert category_name("lives_by_category", "T3/complication_1/exited") == (
        "T3/并发症一级 Complication 1/已退出 Exited"
    )
    assert category_name("lives_by_reason", "T/1/exited") == "T/死亡 Death/已退出 Exited"
    assert category_name("lives_by_age", "T/80+/applied") == "T/80以上 and over/已申请 Applied"
    assert category_name("cases_begun", "T/of next year") == "T/of next year"
