"""The defects of hospital records, as `defect_rates.csv` says they are planted."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, stream
from sandbox.city.confinements import LIVE, Confinements
from sandbox.city.names import draw_given_names, full_names
from sandbox.city.people import People
from sandbox.city.person_defects import month_day_swapped, shortened
from sandbox.city.planting import Draft
from sandbox.city.report_repeats import with_repeats

MINUTE = "%Y-%m-%d %H:%M"


def reports_with_defects(
    seed: int,
    reports: pa.Table,
    births: Confinements,
    people: People,
    business_date: np.datetime64,
    multiplier: float,
    next_certificate: int,
) -> tuple[pa.Table, pa.Table]:
    """Plant the defects of records; duplicates and reissues are rows of their own."""
    rng = stream(seed, "report defects")
    draft = Draft("mch_birth", "record_id", reports, multiplier)
    of = reports["confinement"].to_numpy()
    living = births.outcome[of] == LIVE
    _note_late(draft)
    repeats = with_repeats(rng, draft, living, business_date, next_certificate)
    _plant_names(rng, draft, births, of, living)
    _plant_dates(rng, draft)
    _plant_sex_and_parity(rng, draft)
    _plant_mothers(rng, draft, births, people, of)
    rows, defects = draft.finished()
    return pa.concat_tables([rows, repeats.rows(rows)]), pa.concat_tables([defects, repeats.defects])


def _note_late(draft: Draft) -> None:
    born = np.array(draft.values("birth_datetime"), dtype="datetime64[D]")
    reported = np.array([text[:10] for text in draft.values("reported_at")], dtype="datetime64[D]")
    days = (reported - born).astype(np.int64)
    draft.note("late_report_30d", np.flatnonzero((days > 30) & (days < 365)))
    draft.note("late_report_365d", np.flatnonzero(days >= 365))


def _plant_names(rng: Generator, draft: Draft, births: Confinements, of: Column, living: Column) -> None:
    mothers, sexes = draft.values("mother_name"), draft.values("child_sex")
    rows = draft.pick(rng, "unnamed", living)
    empty = rng.random(len(rows)) < 0.4
    provisional = [
        None if nothing else mothers[row] + ("之子" if sexes[row] == "1" else "之女")
        for row, nothing in zip(rows, empty, strict=True)
    ]
    draft.plant("unnamed", rows, "child_name", provisional)
    rows = draft.pick(rng, "name_typo", living)
    typo = full_names(births.surname[of[rows]], births.given[of[rows]], confused=True)
    draft.plant("name_typo", rows, "child_name", typo.to_pylist())
    rows = draft.pick(rng, "name_changed", living & (births.child[of] >= 0), of=int(np.count_nonzero(living)))
    given = draw_given_names(rng, births.sex[of[rows]], np.full(len(rows), 2026))
    names = full_names(births.surname[of[rows]], given).to_pylist()
    now = draft.values("child_name")[rows]
    changed = [new if new != old else old + "儿" for new, old in zip(names, now, strict=True)]
    draft.plant("name_changed", rows, "child_name", changed)


def _plant_dates(rng: Generator, draft: Draft) -> None:
    everything = np.ones(draft.rows.num_rows, dtype=bool)
    rows = draft.pick(rng, "birth_date_off", everything)
    steps = rng.choice([-1, 1], len(rows))
    times = zip(_times(draft, "birth_datetime", rows), _times(draft, "reported_at", rows), steps, strict=True)
    draft.plant("birth_date_off", rows, "birth_datetime", [_a_day_off(*each) for each in times])
    swaps = [
        _swapped(born, reported)
        for born, reported in zip(
            _times(draft, "birth_datetime", everything), _times(draft, "reported_at", everything), strict=True
        )
    ]
    possible = np.array([swap is not None for swap in swaps], dtype=bool)
    rows = draft.pick(rng, "month_day_swapped", possible, of=draft.rows.num_rows)
    draft.plant("month_day_swapped", rows, "birth_datetime", [swaps[row] for row in rows])


def _plant_sex_and_parity(rng: Generator, draft: Draft) -> None:
    everything = np.ones(draft.rows.num_rows, dtype=bool)
    rows = draft.pick(rng, "sex_wrong", everything)
    draft.plant(
        "sex_wrong", rows, "child_sex", ["21"[int(sex) - 1] for sex in draft.values("child_sex")[rows]]
    )
    rows = draft.pick(rng, "parity_wrong", everything)
    parities = draft.values("parity")[rows].astype(int)
    wrong = np.where((parities > 1) & (rng.random(len(rows)) < 0.5), parities - 1, parities + 1)
    draft.plant("parity_wrong", rows, "parity", wrong.astype(str))


def _plant_mothers(rng: Generator, draft: Draft, births: Confinements, people: People, of: Column) -> None:
    everything = np.ones(draft.rows.num_rows, dtype=bool)
    numbers = draft.values("mother_id_number")
    rows = draft.pick(rng, "mother_id_missing", everything)
    draft.plant("mother_id_missing", rows, "mother_id_number", [None] * len(rows))
    rows = draft.pick(rng, "mother_id_transposed", everything)
    draft.plant(
        "mother_id_transposed", rows, "mother_id_number", [_transposed(rng, numbers[row]) for row in rows]
    )
    of_last_century = people.birth[births.mother[of]] < np.datetime64("2000-01-01")
    rows = draft.pick(rng, "mother_id_15_digits", of_last_century, of=draft.rows.num_rows)
    draft.plant("mother_id_15_digits", rows, "mother_id_number", [shortened(numbers[row]) for row in rows])
    rows = draft.pick(rng, "mother_other_document", everything)
    draft.values("mother_id_type")[rows] = "03"
    passports = [f"E{number:08d}" for number in rng.integers(0, 10**8, len(rows))]
    draft.plant("mother_other_document", rows, "mother_id_number", passports)
    rows = draft.pick(rng, "mother_name_typo", everything)
    draft.plant("mother_name_typo", rows, "mother_name", [_other_name(rng, draft, row) for row in rows])


def _other_name(rng: Generator, draft: Draft, row: int) -> str:
    name = str(draft.values("mother_name")[row])
    return name[:-1] + str(rng.choice([character for character in "英颖盈莹迎" if character != name[-1]]))


def _times(draft: Draft, column: str, rows: Column) -> list[datetime]:
    return [datetime.strptime(text[:16], MINUTE) for text in draft.values(column)[rows]]  # noqa: DTZ007


def _a_day_off(born: datetime, reported: datetime, step: int) -> str:
    moved = born + timedelta(days=int(step))
    return (moved if moved <= reported else born - timedelta(days=1)).strftime(MINUTE)


def _swapped(born: datetime, reported: datetime) -> str | None:
    other = month_day_swapped(born)
    return other.strftime(MINUTE) if other is not None and other <= reported else None


def _transposed(rng: Generator, number: str) -> str:
    places = [place for place in range(16) if number[place] != number[place + 1]]
    place = int(rng.choice(places))
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
