"""Birth-service registrations: of births of the year, of pregnancies, and of births that never came."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.as_it_is import rows_of_keys
from sandbox.city.chance import NEVER, Column, happens, later_by_days, rows_picked, weighted
from sandbox.city.lettering import chosen, digits, joined, scattered, texts, where
from sandbox.city.report_rows import written_day, written_second
from sandbox.city.statistics import births_per_person, defect_rates
from sandbox.city.town_book import spread_times

PREGNANCY_DAYS = 280
# Registered from the third month on, up to some months after the birth.
REGISTERED_FROM_DAY, REGISTERED_TO_DAY = 84, 400
WORKING_DAYS_TO_DECIDE = 3
SUBMITTED, REVIEWING, PASSED, TO_CORRECT, WITHDRAWN, ARCHIVED = "0", "1", "2", "3", "4", "9"
REGISTRATION, CONFIRMATION = 1, 2
# From so many children on, a further one needs a confirmation, and its ground.
CONFIRMED_FROM = 4
GROUNDS = ("01", "02", "05", "07")
CORRECTIONS = ("结婚证照片不清晰", "缺少配偶证件", "户籍地与系统不一致")
# A city that is too small would have nobody who expects a child.
LEAST_EXPECTING = 4


@dataclass
class Confinement:
    """What registrations are about, one row each: the couple, the child's order, and when."""

    wife: pa.Array
    husband: pa.Array
    order: Column
    due: Column
    birth_number: pa.Array  # null: not born, or never
    certificate: pa.Array
    is_never: Column


def service_rows(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    marriages: pa.Table,
    births: pa.Table,
    reports: pa.Table,
    business_date: np.datetime64,
    multiplier: float,
) -> tuple[pa.Table, list[int]]:
    """Write the registrations known on a day, and tell the births (numbers) that nobody registered.

    Beside the columns of the wire: `wife_person_id`, `birth_number` (null while there is no birth), and
    `is_never`, where there will be none.
    """
    born, without = _born(rng, children, births, reports, multiplier)
    expected = _expecting(rng, persons, children, marriages, births, business_date, multiplier)
    about = _stacked([born, expected])
    count = len(about.order)
    applied = _applied(rng, about, business_date)
    is_late = ~pc.is_null(about.birth_number).to_numpy(zero_copy_only=False) & (applied > about.due)
    rows = written_services(rng, persons, marriages, about, applied, is_late, np.arange(count), business_date)
    return rows, without


def registration_numbers(serials: Column) -> pa.Array:
    """Write numbers of registrations."""
    return joined("SY", texts(digits(scattered(serials, 10), 10)))


def _born(
    rng: Generator, children: pa.Table, births: pa.Table, reports: pa.Table, multiplier: float
) -> tuple[Confinement, list[int]]:
    """Take the deliveries of mothers of the register; a share of them is registered nowhere."""
    ours = pc.and_(births["mother_person_id"].is_valid(), pc.equal(births["outcome"], "1"))
    first = pc.or_(births["role"].is_null(), pc.equal(births["role"], "first"))
    known = births.filter(pc.and_(ours, first)).sort_by(
        [("mother_person_id", "ascending"), ("born_on", "ascending"), ("plural_order", "ascending")]
    )
    # Of twins the first stands for both.
    one = pc.equal(known["plural_order"], 1) if known.num_rows else known["missing_in_mch"]
    known = known.filter(pc.fill_null(one, True)).combine_chunks()
    share = min(0.5, defect_rates()["birth_service", "birth_without_registration"] * multiplier)
    without = rows_picked(rng, np.arange(known.num_rows), round(share * known.num_rows))
    kept = np.setdiff1d(np.arange(known.num_rows), without)
    numbers = [int(known["birth_number"][int(row)].as_py()) for row in without]
    known = known.take(pa.array(kept))
    rows = rows_of_keys(children, "relation_id", known["relation_id"])
    records = rows_of_keys(reports, "record_id", known["record_id"])
    certificate = pc.coalesce(rows["birth_cert_no"], records["birth_cert_no"])
    due = known["born_on"].to_numpy().astype("datetime64[D]")
    return Confinement(
        wife=_whole(known["mother_person_id"]),
        husband=_whole(rows["father_person_id"]),
        order=known["parity"].to_numpy().astype(np.int64),
        due=later_by_days(due, rng.integers(-10, 11, len(due))),
        birth_number=_whole(known["birth_number"]),
        certificate=_whole(certificate),
        is_never=np.zeros(len(due), dtype=bool),
    ), numbers


def _expecting(
    rng: Generator,
    persons: pa.Table,
    children: pa.Table,
    marriages: pa.Table,
    births: pa.Table,
    business_date: np.datetime64,
    multiplier: float,
) -> Confinement:
    """Choose couples who expect a child, and some whose time has passed without one."""
    year = np.array([business_date.astype("datetime64[Y]").astype(np.int64) + 1970])
    per_day = births_per_person(year)[0] / 365 * persons.num_rows
    window = PREGNANCY_DAYS - REGISTERED_FROM_DAY
    coming = max(LEAST_EXPECTING, round(per_day * window * 0.7))
    rate = defect_rates()["birth_service", "registration_without_birth"] * multiplier
    never = round(rate * births.num_rows)
    couples = expecting_couples(persons, children, marriages, business_date)
    rows = rng.permutation(couples.num_rows)[: coming + never]
    couples = couples.take(pa.array(rows))
    count = couples.num_rows
    never = min(never, count)
    is_never = np.arange(count) < never
    due = np.where(
        is_never,
        business_date - rng.integers(40, 150, count),
        business_date + rng.integers(5, window + 1, count),
    )
    return Confinement(
        wife=_whole(couples["wife_person_id"]),
        husband=_whole(couples["husband_person_id"]),
        order=next_orders(children, couples["wife_person_id"]),
        due=due,
        birth_number=pa.nulls(count, pa.int64()),
        certificate=pa.nulls(count, pa.string()),
        is_never=is_never,
    )


def expecting_couples(
    persons: pa.Table, children: pa.Table, marriages: pa.Table, business_date: np.datetime64
) -> pa.Table:
    """List the lasting marriages of whom somebody is of the city, the wife young and without a baby."""
    births = persons["birth_date"].to_numpy().astype("datetime64[D]")
    ages = (business_date - births).astype(np.int64) / 365.2425
    lives = pc.equal(persons["life_status"], "1").to_numpy()
    here = pc.starts_with(persons["hukou_division"], "11").to_numpy()
    child_births = children["child_birth_date"].to_numpy().astype("datetime64[D]")
    babies = children["mother_person_id"].filter(pa.array(child_births > business_date - 600))
    rested = ~pc.is_in(persons["person_id"], babies.combine_chunks()).to_numpy()
    young = lives & (ages > 22) & (ages < 40) & rested
    wives = persons["person_id"].filter(pa.array(young)).combine_chunks()
    husbands = persons["person_id"].filter(pa.array(lives)).combine_chunks()
    of_city = persons["person_id"].filter(pa.array(lives & here)).combine_chunks()
    chosen_rows = pc.and_(
        pc.and_(
            pc.is_in(marriages["wife_person_id"], wives), pc.is_in(marriages["husband_person_id"], husbands)
        ),
        pc.or_(
            pc.is_in(marriages["wife_person_id"], of_city), pc.is_in(marriages["husband_person_id"], of_city)
        ),
    )
    lasting = marriages.filter(pc.and_(marriages["end_date"].is_null(), chosen_rows))
    return lasting.combine_chunks()


def next_orders(children: pa.Table, wives: pa.ChunkedArray) -> Column:
    """Tell which child would come next for each wife."""
    mothers = pc.value_counts(children["mother_person_id"].combine_chunks())
    place = pc.index_in(wives, mothers.field("values")).combine_chunks()
    born = pc.fill_null(mothers.field("counts").take(place), 0)
    orders: Column = born.to_numpy(zero_copy_only=False).astype(np.int64) + 1
    return orders


def _stacked(parts: list[Confinement]) -> Confinement:
    return Confinement(
        **{
            name: pa.concat_arrays([getattr(part, name) for part in parts])
            if isinstance(getattr(parts[0], name), pa.Array)
            else np.concatenate([getattr(part, name) for part in parts])
            for name in Confinement.__dataclass_fields__
        }
    )


def _applied(rng: Generator, about: Confinement, business_date: np.datetime64) -> Column:
    """Draw when they applied: while pregnant mostly, some after the birth, never later than the day."""
    count = len(about.order)
    since = rng.integers(REGISTERED_FROM_DAY, PREGNANCY_DAYS, count)
    is_born = about.birth_number.is_valid().to_numpy(zero_copy_only=False)
    since = np.where(is_born & happens(rng, 0.25, count), rng.integers(285, REGISTERED_TO_DAY, count), since)
    begun = later_by_days(about.due, np.full(count, -PREGNANCY_DAYS))
    applied: Column = np.minimum(later_by_days(begun, since), business_date - rng.integers(0, 3, count))
    return applied


def written_services(
    rng: Generator,
    persons: pa.Table,
    marriages: pa.Table,
    about: Confinement,
    applied: Column,
    is_late: Column,
    serials: Column,
    business_date: np.datetime64,
) -> pa.Table:
    """Write registrations that were applied for on some days, as they stand on the business date."""
    count = len(serials)
    applied_at = spread_times(rng, applied)
    decided_at = applied_at + rng.integers(3_600, 2 * 86_400, count).astype("timedelta64[s]")
    latest = business_date.astype("datetime64[s]") + np.timedelta64(20 * 3600, "s")
    decided_at = np.minimum(decided_at, np.maximum(latest, applied_at))
    is_new = applied >= business_date - 1
    is_born = about.birth_number.is_valid().to_numpy(zero_copy_only=False)
    usual = np.where(is_born, 5, np.where(weighted(rng, (93, 4, 3), count) == 0, 2, 3))
    state = np.where(is_new, weighted(rng, (60, 40), count), usual)
    is_decided = state >= 2
    updated_at = np.where(is_decided, decided_at, applied_at)
    kind = np.where(about.order >= CONFIRMED_FROM, CONFIRMATION, REGISTRATION)
    weeks = np.clip((applied - about.due).astype(np.int64) + PREGNANCY_DAYS, 0, PREGNANCY_DAYS) // 7
    return pa.table(
        {
            "reg_no": registration_numbers(serials),
            "kind": chosen("-12", kind),
            "child_order": pa.array(about.order).cast(pa.string()),
            **couple_columns(persons, marriages, about.wife, about.husband),
            "existing_children": pa.array(np.where(is_late, about.order, about.order - 1)).cast(pa.string()),
            "pregnancy_status": chosen(["true", "false"], is_late.astype(np.int8)),
            "pregnancy_weeks": where(~is_late, pa.array(weeks).cast(pa.string())),
            "due_date": written_day(np.where(is_late, NEVER, about.due)),
            "born_already": chosen(["false", "true"], is_late.astype(np.int8)),
            "birth_cert_no": where(is_late, about.certificate),
            "confirm_reason": where(
                kind == CONFIRMATION, chosen(GROUNDS, weighted(rng, (1, 1, 1, 1), count))
            ),
            "channel": chosen("12", weighted(rng, (85, 15), count)),
            "applied_at": written_second(applied_at),
            "accepted_at": where(state >= 1, written_second(applied_at + np.timedelta64(1800, "s"))),
            "decided_at": where(is_decided, written_second(decided_at)),
            "state": chosen([SUBMITTED, REVIEWING, PASSED, TO_CORRECT, WITHDRAWN, ARCHIVED], state),
            "reject_reason": where(state == 3, chosen(CORRECTIONS, weighted(rng, (1, 1, 1), count))),
            "printed_at": pa.nulls(count, pa.string()),
            "updated_at": written_second(updated_at),
            "delivered_on": pa.array(np.full(count, business_date)),
            "wife_person_id": about.wife,
            "birth_number": about.birth_number,
            "is_never": pa.array(about.is_never),
        }
    )


def couple_columns(
    persons: pa.Table, marriages: pa.Table, wife_ids: pa.Array, husband_ids: pa.Array
) -> dict[str, pa.Array]:
    """Tell of couples what their registration says of them."""
    lasting = marriages.filter(marriages["end_date"].is_null())
    married = rows_of_keys(lasting, "wife_person_id", wife_ids)
    is_theirs = pc.fill_null(pc.equal(married["husband_person_id"], husband_ids), False)
    wives = rows_of_keys(persons, "person_id", wife_ids)
    husbands = rows_of_keys(persons, "person_id", husband_ids)
    of_city = pc.fill_null(pc.starts_with(wives["hukou_division"], "11"), False)
    home = pc.if_else(of_city, wives["hukou_division"], husbands["hukou_division"])
    at_home = pc.fill_null(pc.starts_with(home, "11"), False)
    return {
        "wife_name": wives["name"],
        "wife_id_type": wives["id_type"],
        "wife_id_number": wives["id_number"],
        "wife_marital": wives["marital_status"],
        "wife_hukou_division": wives["hukou_division"],
        "wife_residence_division": wives["residence_division"],
        "husband_name": husbands["name"],
        "husband_id_type": husbands["id_type"],
        "husband_id_number": husbands["id_number"],
        "husband_hukou_division": husbands["hukou_division"],
        "marriage_date": pc.if_else(is_theirs, married["event_date"].cast(pa.string()), None),
        "handling_unit": pc.if_else(at_home, home, wives["residence_division"]),
    }


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
