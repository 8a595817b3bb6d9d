"""Annual review: one person acts for one level; what is signed or checked was known and whole by then."""

import re
from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

GUARDS = Path(__file__).with_suffix(".sql")
CREATED = (
    "guard_annual_move()",
    "annual_known_above(subsidy.annual_sign)",
    "check_annual_signed(subsidy.annual_sign)",
    "digits_of(text)",
    "annual_result(integer, text, text)",
    "annual_visit_holds(text, date, text[])",
    "hold_annual(integer, text)",
    "check_annual_person(integer, text, text, text)",
    "account_of(text)",
)
# Functions that stood before, by the file that has them as they were.
REPLACED = {
    "0024_life_of_a_case.sql": ("different_accounts", "check_level"),
    "0024_annual_review.sql": (
        "annual_result", "guard_annual_visit", "check_annual_beneath", "guard_annual_sign",
        "list_annual_cases", "guard_annual_check",
    ),
}  # fmt: skip


def upgrade() -> None:
    """Apply this revision."""
    _run(GUARDS.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take this revision back: the guards are those of the life of a case again."""
    op.execute("DROP TRIGGER annual ON subsidy.case_step")
    for signature in CREATED:
        op.execute(f"DROP FUNCTION subsidy.{signature}")
    for file, names in REPLACED.items():
        text = GUARDS.with_name(file).read_text(encoding="utf-8")
        for name in names:
            (made,) = re.findall(
                rf"^CREATE FUNCTION (subsidy\.{name}\(.*?^\$\$;$)", text, re.DOTALL | re.MULTILINE
            )
            _run(f"CREATE OR REPLACE FUNCTION {made}")


def _run(statements: str) -> None:
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
