"""The rows that the maternal-health system delivers, before any defect."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.chance import Column, happens, later_by_days, stream, weighted
from sandbox.city.confinements import LIVE, Confinements
from sandbox.city.family_rows import district_names
from sandbox.city.identities import NATIONS, Identities
from sandbox.city.lettering import chosen, digits, joined, scattered, texts, where
from sandbox.city.names import full_names
from sandbox.city.people import People
from sandbox.city.person_rows import hukou_divisions
from sandbox.city.places import Places
from sandbox.city.statistics import defect_rates

# The order in which the drop has them.
DROP_COLUMNS = (
    "record_id", "delivery_id", "birth_cert_no", "issue_kind", "previous_cert_no",
    "child_name", "child_sex", "birth_datetime", "birth_division", "birth_place_type",
    "health", "gest_weeks", "length_cm", "weight_g", "plural",
    "plural_order", "outcome", "parity", "mother_name", "mother_birth_date",
    "mother_country", "mother_nation", "mother_id_type", "mother_id_number", "mother_hukou_division",
    "mother_residence_division", "mother_phone", "father_name", "father_birth_date", "father_id_type",
    "father_id_number", "father_waived", "midwife_org_code", "midwife_org_name", "issue_date",
    "status", "reported_at", "updated_at",
)  # fmt: skip
HOSPITALS = ("妇幼保健院", "人民医院", "第一医院", "妇产医院")


def report_rows(
    seed: int,
    places: Places,
    people: People,
    identities: Identities,
    births: Confinements,
    business_date: np.datetime64,
    multiplier: float,
) -> pa.Table:
    """Write a record for every child delivered whose report arrives in the year, at once or later.

    Beside the columns of the drop: `delivered_on`, the day whose drop carries the record, and
    `confinement`, the row of the confinement.
    """
    rng = stream(seed, "reports")
    born_at = births.birth.astype("datetime64[m]") + rng.integers(0, 1440, len(births)).astype(
        "timedelta64[m]"
    )
    reported_at = _report_times(rng, born_at, multiplier)
    year = business_date.astype("datetime64[Y]").astype("datetime64[D]")
    delivered_on = reported_at.astype("datetime64[D]")
    table = pa.table(
        {
            **_child_columns(rng, births, born_at),
            **_parent_columns(rng, places, people, identities, births),
            **_institution_columns(rng, places, births, reported_at),
            "delivered_on": pa.array(delivered_on),
            "confinement": pa.array(np.arange(len(births))),
        }
    )
    return table.select([*DROP_COLUMNS, "delivered_on", "confinement"]).filter(pa.array(delivered_on >= year))


def _report_times(rng: Generator, born_at: Column, multiplier: float) -> Column:
    """Draw when births are reported: mostly within days, some late, few very late."""
    count, rates = len(born_at), defect_rates()
    minutes = 60 + np.minimum(rng.exponential(1.6 * 1440, count), 29 * 1440)
    late = happens(rng, rates["mch_birth", "late_report_30d"] * multiplier, count)
    minutes = np.where(late, rng.integers(31, 364, count) * 1440 + 700, minutes)
    very_late = happens(rng, rates["mch_birth", "late_report_365d"] * multiplier, count)
    minutes = np.where(very_late, rng.integers(366, 520, count) * 1440 + 700, minutes)
    seconds = minutes.astype(np.int64) * 60 + rng.integers(0, 60, count)
    reported: Column = born_at.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return reported


def record_ids(serials: Column) -> pa.Array:
    """Write record numbers, which tell nothing of the birth."""
    return joined("MR", texts(digits(scattered(serials, 10), 10)))


def delivery_ids(serials: Column) -> pa.Array:
    """Write delivery numbers."""
    return joined("ML", texts(digits(scattered(serials, 10), 10)))


def written_minute(times: Column) -> pa.Array:
    """Write YYYY-MM-DD HH:MM."""
    return pc.strftime(pa.array(times.astype("datetime64[s]")), format="%Y-%m-%d %H:%M")


def written_second(times: Column) -> pa.Array:
    """Write YYYY-MM-DD HH:MM:SS."""
    return pc.strftime(pa.array(times.astype("datetime64[s]")), format="%Y-%m-%d %H:%M:%S")


def written_day(days: Column) -> pa.Array:
    """Write YYYY-MM-DD; null for NaT."""
    return pc.strftime(pa.array(days.astype("datetime64[s]")), format="%Y-%m-%d")


def _child_columns(rng: Generator, births: Confinements, born_at: Column) -> dict[str, pa.Array]:
    count = len(births)
    lives = births.outcome == LIVE
    weeks = np.clip(rng.normal(38.9, 1.4, count), 28, 42) - np.where(births.plural > 1, 2.2, 0)
    weeks = np.where(births.outcome == 2, rng.uniform(21, 30, count), weeks)
    weight = np.clip(rng.normal(3300, 410, count) - (39.3 - weeks) * 150, 450, 5200).astype(int) // 10 * 10
    length = np.clip(50 + (weight - 3300) / 300 + rng.normal(0, 0.8, count), 24, 58)
    named = where(births.outcome != 2, full_names(births.surname, births.given))
    return {
        "record_id": record_ids(np.arange(count)),
        "delivery_id": delivery_ids(births.delivery),
        "birth_cert_no": where(lives, births.certificates),
        "issue_kind": chosen("1", np.zeros(count)),
        "previous_cert_no": pa.nulls(count, pa.string()),
        "child_name": where(births.outcome != 3, named),
        "child_sex": chosen("-12", births.sex),
        "birth_datetime": written_minute(born_at),
        "birth_place_type": chosen("12349", weighted(rng, (70, 29, 0.5, 0.4, 0.1), count)),
        "health": chosen("1239", weighted(rng, (95, 3, 1.5, 0.5), count)),
        "gest_weeks": one_decimal(weeks),
        "length_cm": one_decimal(length),
        "weight_g": pa.array(weight).cast(pa.string()),
        "plural": pa.array(births.plural.astype(np.int64)).cast(pa.string()),
        "plural_order": pa.array(births.plural_order.astype(np.int64)).cast(pa.string()),
        "outcome": chosen("-1234", births.outcome),
        "parity": pa.array(births.parity.astype(np.int64)).cast(pa.string()),
    }


def _parent_columns(
    rng: Generator, places: Places, people: People, identities: Identities, births: Confinements
) -> dict[str, pa.Array]:
    mother, father, count = pa.array(births.mother), pa.array(births.father), len(births)
    waived = happens(rng, 0.03, int(births.delivery.max(initial=0)) + 1)[births.delivery]
    hukou = hukou_divisions(places, people)
    residence = chosen(places.village_codes, people.residence).take(mother)
    outside = people.family[births.mother] == -1
    resident_id = chosen(["01"], np.zeros(count))
    return {
        "mother_name": identities.names.take(mother),
        "mother_birth_date": written_day(people.birth[births.mother]),
        "mother_country": chosen(["CHN"], np.zeros(count)),
        "mother_nation": chosen(NATIONS, identities.nations[births.mother]),
        "mother_id_type": resident_id,
        "mother_id_number": identities.id_numbers.take(mother),
        "mother_hukou_division": hukou.take(mother),
        "mother_residence_division": pc.if_else(pa.array(outside), hukou.take(mother), residence),
        "mother_phone": identities.phones.take(mother),
        "father_name": where(~waived, identities.names.take(father)),
        "father_birth_date": where(~waived, written_day(people.birth[births.father])),
        "father_id_type": where(~waived, resident_id),
        "father_id_number": where(~waived, identities.id_numbers.take(father)),
        "father_waived": chosen(["false", "true"], waived.astype(np.int8)),
    }


def _institution_columns(
    rng: Generator, places: Places, births: Confinements, reported_at: Column
) -> dict[str, pa.Array]:
    deliveries = int(births.delivery.max(initial=0)) + 1
    district = rng.integers(0, len(places.district_codes), deliveries)[births.delivery]
    hospital = rng.integers(0, len(HOSPITALS), deliveries)[births.delivery]
    code = texts(digits(places.district_codes[district], 6))
    issued = later_by_days(reported_at.astype("datetime64[D]"), np.zeros(len(births)))
    return {
        "birth_division": code,
        "midwife_org_code": joined(code, texts(digits(hospital + 1, 3))),
        "midwife_org_name": joined(
            "北京市", chosen(district_names(places), district), chosen(HOSPITALS, hospital)
        ),
        "issue_date": where(births.outcome == LIVE, written_day(issued)),
        "status": chosen("1", np.zeros(len(births))),
        "reported_at": written_second(reported_at),
        "updated_at": written_second(reported_at),
    }


def one_decimal(numbers: Column) -> pa.Array:
    """Write numbers with one decimal."""
    tenths = np.rint(numbers * 10).astype(np.int64)
    return joined(pa.array(tenths // 10).cast(pa.string()), ".", pa.array(tenths % 10).cast(pa.string()))
