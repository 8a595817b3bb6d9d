"""Cases in payment before us, drawn in a test and published as the steps before the import do."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import registry_session
from connectors.settings import Settings

Row = dict[str, Any]
STAGED = pa.schema(
    [
        *((name, pa.string()) for name in ("case_number", "programme_code", "category_code")),
        *((name, pa.int32()) for name in ("apply_year", "first_year")),
        *((name, pa.string()) for name in ("person_id", "name", "id_number", "hukou_division_code")),
        *((name, pa.date32()) for name in ("start_month", "end_month")),
        *((name, pa.string()) for name in ("state_code", "exit_reason_code")),
        *((name, pa.string()) for name in ("padis_state_code", "padis_period", "padis_batch_id")),
        ("source_updated_at", pa.timestamp("us")),
        ("landing_id", pa.string()),
        ("landing_row", pa.int64()),
        ("failed_rules", pa.list_(pa.string())),
    ]
)
QUARANTINED = pa.schema(
    [("case_no", pa.string()), ("landing_id", pa.string()), ("landing_row", pa.int64()),
     ("failed_rules", pa.list_(pa.string()))]
)  # fmt: skip


def case(number: int, **said: Any) -> Row:
    """Draw a case of special assistance that PADIS has published and that is in payment."""
    return {
        "case_number": f"BJ-T-{number:05d}", "programme_code": "T", "category_code": "death",
        "apply_year": 2019, "first_year": 2020, "person_id": f"1101010010010{number:07d}",
        "hukou_division_code": "110101001001", "start_month": date(2020, 1, 1), "state_code": "1",
        "padis_state_code": "50", "padis_period": "2025", "padis_batch_id": "T_110000_2025_A_0001",
        "source_updated_at": datetime.fromisoformat("2025-12-31 00:00"),
        "landing_id": "0" * 16, "landing_row": number,
        "failed_rules": [],
    } | said  # fmt: skip


def publish_cases(
    settings: Settings, cases: Sequence[Row], business_date: date, *, refused: Sequence[Row] = ()
) -> None:
    """Publish the accepted cases and those in quarantine."""
    counts = Reconciled(len(cases) + len(refused), len(cases), len(refused))
    staged = pa.Table.from_pylist(sorted(cases, key=lambda row: row["case_number"]), schema=STAGED)
    quarantined = pa.Table.from_pylist(list(refused), schema=QUARANTINED)
    with registry_session(settings) as connection:
        for zone, table in (("staging", staged), ("quarantine", quarantined)):
            name = f"{zone}.beneficiary_case"
            publish_dataset(
                connection, settings, name, table, business_date, counts=counts, inputs=["0" * 16]
            )
