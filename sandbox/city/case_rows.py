"""The cases in payment before us: who drew what since when, and what has happened to some of them since.

Most go on. Of the others some have died, moved away, had another child, lost the disabled child, are
suspended, have two cases, or were decided by the office on papers that nobody can find any more.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.as_it_is import rows_of_keys
from sandbox.city.chance import Column, day, happens, later_by_years, weighted, years_of
from sandbox.city.identities import person_ids
from sandbox.city.lettering import chosen, digits, joined, scattered, texts, where
from sandbox.city.report_rows import written_day, written_second
from sandbox.city.town_book import spread_times

IN_PAYMENT, SUSPENDED, EXITED = "1", "2", "3"
DIED, INELIGIBLE, GAVE_UP = "1", "7", "8"
CATEGORIES = {"J": ("one_child", "two_girls", "no_living_child"), "T": ("death", "disability")}
BEGAN = {"J": 2005, "T": 2008}
# Who is entitled and never applied, or applied this year; and how many of a programme at least, so that
# even a small city has somebody to report.
NEVER_APPLIED_SHARE, LEAST_NEW = 0.12, 3
# Of a hundred cases that go on so many have another fate. A city with few cases shows fewer fates.
PER_HUNDRED = {
    "category_before": 2,
    "programme_before": 2,
    "suspended": 2,
    "gave_up": 1,
    "second_case": 2,
    "undecided": 3,
    "died": 3,
    "died_and_ended": 3,
    "moved": 2,
    "another_child": 3,
    "complication": 1,
    "unknown_person": 1,
    "ended": 4,
}
SHOWN_FROM_CASES = 40
NOBODY = 910_000_000
PADIS_STATES = ("50", "40", "30", "20", "11", "60", "10", "21", "61")
PADIS_WEIGHTS = (78, 11, 3, 2, 1, 1, 2, 1, 1)
NOT_SUBMITTED = "10"
# What the office wrote down of somebody whom nobody knows.
SOMEBODY, SOMEWHERE, SOME_NUMBER = "王建国", "110101001001", "11010519491231002X"


@dataclass
class Story:
    """Cases of one fate: whose they are and what the office has on record."""

    persons: pa.Array
    programme: str
    categories: Column
    state: str = IN_PAYMENT
    exit_reason: str | None = None


def case_rows(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    decisions: pa.Table,
    business_date: np.datetime64,
) -> pa.Table:
    """Write the baseline of cases, consistent with what is true of the persons; columns as on the wire."""
    stories = []
    for programme in CATEGORIES:
        stories += _going_on(rng, persons, children, decisions, programme, business_date)
    number = sum(len(story.persons) for story in stories if story.state == IN_PAYMENT)
    stories += _changed(rng, persons, children, decisions, number, business_date)
    stories = [story for story in stories if len(story.persons)] or stories[:1]
    people = pa.concat_arrays([story.persons for story in stories])
    persons = persons.filter(pc.is_in(persons["person_id"], people)).combine_chunks()
    children = children_of(children, people)
    rows = _written(rng, persons, children, stories, people, business_date)
    return rows.set_column(0, "case_no", _numbers(rows))


def how_many(fate: str, cases: int) -> int:
    """Tell how many cases of a fate there are among so many that go on."""
    wanted = round(PER_HUNDRED[fate] * cases / 100)
    return max(1, wanted) if cases >= SHOWN_FROM_CASES else wanted


def entitled_since(persons: pa.Table, children: pa.Table, people: pa.Array, programme: str) -> Column:
    """Tell the first day of payment: the year after the sixtieth birthday, or the month after T's event."""
    births = rows_of_keys(persons, "person_id", people)["birth_date"].to_numpy().astype("datetime64[D]")
    births = np.where(np.isnat(births), day(1950), births)
    if programme == "J":
        return _first_of_year(np.maximum(years_of(later_by_years(births, 60)) + 1, BEGAN["J"]))
    ready = np.fmax(later_by_years(births, 49), _events_of_children(children, people))
    since: Column = np.maximum(ready, day(BEGAN["T"] - 1, 12)).astype("datetime64[M]") + 1
    return since.astype("datetime64[D]")


def _going_on(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    decisions: pa.Table,
    programme: str,
    business_date: np.datetime64,
) -> list[Story]:
    eligible = _decided(decisions, programme, "eligible")
    people = eligible["person_id"].combine_chunks()
    since = entitled_since(persons, children_of(children, people), people, programme)
    this_year = business_date.astype("datetime64[Y]").astype("datetime64[D]")
    is_new = (since >= this_year) | happens(rng, NEVER_APPLIED_SHARE, len(people))
    order = rng.permutation(len(people))
    is_new[order[: max(0, LEAST_NEW - int(is_new.sum()))]] = True
    old = np.flatnonzero(~is_new)
    old = old[rng.permutation(len(old))]
    categories = np.array(eligible["category_code"].to_pylist(), dtype=object)
    number = len(old)
    taken = 0

    def some(fate: str) -> Column:
        nonlocal taken
        count = min(how_many(fate, number), number - taken)
        rows = old[taken : taken + count]
        taken += count
        return rows

    def story(rows: Column, kinds: Column, state: str = IN_PAYMENT, reason: str | None = None) -> Story:
        return Story(people.take(pa.array(rows)), programme, kinds, state, reason)

    found = []
    rows = some("category_before")
    others = [next(c for c in CATEGORIES[programme] if c != categories[row]) for row in rows]
    found.append(story(rows, np.array(others, dtype=object)))
    if programme == "T":
        rows = some("programme_before")
        before = Story(people.take(pa.array(rows)), "J", np.full(len(rows), "one_child", dtype=object))
        found.append(before)
    rows = some("suspended")
    found.append(story(rows, categories[rows], SUSPENDED))
    rows = some("gave_up")
    found.append(story(rows, categories[rows], EXITED, GAVE_UP))
    rows = some("second_case")
    found += [story(rows, categories[rows])] * 2
    rows = old[taken:]
    found.append(story(rows, categories[rows]))
    return found


def _changed(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    decisions: pa.Table,
    cases: int,
    business_date: np.datetime64,
) -> list[Story]:
    """Choose persons to whom something has happened since they were put into payment."""
    decided = decisions["person_id"].combine_chunks()
    births = persons["birth_date"].to_numpy().astype("datetime64[D]")
    ages = (business_date - births).astype(np.int64) / 365.2425
    lives = pc.equal(persons["life_status"], "1").to_numpy()
    deaths = persons["death_date"].to_numpy().astype("datetime64[D]")
    here = pc.starts_with(persons["hukou_division"], "11").to_numpy()
    siblings = _child_counts(persons, children)
    free = ~pc.is_in(persons["person_id"], decided).to_numpy()
    died_lately = ~lives & here & (ages >= 62) & (siblings == 1) & (deaths > business_date - 1100)

    def some(candidates: Column, fate: str) -> pa.Array:
        rows = rng.permutation(np.flatnonzero(candidates))[: how_many(fate, cases)]
        return persons["person_id"].take(pa.array(rows)).combine_chunks()

    def of(people: pa.Array, programme: str, state: str = IN_PAYMENT, reason: str | None = None) -> Story:
        kinds = CATEGORIES[programme]
        drawn = np.array(kinds, dtype=object)[weighted(rng, (8, 3, 1)[: len(kinds)], len(people))]
        return Story(people, programme, drawn, state, reason)

    dead = some(died_lately, "died")
    ended = some(died_lately & ~pc.is_in(persons["person_id"], dead).to_numpy(), "died_and_ended")
    aged = lives & (ages >= 62) & free
    unknown = [_decided(decisions, programme, "unknown")["person_id"] for programme in "JT"]
    asked = [rng.permutation(np.array(ids.to_pylist(), dtype=object)) for ids in unknown]
    half = [ids[: (how_many("undecided", cases) + 1) // 2] for ids in asked]
    complication = some(lives & here & free & (ages > 45) & (ages < 62) & (siblings == 1), "complication")
    strangers = person_ids(NOBODY + np.arange(how_many("unknown_person", cases)))
    return [
        of(dead, "J"),
        of(ended, "J", EXITED, DIED),
        of(some(aged & ~here & (siblings == 1), "moved"), "J"),
        of(some(lives & here & free & (ages >= 52) & (ages < 62) & (siblings == 2), "another_child"), "T"),
        of(some(aged & here & (ages >= 66) & (siblings > 2), "ended"), "J", EXITED, INELIGIBLE),
        *(of(pa.array(ids, pa.string()), programme) for ids, programme in zip(half, "JT", strict=True)),
        Story(complication, "T", np.full(len(complication), "complication_2", dtype=object)),
        of(strangers, "J"),
    ]


def _written(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    stories: list[Story],
    people: pa.Array,
    business_date: np.datetime64,
) -> pa.Table:
    own = rows_of_keys(persons, "person_id", people)
    count, lengths = len(people), [len(story.persons) for story in stories]
    programme, state, exit_reason = (
        np.repeat(np.array([getattr(story, name) for story in stories], dtype=object), lengths)
        for name in ("programme", "state", "exit_reason")
    )
    year = int(business_date.astype("datetime64[Y]").astype(np.int64)) + 1970
    since = np.where(
        programme == "J",
        entitled_since(persons, children, people, "J"),
        entitled_since(persons, children, people, "T"),
    )
    # Some apply years later; nobody of the baseline later than last year, whatever the papers were then.
    first = np.minimum(years_of(since) + weighted(rng, (70, 20, 10), count), year - 1)
    start = np.where(first == years_of(since), since, _first_of_year(first))
    has_ended = state == EXITED
    deaths = own["death_date"].to_numpy().astype("datetime64[D]")
    ended = np.where(exit_reason == DIED, deaths, business_date - rng.integers(100, 500, count))
    end = np.fmax(start, ended).astype("datetime64[M]").astype("datetime64[D]")
    home = own["hukou_division"]
    in_city = pc.fill_null(pc.starts_with(home, "11"), False)
    home = pc.coalesce(pc.if_else(in_city, home, own["residence_division"]), pa.scalar(SOMEWHERE))
    padis = np.where(has_ended, 0, weighted(rng, PADIS_WEIGHTS, count))
    is_submitted = np.array(PADIS_STATES)[padis] != NOT_SUBMITTED
    sequence = texts(digits(rng.integers(1, 9, count), 4))
    batch = joined(pa.array(programme, pa.string()), f"_110000_{year - 1}_A_", sequence)
    years = pa.array(first).cast(pa.string())
    return pa.table(
        {
            "case_no": pa.nulls(count, pa.string()),
            "scheme": pa.array(programme, pa.string()),
            "category": pa.array(np.concatenate([story.categories for story in stories]), pa.string()),
            "apply_year": years,
            "first_year": years,
            "person_id": people,
            "name": pc.coalesce(own["name"], pa.scalar(SOMEBODY)),
            "id_number": pc.coalesce(own["id_number"], pa.scalar(SOME_NUMBER)),
            "hukou_division": home,
            "start_month": written_day(start),
            "end_month": where(has_ended, written_day(end)),
            "state": pa.array(state, pa.string()),
            "exit_reason": pa.array(exit_reason, pa.string()),
            "padis_state": chosen(PADIS_STATES, padis),
            "padis_period": where(is_submitted, pa.array([str(year - 1)] * count, pa.string())),
            "padis_batch_id": where(is_submitted, batch),
            "updated_at": written_second(spread_times(rng, business_date - rng.integers(20, 120, count))),
            "delivered_on": pa.array(np.full(count, business_date)),
        }
    ).combine_chunks()


def _numbers(rows: pa.Table) -> pa.Array:
    """Number cases: district, programme, year, a serial that betrays nothing."""
    serials = texts(digits(scattered(np.arange(rows.num_rows), 6), 6))
    district = pc.utf8_slice_codeunits(rows["hukou_division"], 0, 6).combine_chunks()
    return joined(district, rows["scheme"].combine_chunks(), rows["apply_year"].combine_chunks(), serials)


def _decided(decisions: pa.Table, programme: str, decision: str) -> pa.Table:
    return decisions.filter(
        pc.and_(
            pc.equal(decisions["programme_code"], programme), pc.equal(decisions["decision_code"], decision)
        )
    )


def _first_of_year(years: Column) -> Column:
    first: Column = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return first


def children_of(children: pa.Table, people: pa.Array) -> pa.Table:
    """Find the children of some people."""
    parents = (pc.is_in(children[name], people) for name in ("mother_person_id", "father_person_id"))
    return children.filter(pc.or_(*parents)).combine_chunks()


def _child_counts(persons: pa.Table, children: pa.Table) -> Column:
    total = np.zeros(persons.num_rows, dtype=np.int64)
    for parent in ("mother_person_id", "father_person_id"):
        counted = pc.value_counts(children[parent].combine_chunks())
        place = pc.index_in(persons["person_id"], counted.field("values")).combine_chunks()
        total += pc.fill_null(counted.field("counts").take(place), 0).to_numpy(zero_copy_only=False)
    return total


def _events_of_children(children: pa.Table, people: pa.Array) -> Column:
    """Tell when the only child of each died or was found disabled."""
    events = np.full(len(people), np.datetime64("NaT", "D"))
    for parent in ("mother_person_id", "father_person_id"):
        rows = rows_of_keys(children, parent, people)
        for name in ("death_date", "disability_date"):
            events = np.fmax(events, rows[name].to_numpy().astype("datetime64[D]"))
    return events
