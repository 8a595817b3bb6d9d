"""Which answers of other systems hold on a date, and which tasks they end."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from etl.births.feedback import Feedback, feedback_on

TODAY = date(2026, 6, 1)
MATCHES = pa.table({"match_id": ["b1"], "evidence_sha256": ["as it was"]})
FIELDS = pa.table(
    {
        "match_id": ["b1", "b1"],
        "field_name": ["birth_date", "sex"],
        "proposed_to": ["population", None],
        "proposal_sha256": ["as proposed", None],
    }
)


def said(**told: Any) -> dict[str, Any]:
    return {
        "kind_code": "correction", "addressee_code": "population", "subject_id": "s", "match_id": "b1",
        "field_name": "birth_date", "evidence_sha256": "as proposed", "state_code": "30",
        "answered_on": TODAY - timedelta(days=1),
    } | told  # fmt: skip


# fmt: off
HELD = [
    # answer                                                        -> holds
    (said(),                                                           "30"),
    (said(state_code="31"),                                            "31"),
    (said(evidence_sha256="as it was before"),                         None),
    (said(field_name="sex"),                                           None),
    (said(addressee_code="mch"),                                       None),
    (said(answered_on=TODAY - timedelta(days=30)),                     "30"),
    (said(answered_on=TODAY - timedelta(days=31)),                     None),
    (said(state_code="31", answered_on=TODAY - timedelta(days=31)),    "31"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "holds"), HELD)
def test_an_answer_about_a_correction_holds_while_the_same_is_proposed(
    answer: Any, holds: str | None
) -> None:
    corrections = feedback_on([answer], MATCHES, FIELDS, TODAY).corrections
    assert corrections.get(("b1", answer["field_name"])) == holds


@pytest.mark.parametrize(("evidence", "holds"), [("as it was", "30"), ("otherwise", None)])
def test_a_to_do_stays_done_while_the_birth_is_as_it_was(evidence: str, holds: str | None) -> None:
    answer = said(kind_code="task", subject_id="t1", field_name=None, evidence_sha256=evidence)
    assert feedback_on([answer], MATCHES, FIELDS, TODAY).todos.get("t1") == holds


CONFLICT = {
    "task_id": "t1",
    "kind_code": "birth_conflict",
    "subject_id": "b1",
    "detail_codes": ["birth_date"],
}
TODO = {"task_id": "t2", "kind_code": "birth_to_beneficiary", "subject_id": "b1", "detail_codes": ["T"]}


def corrected(**words: str) -> Feedback:
    return Feedback({("b1", name): word for name, word in words.items()}, {})


ACCEPTED, REFUSED = "correction_accepted", "correction_refused"
# fmt: off
ENDS = [
    # task,    feedback,                             prevailing fields      -> cause, details
    (CONFLICT, corrected(birth_date="30"),           ["birth_date"],        ACCEPTED, ["birth_date"]),
    (CONFLICT, corrected(birth_date="30"),           ["birth_date", "sex"], None, ["birth_date"]),
    (CONFLICT, corrected(birth_date="30", sex="30"), ["birth_date", "sex"], ACCEPTED, ["birth_date"]),
    (CONFLICT, corrected(birth_date="30", sex="31"), ["birth_date", "sex"], None, ["birth_date", REFUSED]),
    (CONFLICT, Feedback({}, {}),                     ["birth_date"],        None, ["birth_date"]),
    (TODO,     corrected(birth_date="30"),           ["birth_date"],        None, ["T"]),
    (TODO,     Feedback({}, {"t2": "30"}),           [],                    "done_elsewhere", ["T"]),
    (TODO,     Feedback({}, {"t2": "31"}),           [],                    None, ["T", "handed_back"]),
]
# fmt: on


@pytest.mark.parametrize(("task", "feedback", "prevailing", "cause", "details"), ENDS)
def test_what_was_answered_ends_a_task_or_is_told_in_it(
    task: Any, feedback: Feedback, prevailing: list[str], cause: str | None, details: list[str]
) -> None:
    assert feedback.cause(task, prevailing) == cause
    assert feedback.details(task, prevailing) == details
