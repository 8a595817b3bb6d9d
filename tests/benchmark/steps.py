"""What is measured: each step with our contender, its peers, and the target it is held against."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "ours"


@dataclass(frozen=True)
class Target:
    """A promise about one step: at least how many times longer a peer takes, or the best of them."""

    words: str
    # The peer that is meant, or None for the best of all.
    peer: str | None
    # The least ratio of the peer's time to ours.
    least: float


@dataclass(frozen=True)
class Step:
    """One step; contenders by the name that people know them by, each a module."""

    name: str
    title: str
    ours: str
    peers: Mapping[str, str] = field(default_factory=dict)
    # Peers that run in our own environment, on our own batch.
    own_environment: tuple[str, ...] = ()
    # Contenders beside, which do other work and are no peer: a floor, another format.
    beside: tuple[str, ...] = ()
    # Of those, what is measured at every size, in our own environment: seconds alone tell of the machine.
    floors: tuple[str, ...] = ()
    # The part of the answer in which all contenders must agree.
    agree: tuple[str, ...] = ()
    # What contenders work through where they differ in it: ratios are of seconds per unit.
    per: str | None = None
    targets: tuple[Target, ...] = ()
    # What our own tree of processes may hold.
    most_mb: int | None = None
    # In how many seconds the targets ask it of us at some size.
    within: Mapping[str, float] = field(default_factory=dict)
    needs_city: bool = False
    # A peer works on rows in a database, which a city brings.
    peers_need_city: bool = False
    note: str = ""


STEPS = (
    Step(
        "pull",
        "拉取 · pull all persons, 29 columns, PostgreSQL to Parquet",
        "pull",
        {
            "pandas.read_sql": "pull_pandas",
            "connectorx": "pull_connectorx",
            "dlt (pyarrow)": "pull_dlt_pyarrow",
            "dlt (connectorx)": "pull_dlt_connectorx",
            "ADBC": "pull_adbc",
            "COPY to nowhere": "pull_floor",
        },
        beside=("COPY to nowhere",),
        floors=("COPY to nowhere",),
        agree=("rows", "columns"),
        targets=(
            Target("at most 1.6 times the COPY floor", "COPY to nowhere", 1 / 1.6),
            Target("at least 2 times dlt's best backend", "dlt (connectorx)", 2.0),
        ),
        most_mb=400,
        needs_city=True,
        note="Ours reads in one REPEATABLE READ snapshot, checks the table against its contract and "
        "writes rows in the order of keys, which the peers do not. The server's work is in the wall "
        "clock alone.",
    ),
    Step(
        "validate",
        "校验 · 16 row rules, uniqueness, two keys: counts, and failed rules by row",
        "validate",
        {
            "Great Expectations (pandas)": "validate_gx",
            "Great Expectations (PostgreSQL)": "validate_gx_postgresql",
            "pandera (Polars)": "validate_pandera_polars",
            "pandera (pandas)": "validate_pandera_pandas",
            "pointblank": "validate_pointblank",
        },
        agree=("failures",),
        targets=(
            Target("at least 18 times Great Expectations on pandas", "Great Expectations (pandas)", 18.0),
            Target("at least 3 times the best peer", None, 3.0),
        ),
        most_mb=1_500,
        within={"22m": 15},
        peers_need_city=True,
        note="Great Expectations is asked for counts only, pandera and pointblank collect failing rows "
        "as they do by themselves; on PostgreSQL the rows are in a table before the clock starts.",
    ),
    Step(
        "gate",
        "闸门 · the whole suite of persons, 50 expectations",
        "gate",
        {"Great Expectations (pandas)": "gate_by_gx"},
        own_environment=("Great Expectations (pandas)",),
        agree=("result_sha256",),
        targets=(
            Target("at least 18 times Great Expectations on pandas", "Great Expectations (pandas)", 18.0),
        ),
        note="Both judge the same batch; the results are compared by digest, expectation by expectation.",
    ),
    Step(
        "births",
        "出生核对 · link births of two sides, one to one",
        "births",
        {"Splink": "births_splink", "recordlinkage": "births_recordlinkage"},
        targets=(Target("at least 1.5 times Splink as shipped", "Splink", 1.5),),
        note="Ours also folds reissued records, classifies, finds who acts; peers compare the same values, "
        "block on the certificate, on the mother's number, and on both birth dates, and keep pairs "
        "above 0.9 that are the best of both sides. F1 is against the truth.",
    ),
    Step(
        "facts",
        "事实 · gather what clauses ask from persons, marriages and children",
        "facts",
    ),
    Step(
        "decide",
        "资格判定 · special assistance for everyone, with every clause",
        "decide",
        {
            "Polars": "decide_polars",
            "pandas": "decide_pandas",
            "OpenFisca": "decide_openfisca",
            "the query alone": "decide_floor",
        },
        beside=("the query alone",),
        floors=("the query alone",),
        agree=("eligible", "ineligible", "unknown"),
        targets=(
            Target("at least 5 times OpenFisca", "OpenFisca", 5.0),
            Target("at most 1.2 times the query alone", "the query alone", 1 / 1.2),
        ),
        most_mb=2_000,
        within={"22m": 12},
        note="All start from the file of facts, which is in the order of persons, and write Parquet in that "
        "order, ours with a digest. OpenFisca names no documents and no categories. The query alone is our "
        "SELECT into a table of DuckDB in memory: the prototype whose 10 s at 22 M stand beside the 12 s "
        "that are asked of us.",
    ),
    Step(
        "cube",
        "四级汇总 · persons by sex, age and registration at four levels",
        "cube",
        {"Polars": "cube_polars", "pandas": "cube_pandas"},
        agree=("cells", "persons_in_cells"),
        targets=(Target("at least 2 times Polars", "Polars", 2.0),),
        note="Ours also finds the place of codes that are retired or on no list; peers take every code "
        "as it is.",
    ),
    Step(
        "submission",
        "上报文件 · lay out, check and pack records, read the batch back",
        "submission",
        {
            "pandas + zipfile": "submission_pandas",
            "lxml (XML, XSD)": "submission_lxml",
            "ElementTree + xmlschema (XML, XSD)": "submission_xmlschema",
        },
        beside=("lxml (XML, XSD)", "ElementTree + xmlschema (XML, XSD)"),
        agree=("records", "held_back"),
        per="megabytes",
        note="Ours checks the digest of every line, pandas that of every member. XML is another format, "
        "shown for the speed of its libraries; ratios are of seconds per megabyte of text. The "
        "target of 20 MB/s is on the step itself.",
    ),
)
