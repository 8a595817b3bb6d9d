"""Write docs/policy.md: every programme, clause and dated value with its document and confidence."""

from collections.abc import Iterable, Sequence

from schemas.policy import Parameter, PolicyValue, load_parameter
from schemas.policy_check import parameter_names
from schemas.predicate import facts_of
from schemas.programme import Clause, Programme
from schemas.programme_file import load_documents, load_facts, load_programme, programme_names

HEAD = """# Policy · 政策

Generated from `policy/` by `schemas/policy_page.py`; do not edit.

A person is decided under a programme by all of its clauses: any clause false, not eligible (不符合);
else any clause unknown, undecided (待定), and the documents that would decide are asked for; else
eligible (符合). Values hold from the day shown until the next one. **Confidence**: high = an official
notice or dated report was read; medium, low = recalled or second-hand, to be confirmed by the
commission. Values without a start date are listed and never computed with.
"""


def render_policy_page() -> str:
    """Render the policy files as one page of Markdown; equal files give equal bytes."""
    parts = [HEAD, *(_programme(programme) for programme in _programmes())]
    return "\n".join([*parts, _values(), _facts(), _documents()])


def _programmes() -> list[Programme]:
    return [load_programme(name) for name in reversed(programme_names())]


def _programme(programme: Programme) -> str:
    lines = [f"## {programme.code} · {programme.title}", ""]
    if programme.scope:
        lines += [programme.scope.strip(), ""]
    values = [
        f"`${name}` is [{value.name}](#{_anchor(value)})" for name, value in programme.parameters.items()
    ]
    if programme.awaits:
        lines += [f"依申请判定，尚无来源 · decided on request, no source delivers: {programme.awaits}", ""]
    lines += ["### Clauses · 条款", ""]
    if values:
        lines += [f"Values: {', '.join(values)}.", ""]
    lines += [line for clause in programme.clauses for line in _clause(clause)]
    categories = [
        (
            f"`{category.code}`",
            category.name,
            _code(category.when.sql(dialect="duckdb")),
            _links(category.amounts),
        )
        for category in programme.categories
    ]
    lines += ["### Categories · 类别", ""]
    lines += _table(("Category", "", "When", "Amount: the first with a value on the day"), categories)
    return "\n".join([*lines, ""])


def _clause(clause: Clause) -> list[str]:
    period = f"{clause.effective_from} – {clause.effective_to or ''}".rstrip()
    document = clause.document
    lines = [
        f"**`{clause.clause_id}`** {clause.wording}",
        "",
        f"- Document: {clause.document_number} {document.title}; article: {_known(document.article)}; "
        f"link: {_known(document.href)}",
        f"- In force: {period}; announced: {_known(clause.announced)}; known since: {clause.known_since}; "
        f"confidence: {clause.confidence}",
        f"- Holds if: {_code(clause.holds.sql(dialect='duckdb'))}",
    ]
    if clause.note:
        lines.append(f"- Note: {clause.note}")
    if clause.missing_documents:
        lines.append("- If unknown, asks for: " + ", ".join(f"`{code}`" for code in clause.missing_documents))
    return [*lines, ""]


def _values() -> str:
    values = [_parameter(load_parameter(name)) for name in parameter_names()]
    return "\n".join(["## Values · 政策值", "", *values])


def _parameter(parameter: Parameter) -> str:
    heading = [f"### {parameter.name}", "", f"{parameter.description} ({parameter.unit})", ""]
    rows = [_value(value) for value in (*parameter.values, *parameter.undated)]
    columns = ("From", "Kind", "Value", "Jurisdiction", "Document", "Confidence", "Note")
    return "\n".join([*heading, *_table(columns, rows), ""])


def _value(value: PolicyValue) -> tuple[str, ...]:
    reference = value.reference
    cited = "; ".join(str(part) for part in (reference.title, reference.article, reference.href) if part)
    return (
        _start(value),
        value.kind or "",
        str(value.value),
        value.jurisdiction,
        cited,
        value.confidence,
        value.note or "",
    )


def _facts() -> str:
    rows = [
        (f"`{fact.name}`", fact.type_name, fact.description, ", ".join(_programmes_that_ask(fact.name)))
        for fact in load_facts().facts.values()
    ]
    heading = ["## Facts · 事实", "", "What a clause may ask about a person (`sql/subsidy/facts.sql`).", ""]
    return "\n".join([*heading, *_table(("Fact", "Type", "", "Asked by"), rows), ""])


def _programmes_that_ask(fact: str) -> list[str]:
    return [
        programme.code
        for programme in _programmes()
        if any(fact in facts_of(clause.holds) for clause in programme.clauses)
    ]


def _documents() -> str:
    rows = [(f"`{code}`", name) for code, name in load_documents().items()]
    heading = ["## Documents · 材料", "", "What a task asks for when a clause cannot be decided.", ""]
    return "\n".join([*heading, *_table(("Code", ""), rows), ""])


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _links(parameters: Iterable[Parameter]) -> str:
    return ", ".join(f"[{parameter.name}](#{_anchor(parameter)})" for parameter in parameters)


def _anchor(parameter: Parameter) -> str:
    return parameter.name.replace("/", "")


def _code(sql: str) -> str:
    return f"`{sql}`"


def _known(value: object) -> str:
    return "unknown · 待核" if value is None else str(value)


def _start(value: PolicyValue) -> str:
    if value.valid_from is None:
        return "undated, not used · 起始日不明，不计算"
    return (
        f"{value.valid_from}, known since {value.known_since}" if value.known_since else f"{value.valid_from}"
    )
