"""What the counts mean: the last sheet of the workbook, 中文 and English."""

from collections.abc import Sequence

from etl.statistics.printed import Sheet
from etl.statistics.sheet import BAND_ROW, Caption, shown_width, write_title

NOTES = (
    (
        "符号 Symbols",
        "“–”表示零；空白表示不掌握，如系统启用前的月份；“其中”项不另计入合计。",
        "“–” is zero; a blank is not known, such as months before the first night; parts are within "
        "their total.",
    ),
    (
        "人口 Persons",
        "人口库中存活人员，按现居住地统计；年龄为业务日终了时的周岁。",
        "Persons whose life status is alive, where they live. Age in completed years at the end of the "
        "business date.",
    ),
    (
        "出生 Births",
        "截至业务日当年出生：妇幼系统报告者（换发、补发和重报已归并，死胎、死产和新生儿死亡除外），"
        "以及人口库有而妇幼无记录者。“一致”“冲突”为两边均有。按产妇现居住地统计，外地产妇按分娩地区。",
        "Children born this year up to the business date: reported by MCH (reissues and double reports "
        "folded, children not living left out), and those that only the population database knows. By the "
        "mother's residence; mothers from elsewhere by the district of birth.",
    ),
    (
        "报告时效 Delay",
        "首次报告距出生的时间。24小时、30日、365日为暂定时限，待委里确认。",
        "From birth to the first report. The limits are our choice, to be confirmed by the commission.",
    ),
    (
        "扶助 Subsidies",
        "按政策条款逐条判定，全部符合者为“符合”；缺少决定性材料者为“待定”。按户籍地统计。奖励扶助与特别扶助不重复享受。",
        "Eligible: every clause holds. Unknown: a decisive document is missing. By hukou. Nobody takes both.",
    ),
    (
        "个案 Cases",
        "个案自起发月至止发月在享，停发首月计为退出。上年末在享＋本年新增－本年退出＝现在享（含暂停）。"
        "起止月自相矛盾者只计入核定结果。“符合待立案”为判定符合而尚无个案者。",
        "In payment from the first month to the last; a case leaves in the first month without payment. Last "
        "year + begun - left = in payment (suspended among them). Cases whose months contradict each other "
        "count under findings only. Eligible, no case: found eligible, no case yet.",
    ),
    (
        "流转 Lives",
        "自申报至退出的个案，按业务日所知最新一步的状态统计，列在个案所在村（居）；办理中者尚未享受，不在“个案”各表。"
        "“办理”为已申报未备案者和拟退出未审批者。手术并发症 T3 有个案时列示。",
        "Cases by the state after the newest step that the business date knows, at the village of the case; "
        "who is on the way to payment is in no table of cases. Pending: applied for and not filed yet, or "
        "exit proposed and not confirmed yet. Complications of surgery (T3): printed where there are any.",
    ),
    (
        "质量 Quality",
        "本月最近一夜收到的数据行。处理前：收到行中违反该目标任一规则者；处理后：接收行中仍有误者。"
        "得分为无误行所占百分比，逐月得分见“完整性·月”等表或“当月”表。",
        "Rows of the newest night of the month. Before: rows received that break a rule of the goal; after: "
        "rows accepted that still do. A score is the percentage of rows without a fault.",
    ),
    (
        "月度 Months",
        "资格、未办、在享为月末（本月为业务日）时点数；出生、新增、退出、新待办、办结为当月发生数。"
        "系统启用前的月份无待办、资格和质量数据。",
        "Eligible, open and in payment: at the end of the month (this month: on the business date). Births, "
        "begun, left, opened and closed: during the month. Before the first night nothing is known of tasks, "
        "eligibility and quality.",
    ),
    (
        "待办 Tasks",
        "业务日终了时未办结的任务；“逾期”为截止日早于业务日者。由上报回执产生的任务计入次日，因回执在统计之后到达。",
        "Tasks open at the end of the business date; overdue: due before it. What the receiver's answers ask "
        "counts on the day after, since they come after the figures are out.",
    ),
    (
        "下级不详\nLower level unknown",
        "只知上级区划、不知下级区划者，列在“下级不详”行，各级合计因此相等。",
        "What is known to an upper level only has a row of its own, so that all levels have equal totals.",
    ),
    (
        "保密 Disclosure",
        "仅含计数，不含个人信息；村（居）级数据不在本册列示。内部资料，注意保管。",
        "Counts only, no personal value; village level is not printed. For internal use.",
    ),
)
WIDTHS = (20.0, 62.0, 62.0)
MADE_FROM = ("数据来源 Made from", "下列版本的数据集及登记表（右栏）。", "")


def write_notes(sheet: Sheet, caption: Caption, versions: Sequence[str]) -> None:
    """Write the notes and the versions that the counts were made from."""
    for at, width in enumerate(WIDTHS, start=1):
        sheet.set_width(at, width)
    write_title(sheet, "说明", "Notes: what the counts mean", "", caption, 3)
    for at, text in enumerate(("项目 Item", "说明", "Meaning"), start=1):
        sheet.write_text(BAND_ROW, at, text, "heading")
    sheet.set_height(BAND_ROW, 20)
    made_from = (*MADE_FROM[:2], "\n".join(versions))
    for row, note in enumerate((*NOTES, made_from), start=BAND_ROW + 1):
        for at, text in enumerate(note, start=1):
            sheet.write_text(row, at, text, "item" if at == 1 else "note")
        sheet.set_height(row, 14 * max(map(_lines, note, WIDTHS)) + 6)
    sheet.keep_in_sight(BAND_ROW)
    sheet.set_paper(caption.footer)


def _lines(text: str, width: float) -> int:
    """Tell how many lines a text takes in a column; the indent and broken words take some room."""
    room = width - 6
    return sum(1 + int(shown_width(line) // room) for line in text.split("\n"))
