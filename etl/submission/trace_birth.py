"""Follow a birth: what was found of it, what was written to other systems, their answers, the tasks."""

import sqlalchemy as sa

from etl.submission.shared_answers import BIRTHS
from etl.submission.thread import Link, Thread
from etl.submission.thread_birth import (
    birth_row,
    birth_task_links,
    births_where,
    findings_where,
    newest_night,
    side_links,
)
from etl.submission.thread_letter import item_link, items_where
from etl.submission.thread_source import Trail
from schemas.registry import BIRTH_MATCH, SHARED_ITEM, TASK


def _birth_links(trail: Trail, match_id: str) -> list[Link]:
    """Follow a birth: what was found, what was written about it and answered, and its tasks.

    Of a birth about which nothing was written, the source rows of its newest finding are shown here; else
    each item shows those that it rests on.
    """
    links = findings_where(trail, BIRTH_MATCH.c.match_id == match_id)
    items = items_where(trail, SHARED_ITEM.c.match_id == match_id)
    night = None if items else newest_night(trail, match_id)
    birth = birth_row(trail, night, match_id) if night is not None else None
    if night is not None and birth is not None:
        links += side_links(trail, night, birth)
    return [*links, *(item_link(trail, item) for item in items), birth_task_links(trail, match_id)]


def births_link(trail: Trail, condition: sa.ColumnElement[bool]) -> Link:
    """Follow the births of a source row."""
    links = [
        Link(f"出生 · birth {match_id}", links=tuple(_birth_links(trail, match_id)))
        for match_id in births_where(trail, condition)
    ]
    return Link("出生核对 · births", links=tuple(links) or (Link("无 · none"),))


def about_birth(trail: Trail, subject: str) -> Thread | None:
    """Follow an item of a letter, a birth, or a task about a birth; None if nothing has that name."""
    items = items_where(trail, SHARED_ITEM.c.item_id == subject)
    if items:
        match_id = items[0]["match_id"]
        findings = findings_where(trail, BIRTH_MATCH.c.match_id == match_id)
        links = (item_link(trail, items[0]), *findings, birth_task_links(trail, match_id))
        return Thread(f"送出条目 · item {subject}", links)
    is_task = sa.and_(TASK.c.process_name == BIRTHS, TASK.c.task_id == subject)
    about = trail.connection.scalar(sa.select(TASK.c.subject_id).where(is_task).limit(1))
    if about is not None:
        return Thread(f"待办 · task {subject}", tuple(_birth_links(trail, about)))
    if births_where(trail, BIRTH_MATCH.c.match_id == subject):
        return Thread(f"出生 · birth {subject}", tuple(_birth_links(trail, subject)))
    return None
