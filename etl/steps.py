"""Run one step of a night and put on record that it ran, how long, and what it counted."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import Any, TypeGuard

import sqlalchemy as sa

from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.unexpected import unexpected_error
from schemas.masking import LOOKS_PERSONAL
from schemas.refusal import Refusal
from schemas.registry import STEP_RUN

Counts = dict[str, Any]
# A count, an id, a hash, a state: longer texts could carry rows.
LONGEST_TEXT = 200
# No count or size of ours comes near; identity numbers have more digits.
LARGEST_NUMBER = 10**12
# States of a step that did what it could; a refused drop waits for the corrected one.
WAITING = frozenset({"waiting", "overdue", "refused"})
# States of a step after which those that need it have nothing to do.
HOLDS_UP = WAITING | {"nothing"}
# What PostgreSQL says when it ends, crashes or is not up yet; None where the connection broke.
ENDED = frozenset({"57P01", "57P02", "57P03", None})
# The lock of a whole business date: steps share it, a whole night or a rebuild holds it alone.
NIGHT = "night"
_WHOLE: ContextVar[tuple[Settings, date] | None] = ContextVar("padis_whole_night", default=None)


@contextmanager
def whole_night(settings: Settings, business_date: date) -> Iterator[None]:
    """Keep every other run away from a business date for the time of the body.

    Raises:
        Refusal: another run works on the date; the message says which.
    """
    with hold_lock(settings, NIGHT, business_date):
        before = _WHOLE.get()
        _WHOLE.set((settings, business_date))
        try:
            yield
        finally:
            _WHOLE.set(before)


@contextmanager
def _alone(settings: Settings, business_date: date, step: str) -> Iterator[None]:
    """Hold a step of a date, while nobody else holds the whole date."""
    with hold_lock(settings, f"step {step}", business_date):
        if _WHOLE.get() == (settings, business_date):
            yield
            return
        with hold_lock(settings, NIGHT, business_date, is_shared=True):
            yield


def run_step(
    settings: Settings, business_date: date, step: str, work: Callable[[], Mapping[str, Any]]
) -> Counts:
    """Run the work of a step, record it in audit.step_run, and return its counts.

    The clock is read here and nowhere below: when and how long are facts of the act, not of the data.
    A step whose counts say `state: waiting` (overdue, refused) is recorded as waiting.

    Raises:
        Refusal: as the work raised it; any other error becomes one with code `unexpected`, which names
            the kind of error and the place in the code, never its message, since that may hold values.
            `held_by_another_run` before anything is on record: one run at a time works on a step of a date.
            `registry_gone` if the database ended meanwhile; what the step had committed stands.
    """
    try:
        with _alone(settings, business_date, step):
            return _run_alone(settings, business_date, step, work)
    except sa.exc.OperationalError as error:
        raise _registry_gone(step, error) from None


def _is_gone(error: Exception) -> TypeGuard[sa.exc.OperationalError]:
    """Tell whether the database ended, also if it is back by now; it says so, or nothing any more."""
    return isinstance(error, sa.exc.OperationalError) and getattr(error.orig, "sqlstate", None) in ENDED


def _registry_gone(step: str, error: sa.exc.OperationalError) -> Refusal:
    """Say so in our words: those of the database name its socket, and may come where nothing catches them."""
    return Refusal(
        "registry_gone",
        found=f"the registry ended or could not be reached during step {step} ({type(error.orig).__name__})",
        expected="a PostgreSQL that answers while a step works",
        to_do="see that it is up, then run the step again: what it had committed is found done",
    )


def _run_alone(
    settings: Settings, business_date: date, step: str, work: Callable[[], Mapping[str, Any]]
) -> Counts:
    started_at, clock = datetime.now(UTC), time.perf_counter()
    key = {"business_date": business_date, "step": step, "started_at": started_at}
    with registry_session(settings) as connection:
        connection.execute(sa.insert(STEP_RUN).values(**key, state="running", counts={}))
    state, counts = "failed", {}
    try:
        counts = _checked(step, work())
        state = "waiting" if counts.get("state") in WAITING else "done"
    except Refusal as refusal:
        counts = {"refusal": refusal.code}
        raise
    except Exception as error:
        told = _registry_gone(step, error) if _is_gone(error) else unexpected_error(f"step {step}", error)
        counts = {"refusal": told.code}
        raise told from None
    finally:
        with registry_session(settings) as connection:
            connection.execute(
                sa.update(STEP_RUN)
                .where(*(STEP_RUN.c[name] == value for name, value in key.items()))
                .values(state=state, counts=counts, seconds=round(time.perf_counter() - clock, 3))
            )
    return counts


def _checked(step: str, counts: Mapping[str, Any]) -> Counts:
    if not _is_plain(counts):
        raise Refusal(
            "step_result_not_plain",
            found=f"a result of step {step} that is no count, id, hash or state",
            expected=f"numbers below {LARGEST_NUMBER} and ASCII texts of at most {LONGEST_TEXT} characters "
            "that look like no one's number",
            to_do="report a defect of the step",
        )
    return dict(counts)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) for name in value) and all(
            _is_plain(part) for part in (*value.keys(), *value.values())
        )
    if isinstance(value, list | tuple):
        return all(_is_plain(part) for part in value)
    if isinstance(value, str):
        return value.isascii() and len(value) <= LONGEST_TEXT and not LOOKS_PERSONAL.search(value)
    return value is None or (isinstance(value, int | float) and abs(value) < LARGEST_NUMBER)
