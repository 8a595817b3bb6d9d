"""One night as a list of steps, in their order; Airflow's DAGs and the command line run the same.

Imports lie inside the steps, so that listing them costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from schemas.drop_source import DROP_SOURCES, DropSource

if TYPE_CHECKING:
    from connectors.settings import Settings
    from connectors.ssh import SftpPartner
    from etl.steps import Counts

POPULATION_DATASETS = ("population_person", "family_child", "marriage")
PACE_SECONDS = 1.0
INSIDE, SOURCE, PERSON, RECEIVER = "inside", "source", "person", "receiver"


@dataclass(frozen=True)
class Night:
    """What the steps of one night need to know."""

    settings: Settings
    business_date: date
    approver: str | None = None
    # How long collecting waits for receivers that have not finished; they answer in their own time.
    patience_seconds: float = 0.0
    # Whether a step does in full what it else builds upon what is known.
    is_full: bool = False

    def partner(self, name: str) -> SftpPartner:
        """Tell how a partner is reached."""
        from connectors.ssh import load_partner

        return load_partner(self.settings, name)

    def population(self) -> Settings:
        """Tell the settings with which the population database is reached."""
        return self.settings


@dataclass(frozen=True)
class Step:
    """One step: its name, what it is for, and its work."""

    name: str
    title: str
    work: Callable[[Night], Mapping[str, Any]]
    # A step that waits or fails stops those that need it, and no others.
    needs: tuple[str, ...] = ()
    # Whom it asks or tells outside: INSIDE (nobody), SOURCE, PERSON or RECEIVER. In shadow landed bytes
    # stand for the source, and nobody is asked or told.
    reach: str = INSIDE
    # What it conforms or judges: where dataset versions are given, these stand for its work.
    datasets: tuple[str, ...] = ()
    # Which states with history it writes as a whole, as `connectors.registry.state_name` names them.
    states: tuple[str, ...] = ()


def _follow_divisions(night: Night) -> Mapping[str, Any]:
    from connectors.registry import registry_session
    from etl.divisions.succession import follow_divisions
    from etl.night_before import states_to_come

    with registry_session(night.settings) as connection:
        to_come = states_to_come(connection, night.business_date)
    return follow_divisions(night.settings, night.business_date, to_come)


def _pull_population(night: Night) -> Mapping[str, Any]:
    from etl.pull.population import pull_population

    return pull_population(night.population(), night.business_date, is_full=night.is_full)


def _conform_population(night: Night) -> Mapping[str, Any]:
    from etl.conform.population import conform_population

    return conform_population(night.settings, night.business_date, is_full=night.is_full)


def _gate_population(night: Night) -> Mapping[str, Any]:
    from quality.gate import gate_datasets

    return gate_datasets(night.settings, night.business_date, POPULATION_DATASETS)


def _tickets(*datasets: str) -> tuple[str, ...]:
    return tuple(f"quality.ticket:{dataset}" for dataset in datasets)


def _drop_steps(source: DropSource) -> tuple[Step, ...]:
    """Make the steps of a partner that leaves drops."""

    def pull(night: Night) -> Mapping[str, Any]:
        from etl.pull.sources import pull_source

        return pull_source(night.settings, source, night.business_date, night.partner(source.name))

    def conform(night: Night) -> Mapping[str, Any]:
        from etl.conform.drop import conform_drop

        return conform_drop(night.settings, source, night.business_date)

    def gate(night: Night) -> Mapping[str, Any]:
        from quality.gate import gate_datasets

        return gate_datasets(night.settings, night.business_date, (source.dataset,))

    pulls, conforms, gates = source.steps
    chinese, _, english = source.title.partition(" · ")
    return (
        Step(pulls, f"接收{chinese} · fetch the drop of the date: {english}", pull, (), SOURCE),
        Step(
            conforms,
            f"规整{chinese} · types, codes, quarantine, fold into the known",
            conform,
            (pulls,),
            datasets=(source.dataset,),
        ),
        Step(
            gates,
            f"质量闸门({chinese}) · judge, then the date points at the version",
            gate,
            (conforms,),
            datasets=(source.dataset,),
            states=_tickets(source.dataset),
        ),
    )


def _replay_returned(night: Night) -> Mapping[str, Any]:
    from etl.conform.replay_returned import replay_returned

    return replay_returned(night.settings, night.business_date)


def _reconcile_births(night: Night) -> Mapping[str, Any]:
    from etl.births.reconcile import reconcile_births

    return reconcile_births(night.settings, night.business_date)


def _decide_subsidies(night: Night) -> Mapping[str, Any]:
    from etl.subsidy.decide import decide_subsidies

    return decide_subsidies(night.settings, night.business_date, is_full=night.is_full)


def _import_cases(night: Night) -> Mapping[str, Any]:
    from etl.subsidy.cases import import_cases

    return import_cases(night.settings, night.business_date)


def _take_over_cases(night: Night) -> Mapping[str, Any]:
    from etl.subsidy.case_taking_over import take_over_cases

    return take_over_cases(night.settings, night.business_date)


def _review_cases(night: Night) -> Mapping[str, Any]:
    from etl.subsidy.case_review import review_cases

    return review_cases(night.settings, night.business_date)


def _build_batches(night: Night) -> Mapping[str, Any]:
    from etl.submission.build import build_batches

    return build_batches(night.settings, night.business_date)


def _approve_batches(night: Night) -> Mapping[str, Any]:
    from etl.submission.approve import approve_batches

    if night.approver is None:
        return {"state": "waiting"}
    return approve_batches(night.settings, night.business_date, night.approver, approved=True)


def _send_batches(night: Night) -> Mapping[str, Any]:
    from etl.submission.send import send_batches

    return send_batches(night.settings, night.business_date, night.partner("padis"))


def _collect_receipts(night: Night) -> Mapping[str, Any]:
    import time

    from etl.submission.receipts import awaiting_batches, collect_receipts

    until = time.monotonic() + night.patience_seconds
    while True:
        counts = collect_receipts(night.settings, night.business_date, night.partner("padis"))
        if time.monotonic() >= until or not awaiting_batches(night.settings, night.business_date):
            return counts
        time.sleep(PACE_SECONDS)


def _write_letters(night: Night) -> Mapping[str, Any]:
    from etl.submission.shared_letters import write_letters

    return write_letters(night.settings, night.business_date)


def _send_letters(night: Night) -> Mapping[str, Any]:
    from etl.submission.shared_receipts import has_letters_to_send, send_letters

    if not has_letters_to_send(night.settings, night.business_date):
        return {"sent": 0, "uncertain": 0, "batches": []}
    return send_letters(night.settings, night.business_date, night.partner("sharing"))


def _collect_answers(night: Night) -> Mapping[str, Any]:
    from etl.submission.shared_receipts import collect_answers, has_letters_out

    if not has_letters_out(night.settings, night.business_date):
        counts = ("done", "refused", "waiting", "parked", "awaited", "overdue", "new", "unreadable")
        return dict.fromkeys(counts, 0)
    return collect_answers(night.settings, night.business_date, night.partner("sharing"))


def _publish_statistics(night: Night) -> Mapping[str, Any]:
    from etl.statistics.publish import publish_statistics

    return publish_statistics(night.settings, night.business_date)


STEPS = (
    Step(
        "follow_divisions",
        "区划沿革 · move what is open from retired divisions to those in their place",
        _follow_divisions,
    ),
    Step(
        "pull_population",
        "拉取全员人口库 · read persons, children, marriages in one snapshot",
        _pull_population,
        (),
        SOURCE,
    ),
    Step(
        "conform_population",
        "规整人口数据 · types, codes, names, divisions, quarantine",
        _conform_population,
        ("pull_population",),
        datasets=POPULATION_DATASETS,
    ),
    Step(
        "gate_population",
        "质量闸门(人口) · Great Expectations judges, then the date points at the versions",
        _gate_population,
        ("conform_population",),
        datasets=POPULATION_DATASETS,
        states=_tickets(*POPULATION_DATASETS),
    ),
    *(step for source in DROP_SOURCES for step in _drop_steps(source)),
    Step(
        "replay_returned",
        "重放退回行 · judge again what waits at partners that left nothing",
        _replay_returned,
        states=_tickets(*(source.dataset for source in DROP_SOURCES)),
    ),
    Step(
        "reconcile_births",
        "出生核对 · link, classify, open and close tasks",
        _reconcile_births,
        ("gate_population", "gate_mch_births"),
        states=("births.birth_match", "births.link_review", "worklist.task:births"),
    ),
    Step(
        "write_letters",
        "生成更正与待办文件 · propose corrections and hand over to-dos, as files of the sharing platform",
        _write_letters,
        ("reconcile_births",),
    ),
    Step(
        "send_letters",
        "送出更正与待办 · send what was released to the sharing platform, exactly once",
        _send_letters,
        (),
        RECEIVER,
    ),
    Step(
        "collect_answers",
        "收取更正与待办的答复 · read what the addressees answered; it counts from the next night on",
        _collect_answers,
        (),
        RECEIVER,
    ),
    Step(
        "import_cases",
        "导入个案基线 · cases in payment before us, and what PADIS has accepted of them",
        _import_cases,
        ("gate_population",),
        states=("subsidy.case:baseline", "subsidy.case:life", "exchange.accepted:baseline"),
    ),
    Step(
        "take_over_cases",
        "承接个案 · what the import did not question becomes a case with a history of its own",
        _take_over_cases,
        ("import_cases",),
    ),
    Step(
        "decide_subsidies",
        "资格判定 · decide T and J for everyone, clause by clause",
        _decide_subsidies,
        ("gate_population",),
        states=("subsidy.decision:T", "subsidy.decision:J", "worklist.task:subsidy"),
    ),
    Step(
        "review_cases",
        "个案核定 · every case continues, is closed, or becomes a task of its village",
        _review_cases,
        ("decide_subsidies",),
        states=("subsidy.case_review", "worklist.task:cases"),
    ),
    Step(
        "build_batches",
        "生成上报批次 · build the files of newly eligible persons, once",
        _build_batches,
        ("decide_subsidies",),
    ),
    Step(
        "approve_batches",
        "人工批准 · release the built batches (--approve-as USER)",
        _approve_batches,
        ("build_batches",),
        PERSON,
    ),
    Step(
        "send_batches",
        "上报 · send what was approved, exactly once",
        _send_batches,
        ("approve_batches",),
        RECEIVER,
    ),
    Step(
        "collect_receipts",
        "收取回执 · read receipts of batches and records",
        _collect_receipts,
        (),
        RECEIVER,
        states=("worklist.task:submission",),
    ),
    Step(
        "publish_statistics",
        "发布统计 · four-level cube and workbook",
        _publish_statistics,
        ("decide_subsidies",),
    ),
)


def run_one(night: Night, step: Step) -> Counts:
    """Run one step of a night on record."""
    from etl.steps import run_step

    return run_step(night.settings, night.business_date, step.name, lambda: step.work(night))


def run_night(
    night: Night, announce: Callable[[Step], None] = lambda _: None, steps: Sequence[Step] | None = None
) -> Iterator[tuple[Step, Counts | Exception | None]]:
    """Run the steps in their order; give each with its counts, its error, or None where it was left out.

    The whole business date is held meanwhile: no other run works on it.

    A step is left out when one that it needs waits, has nothing to give, failed or was left out; the
    others go on. One that would rewrite the findings of a later date is superseded, which is no failure:
    run the newest date.
    `announce` is told of each step before it runs.

    Raises:
        Refusal: `held_by_another_run`, before any step.
    """
    from etl.steps import whole_night

    with whole_night(night.settings, night.business_date):
        yield from run_all(night, announce, STEPS if steps is None else steps)


def run_all(
    night: Night, announce: Callable[[Step], None], steps: Sequence[Step]
) -> Iterator[tuple[Step, Counts | Exception | None]]:
    """Run steps in their order as `run_night` does, without holding the date."""
    from etl.steps import HOLDS_UP
    from schemas.refusal import Refusal

    done: set[str] = set()
    for step in steps:
        if not set(step.needs) <= done:
            yield step, None
            continue
        announce(step)
        try:
            counts = run_one(night, step)
        except Exception as error:
            if isinstance(error, Refusal) and error.code == "later_state_on_record":
                yield step, {"state": "superseded", "message": str(error)}
            else:
                yield step, error
            continue
        if counts.get("state") not in HOLDS_UP:
            done.add(step.name)
        yield step, counts
