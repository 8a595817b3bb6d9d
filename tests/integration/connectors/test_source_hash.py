"""Keys are hashed here as PostgreSQL hashes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from connectors.source_hash import BUCKETS, buckets_of, key_hashes

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
LIKELY = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def at_server(settings: Settings, hashed: str, kind: str, values: Sequence[Any]) -> list[int]:
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    given_values = f"unnest(CAST(:values AS {kind}[])) WITH ORDINALITY AS given (value, number)"
    asked = sa.text(f"SELECT {hashed}(value) FROM {given_values} ORDER BY number")  # noqa: S608 - ours
    with engine.connect() as connection:
        return [found % 2**32 for (found,) in connection.execute(asked, {"values": list(values)})]


@pytest.mark.parametrize(("hashed", "kind"), [("hashtext", "text"), ("hashbpchar", "bpchar")])
def test_text_of_all_lengths_is_hashed_as_the_server_does(settings: Settings, hashed: str, kind: str) -> None:
    @LIKELY
    @example(["a" * length for length in range(60)])
    @example(["7", "7  ", "   ", ""])
    @given(st.lists(TEXTS, min_size=1, max_size=30))
    def holds(texts: list[str]) -> None:
        found = key_hashes(pa.array(["before", *texts])[1:], is_padded=kind == "bpchar")
        assert found.tolist() == at_server(settings, hashed, kind, texts)

    holds()


def test_a_char_is_hashed_as_the_server_does_without_the_blanks_behind_it(settings: Settings) -> None:
    chars = ["7", "7  ", "   "]
    found = key_hashes(pa.array(chars), is_padded=True).tolist()
    assert found == at_server(settings, "hashbpchar", "bpchar", chars)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("hashed", "kind", "bits"), [("hashint2", "int2", 15), ("hashint4", "int4", 31), ("hashint8", "int8", 63)]
)
def test_whole_numbers_of_each_size_are_hashed_as_the_server_does(
    settings: Settings, hashed: str, kind: str, bits: int
) -> None:
    @LIKELY
    @example([0, 1, -1, 2**bits - 1, -(2**bits)])
    @given(st.lists(st.integers(-(2**bits), 2**bits - 1), min_size=1, max_size=30))
    def holds(numbers: list[int]) -> None:
        found = key_hashes(pa.array(numbers, pa.int64()), is_padded=False)
        assert found.tolist() == at_server(settings, hashed, kind, numbers)

    holds()


def test_keys_fall_into_all_buckets_about_alike() -> None:
    found = np.bincount(buckets_of(pa.array(range(20 * BUCKETS)), is_padded=False), minlength=BUCKETS)
    assert len(found) == BUCKETS
    assert 0 < found.min() < 20 < found.max() < 60
