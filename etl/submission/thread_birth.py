"""The births in a thread: the rows that a link joins, what was found, and the tasks with how they ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, made_on, version_on
from connectors.registry import state_on
from etl.submission.shared_answers import BIRTHS
from etl.submission.shared_items import INPUTS
from etl.submission.thread import Fact, Link
from etl.submission.thread_decision import tasks_about
from etl.submission.thread_source import Row, Trail, source_links, version_links
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, SHARED_ANSWER, SHARED_ITEM, TASK, TASK_CLOSING
from schemas.sharing import CORRECTION_ACCEPTED, DONE, DONE_ELSEWHERE

MATCHES, FIELDS, REPORTS = INPUTS[1], INPUTS[0], INPUTS[2]
CHILDREN = "staging.family_child"
# What the registry and the lake both hold of a birth.
HELD = ("class_code", "pass_name", "mch_record_id", "folded_record_ids", "relation_id", "evidence_sha256")


@dataclass(frozen=True)
class Night:
    """The births of a date: the versions that were read and written, by name."""

    business_date: date
    versions: Mapping[str, DatasetVersion]


def cited_night(trail: Trail, versions: Sequence[str], business_date: date) -> Night:
    """Tell of which births a letter was written: what it cites, and what its findings were made from."""
    cited = [DatasetVersion.parse(text) for text in versions]
    found = next((version for version in cited if version.name == MATCHES), None)
    made = made_on(trail.connection, found, business_date) if found is not None else None
    read = [name for name in (made["inputs"] if made is not None else ()) if name.startswith("staging.")]
    both = [*(DatasetVersion.parse(text) for text in read), *cited]
    return Night(business_date, {version.name: version for version in both})


def newest_night(trail: Trail, match_id: str) -> Night | None:
    """Find the newest births on record in which a birth is found; None if it is in none."""
    columns = BIRTH_MATCH.c
    last = sa.select(columns.recorded_from).where(columns.match_id == match_id)
    day = trail.connection.scalar(last.order_by(columns.recorded_from.desc()).limit(1))
    if day is None:
        return None
    try:
        found = [str(version_on(trail.connection, name, day)) for name in INPUTS]
    except Refusal:
        return None
    return cited_night(trail, found, day)


def birth_row(trail: Trail, night: Night, match_id: str) -> Row | None:
    """Read what a night found of a birth."""
    if MATCHES not in night.versions:
        return None
    relations = {"birth_match": night.versions[MATCHES]}
    found = run_sql(trail.settings, "submission/thread_birth", relations, {"match_id": match_id})
    return next(iter(found.to_pylist()), None)


def side_links(trail: Trail, night: Night, birth: Row) -> list[Link]:
    """Show the source rows of both sides of a birth, the versions, and that the registry says the same."""
    reports, children = _reports(trail, night, birth), _children(trail, night, birth)
    return [
        source_links(trail, {"mch_birth": reports, "family_child": children}),
        version_links(trail, night.versions, night.business_date),
        _link_link(trail, night, birth, len(reports), len(children)),
    ]


def _record_ids(birth: Row) -> list[str]:
    return [name for name in (birth["mch_record_id"], *birth["folded_record_ids"]) if name is not None]


def _reports(trail: Trail, night: Night, birth: Row) -> list[Row]:
    wanted = pa.table({"record_id": pa.array(_record_ids(birth), pa.string())})
    if REPORTS not in night.versions or wanted.num_rows == 0:
        return []
    relations = {"mch_birth": night.versions[REPORTS], "wanted": wanted}
    return list(run_sql(trail.settings, "submission/thread_report", relations).to_pylist())


def _children(trail: Trail, night: Night, birth: Row) -> list[Row]:
    if CHILDREN not in night.versions or birth["relation_id"] is None:
        return []
    relations = {"family_child": night.versions[CHILDREN]}
    bound = {"relation_id": birth["relation_id"]}
    return list(run_sql(trail.settings, "submission/thread_relation", relations, bound).to_pylist())


def _link_link(trail: Trail, night: Night, birth: Row, reports: int, children: int) -> Link:
    """Hold the finding in the lake against the registry, as of its date, and against the rows it names."""
    facts = [
        Fact("类别 · class", birth["class_code"]),
        Fact("轮次 · pass", birth["pass_name"] or "—"),
        Fact("依据摘要 · digest of the evidence", birth["evidence_sha256"]),
    ]
    title = f"关联 · link {birth['match_id']}"
    if reports != len(_record_ids(birth)) or children != (birth["relation_id"] is not None):
        return Link(title, False, (*facts, Fact("✗", "规整行缺失 · a staged row is missing")))
    if version_on(trail.connection, MATCHES, night.business_date) != night.versions[MATCHES]:
        again = "该日其后重新核对 · the date was reconciled again since"
        return Link(title, None, (*facts, Fact("其后 · since", again)))
    is_it = sa.and_(BIRTH_MATCH.c.match_id == birth["match_id"], state_on(BIRTH_MATCH, night.business_date))
    held = trail.connection.execute(sa.select(*(BIRTH_MATCH.c[name] for name in HELD)).where(is_it)).first()
    return Link(title, held is not None and tuple(held) == tuple(birth[name] for name in HELD), tuple(facts))


def findings_where(trail: Trail, condition: sa.ColumnElement[bool]) -> list[Link]:
    """List what was found of births, each with the time in which it was known, oldest first."""
    columns = BIRTH_MATCH.c
    chosen = sa.select(BIRTH_MATCH).where(condition).order_by(columns.recorded_from, columns.match_id)
    return [
        Link(
            f"{match['class_code']} {match['match_id']}",
            facts=(
                Fact("期间 · known", f"{match['recorded_from']} – {match['recorded_to'] or ''}"),
                Fact("轮次 · pass", match["pass_name"] or "—"),
                Fact("冲突字段 · conflict", ", ".join(match["conflict_fields"]) or "—"),
            ),
        )
        for match in trail.connection.execute(chosen).mappings()
    ]


def births_where(trail: Trail, condition: sa.ColumnElement[bool]) -> list[str]:
    """List the births of which something was found, the first found first."""
    first = sa.func.min(BIRTH_MATCH.c.recorded_from)
    chosen = sa.select(BIRTH_MATCH.c.match_id).where(condition).group_by(BIRTH_MATCH.c.match_id)
    return list(trail.connection.scalars(chosen.order_by(first, BIRTH_MATCH.c.match_id)))


def birth_task_links(trail: Trail, match_id: str) -> Link:
    """List the tasks about a birth; where an addressee's word ended one, that word must be on record."""
    is_about = sa.and_(TASK.c.process_name == BIRTHS, TASK.c.subject_id == match_id)
    links = [*tasks_about(trail, is_about), *_closings_by_word(trail, match_id)]
    return Link("待办 · tasks", links=tuple(links) or (Link("无 · none"),))


def _closings_by_word(trail: Trail, match_id: str) -> Iterator[Link]:
    tasks = sa.select(TASK.c.task_id).where(TASK.c.process_name == BIRTHS, TASK.c.subject_id == match_id)
    chosen = sa.select(TASK_CLOSING).where(
        TASK_CLOSING.c.task_id.in_(tasks),
        TASK_CLOSING.c.cause_code.in_((CORRECTION_ACCEPTED, DONE_ELSEWHERE)),
    )
    in_order = chosen.order_by(TASK_CLOSING.c.business_date, TASK_CLOSING.c.task_id)
    for closing in trail.connection.execute(in_order).mappings():
        before = _done_before(trail, match_id, closing["business_date"])
        if closing["cause_code"] == DONE_ELSEWHERE:
            is_said = closing["task_id"] in before
        else:
            prevailing = _prevailing(trail, match_id, closing["business_date"])
            is_said = bool(prevailing) and prevailing <= before
        title = f"由答复关闭 · closed by an answer: {closing['cause_code']} {closing['business_date']}"
        yield Link(title, is_said, (Fact("任务 · task", closing["task_id"]),))


def _done_before(trail: Trail, match_id: str, day: date) -> set[str]:
    """Tell which fields of a birth, and which to-dos about it, had been said to be done before a date."""
    chosen = (
        sa.select(SHARED_ITEM.c.field_name, SHARED_ITEM.c.subject_id)
        .join(SHARED_ANSWER, SHARED_ANSWER.c.item_id == SHARED_ITEM.c.item_id)
        .where(
            SHARED_ITEM.c.match_id == match_id,
            SHARED_ANSWER.c.state_code == DONE,
            SHARED_ANSWER.c.business_date < day,
        )
    )
    return {row.field_name or row.subject_id for row in trail.connection.execute(chosen)}


def _prevailing(trail: Trail, match_id: str, day: date) -> set[str]:
    """Tell about which fields of a birth one side prevailed on a date, by a rule and not by a person."""
    try:
        night = Night(day, {MATCHES: version_on(trail.connection, MATCHES, day)})
    except Refusal:
        return set()
    birth = birth_row(trail, night, match_id)
    return set(birth["prevailing_fields"]) if birth is not None else set()
