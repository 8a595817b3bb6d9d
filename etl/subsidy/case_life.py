"""Take a case from application to exit, step by step; each has who, when and why, and none is rewritten."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.settings import Settings
from etl.subsidy.case_refusals import case_session
from schemas.case_life import NONE, CaseLife, Move, load_case_life
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_LIFE, CASE_MEETING, CASE_STEP, DATASET_VERSION

STEPS_OF_BASELINE = {"1": "take_over", "2": "take_over_suspended", "3": "take_over_exited"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """Who did something, on which day, why, and when it was put on record.

    `known_on` is the first business date whose night knows it, by default the one after the newest on record:
    no figure that is out changes. What is only tried (`is_trial`) is refused as it would be, and not kept.
    """

    by: str
    on: date
    why: str
    at: datetime
    known_on: date | None = None
    is_trial: bool = False

    @property
    def recorded(self) -> dict[str, Any]:
        """What every row has of it."""
        return {"reason": self.why, "recorded_by": self.by, "recorded_at": self.at}


@dataclass(frozen=True)
class Claim:
    """What a person applies for: a category of a programme, in the village of the household registration."""

    programme_code: str
    category_code: str
    person_id: str
    division_code: str


def apply_for(settings: Settings, claim: Claim, act: Act) -> str:
    """Open a case by an application, and tell its number.

    Raises:
        Refusal: a case of this person and programme has not ended, or the claim is none of a programme.
    """
    case_number = _number_of(claim, act.on)
    with case_session(settings, is_trial=act.is_trial) as connection:
        _begin_cases(connection, [_Begun(case_number, "apply", claim)], act)
    return case_number


def take_over(settings: Settings, case_number: str, act: Act) -> str:
    """Take over a case of the baseline as it was found there, and tell its state.

    Raises:
        Refusal: the baseline has no such case, or it was imported with a question.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        chosen = sa.select(CASE).where(CASE.c.case_number == case_number, CASE.c.recorded_to.is_(None))
        found = connection.execute(chosen).mappings().one_or_none()
        if found is None:
            raise Refusal(
                "case_not_in_baseline",
                found=f"基线中无此编号 · no case of that number ({len(case_number)} characters)",
                expected="基线个案 · a case of the baseline",
                to_do="查看列表 · list the cases with `padis cases list`",
            )
        (state,) = take_over_as_found(connection, [dict(found)], act)
        return state


def take_over_as_found(connection: Connection, cases: Sequence[Row], act: Act) -> list[str]:
    """Take over rows of `subsidy.case` in the transaction of a caller, and tell their states in order."""
    begun = []
    for found in cases:
        claim = Claim(
            *(found[name] for name in ("programme_code", "category_code", "person_id", "division_code"))
        )
        step = STEPS_OF_BASELINE[found["state_code"]]
        begun.append(_Begun(found["case_number"], step, claim, found["exit_reason_code"]))
    return _begin_cases(connection, begun, act)


def take_step(
    settings: Settings,
    case_number: str,
    step_code: str,
    act: Act,
    *,
    exit_reason_code: str | None = None,
    division_code: str | None = None,
    filing_id: str | None = None,
) -> str:
    """Take the next step of a case, and tell its state after it.

    Args:
        settings: of the installation.
        case_number: number of the case.
        step_code: a step of `schemas/case_life.yaml` that leads on from the state of the case.
        act: who, when, why.
        exit_reason_code: of `propose_exit`; the other steps of an exit keep it.
        division_code: of `move`, the other village.
        filing_id: of `file`, the list with which it is filed.

    Raises:
        Refusal: the step does not lead on from there, or what it needs is missing.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        now = state_of(connection, case_number)
        move = _move(load_case_life(), now["to_state_code"], step_code)
        is_exit = move.to_state_code in ("exit_proposed", "exit_passed", "exited")
        row = {
            "case_number": case_number,
            "programme_code": now["programme_code"],
            "step_number": now["step_number"] + 1,
            "previous_number": now["step_number"],
            "from_category_code": now["category_code"],
            "category_code": "death" if step_code == "change_category" else now["category_code"],
            "from_division_code": now["division_code"],
            "division_code": division_code or now["division_code"],
            "exit_reason_code": exit_reason_code or (now["exit_reason_code"] if is_exit else None),
            "filing_id": filing_id,
        }
        known_on = act.known_on or next_night(connection, act)
        connection.execute(sa.insert(CASE_STEP).values({**row, **_way(move, act, known_on)}))
    return move.to_state_code


def state_of(connection: Connection, case_number: str) -> Row:
    """Tell the newest step of a case, whose end is its state.

    Raises:
        Refusal: no case of that number has a step.
    """
    chosen = sa.select(CASE_STEP).where(CASE_STEP.c.case_number == case_number)
    newest = chosen.order_by(CASE_STEP.c.step_number.desc()).limit(1)
    found = connection.execute(newest).mappings().one_or_none()
    if found is None:
        raise Refusal(
            "case_unknown",
            found=f"无此个案的步骤 · no step of a case of that number ({len(case_number)} characters)",
            expected="已申报或已承接的个案 · a case that was applied for or taken over",
            to_do="查看列表 · list the cases with `padis case list`, or record the application",
        )
    return dict(found)


@dataclass(frozen=True)
class Meeting:
    """Who assessed a case in its village, who visited the family, and what came out."""

    members: tuple[str, ...]
    investigators: tuple[str, ...]
    is_agreed: bool


def hold_meeting(settings: Settings, case_number: str, meeting: Meeting, act: Act) -> int:
    """Put the meeting of a village about an application on record, and tell its number.

    Raises:
        Refusal: too few different members or investigators, or the case is not at the meeting.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        now = state_of(connection, case_number)
        number = next_number(connection, CASE_MEETING.c.meeting_number, case_number)
        row = {
            "case_number": case_number,
            "meeting_number": number,
            "step_number": now["step_number"],
            "state_code": now["to_state_code"],
            "held_on": act.on,
            "members": list(meeting.members),
            "investigators": list(meeting.investigators),
            "outcome_code": "agreed" if meeting.is_agreed else "disagreed",
        }
        connection.execute(sa.insert(CASE_MEETING).values(row | act.recorded))
    return number


def next_night(connection: Connection, act: Act) -> date:
    """Tell the first business date that is not on record yet, which is the first to know of an act."""
    newest = connection.scalar(sa.select(sa.func.max(DATASET_VERSION.c.business_date)))
    return act.on if newest is None else newest + timedelta(days=1)


def next_number(
    connection: Connection, column: sa.Column[Any], case_number: str, *among: sa.ColumnElement[bool]
) -> int:
    """Tell the number of the next of what a case has several of, among some of them."""
    highest = sa.select(sa.func.max(column)).where(column.table.c.case_number == case_number, *among)
    return (connection.scalar(highest) or 0) + 1


def _number_of(claim: Claim, applied_on: date) -> str:
    """Name a case by its application, without showing the person."""
    text = "\x1f".join((claim.programme_code, claim.person_id, str(applied_on)))
    digest = hashlib.sha256(text.encode()).hexdigest()[:10].upper()
    return f"BJ-{claim.programme_code}-{applied_on.year}-{digest}"


@dataclass(frozen=True)
class _Begun:
    """A life that begins: its case, the step with which it does, and the claim."""

    case_number: str
    step_code: str
    claim: Claim
    exit_reason_code: str | None = None


def _begin_cases(connection: Connection, begun: Sequence[_Begun], act: Act) -> list[str]:
    """Open lives with their first steps, in the transaction of a caller, and tell their states in order."""
    life, known_on = load_case_life(), act.known_on or next_night(connection, act)
    moves = [_move(life, NONE, one.step_code) for one in begun]
    lives = [
        {
            "case_number": one.case_number,
            "programme_code": one.claim.programme_code,
            "person_id": one.claim.person_id,
            "recorded_by": act.by,
            "recorded_at": act.at,
        }
        for one in begun
    ]
    steps = [
        {
            "case_number": one.case_number,
            "programme_code": one.claim.programme_code,
            "step_number": 1,
            "category_code": one.claim.category_code,
            "division_code": one.claim.division_code,
            "exit_reason_code": one.exit_reason_code,
            **_way(move, act, known_on),
        }
        for one, move in zip(begun, moves, strict=True)
    ]
    connection.execute(sa.insert(CASE_LIFE), lives)
    connection.execute(sa.insert(CASE_STEP), steps)
    return [move.to_state_code for move in moves]


def _way(move: Move, act: Act, known_on: date) -> Row:
    return {
        "step_code": move.step_code,
        "from_state_code": move.from_state_code,
        "to_state_code": move.to_state_code,
        "level_code": move.level_code,
        "happened_on": act.on,
        "business_date": known_on,
        **act.recorded,
    }


def _move(life: CaseLife, state_code: str, step_code: str) -> Move:
    moves = {move.step_code: move for move in life.moves_from(state_code)}
    if step_code not in moves:
        possible = ", ".join(sorted(moves)) or "无，个案已结 · none: the case has ended"
        raise Refusal(
            "case_step_not_possible",
            found=f"状态 {state_code} 不能办理 {step_code} · a case in state {state_code} "
            f"({life.states.get(state_code, '')}), step {step_code}",
            expected=f"可办理 · one of {possible}",
            to_do="查看个案，按顺序办理 · look at the case, and take the steps one after the other",
        )
    return moves[step_code]
