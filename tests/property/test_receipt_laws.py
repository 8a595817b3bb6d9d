"""Receipts: whatever arrives, nothing breaks, states only advance, and replaying changes nothing."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from etl.submission.answer import RANK, judge_answer, next_batch_state
from etl.submission.receipt_file import RecordAnswer, read_receipt
from schemas.padis_profile_file import PROFILES, load_profile
from schemas.refusal import Refusal

LAYOUT = load_profile(PROFILES / "national_2026.yaml").receipts
BATCH = "J_110000_2026_A_0001"
STATES = st.sampled_from(sorted(LAYOUT.batch_states))
NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([f"{BATCH}.S10.csv", f"{BATCH}.S40.csv", f"{BATCH}.R01.csv", f"{BATCH}.R1000.csv"]),
)
WORDS = (
    "1",
    "2",
    "0",
    "-1",
    "٣",
    "30",
    "31",
    "E201",
    BATCH,
    "J1120260123456789",
    "2026-06-01 10:00:00",
    "第3行出错：",
)
MARKS = ("\n", "\r\n", ",", "\ufeff", "\x00", LAYOUT.batch_header, LAYOUT.record_header)
PIECES = st.sampled_from((*WORDS, *MARKS))


def advance(states: list[str]) -> tuple[list[str | None], int]:
    """Apply states one after the other; give what was held after each, and how many contradicted."""
    held: list[str | None] = [None]
    contradictions = 0
    for state in states:
        try:
            held.append(next_batch_state(LAYOUT, held[-1], state))
        except Refusal:
            held.append(held[-1])
            contradictions += 1
    return held, contradictions


@settings(max_examples=400, deadline=None)
@given(NAMES, st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map("".join).map(str.encode)))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    try:
        outcome = read_receipt(LAYOUT, name, content).batch_id
    except Refusal as refusal:
        outcome = refusal.code
    assert outcome in (BATCH, "receipt_unreadable")


@settings(max_examples=500, deadline=None)
@given(st.lists(STATES, max_size=12))
def test_a_batch_only_advances_and_an_end_is_an_end(states: list[str]) -> None:
    held, _ = advance(states)
    reached = [LAYOUT.batch_states[state] for state in held if state is not None]
    assert all(before.stage <= after.stage for before, after in pairwise(reached))
    ends = [place for place, state in enumerate(held) if state in LAYOUT.final_states]
    if ends:
        assert set(held[ends[0] :]) == {held[ends[0]]}


@settings(max_examples=300, deadline=None)
@given(st.lists(STATES, max_size=10))
def test_replaying_receipts_moves_no_batch(states: list[str]) -> None:
    last = advance(states)[0][-1]
    assert advance([*states, *states])[0][-1] == last


@given(st.permutations(["10", "22", "20", "32", "30", "42", "40"]))
def test_receipts_in_any_order_end_in_the_same_state(states: list[str]) -> None:
    held, contradictions = advance(states)
    assert (held[-1], contradictions) == ("40", 0)


ANSWERS = st.builds(
    RecordAnswer,
    member_name=st.sampled_from(["a.txt", "b.txt"]),
    line_number=st.integers(3, 4),
    record_id=st.just("J1120260123456789"),
    state=st.sampled_from(["10", "20", "30", "31"]),
    rejection_code=st.none(),
).map(
    lambda a: RecordAnswer(
        a.member_name, a.line_number, a.record_id, a.state, "E201" if a.state == "31" else None
    )
)


@given(st.lists(ANSWERS, max_size=10))
def test_a_record_only_advances_and_an_answer_is_given_once(answers: list[RecordAnswer]) -> None:
    held = {"member_name": "a.txt", "line_number": 3, "receiver_state_code": "10", "rejection_code": None}
    for answer in answers:
        verdict = judge_answer(held, answer)
        if verdict == "new":
            assert RANK[answer.state] > RANK[held["receiver_state_code"]]
            held |= {"receiver_state_code": answer.state, "rejection_code": answer.rejection_code}
            assert judge_answer(held, answer) == "same"
        if (answer.member_name, answer.line_number) != ("a.txt", 3):
            assert verdict == "misplaced"
    assert judge_answer(None, RecordAnswer("a.txt", 3, "?", "30", None)) == "unknown"
