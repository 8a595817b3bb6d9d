"""Drafts of the yearly papers of a released year: roster, summary, exits (花名册、汇总表、退出情况汇总表).

Nothing is counted anew: equal releases give equal bytes, whatever came since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow.compute as pc

from connectors.settings import Settings
from etl.statistics.case_labels import CASE_AGES, CASES, EXITS, PROGRAMMES, YEAR
from etl.statistics.labels import Topic
from etl.statistics.life_labels import LIVES
from etl.statistics.period import parse_period
from etl.statistics.printed import PrintedBook
from etl.statistics.release_build import Edition
from etl.statistics.release_files import Frozen
from etl.statistics.release_pages import choose_release
from etl.statistics.roster import read_roster
from etl.statistics.roster_sheet import roster_bytes
from etl.statistics.sheet import Caption
from etl.statistics.table import Book, Division, counts_of, is_printed
from etl.statistics.workbook import write_page
from schemas.division_level import DIGITS, VILLAGE, level_of
from schemas.refusal import Refusal

SUMMARY_TOPICS = (YEAR, CASES, CASE_AGES, *LIVES)


@dataclass(frozen=True)
class Paper:
    """A paper with what it has: rows of persons, or of divisions."""

    content: bytes
    rows: int


def released_year(settings: Settings, year: int, number: int | None = None) -> Frozen:
    """Read the release of a year, the newest one by default.

    Raises:
        Refusal: no year of that name was released, or its files are not as they were.
    """
    row, frozen = choose_release(settings, str(year), number)
    if row["state"] != "released":
        raise Refusal(
            "year_not_released",
            found=f"{year} r{row['number']} 待批准 · proposed only",
            expected="已发布的年度统计 · a release of the year, approved by another person",
            to_do=f"padis statistics approve --period {year} --manifest … --as USER",
        )
    return frozen


def summary_paper(frozen: Frozen, division_code: str, level: str | None = None) -> Paper:
    """Draft the summary of a division (汇总表): a year of its cases, by category, age and state.

    Raises:
        Refusal: the release has no such division, or no such level beneath it.
    """
    return _figures(frozen, SUMMARY_TOPICS, division_code, level)


def exits_paper(frozen: Frozen, division_code: str, level: str | None = None) -> Paper:
    """Draft the summary of exits of a division (退出情况汇总表): by reason and category.

    Raises:
        Refusal: the release has no such division, or no such level beneath it.
    """
    return _figures(frozen, EXITS, division_code, level)


def roster_paper(
    settings: Settings, frozen: Frozen, programme_code: str, division_code: str, *, is_full: bool = False
) -> Paper:
    """Draft the roster of a division and programme (花名册); masked unless it is to be full.

    Raises:
        Refusal: no such division or programme, or the cases are not those which the release counted.
    """
    names = _names(frozen)
    _check_division(frozen, names, division_code)
    if programme_code not in PROGRAMMES:
        raise Refusal(
            "programme_unknown",
            found=f"项目 · a programme of {len(programme_code)} characters",
            expected=f"以下之一 · one of {', '.join(PROGRAMMES)}",
            to_do="更正 · give --programme",
        )
    roster = read_roster(settings, frozen, programme_code, division_code)
    content = roster_bytes(roster, names, _caption(frozen), programme_code, division_code, is_full=is_full)
    return Paper(content, roster.num_rows)


def _figures(frozen: Frozen, topics: Sequence[Topic], division_code: str, level: str | None) -> Paper:
    names = _names(frozen)
    _check_division(frozen, names, division_code)
    whole = Division(level_of(division_code), division_code, names[division_code], is_listed=True)
    beneath = _beneath(frozen, whole, level)
    manifest = frozen.manifest
    release = f"{manifest['period']} r{manifest['number']}"
    book = Book(_caption(frozen), counts_of(frozen.cube), [whole, *beneath], [release])
    workbook = PrintedBook(f"{topics[0].title} {division_code} {release}")
    styled = [(whole, "total"), *((row, "plain") for row in beneath)]
    for topic in topics:
        if is_printed(topic, book.counts, whole):
            draft = replace(topic, title=f"{topic.title}（草表）", subtitle=f"{topic.subtitle}; draft")
            write_page(workbook, draft, book, styled)
    return Paper(workbook.content(book.caption.business_date), len(beneath))


def _caption(frozen: Frozen) -> Caption:
    manifest = frozen.manifest
    known_on = date.fromisoformat(manifest["known_on"])
    return Edition(parse_period(manifest["period"]), manifest["number"], known_on, manifest["reason"]).caption


def _names(frozen: Frozen) -> dict[str, str]:
    columns = (frozen.divisions.column(name).to_pylist() for name in ("division_code", "division_name"))
    return dict(zip(*columns, strict=True))


def _check_division(frozen: Frozen, names: dict[str, str], division_code: str) -> None:
    if division_code not in names:
        raise Refusal(
            "division_not_of_the_year",
            found=f"区划代码 · a code of {len(division_code)} characters",
            expected=f"{frozen.manifest['last_day']} 的区划 · a division of that day, 12 digits",
            to_do="更正 · give --division as the release has it",
        )


def _beneath(frozen: Frozen, whole: Division, level: str | None) -> list[Division]:
    """List the divisions of a level beneath one, and what stands there for want of a lower one."""
    chosen = level or str(min(int(whole.level) + 1, int(VILLAGE)))
    if not whole.level <= chosen <= VILLAGE:
        raise Refusal(
            "level_not_beneath",
            found=f"级别 · level {chosen[:2]} of a division of level {whole.level}",
            expected="2 区、3 街乡、4 村居，在其下 · 2, 3 or 4, beneath the division",
            to_do="更正 · give --level, or another --division",
        )
    if chosen == whole.level:
        return []
    digits = whole.code[: DIGITS[whole.level]]
    columns = ("division_code", "division_name", "level_code")
    listed, counted = (
        {
            tuple(row.values())
            for row in table.filter(pc.equal(table.column("level_code"), chosen)).select(columns).to_pylist()
            if row["division_code"].startswith(digits)
        }
        for table in (frozen.divisions, frozen.cube)
    )
    return [
        Division(chosen, code, name, is_listed=(code, name, found) in listed)
        for code, name, found in sorted(listed | counted)
    ]
