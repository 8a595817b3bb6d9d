"""Statistics of cases for people at a terminal (个案统计): a topic of a published date by division."""

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from connectors.settings import Settings
from etl.statistics.case_labels import CASE_AGES, CASE_STATES, CASES, EXITS, YEAR
from etl.statistics.labels import Band, Topic
from etl.statistics.life_labels import LIVES, PENDING, PENDING_AGES
from etl.statistics.table import Counts, Division, counts_of, printed_bands, sums
from schemas.division_level import CITY, CITY_CODE, LEVELS
from schemas.refusal import Refusal

TOPICS: Mapping[str, Sequence[Topic]] = {
    "state": (CASE_STATES,),
    "category": (CASES,),
    "age": (CASE_AGES,),
    "life": LIVES,
    "pending": (PENDING, PENDING_AGES),
    "year": (YEAR,),
    "exits": EXITS,
}
# Those of one programme: their bands are parts of one table.
OF_ONE = (*LIVES, *EXITS)
WHOLE = Division(CITY, CITY_CODE, "合计 Total", is_listed=True)


def published_cube(settings: Settings, business_date: date | None = None) -> tuple[date, pa.Table]:
    """Read what the night of a date published, the newest one by default.

    Raises:
        Refusal: nothing was published of the date, or at all.
    """
    found = {
        date.fromisoformat(path.parent.name): path for path in settings.mart.glob("????-*/cube_*.parquet")
    }
    day = business_date or max(found, default=None)
    if day is None or day not in found:
        raise Refusal(
            "statistics_not_published",
            found=f"{day or ''} 未发布统计 · no statistics of the date",
            expected="已发布统计的业务日 · a business date whose statistics are out",
            to_do="发布统计 · padis run publish-statistics --date DATE",
        )
    return day, pq.read_table(found[day])


def render_cases_by(cube: pa.Table, by: str, level: str, below: str = "") -> RenderableType:
    """Show a topic on one level, band by band; columns and divisions without any case are left out.

    Raises:
        Refusal: no topic of that name, or no such level.
    """
    if by not in TOPICS or level not in LEVELS[1:]:
        raise Refusal(
            "topic_unknown",
            found=f"主题或级别 · topic {by[:20]}, level {level[:2]}",
            expected=f"主题 · one of {', '.join(TOPICS)}; 级别 · 2, 3 or 4",
            to_do="更正 · give --by and --level so",
        )
    counts = counts_of(cube)
    divisions = _divisions(cube, level, below)
    parts: list[RenderableType] = []
    for topic in TOPICS[by]:
        bands = printed_bands(topic, counts, WHOLE)
        if topic in OF_ONE:
            bands = [Band(bands[0].heading, tuple(column for band in bands for column in band.columns))]
        bands = [band for band in bands if any(sums(counts, WHOLE, band.columns))]
        if bands:
            parts.append(Text(f"{topic.title} · {topic.subtitle}", style="bold"))
            parts += [_band(band, counts, divisions) for band in bands]
    return Group(*parts or [Text("无个案 · no case")])


def _divisions(cube: pa.Table, level: str, below: str) -> list[Division]:
    rows = {
        (row["level_code"], row["division_code"], row["division_name"])
        for row in cube.select(("level_code", "division_code", "division_name")).to_pylist()
        if row["level_code"] == level and row["division_code"].startswith(below)
    }
    return [Division(*row, is_listed=True) for row in sorted(rows)]


def _band(band: Band, counts: Counts, divisions: Sequence[Division]) -> Table:
    columns = [column for column in band.columns if any(sums(counts, WHOLE, [column]))]
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, title=band.heading.replace("\n", " · "), title_justify="left"
    )
    table.add_column("区划代码\ncode", no_wrap=True)
    table.add_column("区划\ndivision")
    for column in columns:
        table.add_column(f"{column.chinese}\n{column.english}", justify="right")
    for row in (WHOLE, *divisions):
        found = sums(counts, row, columns)
        if any(found):
            table.add_row(row.code, row.name, *(f"{count or 0:,}" for count in found))
    return table
