"""The registrations of migrants: women of childbearing age from elsewhere who live in the city."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.as_it_is import rows_of_keys
from sandbox.city.chance import NEVER, Column, day, happens, later_by_years, weighted
from sandbox.city.lettering import chosen, digits, joined, scattered, texts, where
from sandbox.city.report_rows import written_day, written_second
from sandbox.city.town_book import spread_times

YOUNGEST, OLDEST = 16, 49
# Who lives here and has not come to register: some of them come on a later day.
NOT_YET_SHARE = 0.05
GONE_SHARE = 0.03
NO_CERTIFICATE, VALID = "0", "1"
HERE, GONE = "1", "2"


def candidates(persons: pa.Table, business_date: np.datetime64) -> Column:
    """Tell which persons a registration of migrants is about."""
    births = persons["birth_date"].to_numpy().astype("datetime64[D]")
    ages = (business_date - births).astype(np.int64) / 365.2425
    is_woman = pc.equal(persons["sex"], "2").to_numpy()
    lives = pc.equal(persons["life_status"], "1").to_numpy()
    here = pc.starts_with(persons["hukou_division"], "11").to_numpy()
    wanted: Column = is_woman & lives & ~here & (ages >= YOUNGEST) & (ages < OLDEST + 1)
    return wanted


def migrant_rows(
    rng: Generator, persons: pa.Table, children: pa.Table, business_date: np.datetime64
) -> pa.Table:
    """Write a registration for most of the women it is about; `person_id` stands beside it."""
    rows = np.flatnonzero(candidates(persons, business_date))
    rows = rows[~happens(rng, NOT_YET_SHARE, len(rows))]
    women = persons.take(pa.array(rows))
    count = women.num_rows
    births = women["birth_date"].to_numpy().astype("datetime64[D]")
    arrived = _arrivals(rng, births, business_date)
    is_gone = happens(rng, GONE_SHARE, count)
    left = np.where(is_gone, _between(rng, arrived, business_date), NEVER)
    state = weighted(rng, (38, 52, 6, 4), count)
    return pa.table(
        {
            **registrant_columns(women, persons, children),
            "registration_id": registration_ids(np.arange(count)),
            "inflow_date": written_day(arrived),
            "outflow_date": written_day(left),
            "cert_no": where(state > 0, certificate_numbers(np.arange(count))),
            "cert_state": chosen("0123", state),
            "state": chosen([HERE, GONE], is_gone.astype(np.int8)),
            "updated_at": written_second(
                spread_times(rng, _between(rng, np.fmax(arrived, left), business_date))
            ),
            "delivered_on": pa.array(np.full(count, business_date)),
        }
    )


def registrant_columns(women: pa.Table, persons: pa.Table, children: pa.Table) -> dict[str, pa.Array]:
    """Tell of women what their registration says of them, their husbands and children."""
    husbands = rows_of_keys(persons, "person_id", women["spouse_person_id"])
    mothers = pc.value_counts(children["mother_person_id"].combine_chunks())
    place = pc.index_in(women["person_id"], mothers.field("values"))
    born = pc.fill_null(mothers.field("counts").take(place.combine_chunks()), 0)
    same = ("person_id", "name", "sex", "id_type", "id_number", "nation", "marital_status", "phone")
    return {
        **{name: women[name] for name in (*same, "hukou_division", "residence_division")},
        "birth_date": written_day(women["birth_date"].to_numpy().astype("datetime64[D]")),
        "spouse_name": husbands["name"],
        "spouse_id_type": husbands["id_type"],
        "spouse_id_number": husbands["id_number"],
        "children_total": born.cast(pa.string()),
    }


def registration_ids(serials: Column) -> pa.Array:
    """Write numbers of registrations."""
    return joined("LD", texts(digits(scattered(serials, 10), 10)))


def certificate_numbers(serials: Column) -> pa.Array:
    """Write numbers of electronic certificates."""
    return joined("HY110000", texts(digits(scattered(serials, 10), 10)))


def _arrivals(rng: Generator, births: Column, business_date: np.datetime64) -> Column:
    """Draw when they came: at any time from their sixteenth birthday or 2005 on, until a month ago."""
    earliest = np.maximum(later_by_years(births, YOUNGEST), day(2005))
    earliest = np.minimum(earliest, business_date - 60)
    return _between(rng, earliest, business_date - 30)


def _between(rng: Generator, first: Column, last: np.datetime64) -> Column:
    span = np.maximum((last - first).astype(np.int64), 0) + 1
    drawn: Column = first + np.floor(rng.random(len(span)) * span).astype("timedelta64[D]")
    return drawn
