"""When people die: Gompertz's law, accidents at every age, and the first year of life."""

import numpy as np
from numpy.random import Generator

from sandbox.city.chance import DAYS_OF_YEAR, NEVER, Column, later_by_days, later_by_years, years_of
from sandbox.city.statistics import published_figures

# Commonest age at death and how fast mortality grows with age.
COMMONEST_AGE, GROWTH = 88.0, 0.1
AT_BIRTH = GROWTH * np.exp(-GROWTH * COMMONEST_AGE)


def deaths_of_adults(
    rng: Generator, births: Column, known_alive: Column, accident_rate: float, business_date: np.datetime64
) -> Column:
    """Draw the day of death of people who were alive on a day; NaT for who lives on the business date."""
    ages = (known_alive - births).astype(np.int64) / DAYS_OF_YEAR
    luck = -np.log(rng.random(len(births)))
    final_age = np.log(np.exp(GROWTH * ages) + GROWTH / AT_BIRTH * luck) / GROWTH
    of_age = later_by_years(births, final_age)
    of_accident = later_by_years(known_alive, rng.exponential(1 / accident_rate, len(births)))
    death = np.maximum(np.minimum(of_age, of_accident), later_by_days(known_alive, 1))
    return np.where(death <= business_date, death, NEVER)


def deaths_of_children(
    rng: Generator, births: Column, accident_rate: float, business_date: np.datetime64
) -> Column:
    """Draw the day of death of people born to the city; NaT for who lives on the business date."""
    death = deaths_of_adults(rng, births, births, accident_rate, business_date)
    published = published_figures()["infant mortality", 2017] / 1000
    share = np.interp(years_of(births), [1950, 1970, 1990, 2017], [0.05, 0.03, 0.012, published])
    as_infant = rng.random(len(births)) < share
    infant = later_by_days(births, rng.integers(1, 365, len(births)))
    death = np.where(as_infant, np.fmin(death, infant), death)
    return np.where(death <= business_date, death, NEVER)
