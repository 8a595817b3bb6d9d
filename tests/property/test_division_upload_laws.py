"""Laws of the division upload: built it is taken; a fault in it is found by both sides, in the same place."""

from datetime import timedelta
from functools import lru_cache
from random import Random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.submission.division_upload import build_division_upload
from sandbox.partners.division_inspection import inspect_divisions
from schemas.division import load_tree
from tests.support.division_upload import CHANGES, DAY, DIVISIONS, ours, places, texts_of, theirs, zipped
from tests.support.divisions import FIRST_DAY, World, invented_history

HISTORIES = st.builds(invented_history, st.randoms(use_true_random=False), st.integers(0, 20))


@given(HISTORIES)
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_became_of_the_divisions_the_receiver_takes_the_upload_and_reads_what_we_hold(
    world: World,
) -> None:
    tree = world.tree(FIRST_DAY)
    upload = build_division_upload(tree, DAY, FIRST_DAY)
    assert upload.content == build_division_upload(tree, DAY, FIRST_DAY).content
    taken = inspect_divisions(upload.file_name, upload.content)
    assert taken.noted == []
    table = tree.table_on(DAY)
    assert taken.divisions == dict(
        zip(
            (f"{code}000" for code in table["division_code"].to_pylist()),
            table["division_name"].to_pylist(),
            strict=True,
        )
    )
    assert len(taken.changes) == len(tree.changes)


@lru_cache(maxsize=1)
def built() -> dict[str, str]:
    world = invented_history(Random(7), 20)
    return texts_of(build_division_upload(world.tree(FIRST_DAY), DAY, FIRST_DAY).content)


@given(st.sampled_from([DIVISIONS, CHANGES]), st.integers(0, 10_000), st.binary(min_size=1, max_size=1))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_byte_is_changed_both_sides_come_to_the_same_verdict(
    member: str, place: int, byte: bytes
) -> None:
    content = built()[member].encode()
    place %= len(content)
    changed = zipped({**built(), member: content[:place] + byte + content[place + 1 :]})
    said, heard = ours(changed), theirs(changed)
    assert bool(said) == bool(heard)
    # The receiver stops where a file is at fault as a whole; we go on.
    assert places(heard) <= places(said)


@given(st.data())
@hypothesis_settings(max_examples=80, deadline=None)
def test_a_fault_in_a_code_is_refused_with_its_line(data: st.DataObject) -> None:
    member = data.draw(st.sampled_from([DIVISIONS, CHANGES]))
    lines = built()[member].split("\r\n")
    number = data.draw(st.integers(3, len(lines) - 1))
    columns = lines[number - 1].split(",")
    fault = data.draw(
        st.sampled_from(["", "1101", "11010100100a", "120101001001", "１１０１０１００１００１"])
    )
    lines[number - 1] = ",".join([*columns[:-1], fault])
    changed = zipped({**built(), member: "\r\n".join(lines)})
    for told in (ours(changed), theirs(changed)):
        assert len(told) == 1
        assert told[0].startswith(f"{member}第{number}行出错：")


def test_the_citys_own_upload_tells_every_division_and_all_changes_of_its_counties() -> None:
    upload = build_division_upload(load_tree(), DAY, FIRST_DAY - timedelta(days=20_000))
    assert (upload.divisions, upload.changes) == (7901, 22)
    assert theirs(upload.content, upload.file_name) == []
