"""The sheet about quality: 完整性、正确性、合规性, before and after."""

from etl.statistics.labels import Band, Column, Topic, all_of

GOALS = {
    "completeness": "完整性\nCompleteness",
    "correctness": "正确性\nCorrectness",
    "compliance": "合规性\nCompliance",
}


def _scores(goal: str) -> tuple[Column, ...]:
    prefix = f"{goal}/"
    failed = (
        all_of("quality_failed_before", "处理前有误", "Failed before", prefix),
        all_of("quality_failed_after", "处理后有误", "Failed after", prefix),
    )
    of = (
        all_of("quality_checked", "", "", prefix),
        all_of("quality_accepted", "", "", prefix),
    )
    names = (("处理前得分", "Score before"), ("处理后得分", "Score after"))
    shares = tuple(
        Column(found.measure, *name, prefix=prefix, share_of=all_rows)
        for found, all_rows, name in zip(failed, of, names, strict=True)
    )
    return (*failed, *shares)


QUALITY = Topic(
    sheet="质量 Quality",
    title="数据质量得分统计表",
    subtitle="Rows of the newest night of this month; a score is the share of rows without a fault",
    unit="行 rows、% percent",
    bands=(
        Band(
            "数据\nRows",
            (
                all_of("quality_checked", "收到", "Received", "completeness/"),
                all_of("quality_accepted", "接收", "Accepted", "completeness/"),
            ),
        ),
        *(Band(heading, _scores(goal)) for goal, heading in GOALS.items()),
    ),
)
