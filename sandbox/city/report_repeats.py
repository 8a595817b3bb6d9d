"""Births reported twice, and certificates issued again: rows of their own beside the first record."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, years_of
from sandbox.city.child_facts import certificate_numbers
from sandbox.city.lettering import chosen
from sandbox.city.planting import DEFECTS, UNDETECTABLE, Draft
from sandbox.city.report_rows import HOSPITALS, delivery_ids, record_ids, written_day, written_second

# Serials of repeated records and their deliveries, far from those of first records.
REPEATED = 500_000_000


@dataclass
class Repeats:
    """Rows to be copied from their first records, with what differs."""

    first_rows: Column
    changes: list[tuple[Column, dict[str, pa.Array]]]
    defects: pa.Table

    def rows(self, reports: pa.Table) -> pa.Table:
        """Write the repeated records; `reports` are the first ones as delivered."""
        parts = []
        for rows, changed in self.changes:
            part = reports.take(pa.array(rows))
            for name, values in changed.items():
                place = part.column_names.index(name)
                part = part.set_column(place, name, values.cast(part.schema.field(name).type))
            parts.append(part)
        return pa.concat_tables(parts)


def with_repeats(
    rng: Generator, draft: Draft, living: Column, business_date: np.datetime64, next_certificate: int
) -> Repeats:
    """Choose the births that are reported twice and the certificates that are issued again.

    A replaced first record is marked so, with the time of the new issue.
    """
    delivered = draft.rows["delivered_on"].to_numpy(zero_copy_only=False)
    twice = draft.pick(rng, "duplicate_report", living)
    again = draft.pick(
        rng, "reissued", living & (delivered < business_date), of=int(np.count_nonzero(living))
    )
    serials = REPEATED + np.arange(len(twice) + len(again))
    numbers = certificate_numbers(
        years_of(delivered[np.concatenate([twice, again])]), next_certificate + np.arange(len(serials))
    )
    ids = record_ids(serials)
    reported = _second_reports(rng, draft, twice, serials[: len(twice)], ids, numbers)
    reissued = _new_issues(rng, draft, again, ids[len(twice) :], numbers[len(twice) :], business_date)
    named = [("duplicate_report", ids[: len(twice)]), ("reissued", ids[len(twice) :])]
    entries = [
        {"dataset": "mch_birth", "key": key, "defect": defect, "severity": UNDETECTABLE}
        for defect, keys in named
        for key in keys.to_pylist()
    ]
    draft.is_clean[np.concatenate([twice, again])] = False
    return Repeats(
        np.concatenate([twice, again]),
        [(twice, reported), (again, reissued)],
        pa.Table.from_pylist(entries, DEFECTS),
    )


def _second_reports(
    rng: Generator, draft: Draft, rows: Column, serials: Column, ids: pa.Array, numbers: pa.Array
) -> dict[str, pa.Array]:
    first = np.array(draft.values("reported_at")[rows], dtype="datetime64[s]")
    reported = first + rng.integers(3600, 12 * 86400, len(rows)).astype("timedelta64[s]")
    hospital = rng.integers(0, len(HOSPITALS), len(rows))
    codes = draft.values("birth_division")[rows]
    times = written_second(reported)
    return {
        "record_id": ids[: len(rows)],
        "delivery_id": delivery_ids(serials),
        "birth_cert_no": numbers[: len(rows)],
        "midwife_org_code": pa.array(
            [f"{code}{100 + h}" for code, h in zip(codes, hospital, strict=True)], pa.string()
        ),
        "midwife_org_name": chosen([f"北京市第二{name}" for name in HOSPITALS], hospital),
        "issue_date": written_day(reported.astype("datetime64[D]")),
        "reported_at": times,
        "updated_at": times,
        "delivered_on": pa.array(reported.astype("datetime64[D]")),
    }


def _new_issues(
    rng: Generator, draft: Draft, rows: Column, ids: pa.Array, numbers: pa.Array, business_date: np.datetime64
) -> dict[str, pa.Array]:
    first = np.array([text[:10] for text in draft.values("reported_at")[rows]], dtype="datetime64[D]")
    span = np.minimum((business_date - first).astype(np.int64), 60)
    issued = first + (1 + np.floor(rng.random(len(rows)) * span)).astype("timedelta64[D]")
    times = written_second(
        issued.astype("datetime64[s]") + rng.integers(30_000, 60_000, len(rows)).astype("timedelta64[s]")
    )
    old = pa.array(draft.values("birth_cert_no")[rows], pa.string())
    draft.values("status")[rows] = "3"
    draft.values("updated_at")[rows] = times.to_pylist()
    draft.values("delivered_on")[rows] = issued.astype(object)
    return {
        "record_id": ids,
        "birth_cert_no": numbers,
        "issue_kind": chosen("23", (rng.random(len(rows)) < 0.3).astype(np.int8)),
        "previous_cert_no": old,
        "issue_date": written_day(issued),
        "status": chosen("1", np.zeros(len(rows))),
        "updated_at": times,
        "delivered_on": pa.array(issued),
    }
