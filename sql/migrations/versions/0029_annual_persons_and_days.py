"""Annual review: one person acts for one level, and what is signed or checked was known and whole by then."""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

GUARDS = Path(__file__).with_suffix(".sql")
BEFORE = Path(__file__).with_name("0024_annual_review.sql")
FUNCTIONS = (
    "check_annual_signed(subsidy.annual_sign)",
    "annual_known_on(integer, text, text)",
    "hold_annual(integer, text)",
    "check_annual_person(integer, text, text, text)",
    "annual_levels_of(integer, text, text)",
)


def upgrade() -> None:
    """Apply this revision."""
    _run(GUARDS.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take this revision back: the guards are those of the life of a case again."""
    functions, _ = BEFORE.read_text(encoding="utf-8").split("DO $$", maxsplit=1)
    _run(functions.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION subsidy.{signature}")


def _run(statements: str) -> None:
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
