"""The defects of persons and children, as `defect_rates.csv` says they are planted."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.chance import Column, rows_picked, stream
from sandbox.city.identities import person_ids
from sandbox.city.names import RARE_CHARACTERS
from sandbox.city.places import all_known_counties, predecessors
from sandbox.city.planting import Draft

FULL_WIDTH = {code: code - 0x20 + 0xFF00 for code in range(0x21, 0x7F)}
NOT_A_PERSON = 900_000_000


def persons_with_defects(
    seed: int, persons: pa.Table, business_date: np.datetime64, multiplier: float
) -> tuple[pa.Table, pa.Table]:
    """Plant the defects of persons; give the rows as delivered and the list of defects."""
    rng = stream(seed, "person defects")
    draft = Draft("population_person", "person_id", persons, multiplier)
    births = draft.values("birth_date").astype("datetime64[D]")
    has_id = pc.equal(persons["id_type"], "01").to_numpy(zero_copy_only=False)
    everybody = np.ones(persons.num_rows, dtype=bool)
    _plant_copies(rng, draft, has_id, births)
    _plant_wrong_check(rng, draft, has_id)
    _plant_short_numbers(rng, draft, has_id & (births < np.datetime64("1970-01-01")))
    _plant_other_birth_dates(rng, draft, has_id, births, business_date)
    flipped = draft.pick(rng, "sex_not_in_id", has_id, of=persons.num_rows)
    draft.plant("sex_not_in_id", flipped, "sex", ["21"[int(sex) - 1] for sex in draft.values("sex")[flipped]])
    _plant_unknown_divisions(rng, draft, everybody)
    _plant_retired_divisions(rng, draft)
    rare = draft.pick(rng, "name_rare_character", everybody)
    draft.plant(
        "name_rare_character", rare, "name", [_rarely(rng, name) for name in draft.values("name")[rare]]
    )
    _plant_odd_width(rng, draft, has_id)
    future = draft.pick(rng, "future_birth_date", everybody)
    days = business_date + rng.integers(400, 3000, len(future)).astype("timedelta64[D]")
    draft.plant("future_birth_date", future, "birth_date", days.astype(object))
    return draft.finished()


def children_with_defects(
    seed: int, children: pa.Table, business_date: np.datetime64, multiplier: float
) -> tuple[pa.Table, pa.Table]:
    """Plant the defects of children; give the rows as delivered and the list of defects."""
    rng = stream(seed, "child defects")
    draft = Draft("family_child", "relation_id", children, multiplier)
    orphans = draft.pick(rng, "orphan_mother_id", np.ones(children.num_rows, dtype=bool))
    nobody = person_ids(NOT_A_PERSON + np.arange(len(orphans)))
    draft.plant("orphan_mother_id", orphans, "mother_person_id", nobody.to_pylist())
    births = children["child_birth_date"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    under_10 = births > _years_before(business_date, 10)
    without = draft.pick(rng, "missing_birth_cert_no", under_10)
    draft.plant("missing_birth_cert_no", without, "birth_cert_no", [None] * len(without))
    return draft.finished()


def shortened(number: str) -> str:
    """Shorten an 18-digit number of the twentieth century to the 15 digits of the old form."""
    return number[:6] + number[8:17]


def _plant_copies(rng: Generator, draft: Draft, has_id: Column, births: Column) -> None:
    """Give some the number of another person of the same sex, who stays without defect."""
    copies = draft.pick(rng, "id_duplicate", has_id, of=draft.rows.num_rows)
    numbers, sexes = draft.values("id_number"), draft.values("sex")
    rows, planted, donors = [], [], []
    candidates = rows_picked(rng, np.flatnonzero(has_id), min(len(copies) * 6 + 20, int(has_id.sum())))
    free = [row for row in rng.permutation(candidates) if row not in set(copies)]
    for row in copies:
        donor = next((d for d in free if sexes[d] == sexes[row] and births[d] != births[row]), None)
        if donor is None:
            continue
        free.remove(donor)
        rows.append(row)
        donors.append(donor)
        planted.append(numbers[donor])
    draft.plant("id_duplicate", np.array(rows, dtype=np.int64), "id_number", planted)
    draft.is_clean[donors] = False


def _plant_wrong_check(rng: Generator, draft: Draft, has_id: Column) -> None:
    rows = draft.pick(rng, "id_check_digit_wrong", has_id)
    numbers = draft.values("id_number")[rows]
    wrong = [number[:-1] + rng.choice([c for c in "0123456789X" if c != number[-1]]) for number in numbers]
    draft.plant("id_check_digit_wrong", rows, "id_number", wrong)


def _plant_short_numbers(rng: Generator, draft: Draft, candidates: Column) -> None:
    rows = draft.pick(rng, "id_15_digits", candidates)
    short = [shortened(number) for number in draft.values("id_number")[rows]]
    draft.plant("id_15_digits", rows, "id_number", short)


def _plant_other_birth_dates(
    rng: Generator, draft: Draft, has_id: Column, births: Column, business_date: np.datetime64
) -> None:
    is_dead = draft.rows["death_date"].is_valid().to_numpy(zero_copy_only=False)
    rows = draft.pick(rng, "birth_date_not_in_id", has_id & ~is_dead, of=draft.rows.num_rows)
    shifted = births[rows] + rng.choice([-1, 1], len(rows)) * rng.integers(1, 31, len(rows)).astype(
        "timedelta64[D]"
    )
    shifted = np.where(shifted > business_date, births[rows] - 3, shifted).astype(object)
    for position, (birth, swaps) in enumerate(
        zip(births[rows].astype(object), rng.random(len(rows)), strict=True)
    ):
        swapped = month_day_swapped(birth)
        if swaps < 0.25 and swapped is not None and swapped <= business_date.astype(object):
            shifted[position] = swapped
    draft.plant("birth_date_not_in_id", rows, "birth_date", shifted)


def month_day_swapped(day: date) -> date | None:
    """Swap month and day; None where that gives no other date."""
    if day.day > 12 or day.day == day.month:
        return None
    return day.replace(month=day.day, day=day.month)


def _plant_unknown_divisions(rng: Generator, draft: Draft, everybody: Column) -> None:
    rows = draft.pick(rng, "division_unknown", everybody)
    never = [code for code in range(110120, 110200) if code not in all_known_counties()]
    codes = [f"{rng.choice(never)}{rng.integers(1, 30):03d}{rng.integers(1, 400):03d}" for _ in rows]
    for column, part in _split(rng, rows):
        draft.plant("division_unknown", rows[part], column, [codes[position] for position in part])


def _plant_retired_divisions(rng: Generator, draft: Draft) -> None:
    retired = {
        str(district): [str(c) for c in codes if c != district] for district, codes in predecessors().items()
    }
    hukou, residence = draft.rows["hukou_division"], draft.rows["residence_division"]
    had = pa.array([district for district, codes in retired.items() if codes])
    candidates = [pc.is_in(pc.utf8_slice_codeunits(column, 0, 6), had) for column in (hukou, residence)]
    both = pc.and_(*candidates).to_numpy(zero_copy_only=False)
    rows = draft.pick(rng, "division_retired", both, of=draft.rows.num_rows)
    for column, part in _split(rng, rows):
        old = draft.values(column)[rows[part]]
        draft.plant(
            "division_retired", rows[part], column, [rng.choice(retired[code[:6]]) + code[6:] for code in old]
        )


def _plant_odd_width(rng: Generator, draft: Draft, has_id: Column) -> None:
    rows = draft.pick(rng, "full_width_or_spaces", has_id, of=draft.rows.num_rows)
    kind = rng.integers(0, 4, len(rows))
    for column, part in (("name", np.flatnonzero(kind < 2)), ("id_number", np.flatnonzero(kind >= 2))):
        old = draft.values(column)[rows[part]]
        odd = [_oddly(value, int(how)) for value, how in zip(old, kind[part], strict=True)]
        draft.plant("full_width_or_spaces", rows[part], column, odd)


def _oddly(value: str, how: int) -> str:
    if how == 0:
        return value[0] + "\u3000" + value[1:]
    if how == 1:
        return value + " "
    if how == 2:
        return value.translate(FULL_WIDTH)
    return value[:6] + " " + value[6:]


def _rarely(rng: Generator, name: str) -> str:
    return name[:-1] + str(rng.choice(RARE_CHARACTERS))


def _split(rng: Generator, rows: Column) -> list[tuple[str, Column]]:
    at_hukou = rng.random(len(rows)) < 0.6
    return [("hukou_division", np.flatnonzero(at_hukou)), ("residence_division", np.flatnonzero(~at_hukou))]


def _years_before(business_date: np.datetime64, years: int) -> np.datetime64:
    today = business_date.astype(object)
    leap = today.month == 2 and today.day == 29
    return np.datetime64(today.replace(year=today.year - years, day=28 if leap else today.day), "D")
