"""How tables of the registry are declared: names of constraints, keys, history, who did it."""

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Integer, MetaData, Text

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def key_text(name: str, comment: str) -> Column[str]:
    """Declare a text that is part of the key."""
    return Column(name, Text, primary_key=True, comment=comment)


def history() -> tuple[Column[object], Column[object]]:
    """Declare from which business date on, and until when, a row was known."""
    return (
        Column("recorded_from", Date, primary_key=True, comment="知悉起始业务日 · first business date known"),
        Column("recorded_to", Date, comment="知悉截止业务日(不含) · first business date no longer held"),
    )


def number(name: str, comment: str) -> Column[int]:
    """Declare a number that is part of the key."""
    return Column(name, Integer, primary_key=True, autoincrement=False, comment=comment)


def who_and_when() -> tuple[Column[str], Column[object], CheckConstraint]:
    """Declare who put a row on record, and when."""
    return (
        Column("recorded_by", Text, nullable=False, comment="经办人 · who did it"),
        Column("recorded_at", DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        CheckConstraint("btrim(recorded_by) <> ''", name="recorded_by"),
    )


def why(comment: str) -> tuple[Column[str], CheckConstraint]:
    """Declare a reason, which nobody may leave blank."""
    return (
        Column("reason", Text, nullable=False, comment=comment),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
    )
