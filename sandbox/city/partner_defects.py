"""The defects of what partners deliver, as `defect_rates.csv` says they are planted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.chance import Column, stream
from sandbox.city.names import RARE_CHARACTERS
from sandbox.city.person_defects import shortened
from sandbox.city.places import all_known_counties, predecessors
from sandbox.city.planting import Draft
from sandbox.partners.drops import NO_KEY
from sandbox.partners.wire import TOO_FEW, TOO_MANY, WIRE_DEFECT

OTHER_CATEGORY = {"J": "death", "T": "one_child"}
Change = Callable[[Generator, Draft, int, Any], Any]
Fit = Callable[[Draft], Column]


@dataclass(frozen=True)
class Plant:
    """One defect: the column it is put into, how a value is changed, and which rows lend themselves."""

    defect: str
    column: str
    change: Change
    fits: Fit | None = None


def _nothing(rng: Generator, draft: Draft, row: int, value: Any) -> None:  # noqa: ANN401
    return None


def _wrong_check(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return value[:-1] + str(rng.choice([c for c in "0123456789X" if c != value[-1]]))


def _short(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return shortened(value)


def _unknown_division(rng: Generator, draft: Draft, row: int, value: str) -> str:
    never = [code for code in range(110120, 110200) if code not in all_known_counties()]
    return f"{rng.choice(never)}{value[6:]}"


def _retired_division(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return str(rng.choice(_retired()[value[:6]])) + value[6:]


def _rare(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return value[:-1] + str(rng.choice(RARE_CHARACTERS))


def _spaced(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return value[0] + "\u3000" + value[1:]


def _later(days: int) -> Change:
    def change(rng: Generator, draft: Draft, row: int, value: str) -> str:
        delivered: date = draft.rows["delivered_on"][row].as_py()
        later = delivered + timedelta(days=days + int(rng.integers(0, 300)))
        return later.isoformat() + value[10:]

    return change


def _moved(column: str, days: int) -> Change:
    def change(rng: Generator, draft: Draft, row: int, value: str) -> str:
        base = date.fromisoformat(str(draft.values(column)[row])[:10])
        return (base + timedelta(days=days)).isoformat()

    return change


def _always(text: str) -> Change:
    return lambda rng, draft, row, value: text


def _other_category(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return OTHER_CATEGORY[draft.values("scheme")[row]]


def _of_another(rng: Generator, draft: Draft, row: int, value: str) -> str:
    numbers = draft.rows["id_number"]
    while True:
        other = numbers[int(rng.integers(0, len(numbers)))].as_py()
        if other is not None and other != value:
            return str(other)


def _is_filled(column: str) -> Fit:
    return lambda draft: _mask(draft.rows[column].is_valid())


def _is_resident_id(column: str) -> Fit:
    return lambda draft: _mask(pc.equal(pc.utf8_length(draft.rows[column]), 18))


def _is_of_last_century(column: str) -> Fit:
    def fits(draft: Draft) -> Column:
        century = _mask(pc.equal(pc.utf8_slice_codeunits(draft.rows[column], 6, 8), "19"))
        return century & _is_resident_id(column)(draft)

    return fits


def _had_another_code(column: str) -> Fit:
    def fits(draft: Draft) -> Column:
        retired = pa.array([*_retired()], pa.string())
        return _mask(pc.is_in(pc.utf8_slice_codeunits(draft.rows[column], 0, 6), retired))

    return fits


def _is(column: str, *values: str) -> Fit:
    return lambda draft: _mask(pc.is_in(draft.rows[column], pa.array(values, pa.string())))


def _mask(found: pa.ChunkedArray) -> Column:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool).copy()


def _other_sex(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return "21"[int(value) - 1]


def _residence(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return str(draft.values("residence_division")[row])


def _a_day_off(rng: Generator, draft: Draft, row: int, value: str) -> str:
    return (date.fromisoformat(value) - timedelta(days=int(rng.integers(1, 31)))).isoformat()


def _has_others(draft: Draft) -> Column:
    """Let everything fit, as long as there are others whose number could be taken."""
    return _is_resident_id("id_number")(draft) & (len(pc.unique(draft.rows["id_number"])) > 2)


# fmt: off
PLANTS: dict[str, tuple[Plant, ...]] = {
    "birth_service": (
        Plant("applied_in_future", "applied_at", _later(400)),
        Plant("child_order_impossible", "child_order", _always("0")),
        Plant("state_unknown", "state", _always("8")),
        Plant("wife_id_check_digit_wrong", "wife_id_number", _wrong_check, _is_resident_id("wife_id_number")),
        Plant("wife_id_missing", "wife_id_number", _nothing),
        Plant("id_15_digits", "husband_id_number", _short, _is_of_last_century("husband_id_number")),
        Plant("division_unknown", "wife_residence_division", _unknown_division),
        Plant("division_retired", "handling_unit", _retired_division, _had_another_code("handling_unit")),
        Plant("name_rare_character", "wife_name", _rare),
        Plant("full_width_or_spaces", "husband_name", _spaced),
        Plant("child_order_conflict", "child_order", lambda r, d, n, value: str(int(value) + 1)),
        Plant("spouse_conflict", "husband_id_number", lambda r, d, n, value: _neighbour(d, n),
              _is_resident_id("husband_id_number")),
    ),
    "migrant_registration": (
        Plant("future_birth_date", "birth_date", _later(400)),
        Plant("inflow_in_future", "inflow_date", _later(400)),
        Plant("outflow_before_inflow", "outflow_date", _moved("inflow_date", -30), _is("state", "2")),
        Plant("id_check_digit_wrong", "id_number", _wrong_check, _is_resident_id("id_number")),
        Plant("id_15_digits", "id_number", _short, _is_of_last_century("id_number")),
        Plant("birth_date_not_in_id", "birth_date", _a_day_off, _is_resident_id("id_number")),
        Plant("sex_not_in_id", "sex", _other_sex, _is_resident_id("id_number")),
        Plant("division_unknown", "residence_division", _unknown_division),
        Plant("division_retired", "residence_division", _retired_division,
              _had_another_code("residence_division")),
        Plant("hukou_in_city", "hukou_division", _residence),
        Plant("inflow_date_missing", "inflow_date", _nothing),
        Plant("certificate_number_missing", "cert_no", _nothing, _is("cert_state", "1", "2", "3")),
        Plant("name_rare_character", "name", _rare),
        Plant("full_width_or_spaces", "name", _spaced),
    ),
    "bank_return": (
        Plant("amount_negative", "amount_fen", lambda r, d, n, value: f"-{value}"),
        Plant("result_in_future", "bank_result_at", _later(400)),
        Plant("result_unknown", "bank_result", _always("9")),
        Plant("category_of_other_programme", "category", _other_category),
        Plant("account_missing", "bank_account", _nothing),
        Plant("account_malformed", "bank_account", lambda r, d, n, value: f"{value[:-2]}XX"),
        Plant("name_rare_character", "account_holder", _rare),
        Plant("full_width_or_spaces", "account_holder", _spaced),
    ),
    "beneficiary_case": (
        Plant("category_of_other_programme", "category", _other_category),
        Plant("apply_year_impossible", "apply_year", _always("2999")),
        Plant("start_month_unreadable", "start_month", lambda r, d, n, value: f"{value[:4]}年{value[5:7]}月"),
        Plant("end_before_start", "end_month", _moved("start_month", -31), _is("state", "1", "2")),
        Plant("month_not_first", "start_month", lambda r, d, n, value: f"{value[:8]}15"),
        Plant("padis_batch_missing", "padis_batch_id", _nothing, _is("padis_state", "30", "40", "50")),
        Plant("id_missing", "id_number", _nothing),
        Plant("id_check_digit_wrong", "id_number", _wrong_check, _is_resident_id("id_number")),
        Plant("id_15_digits", "id_number", _short, _is_of_last_century("id_number")),
        Plant("id_of_another", "id_number", _of_another, _has_others),
        Plant("division_retired", "hukou_division", _retired_division, _had_another_code("hukou_division")),
        Plant("name_rare_character", "name", _rare),
    ),
}
# fmt: on


def partner_defects(
    seed: int, dataset: str, key: str, rows: pa.Table, multiplier: float
) -> tuple[pa.Table, pa.Table]:
    """Plant the defects of a partner's rows; give the rows as delivered and the list of defects.

    `wire_defect` is added to the columns: what a row suffers on its way out.
    """
    rng = stream(seed, f"{dataset} defects")
    rows = rows.append_column(WIRE_DEFECT, pa.nulls(rows.num_rows, pa.string()))
    draft = Draft(dataset, key, rows, multiplier)
    for plant in PLANTS[dataset]:
        fits = (plant.fits or _is_filled(plant.column))(draft)
        chosen = draft.pick(rng, plant.defect, fits)
        values = draft.values(plant.column)
        planted = [plant.change(rng, draft, int(row), values[row]) for row in chosen]
        draft.plant(plant.defect, chosen, plant.column, planted)
    _cut_rows(rng, draft)
    return draft.finished()


def _cut_rows(rng: Generator, draft: Draft) -> None:
    """Let rows lose a column on their way, or gain one, or lose their key."""
    everything = np.ones(draft.rows.num_rows, dtype=bool)
    rows = draft.pick(rng, "malformed_row", everything)
    kinds: Sequence[str] = [(TOO_FEW, TOO_MANY)[number % 2] for number in range(len(rows))]
    draft.plant("malformed_row", rows, WIRE_DEFECT, list(kinds))
    rows = draft.pick(rng, "key_missing", everything)
    draft.plant("key_missing", rows, WIRE_DEFECT, [NO_KEY] * len(rows))


def _neighbour(draft: Draft, row: int) -> str:
    """Take the husband of another registration."""
    others = draft.rows["husband_id_number"].drop_null()
    return str(others[(row + 1) % len(others)])


@lru_cache(maxsize=1)
def _retired() -> dict[str, list[str]]:
    found = {str(now): [str(code) for code in codes if code != now] for now, codes in predecessors().items()}
    return {now: codes for now, codes in found.items() if codes}
