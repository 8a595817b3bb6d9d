"""The bank's returns of last year's payments, one row per payment; a few did not reach an account."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.chance import day, weighted
from sandbox.city.day_book import DayBook
from sandbox.city.lettering import chosen, digits, joined, scattered, texts
from sandbox.city.report_rows import written_second
from sandbox.city.town_book import spread_times

PAYMENTS = "bank_return"
PAID, NAME_DIFFERS, INVALID, CLOSED = "1", "2", "3", "4"
RESULT_WEIGHTS = (960, 20, 12, 8)
BANKS = ("102", "103", "104", "105", "403")
# Fen a year, so that sums have a plausible size; nothing rests on them.
AMOUNTS = {
    "one_child": 144_000,
    "two_girls": 144_000,
    "no_living_child": 144_000,
    "death": 600_000,
    "disability": 480_000,
    "complication_1": 480_000,
    "complication_2": 360_000,
    "complication_3": 240_000,
}
# The bank pays again what came back, on some days of the month.
DAYS_OF_SECOND_TRIES = (5, 10, 15, 20, 25)
SECOND_TRIES_SHARE = 0.2


def bank_rows(rng: Generator, cases: pa.Table, business_date: date) -> pa.Table:
    """Write the returns of the payments of last year to everybody whose case was open then."""
    last_year = business_date.year - 1
    began = pc.less_equal(cases["start_month"], f"{last_year}-12-31")
    last_month = pc.greater_equal(cases["end_month"], f"{last_year}-12-01")
    went_on = pc.or_kleene(cases["end_month"].is_null(), last_month)
    paid = cases.filter(pc.and_(began, went_on))
    count = paid.num_rows
    result = weighted(rng, RESULT_WEIGHTS, count)
    at = spread_times(rng, day(last_year, 12, 10) + rng.integers(0, 12, count))
    answered = written_second(at)
    amounts = [AMOUNTS[category] for category in paid["category"].to_pylist()]
    return pa.table(
        {
            "disb_id": joined("FF", texts(digits(scattered(np.arange(count), 10), 10))),
            "batch_no": joined(paid["scheme"].combine_chunks(), f"{last_year}-01"),
            "fiscal_year": pa.array([str(last_year)] * count, pa.string()),
            "case_no": paid["case_no"],
            "scheme": paid["scheme"],
            "category": paid["category"],
            "amount_fen": pa.array(amounts, pa.int64()).cast(pa.string()),
            "account_holder": paid["name"],
            "bank_code": chosen(BANKS, weighted(rng, (4, 2, 2, 3, 1), count)),
            "bank_account": _accounts(rng, count),
            "bank_result": chosen([PAID, NAME_DIFFERS, INVALID, CLOSED], result),
            "bank_result_at": answered,
            "updated_at": answered,
            "delivered_on": pa.array([business_date] * count, pa.date32()),
        }
    )


def payments_of_day(book: DayBook) -> None:
    """Let the bank pay again, on some days of the month, a part of what came back before."""
    if book.on.day not in DAYS_OF_SECOND_TRIES:
        return
    came_back = book.mask(PAYMENTS, "bank_result", NAME_DIFFERS, INVALID, CLOSED)
    count = max(1, round(SECOND_TRIES_SHARE * int(np.count_nonzero(came_back))))
    for payment in book.picked(PAYMENTS, came_back, count):
        at = book.moment().strftime("%Y-%m-%d %H:%M:%S")
        account = str(_accounts(book.rng, 1)[0])
        paid = {"bank_result": PAID, "bank_account": account, "bank_result_at": at}
        book.write(PAYMENTS, payment, **paid, updated_at=at)


def _accounts(rng: Generator, count: int) -> pa.Array:
    # 6299… is the head of no bank's cards.
    return joined("6299", texts(digits(rng.integers(0, 10**15, count), 15)))
