"""How tables of the registry are declared: names of constraints, keys, history."""

from sqlalchemy import Column, Date, MetaData, Text

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
