"""Every DAG imports without network or database, explains itself, and keeps its vital order."""

import pytest

from connectors.settings import PROJECT
from schemas.drop_source import DROP_SOURCES

NAMES = (
    "check_deadlines",
    "collect_receipts",
    "decide_subsidies",
    "publish_statistics",
    "pull_bank_returns",
    "pull_birth_services",
    "pull_cases",
    "pull_mch_births",
    "pull_migrants",
    "pull_population",
    "rebuild_days",
    "reconcile_births",
    "replay_returned",
    "share_births",
    "submit_padis",
)
QUESTIONS = ("何时 · When", "做什么 · What", "失败意味着 · A failure means", "可否重跑 · Rerunning")

# DAG, task, the tasks that must have ended before it
VITAL_ORDER = [
    ("pull_population", "conform_population", {"follow_divisions", "pull_population"}),
    ("pull_population", "gate_population", {"follow_divisions", "pull_population", "conform_population"}),
    ("decide_subsidies", "take_over_cases", {"import_cases"}),
    ("decide_subsidies", "decide_subsidies", {"import_cases", "take_over_cases"}),
    ("decide_subsidies", "review_cases", {"import_cases", "take_over_cases", "decide_subsidies"}),
    ("rebuild_days", "rebuild", {"preview"}),
    ("share_births", "send_letters", {"write_letters"}),
    ("share_births", "collect_answers", {"write_letters", "send_letters"}),
    ("submit_padis", "ask_operator", {"build_batches", "preview_batches"}),
    ("submit_padis", "approve_batches", {"build_batches", "preview_batches", "ask_operator"}),
    ("submit_padis", "send_batches", {"build_batches", "preview_batches", "ask_operator", "approve_batches"}),
]

# Only what passed the gate is announced; only what was sent is waited for.
ANNOUNCED_BY = [
    ("population", "pull_population", "gate_population"),
    *((source.process, source.steps[0], source.steps[2]) for source in DROP_SOURCES),
    ("births", "reconcile_births", "reconcile_births"),
    ("decisions", "decide_subsidies", "review_cases"),
    ("submissions", "submit_padis", "send_batches"),
    ("receipts", "collect_receipts", "collect_receipts"),
    ("statistics", "publish_statistics", "publish_statistics"),
]


def test_every_dag_file_imports_without_network_or_database(listing):
    assert listing["import_errors"] == {}


def test_importing_the_dags_loads_no_step(listing):
    assert listing["modules"] == []


# Hours for which a DAG waits by itself.
LONGEST_WAIT = {"submit_padis": 20, "collect_receipts": 1} | {source.steps[0]: 30 for source in DROP_SOURCES}
PARTNERS = {source.steps[0] for source in DROP_SOURCES}


def test_there_is_one_dag_per_process_in_a_file_of_its_name_but_the_partners_share_one(dags):
    assert sorted(dags) == list(NAMES)
    assert all(dag["file"] == ("pull_partners" if name in PARTNERS else name) for name, dag in dags.items())


@pytest.mark.parametrize("source", DROP_SOURCES, ids=lambda source: source.process)
def test_each_partner_s_drop_is_pulled_conformed_and_gated(dags, source):
    pull, conform, gate = source.steps
    tasks = dags[pull]["tasks"]
    assert set(tasks) == {pull, conform, gate}
    assert (tasks[pull]["upstream"], tasks[conform]["upstream"]) == ([], [pull])
    assert tasks[gate]["upstream"] == sorted([pull, conform])
    assert tasks[gate]["announces"] == [source.process]


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_tells_the_operator_what_it_is_in_both_languages(dags, name):
    page = dags[name]["doc"]
    assert all(question in page for question in QUESTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_takes_a_business_date_or_none(dags, name):
    schema = dags[name]["params"]["business_date"]
    assert (schema["type"], schema["format"]) == (["null", "string"], "date")


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_has_an_owner_tags_retries_and_one_run_at_a_time(dags, name):
    dag = dags[name]
    assert dag["tags"]
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    for task_id, task in dag["tasks"].items():
        assert task["owner"] == "data-engineering"
        # What comes again by itself every quarter of an hour, and what a person answers, need no patience.
        impatient = {"ask_operator": 0, "check_deadlines": 2}
        assert task["retries"] == impatient.get(task_id, 6)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"check_deadlines"}))
def test_a_step_waits_out_a_rebuild_of_its_date_but_not_beyond_the_time_of_its_dag(dags, name):
    ((_, hours, _),) = dags[name]["deadlines"]
    for task_id, task in dags[name]["tasks"].items():
        if task_id != "ask_operator":
            # A delay may be doubled: tasks that failed together are not tried again together.
            assert 60 <= task["patience"] < hours * 60 / 2


@pytest.mark.parametrize("name", NAMES)
def test_no_dag_follows_assets_alone_since_those_cannot_be_backfilled(dags, name):
    is_timed = name.startswith("pull_") or name == "check_deadlines"
    by_clock = "CronDataIntervalTimetable" if is_timed else "AssetOrTimeSchedule"
    # What comes once is pulled by hand, and past dates are rebuilt when somebody asks for it.
    others = {"pull_cases": "NullTimetable", "rebuild_days": "OnRequest"}
    assert dags[name]["schedule"] == others.get(name, by_clock)


@pytest.mark.parametrize("name", NAMES)
def test_people_are_told_of_every_run_that_does_not_end(dags, name):
    ((reference, hours, callback),) = dags[name]["deadlines"]
    # With Airflow's own reference no task of the run could be cleared.
    assert reference == "RunQueued"
    assert callback == "connectors.airflow_alerts.tell_run_overdue"
    # Longer than the DAG may wait for a partner or a person.
    assert hours > LONGEST_WAIT.get(name, 0)


@pytest.mark.parametrize(("dag", "task", "before"), VITAL_ORDER)
def test_the_vital_order_holds(dags, dag, task, before):
    assert set(dags[dag]["tasks"][task]["upstream"]) == before


@pytest.mark.parametrize(("asset", "dag", "task"), ANNOUNCED_BY)
def test_an_asset_is_announced_by_the_one_task_that_makes_it_true(dags, asset, dag, task):
    announcing = [
        (name, task_id)
        for name, found in dags.items()
        for task_id, each in found["tasks"].items()
        if asset in each["announces"]
    ]
    assert announcing == [(dag, task)]


def test_the_sender_runs_without_a_question_but_not_after_a_failure(dags):
    assert dags["submit_padis"]["tasks"]["send_batches"]["trigger_rule"].lower().endswith("none_failed")


def test_airflow_s_settings_hold_no_key_and_no_absolute_path():
    text = (PROJECT / "airflow.cfg").read_text(encoding="utf-8")
    settings = [line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    assert not [name for name, _ in settings if "key" in name or "secret" in name or "password" in name]
    assert not [value for _, value in settings if value.strip().startswith(("/", "~"))]
