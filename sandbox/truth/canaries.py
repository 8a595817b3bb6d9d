"""Strings that exist nowhere else, on people of every fate: whoever finds one outside has found a leak."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

# In GBK, so that they are no defect, and in nobody's name.
RARE = "龘靐齉爩麤鱻飍驫羴犇猋骉"
CanaryList = list[dict[str, str]]


def marked_rows(
    persons: pa.Table,
    children: pa.Table,
    reports: pa.Table,
    births: pa.Table,
    defects: pa.Table,
    decisions: pa.Table,
) -> tuple[pa.Table, pa.Table, pa.Table, CanaryList]:
    """Give rare names, addresses and telephones to a few persons and mothers; list every such string.

    Chosen are eligible and undecided persons of both programmes, a person whose row is rejected, a
    mother whose child is in no register, and a mother from elsewhere. No decision changes.
    """
    canaries: CanaryList = []
    names = _rare_names()
    for number, person_id in enumerate(_chosen_persons(defects, decisions, births)):
        name = next(names)
        phone, address = f"1299{7_000_000 + number * 13:07d}", f"北京市金丝雀{name}胡同{number + 1}号"
        texts = {
            "name": name,
            "phone": phone,
            "residence_address": address,
            "hukou_address": address + "旁门",
        }
        persons = _with_texts(persons, "person_id", person_id, texts)
        canaries += _listed(
            persons, "population_person", "person_id", person_id, [*texts, "id_number", "person_id"]
        )
        for relation_id, child in zip(*_children_of(children, person_id), strict=True):
            children = _with_texts(children, "relation_id", relation_id, {"child_name": child})
            canaries.append(_canary("family_child", str(relation_id), "child_name", child))
        reports, more = _marked_reports(
            reports, births, person_id, {"mother_name": name, "mother_phone": phone}
        )
        canaries += more
    outsider = births.filter(pc.and_(births["mother_person_id"].is_null(), births["record_id"].is_valid()))
    record_id = outsider["record_id"][0].as_py()
    texts = {"mother_name": next(names), "mother_phone": "12996999999", "child_name": next(names)}
    reports = _with_texts(reports, "record_id", record_id, texts)
    canaries += _listed(reports, "mch_birth", "record_id", record_id, [*texts, "mother_id_number"])
    return persons, children, reports, [canary for canary in canaries if canary["value"]]


def marked_partners(
    tables: dict[str, pa.Table], marked: CanaryList
) -> tuple[dict[str, pa.Table], CanaryList]:
    """Give rare strings to one migrant, and list what partners write of persons who have some already."""
    canaries: CanaryList = []
    migrants = tables["migrant_registration"]
    key = migrants["registration_id"][0].as_py()
    texts = {"name": RARE[::-1][:4], "phone": "12995999999", "spouse_name": RARE[::-1][4:8]}
    migrants = _with_texts(migrants, "registration_id", key, texts)
    canaries += _listed(migrants, "migrant_registration", "registration_id", key, [*texts, "id_number"])
    holders = pa.array([canary["value"] for canary in marked if canary["kind"] == "name"], pa.string())
    payments = tables["bank_return"]
    for row in payments.filter(pc.is_in(payments["account_holder"], holders)).to_pylist():
        canaries.append(_canary("bank_return", row["disb_id"], "bank_account", row["bank_account"]))
    return {**tables, "migrant_registration": migrants}, [c for c in canaries if c["value"]]


def _rare_names() -> Iterator[str]:
    return (
        first + second + third
        for first in RARE
        for second in RARE
        for third in RARE
        if len({first, second, third}) == 3
    )


def _chosen_persons(defects: pa.Table, decisions: pa.Table, births: pa.Table) -> list[str]:
    clean = decisions.filter(pc.invert(pc.is_in(decisions["person_id"], defects["key"].combine_chunks())))
    chosen: list[str] = []
    for programme in ("J", "T"):
        for decision in ("eligible", "unknown"):
            of_kind = pc.and_(
                pc.equal(clean["programme_code"], programme), pc.equal(clean["decision_code"], decision)
            )
            chosen += clean.filter(of_kind)["person_id"].to_pylist()[:2]
    rejected = pc.equal(defects["defect"], "id_check_digit_wrong")
    chosen += defects.filter(rejected)["key"].to_pylist()[:1]
    unregistered = births.filter(births["missing_in_population"])["mother_person_id"].to_pylist()
    return list(dict.fromkeys([*chosen, *unregistered[:1]]))


def _children_of(children: pa.Table, person_id: str) -> tuple[list[int], list[str]]:
    own = children.filter(
        pc.or_kleene(
            pc.equal(children["mother_person_id"], person_id),
            pc.equal(children["father_person_id"], person_id),
        )
    )["relation_id"].to_pylist()
    return own, [
        RARE[relation % 12] + RARE[relation // 12 % 12] + "雀" + RARE[relation // 144 % 12]
        for relation in own
    ]


def _marked_reports(
    reports: pa.Table, births: pa.Table, person_id: str, texts: dict[str, str]
) -> tuple[pa.Table, CanaryList]:
    canaries: CanaryList = []
    own = births.filter(pc.equal(births["mother_person_id"], person_id))["record_id"].drop_null().to_pylist()
    for record_id in own:
        reports = _with_texts(reports, "record_id", record_id, texts)
        canaries += _listed(reports, "mch_birth", "record_id", record_id, [*texts, "mother_id_number"])
    return reports, canaries


def _with_texts(table: pa.Table, key: str, value: str | int, texts: dict[str, str]) -> pa.Table:
    chosen = pc.equal(table[key], value)
    for name, text in texts.items():
        changed = pc.if_else(chosen, pa.scalar(text), table[name])
        table = table.set_column(table.column_names.index(name), name, changed)
    return table


def _listed(table: pa.Table, dataset: str, key: str, value: str, columns: list[str]) -> CanaryList:
    (row,) = table.filter(pc.equal(table[key], value)).select(columns).to_pylist()
    return [_canary(dataset, value, column, str(text)) for column, text in row.items() if text]


def _canary(dataset: str, key: str, kind: str, value: str) -> dict[str, str]:
    return {"dataset": dataset, "key": key, "kind": kind, "value": value}
