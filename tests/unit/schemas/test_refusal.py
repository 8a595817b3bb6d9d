"""A refusal says what was found, what was expected and what to do, and survives a process border."""

import pickle

from schemas.refusal import Refusal


def test_a_refusal_travels_between_processes_unchanged() -> None:
    refusal = Refusal("code", found="a", expected="b", to_do="c")
    copy = pickle.loads(pickle.dumps(refusal))  # noqa: S301 - our own bytes
    assert (str(copy), copy.code, copy.found, copy.expected, copy.to_do) == (
        str(refusal),
        "code",
        "a",
        "b",
        "c",
    )


def test_a_refusal_is_read_back_from_what_was_written() -> None:
    refusal = Refusal("drop_rows_differ", found="2 rows; in all", expected="3: rows", to_do="ask; wait")
    copy = Refusal.read(str(refusal))
    assert vars(copy) == vars(refusal)
    assert Refusal.read("something else").found == "something else"
