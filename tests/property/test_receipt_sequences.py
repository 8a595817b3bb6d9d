"""Receipts in any order, repeated, forged, late, contradicting, about nobody: against the real registry.

A sequence is drawn by Hypothesis: after every step states have only advanced, and an answer once given
stands; at its end, all that came is delivered again, and nothing changes.
"""

import hashlib
import random
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, seed
from hypothesis import settings as runs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import RemoteFile
from etl.submission.answer import RANK
from etl.submission.intake import look_again, take_in_file
from etl.submission.outbox import RECEIVER
from schemas.padis_profile_file import profile_on
from schemas.registry import ANSWER, BATCH, LANDING, RECEIPT, RECORD
from tests.support.evidence import write_evidence
from tests.support.far_side import FarSide
from tests.support.receiver_words import LAYOUT, TO_THE_END, answered, reached, read, taken
from tests.support.released import forget_batches, release_batch
from tests.support.seed import draw_seed
from tests.support.submission import TODAY

SEED = draw_seed()
PROFILE = profile_on(RECEIVER, TODAY)
# Of another year than ours: so many sequences release more than 9,999 batches.
UNKNOWN = "J_110000_2025_A_9999"
BATCHES = st.sampled_from([0, 1])
RECORDS = 2


def machine_of(settings: Settings, done: Counter[str]) -> type[RuleBasedStateMachine]:
    """Make the machine for one installation; `done` counts what it did."""

    class Receipts(RuleBasedStateMachine):
        """Two batches, one sent and one not yet, and a receiver that says anything about them."""

        def __init__(self) -> None:
            super().__init__()
            done["sequences"] += 1
            self.batch_ids = [release_batch(settings, RECORDS) for _ in range(2)]
            self.delivered: dict[str, bytes] = {}
            self.before: dict[str, Any] = {}
            self.send(0)

        def send(self, number: int) -> None:
            with registry_session(settings) as connection:
                is_it = BATCH.c.batch_id == self.batch_ids[number]
                connection.execute(sa.update(BATCH).where(is_it).values(state="sent"))

        def deliver(self, kind: str, name: str, content: bytes) -> None:
            """Let one receipt come, under a name that the receiver chooses."""
            done[kind] += 1
            self.delivered[name] = content
            path = f"{PROFILE.receipts_folder}/{name}"
            session: Any = FarSide(files={path: content})
            take_in_file(settings, PROFILE, session, RemoteFile(name, len(content)), TODAY)

        def facts(self, number: int) -> tuple[str, sa.RowMapping, list[tuple[str, str, int]]]:
            batch_id = self.batch_ids[number]
            columns = (RECORD.c.record_id, RECORD.c.member_name, RECORD.c.line_number)
            places = sa.select(*columns).where(RECORD.c.batch_id == batch_id).order_by(RECORD.c.line_number)
            with registry_session(settings) as connection:
                batch = connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == batch_id)).mappings()
                return batch_id, batch.one(), [tuple(row) for row in connection.execute(places)]

        @rule(number=BATCHES, is_true=st.booleans())
        def says_what_it_took(self, number: int, is_true: bool) -> None:
            batch_id, batch, _ = self.facts(number)
            sha256 = batch["sha256"] if is_true else "0" * 64
            self.deliver("transfer", *taken(batch_id, batch["byte_count"], sha256))

        @rule(
            number=BATCHES, count=st.sampled_from([RECORDS, RECORDS + 1]), code=st.sampled_from(["", "F101"])
        )
        def says_whether_it_can_read(self, number: int, count: int, code: str) -> None:
            self.deliver("file", *read(self.batch_ids[number], count, code))

        @rule(number=BATCHES, state=st.sampled_from((*TO_THE_END, *TO_THE_END, "21", "31", "41")))
        def says_where_the_batch_is(self, number: int, state: str) -> None:
            self.deliver("batch", *reached(self.batch_ids[number], state))

        @rule(
            number=BATCHES,
            part=st.integers(1, 3),
            chosen=st.lists(st.integers(0, RECORDS - 1), min_size=1, max_size=RECORDS, unique=True),
            code=st.sampled_from(["", "", "E201", "E305"]),
            spoilt=st.sampled_from(["", "", "", "line", "record", "running"]),
        )
        def says_of_records(self, number: int, part: int, chosen: list[int], code: str, spoilt: str) -> None:
            batch_id, _, places = self.facts(number)
            said = [places[place] for place in chosen]
            if spoilt == "line":
                said[0] = (said[0][0], said[0][1], said[0][2] + 7)
            elif spoilt == "record":
                said[0] = ("J1120260FFFFFFFFFF", *said[0][1:])
            state, code = ("20", "") if spoilt == "running" else ("", code)
            self.deliver("record", *answered(batch_id, part, said, code, state))

        @rule(state=st.sampled_from(TO_THE_END), content=st.none() | st.binary(max_size=40))
        def speaks_of_what_nobody_knows(self, state: str, content: bytes | None) -> None:
            name, true = reached(UNKNOWN, state)
            self.deliver("unknown or unreadable", name, true if content is None else content)

        @rule(draw=st.randoms(use_true_random=False), other=st.integers(11, 99))
        def says_it_again(self, draw: random.Random, other: int) -> None:
            if self.delivered:
                name = draw.choice(sorted(self.delivered))
                stem, level, suffix = name.split(".")
                # Parts are numbered freely; the other levels keep their name.
                again = f"{stem}.R{other}.{suffix}" if level[0] == "R" and draw.random() < 0.5 else name
                self.deliver("repeated", again, self.delivered[name])

        @rule()
        def the_other_batch_is_sent(self) -> None:
            done["sent late"] += 1
            with registry_session(settings) as connection:
                is_it = sa.and_(BATCH.c.batch_id == self.batch_ids[1], BATCH.c.state == "approved")
                connection.execute(sa.update(BATCH).where(is_it).values(state="sent"))
            look_again(settings, PROFILE)

        def dump(self) -> dict[str, Any]:
            """Everything that receipts may change."""
            ours = self.batch_ids
            with registry_session(settings) as connection:
                batch = sa.select(BATCH.c.batch_id, BATCH.c.state, BATCH.c.receiver_state_code)
                record = sa.select(RECORD.c.record_id, RECORD.c.receiver_state_code, RECORD.c.rejection_code)
                chosen = {
                    "batch": batch.where(BATCH.c.batch_id.in_(ours)),
                    "record": record.where(RECORD.c.batch_id.in_(ours)),
                    "answer": sa.select(ANSWER).where(ANSWER.c.batch_id.in_(ours)),
                    "receipt": sa.select(RECEIPT),
                }
                return {
                    name: {tuple(row)[0:2] if name == "answer" else row[0]: tuple(row) for row in rows}
                    for name, rows in ((name, connection.execute(which)) for name, which in chosen.items())
                }

        @invariant()
        def states_only_advance(self) -> None:
            now, before = self.dump(), self.before
            for batch_id, (_, state, said) in now["batch"].items():
                _, was, had_said = before.get("batch", {}).get(batch_id, (batch_id, "approved", None))
                assert was != "sent" or state == "sent"
                if had_said is not None:
                    assert said is not None
                    assert LAYOUT.batch_states[said].stage >= LAYOUT.batch_states[had_said].stage
                    assert had_said not in LAYOUT.final_states or said == had_said
                assert said is None or state == "sent"
            for record_id, row in now["record"].items():
                had = before.get("record", {}).get(record_id, row)
                assert RANK[row[1]] >= RANK[had[1]]
                assert RANK[had[1]] < RANK["30"] or row == had
                assert (row[1] == "31") == (row[2] is not None)
            for key, row in before.get("answer", {}).items():
                assert now["answer"][key] == row
            for landing_id, row in before.get("receipt", {}).items():
                place = [column.name for column in RECEIPT.columns].index("state")
                assert row[place] == "parked" or now["receipt"][landing_id] == row
            self.before = now
            self.each_receipt_counts_once_and_what_is_unknown_is_parked()

        def each_receipt_counts_once_and_what_is_unknown_is_parked(self) -> None:
            came = {hashlib.sha256(content).hexdigest()[:16] for content in self.delivered.values()}
            kept = self.before["receipt"]
            assert kept.keys() >= came
            place = [column.name for column in RECEIPT.columns].index("state")
            for name, content in self.delivered.items():
                if name.startswith(UNKNOWN):
                    assert kept[hashlib.sha256(content).hexdigest()[:16]][place] == "parked"

        def teardown(self) -> None:
            for _ in range(3):
                if look_again(settings, PROFILE) == 0:
                    break
            else:
                raise AssertionError("looking again never comes to an end")
            self.states_only_advance()
            before = self.dump()
            for name, content in reversed(self.delivered.items()):
                self.deliver("repeated at the end", name, content)
            assert self.dump() == before
            self.each_receipt_counts_once_and_what_is_unknown_is_parked()
            forget_batches(settings)
            with registry_session(settings) as connection:
                for table in (RECEIPT, ANSWER, LANDING, RECORD):
                    connection.execute(sa.delete(table))

    return Receipts


def check(settings: Settings, sequences: int) -> Counter[str]:
    print(f"SEED={SEED}")
    done: Counter[str] = Counter()
    rounds = runs(
        max_examples=sequences,
        stateful_step_count=14,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(machine_of(settings, done)), settings=rounds)
    return done


def test_any_sequence_of_receipts_advances_once_and_replays_to_the_same(settings: Settings) -> None:
    assert check(settings, 20)["sequences"] >= 20


@pytest.mark.deep
def test_five_thousand_sequences_of_receipts_advance_once_and_replay_to_the_same(settings: Settings) -> None:
    done = check(settings, 5_000)
    assert done["sequences"] >= 5_000
    write_evidence("receipt_sequences", {"seed": SEED, "broken": 0, **dict(sorted(done.items()))})
