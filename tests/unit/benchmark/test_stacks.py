"""Stacks as py-spy writes them, folded into shares of our functions and what they call."""

from pathlib import Path

from tests.benchmark.stacks import Stack, busy, clocked, fold, fold_night, libraries, read_stacks

PROJECT = Path("/somewhere/project")
OWN, SITE, STANDARD = (
    f"{PROJECT}/",
    f"{PROJECT}/.venv/lib/python3.11/site-packages/",
    "/opt/py/lib/python3.11/",
)
MAIN = f"<module> ({OWN}tests/benchmark/contender.py:70);main ({OWN}tests/benchmark/contender.py:30)"
CLOCK = f"{MAIN};clocked ({OWN}tests/benchmark/contender.py:42);run ({OWN}tests/benchmark/ours/gate.py:20)"
DUCK = f"guarded.<locals>.call ({SITE}duckdb/_relation.py:9);Relation.to_arrow ({SITE}duckdb/_relation.py:5)"
LINES = {
    (f"{OWN}etl/digest.py", 7): "    digest.update(block)\n",
    (f"{OWN}etl/digest.py", 9): "    block = file.read(SIZE)\n",
    (f"{OWN}tests/benchmark/ours/gate.py", 20): "    return judged(rows)\n",
    (f"{OWN}etl/dates.py", 3): "    return pc.strftime(values)\n",
}


def reading(file: str, line: int) -> str:
    return LINES.get((file, line), "")


def folded(*stacks: str) -> list[tuple[str, str, float]]:
    seen = busy(clocked(read_stacks("\n".join(stacks), PROJECT)))
    return [(entry["where"], entry["call"], entry["share"]) for entry in fold(seen, reading)]


def test_shares_are_of_the_work_of_ours_and_what_it_calls() -> None:
    engine = f"count ({OWN}quality/count.py:4);run_sql ({OWN}connectors/engine.py:45)"
    assert folded(
        f"{CLOCK};{engine};{DUCK};submit ({SITE}duckdb/_seam.py:99) 60",
        f"{CLOCK};score ({OWN}quality/score.py:8);Connection.execute ({SITE}sqlalchemy/base.py:1);"
        f"wait ({SITE}psycopg/waiting.py:3) 25",
        f"{CLOCK};digest_of ({OWN}etl/digest.py:7) 10",
        f"{CLOCK};digest_of.<locals>.<listcomp> ({OWN}etl/digest.py:9) 5",
    ) == [
        ("count (quality/count.py)", "run_sql (connectors/engine.py) › Relation.to_arrow (duckdb)", 60.0),
        ("score (quality/score.py)", "Connection.execute (sqlalchemy) › psycopg", 25.0),
        ("digest_of (etl/digest.py)", "itself, at `digest.update(block)`", 15.0),
    ]


def test_imports_the_warm_up_and_the_answer_are_left_out() -> None:
    warm = f"{MAIN};run ({OWN}tests/benchmark/ours/gate.py:20);count ({OWN}quality/count.py:4) 300"
    imports = f"{MAIN};_find_and_load (<frozen importlib._bootstrap>:1176);<module> ({OWN}etl/x.py:1) 500"
    answer = f"{MAIN};answer ({OWN}tests/benchmark/ours/gate.py:33) 40"
    clock = (
        f"{MAIN};clocked ({OWN}tests/benchmark/contender.py:41);_cpu ({OWN}tests/benchmark/contender.py:50) 9"
    )
    work = f"{CLOCK};count ({OWN}quality/count.py:4) 1"
    assert folded(imports, warm, clock, work, answer) == [("count (quality/count.py)", "itself", 100.0)]


def test_a_thread_stands_for_who_waits_for_it() -> None:
    waits = (
        f"{CLOCK};read_ahead ({OWN}connectors/read_ahead.py:25);"
        f"Future.result ({STANDARD}concurrent/futures/_base.py:451);wait ({STANDARD}threading.py:327) 90"
    )
    pool = f"_bootstrap ({STANDARD}threading.py:1002);_worker ({STANDARD}concurrent/futures/thread.py:81)"
    assert folded(
        waits,
        f"{pool} 90",
        f"{pool};fetch ({OWN}etl/pull.py:3);fetch_arrow_table ({SITE}adbc_driver_manager/dbapi.py:1) 90",
        f"{pool};_find_and_load (<frozen importlib._bootstrap>:1176);<module> ({OWN}etl/x.py:1) 7",
        f"monitor ({SITE}tqdm/_monitor.py:60);wait ({STANDARD}threading.py:327) 200",
        f"{CLOCK};ask ({OWN}etl/drops.py:3);Channel.recv ({SITE}paramiko/channel.py:2);"
        f"wait ({STANDARD}threading.py:327) 10",
    ) == [
        ("fetch (etl/pull.py)", "fetch_arrow_table (adbc_driver_manager)", 90.0),
        ("ask (etl/drops.py)", "Channel.recv (paramiko) › threading", 10.0),
    ]


def test_a_function_without_a_name_of_its_own_is_told_by_our_line() -> None:
    assert folded(
        f"{CLOCK};as_date ({OWN}etl/dates.py:3);_make.<locals>.wrapper ({SITE}pyarrow/compute.py:9) 3",
        f"{CLOCK};run_sql ({OWN}connectors/engine.py:45);{DUCK} 1",
    ) == [
        ("as_date (etl/dates.py)", "pyarrow, at `return pc.strftime(values)`", 75.0),
        (
            "run (tests/benchmark/ours/gate.py)",
            "run_sql (connectors/engine.py) › Relation.to_arrow (duckdb), at `return judged(rows)`",
            25.0,
        ),
    ]


def test_no_place_of_the_machine_is_told() -> None:
    told = folded(
        f"{CLOCK};copied ({OWN}etl/x.py:1);deepcopy ({STANDARD}copy.py:3) 2",
        f"{CLOCK};copied ({OWN}etl/x.py:1);made (/elsewhere/of/me/made.py:3) 1",
    )
    assert [call for _, call, _ in told] == ["deepcopy (copy)", "made (made)"]


def test_at_most_eight_stand_alone() -> None:
    told = folded(*(f"{CLOCK};step_{n} ({OWN}etl/x.py:1) {n}" for n in range(1, 11)))
    assert [(where, share) for where, _, share in told][-2:] == [("step_3 (etl/x.py)", 5.5), ("others", 5.5)]
    assert len(told) == 9


def test_nothing_seen_gives_nothing() -> None:
    assert folded("", f"{MAIN} 5") == []
    assert fold_night({}, reading) == []
    assert fold_night({"send_batches": []}, reading) == []
    assert libraries([]) == []


def test_libraries_are_told_by_where_looks_ended() -> None:
    raw = f"{CLOCK};count ({OWN}quality/count.py:4);{DUCK} 3\n{CLOCK};count ({OWN}quality/count.py:4) 1"
    assert libraries(clocked(read_stacks(raw, PROJECT))) == [
        {"library": "duckdb", "share": 75.0},
        {"library": "ours", "share": 25.0},
    ]


def seen(*stacks: str) -> list[Stack]:
    return busy(clocked(read_stacks("\n".join(stacks), PROJECT)))


def test_a_night_is_told_by_its_steps_and_their_threads() -> None:
    waits = f"result ({STANDARD}concurrent/futures/_base.py:4);wait ({STANDARD}threading.py:3)"
    told = fold_night(
        {
            "decide_subsidies": seen(f"{CLOCK};judge ({OWN}etl/judge.py:1);{DUCK} 36"),
            "pull_population": seen(
                f"{CLOCK};read_table ({OWN}etl/pull/table.py:3);{waits} 300",
                f"_worker ({STANDARD}concurrent/futures/thread.py:8);"
                f"read_part ({OWN}etl/pull/table.py:9);{DUCK} 60",
            ),
            "gate_cases": seen(f"{CLOCK};gate_datasets ({OWN}quality/gate.py:1) 3"),
            "send_batches": seen(f"{CLOCK};execute ({SITE}sqlalchemy/base.py:1) 1"),
            "approve_batches": [],
        },
        reading,
    )
    assert [(step["step"], step["share"]) for step in told] == [
        ("pull_population", 60.0),
        ("decide_subsidies", 36.0),
        ("gate_cases", 3.0),
        ("others", 1.0),
    ]
    assert told[0]["entries"] == [
        {"where": "read_part (etl/pull/table.py)", "call": "Relation.to_arrow (duckdb)", "share": 60.0}
    ]
