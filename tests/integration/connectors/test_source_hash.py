"""Keys and stamps are hashed here as PostgreSQL hashes them, and summed as it sums them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from connectors.source_hash import NO_KEY, key_hashes, row_hashes

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(
    lambda text: text.rstrip(" ")
)
STAMPS = st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1))  # noqa: DTZ001 - the source's wall clock
SEED = "octet_length(value) + 1"
LIKELY = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def at_server(
    settings: Settings, hashed: str, kind: str, values: Sequence[Any], seed: str = "0"
) -> list[int]:
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    given_values = f"unnest(CAST(:values AS {kind}[])) WITH ORDINALITY AS given (value, number)"
    asked = sa.text(f"SELECT {hashed}(value, {seed}) FROM {given_values} ORDER BY number")  # noqa: S608 - ours
    with engine.connect() as connection:
        return [found % 2**64 for (found,) in connection.execute(asked, {"values": list(values)})]


@pytest.mark.parametrize(("hashed", "kind"), [("hashtextextended", "text"), ("hashbpcharextended", "bpchar")])
def test_text_of_all_lengths_is_hashed_as_the_server_does(settings: Settings, hashed: str, kind: str) -> None:
    @LIKELY
    @example(["a" * length for length in range(60)])
    @given(st.lists(TEXTS, min_size=1, max_size=30))
    def holds(texts: list[str]) -> None:
        found = key_hashes(pa.array(["before", *texts])[1:])
        assert found.tolist() == at_server(settings, hashed, kind, texts, SEED)

    holds()


def test_a_char_is_hashed_as_the_server_does_and_with_more_blanks_it_is_another_key(
    settings: Settings,
) -> None:
    chars = ["7", "7  ", "   "]
    found = key_hashes(pa.array([*chars, None])).tolist()
    assert found[:3] == at_server(settings, "hashbpcharextended", "bpchar", chars, SEED)
    assert found[3] == NO_KEY
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    ("hashed", "kind", "bits"),
    [("hashint2extended", "int2", 15), ("hashint4extended", "int4", 31), ("hashint8extended", "int8", 63)],
)
def test_whole_numbers_of_each_size_are_hashed_as_the_server_does(
    settings: Settings, hashed: str, kind: str, bits: int
) -> None:
    @LIKELY
    @example([0, 1, -1, 2**bits - 1, -(2**bits)])
    @given(st.lists(st.integers(-(2**bits), 2**bits - 1), min_size=1, max_size=30))
    def holds(numbers: list[int]) -> None:
        assert key_hashes(pa.array(numbers, pa.int64())).tolist() == at_server(
            settings, hashed, kind, numbers
        )

    holds()


def test_stamps_are_hashed_as_the_server_does_with_the_hash_of_the_key_as_seed(settings: Settings) -> None:
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    asked = sa.text(
        "SELECT timestamp_hash_extended(s, hashint8extended(k, 0))"
        " FROM unnest(CAST(:keys AS int8[]), CAST(:stamps AS timestamp[])) WITH ORDINALITY AS given (k, s, n)"
        " ORDER BY n"
    )

    @LIKELY
    @example([(7, datetime(2000, 1, 1) - timedelta(microseconds=1))])  # noqa: DTZ001
    @given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), STAMPS), min_size=1, max_size=30))
    def holds(rows: list[tuple[int, datetime]]) -> None:
        keys, stamps = [key for key, _ in rows], [stamp for _, stamp in rows]
        found = row_hashes(key_hashes(pa.array(keys, pa.int64())), pa.array(stamps, pa.timestamp("us")))
        with engine.connect() as connection:
            told = connection.execute(asked, {"keys": keys, "stamps": stamps})
            assert np.array_equal(found, np.array([each % 2**64 for (each,) in told], np.uint64))

    holds()
