"""What the registry refuses about cases, as a refusal: the database knows the rules, nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.refusal import WRITTEN, Refusal

# What keys and checks refuse has only the name of the constraint: found, expected, what to do.
SAID = {
    "fk_case_step_way": (
        "a step that does not lead from that state to the other",
        "a step of schemas/case_life.yaml",
        "take the steps one after the other",
    ),
    "fk_case_step_before": (
        "a step that does not begin where the case is",
        "state, category and village of the newest step",
        "look at the case, then take the step from there",
    ),
    "pk_case_step": (
        "a step that another person took meanwhile",
        "the case as it was looked at",
        "look at the case again",
    ),
    "pk_case_life": ("a case of that number", "an application that is not on record", "go on with that case"),
    "fk_case_step_filing": (
        "a list on which the case is not as it was approved",
        "the list that was drawn up after its approval",
        "draw up a list with it",
    ),
    "ck_case_step_category_code": (
        "a category of another programme",
        "a category of schemas/case_life.yaml",
        "correct it",
    ),
    "ck_case_step_category_changes": (
        "another change of category than from disability to death",
        "T2 to T1 by the step change_category",
        "correct the category, or propose the exit of the case",
    ),
    "ck_case_step_moves": (
        "a move to the same village, or another village without a move",
        "another village, by the step move",
        "correct the village",
    ),
    "ck_case_step_village": ("no village of the city", "12 digits of a village or community", "correct it"),
    "ck_case_step_exits": (
        "an exit without a reason, or a reason without an exit",
        "a reason with each step of an exit",
        "give the code of the reason, or leave it out",
    ),
    "ck_case_step_exit_reason_code": (
        "a reason by which no case of this programme ends",
        "a reason of schemas/case_life.yaml",
        "correct the code",
    ),
    "ck_case_step_filing": (
        "a list without filing, or filing without a list",
        "both or neither",
        "name the list",
    ),
    "fk_case_filing_check_case": (
        "a case that is not on that list",
        "a case of the list",
        "correct the list",
    ),
    "pk_case_filing_check": ("a case that was checked already", "one check of a case and list", "leave it"),
    "pk_case_objection_answer": ("an objection that was answered", "one answer", "leave it"),
    "fk_case_objection_answer_objection": (
        "no objection of that number",
        "an objection",
        "correct the number",
    ),
    "ck_case_objection_state_code": (
        "a case that is not public, or is filed",
        "an objection while it is public and not filed",
        "of a case in payment, suspend it or propose its exit",
    ),
    "ck_case_meeting_state_code": ("a case that is not applied for", "a case to assess", "look at the case"),
}
ANY_NOT_TO_COME = ("a day that is to come", "a day up to the day on which it is recorded", "correct the day")
ANY_BLANK = ("no person or no reason", "who did it and why", "give both")


@contextmanager
def case_session(settings: Settings) -> Iterator[Connection]:
    """Give a connection in one transaction; what the registry refuses in it comes out as a refusal.

    Raises:
        Refusal: the registry refused what was written.
    """
    settings.refuse_in_shadow("a step of a case")
    try:
        with registry_session(settings) as connection:
            yield connection
    except sa.exc.IntegrityError as error:
        raise _refusal_of(error) from None


def _refusal_of(error: sa.exc.IntegrityError) -> Refusal:
    said = getattr(error.orig, "diag", None)
    message, name = getattr(said, "message_primary", None) or "", getattr(said, "constraint_name", None) or ""
    if WRITTEN.fullmatch(message):
        return Refusal.read(message)
    if name.endswith("_not_to_come"):
        found, expected, to_do = ANY_NOT_TO_COME
    elif name.endswith(("_reason", "_recorded_by")):
        found, expected, to_do = ANY_BLANK
    else:
        found, expected, to_do = SAID.get(
            name,
            (f"a row that {name or 'a constraint'} forbids", "a row that the registry takes", "correct it"),
        )
    return Refusal(name or "case_refused", found=found, expected=expected, to_do=to_do)
