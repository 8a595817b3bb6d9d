"""The tables of the registry: state that people and partners act on.

One schema of the database per zone, one module here per schema. Tables with `recorded_from`/`recorded_to`
hold what was known on each business date (start included, end excluded, an open end is NULL); they are
written only through `connectors.registry`, so that a rerun of a date replaces what it wrote.
Migrations under `sql/migrations/` must produce exactly these tables; a test compares them.
"""

from schemas.registry.annual import (
    ANNUAL_CASE,
    ANNUAL_CHECK,
    ANNUAL_RECORDS,
    ANNUAL_SIGN,
    ANNUAL_VISIT,
)
from schemas.registry.audit import DEADLINE, LOCK_HOLDER, NOTICE, REBUILD, ROSTER_PRINT, STEP_RUN
from schemas.registry.births import BIRTH_ANSWER, BIRTH_MATCH, LINK_REVIEW, PAIR_VERDICT
from schemas.registry.case_life import (
    CASE_FILING,
    CASE_FILING_CASE,
    CASE_FILING_CHECK,
    CASE_LIFE,
    CASE_MEETING,
    CASE_OBJECTION,
    CASE_OBJECTION_ANSWER,
    CASE_STEP,
    LIFE_LIMIT,
    LIFE_RECORDS,
    LIFE_RULES,
    LIFE_STEP,
)
from schemas.registry.cases import CASE, CASE_REVIEW
from schemas.registry.core import DATASET_VERSION, DROP, LANDING, RULE_RESULT, STATE_DATE, SUCCESSION
from schemas.registry.declare import METADATA
from schemas.registry.exchange import (
    ACCEPTED,
    ANSWER,
    ATTEMPT,
    BATCH,
    COUNTERSIGN,
    FILING_STEP,
    PREDICTED_CODE,
    PREDICTED_RECORD,
    PREDICTION,
    PREDICTIONS,
    RECEIPT,
    RECORD,
    RESUBMISSION,
    SHARED_ANSWER,
    SHARED_ITEM,
)
from schemas.registry.mart import COUNTED_STATE, RELEASE
from schemas.registry.quality import (
    EXPECTATION_COUNT,
    GIVEN_UP_ROW,
    SCORE,
    SHARE_ACCEPTANCE,
    TICKET,
    TICKET_CLOSING,
)
from schemas.registry.subsidy import APPLICATION, DECISION, DECISION_RUN, FORECAST, POLICY_FILE
from schemas.registry.worklist import TASK, TASK_CLOSING

ZONES = ("core", "births", "subsidy", "worklist", "exchange", "quality", "mart", "audit")

__all__ = [
    "ACCEPTED",
    "ANNUAL_CASE",
    "ANNUAL_CHECK",
    "ANNUAL_RECORDS",
    "ANNUAL_SIGN",
    "ANNUAL_VISIT",
    "ANSWER",
    "APPLICATION",
    "ATTEMPT",
    "BATCH",
    "BIRTH_ANSWER",
    "BIRTH_MATCH",
    "CASE",
    "CASE_FILING",
    "CASE_FILING_CASE",
    "CASE_FILING_CHECK",
    "CASE_LIFE",
    "CASE_MEETING",
    "CASE_OBJECTION",
    "CASE_OBJECTION_ANSWER",
    "CASE_REVIEW",
    "CASE_STEP",
    "COUNTED_STATE",
    "COUNTERSIGN",
    "DATASET_VERSION",
    "DEADLINE",
    "DECISION",
    "DECISION_RUN",
    "DROP",
    "EXPECTATION_COUNT",
    "FILING_STEP",
    "FORECAST",
    "GIVEN_UP_ROW",
    "LANDING",
    "LIFE_LIMIT",
    "LIFE_RECORDS",
    "LIFE_RULES",
    "LIFE_STEP",
    "LINK_REVIEW",
    "LOCK_HOLDER",
    "METADATA",
    "NOTICE",
    "PAIR_VERDICT",
    "POLICY_FILE",
    "PREDICTED_CODE",
    "PREDICTED_RECORD",
    "PREDICTION",
    "PREDICTIONS",
    "REBUILD",
    "RECEIPT",
    "RECORD",
    "RELEASE",
    "RESUBMISSION",
    "ROSTER_PRINT",
    "RULE_RESULT",
    "SCORE",
    "SHARED_ANSWER",
    "SHARED_ITEM",
    "SHARE_ACCEPTANCE",
    "STATE_DATE",
    "STEP_RUN",
    "SUCCESSION",
    "TASK",
    "TASK_CLOSING",
    "TICKET",
    "TICKET_CLOSING",
    "ZONES",
]
