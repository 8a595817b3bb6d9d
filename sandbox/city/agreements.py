"""What each partner agreed to deliver: the dataset, its columns on the wire, and how files are written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from connectors.settings import Settings
from sandbox.city.report_rows import DROP_COLUMNS
from sandbox.partners.drops import Drop, leave_drop
from sandbox.partners.wire import WIRE_DEFECT, Encoding, Wire

SERVICE_COLUMNS = (
    "reg_no", "kind", "child_order", "wife_name", "wife_id_type", "wife_id_number", "wife_marital",
    "wife_hukou_division", "wife_residence_division", "husband_name", "husband_id_type",
    "husband_id_number", "husband_hukou_division", "marriage_date", "existing_children",
    "pregnancy_status", "pregnancy_weeks", "due_date", "born_already", "birth_cert_no",
    "confirm_reason", "channel", "applied_at", "accepted_at", "decided_at", "state", "reject_reason",
    "handling_unit", "printed_at", "updated_at",
)  # fmt: skip
MIGRANT_COLUMNS = (
    "registration_id", "name", "sex", "birth_date", "id_type", "id_number", "nation", "marital_status",
    "hukou_division", "residence_division", "inflow_date", "outflow_date", "spouse_name",
    "spouse_id_type", "spouse_id_number", "children_total", "cert_no", "cert_state", "phone", "state",
    "updated_at",
)  # fmt: skip
BANK_COLUMNS = (
    "disb_id", "batch_no", "fiscal_year", "case_no", "scheme", "category", "amount_fen", "account_holder",
    "bank_code", "bank_account", "bank_result", "bank_result_at", "updated_at",
)  # fmt: skip
CASE_COLUMNS = (
    "case_no", "scheme", "category", "apply_year", "first_year", "person_id", "name", "id_number",
    "hukou_division", "start_month", "end_month", "state", "exit_reason", "padis_state", "padis_period",
    "padis_batch_id", "updated_at",
)  # fmt: skip
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "gbk", "gb18030")


@dataclass(frozen=True)
class Agreement:
    """One partner's dataset; `has_silent_days` if it leaves a drop only when it has something to say."""

    partner: str
    dataset: str
    columns: tuple[str, ...]
    wire_on: Callable[[date], Wire]
    has_silent_days: bool = False

    @property
    def key(self) -> str:
        """Name the key, which is the first column."""
        return self.columns[0]


def _service_wire(day: date) -> Wire:
    """Alternate the formats by the day, once a week in a ZIP; go round the encodings by the pair of days."""
    number = day.toordinal()
    encoding = ENCODINGS[number // 2 % len(ENCODINGS)]
    if number % 7 == 0:
        return Wire("zip", encoding)
    return Wire("xml" if number % 2 else "csv", encoding)


AGREEMENTS = (
    Agreement("mch", "mch_birth", DROP_COLUMNS, lambda day: Wire("csv", "utf-8")),
    Agreement("service", "birth_service", SERVICE_COLUMNS, _service_wire),
    Agreement("migrants", "migrant_registration", MIGRANT_COLUMNS, lambda day: Wire("zip", "gb18030")),
    Agreement("bank", "bank_return", BANK_COLUMNS, lambda day: Wire("csv", "gbk"), has_silent_days=True),
    Agreement(
        "cases", "beneficiary_case", CASE_COLUMNS, lambda day: Wire("csv", "utf-8"), has_silent_days=True
    ),
)


def leave_drop_of(settings: Settings, agreement: Agreement, rows: pa.Table, day: date) -> int | None:
    """Leave what a partner delivers on a day, sorted by key; None where it has nothing to say.

    Of the columns of `rows` those of the agreement are delivered; `wire_defect` may stand beside them.
    """
    if agreement.has_silent_days and rows.num_rows == 0:
        return None
    columns = [*agreement.columns]
    if WIRE_DEFECT in rows.column_names:
        columns.append(WIRE_DEFECT)
    sent = rows.select(columns).sort_by(agreement.key)
    wire = agreement.wire_on(day)
    return leave_drop(settings, Drop(agreement.partner, agreement.dataset, agreement.key, day, sent, wire))
