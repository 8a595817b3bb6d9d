"""How many records of a batch the receiver will probably refuse, and for what, from its past answers.

Rates, counted and shown with their counts: of each record the first rule speaks whose group has had enough
answers (`schemas/padis/predictions`). Records are named where their group is mostly refused, or where the
very content was refused before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from etl.submission.receipt_file import ACCEPTED, REJECTED
from schemas.padis_prediction import FEATURES, SAME_AGAIN, PredictionRules, prediction_rules_on
from schemas.padis_profile import Profile
from schemas.padis_profile_file import profile_on
from schemas.registry import BATCH, RECORD

# Values of FEATURES, in their order.
Features = tuple[str, ...]
# How many answered records had these features, by the code of the refusal; None of those accepted.
Past = Mapping[Features, Mapping[str | None, int]]


@dataclass(frozen=True)
class Outlook:
    """What a rule says of a group of a batch's records: of `answered` before, `refused` with this code."""

    rejection_code: str
    rule_id: str
    group: str
    refused: int
    answered: int
    record_count: int

    @property
    def expected(self) -> Fraction:
        """So many of the group's records will probably be refused with this code."""
        return Fraction(self.record_count * self.refused, self.answered)


@dataclass(frozen=True)
class Named:
    """A record that will probably be refused, and with which code."""

    record_id: str
    rejection_code: str
    rule_id: str


@dataclass(frozen=True)
class Prediction:
    """What is expected of a batch; `answered` is on how many past answers it could rest, of any kind."""

    record_count: int
    answered: int
    outlooks: tuple[Outlook, ...]
    named: tuple[Named, ...]

    @property
    def expected(self) -> dict[str, Fraction]:
        """How many records will probably be refused, by code."""
        by_code: dict[str, Fraction] = {}
        for outlook in self.outlooks:
            code = outlook.rejection_code
            by_code[code] = by_code.get(code, Fraction(0)) + outlook.expected
        return dict(sorted(by_code.items()))


# What stands for the district of a part that is not named after one, as files of other agreements may be.
NO_DISTRICT = "-"


def predict_batch(connection: Connection, batch: sa.RowMapping) -> Prediction | None:
    """Predict the refusals of a batch from what is answered by now; None where no rules are written.

    A batch without records of its own, such as divisions or a letter, has no rules.
    """
    day = batch["business_date"]
    rules = prediction_rules_on(batch["receiver"], day)
    if rules is None:
        return None
    profile = profile_on(batch["receiver"], day)
    if batch["subsystem_code"] not in profile.subsystems:
        return None
    return predict(
        rules,
        _features_of(connection, profile, batch),
        _past_answers(connection, profile, rules, batch),
        _refused_before(connection, batch["batch_id"]),
    )


def predict(
    rules: PredictionRules,
    records: Iterable[tuple[str, Features]],
    past: Past,
    refused_before: Mapping[str, str],
) -> Prediction:
    """Tell what is expected of records, each with its id and features.

    `refused_before` has the code with which the same content of the same person was refused.
    """
    groups = {rule.id: _by_group(past, rule.by) for rule in rules.rules}
    members: Counter[tuple[str, Features]] = Counter()
    repeated: Counter[str] = Counter()
    named: list[Named] = []
    count = 0
    for record_id, features in records:
        count += 1
        if record_id in refused_before:
            repeated[refused_before[record_id]] += 1
            named.append(Named(record_id, refused_before[record_id], SAME_AGAIN))
            continue
        for rule in rules.rules:
            group = _project(features, rule.by)
            answers = groups[rule.id].get(group, Counter())
            if answers.total() >= rules.least_answered:
                members[rule.id, group] += 1
                code = _mostly(answers, rules.name_from_percent)
                named += [Named(record_id, code, rule.id)] if code else []
                break
    outlooks = [Outlook(code, SAME_AGAIN, "", n, n, n) for code, n in repeated.items()]
    for (rule_id, group), size in members.items():
        answers = groups[rule_id][group]
        outlooks += [
            Outlook(code, rule_id, " ".join(group), refused, answers.total(), size)
            for code, refused in answers.items()
            if code is not None
        ]
    answered = sum(sum(codes.values()) for codes in past.values())
    in_order = sorted(outlooks, key=lambda each: (each.rejection_code, each.rule_id, each.group))
    return Prediction(count, answered, tuple(in_order), tuple(sorted(named, key=lambda each: each.record_id)))


def _project(features: Features, by: Sequence[str]) -> Features:
    return tuple(features[FEATURES.index(name)] for name in by)


def _by_group(past: Past, by: Sequence[str]) -> dict[Features, Counter[str | None]]:
    groups: dict[Features, Counter[str | None]] = {}
    for features, codes in past.items():
        groups.setdefault(_project(features, by), Counter()).update(codes)
    return groups


def _mostly(answers: Counter[str | None], percent: int) -> str | None:
    """Give the code with which at least so many were refused; the first by name of equals."""
    refused = [(-count, code) for code, count in answers.items() if code is not None]
    if not refused:
        return None
    count, code = min(refused)
    return code if -count * 100 >= percent * answers.total() else None


def _past_answers(
    connection: Connection, profile: Profile, rules: PredictionRules, batch: sa.RowMapping
) -> Past:
    """Count the receiver's answers about the batch's subsystem, up to its date, by features and code."""
    day = batch["business_date"]
    is_near = BATCH.c.business_date.between(day - timedelta(days=rules.look_back_days), day)
    features = (
        RECORD.c.subsystem_code,
        RECORD.c.operation_code,
        RECORD.c.member_name,
        _which_try().label("try"),
    )
    chosen = (
        sa.select(*features, RECORD.c.rejection_code, sa.func.count().label("records"))
        .join_from(RECORD, BATCH)
        .where(
            RECORD.c.receiver == batch["receiver"],
            RECORD.c.subsystem_code == batch["subsystem_code"],
            RECORD.c.receiver_state_code.in_((ACCEPTED, REJECTED)),
            RECORD.c.batch_id != batch["batch_id"],
            is_near,
        )
        .group_by(*features, RECORD.c.rejection_code)
    )
    past: dict[Features, Counter[str | None]] = {}
    for row in connection.execute(chosen):
        district = profile.district_of(row.member_name) or NO_DISTRICT
        features_of = (row.subsystem_code, row.operation_code, district, row[3])
        past.setdefault(features_of, Counter())[row.rejection_code] += row.records
    return past


def _which_try() -> sa.ColumnElement[str]:
    return sa.case((RECORD.c.first_record_id.is_(None), "first"), else_="again")


def _features_of(
    connection: Connection, profile: Profile, batch: sa.RowMapping
) -> list[tuple[str, Features]]:
    chosen = (
        sa.select(
            RECORD.c.record_id,
            RECORD.c.subsystem_code,
            RECORD.c.operation_code,
            RECORD.c.member_name,
            _which_try().label("try"),
        )
        .where(RECORD.c.batch_id == batch["batch_id"])
        .order_by(RECORD.c.record_id)
    )
    return [
        (record_id, (subsystem, operation, profile.district_of(member_name) or NO_DISTRICT, which_try))
        for record_id, subsystem, operation, member_name, which_try in connection.execute(chosen)
    ]


def _refused_before(connection: Connection, batch_id: str) -> dict[str, str]:
    """Find records whose content was reported of the same person before, and refused at last."""
    now, earlier = RECORD.alias("now"), RECORD.alias("earlier")
    is_same = sa.and_(
        earlier.c.person_id == now.c.person_id,
        earlier.c.receiver == now.c.receiver,
        earlier.c.subsystem_code == now.c.subsystem_code,
        earlier.c.operation_code == now.c.operation_code,
        earlier.c.fact_sha256 == now.c.fact_sha256,
        sa.tuple_(earlier.c.period, earlier.c.ordinal) < sa.tuple_(now.c.period, now.c.ordinal),
    )
    newest = (
        sa.select(now.c.record_id, earlier.c.receiver_state_code, earlier.c.rejection_code)
        .join_from(now, earlier, is_same)
        .where(now.c.batch_id == batch_id, earlier.c.receiver_state_code.in_((ACCEPTED, REJECTED)))
        .order_by(now.c.record_id, earlier.c.period.desc(), earlier.c.ordinal.desc())
        .ext(postgresql.distinct_on(now.c.record_id))
    )
    rows = connection.execute(newest)
    return {row.record_id: row.rejection_code for row in rows if row.receiver_state_code == REJECTED}
