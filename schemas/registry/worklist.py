"""Tables of zone `worklist`: what people have to decide."""

from sqlalchemy import ARRAY, Column, Date, Index, Table, Text

from schemas.registry.declare import METADATA, history, key_text

TASK = Table(
    "task",
    METADATA,
    key_text("task_id", "任务编号 · digest of kind and subject"),
    *history(),
    Column(
        "process_name", Text, nullable=False, comment="来源流程 · process that found it: births or subsidy"
    ),
    Column("kind_code", Text, nullable=False, comment="任务类型 · see docs/glossary.md"),
    Column("subject_id", Text, nullable=False, comment="对象 · surrogate: match_id, or programme:person key"),
    Column("division_code", Text, nullable=False, comment="责任区划 · 12 digits"),
    Column("level_code", Text, nullable=False, comment="责任级别 · 1 city, 2 district, 3 town, 4 village"),
    Column("due_date", Date, nullable=False, comment="截止日 · due date"),
    Column("detail_codes", ARRAY(Text), nullable=False, comment="要点 · fields or documents in question"),
    schema="worklist",
    comment="待办任务 · one row per task; closed when recorded_to is set",
)
Index("ix_task_division_code", TASK.c.division_code)

TASK_CLOSING = Table(
    "task_closing",
    METADATA,
    key_text("task_id", "任务编号 · task that ended"),
    Column(
        "business_date",
        Date,
        primary_key=True,
        comment="业务日 · first business date on which it was no longer open",
    ),
    Column("process_name", Text, nullable=False, comment="来源流程 · process that closed it"),
    Column("cause_code", Text, nullable=False, comment="关闭原因 · see docs/glossary.md"),
    schema="worklist",
    comment="任务关闭 · one row per end of a task; a task may be opened again",
)
