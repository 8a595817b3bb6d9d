"""Partners that leave drops of files: what is agreed with each. The next partner is a contract and one entry.

From `DROP_SOURCES` follow the steps of the night (`pull_…`, `conform_…`, `gate_…`), the DAGs `pull_…`, the
assets that they announce and the Airflow Connections `sftp_<name>`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from schemas.business_date import BEIJING

# nightly: one drop for every business date, by a deadline. as_files_arrive: whenever there is something.
# once: a single drop, for good.
Rhythm = Literal["nightly", "as_files_arrive", "once"]
FORMATS = ("csv", "xml", "zip")
# How long a folder of a partner without a rhythm is looked at again.
LOOK_BACK_DAYS = 7
MOST_FILE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class DropSource:
    """What is agreed with a partner about its drops; `folder` holds `{business_date}`."""

    name: str
    dataset: str
    # Names the steps, the DAG and the asset: pull_<process>.
    process: str
    title: str
    rhythm: Rhythm = "nightly"
    folder: str = "/outgoing/{business_date}"
    # The deadline in Beijing on the day after the business date, and what a night asked late is given.
    due_time: time = time(6)
    patience: timedelta = timedelta(hours=2)
    formats: tuple[str, ...] = FORMATS
    # Of one file as it arrives, and of what a ZIP may unpack to.
    most_bytes: int = MOST_FILE_BYTES

    @property
    def steps(self) -> tuple[str, str, str]:
        """Name the steps that pull, conform and gate."""
        return f"pull_{self.process}", f"conform_{self.process}", f"gate_{self.process}"

    @property
    def is_expected(self) -> bool:
        """Tell whether a business date without a drop is waiting for one."""
        return self.rhythm == "nightly"

    def folder_on(self, business_date: date) -> str:
        """Tell the partner's folder for a business date."""
        return self.folder.format(business_date=business_date)

    def due_at(self, business_date: date, asked_at: datetime) -> datetime:
        """Tell the deadline of a drop that is first asked for now."""
        agreed = datetime.combine(business_date + timedelta(days=1), self.due_time, tzinfo=BEIJING)
        return max(agreed, asked_at + self.patience)


DROP_SOURCES = (
    DropSource("mch", "mch_birth", "mch_births", "妇幼出生数据 · births of the maternal-health system"),
    DropSource("service", "birth_service", "birth_services", "网上办证登记 · birth-service registrations"),
    DropSource("migrants", "migrant_registration", "migrants", "流动人口登记 · registrations of migrants"),
    DropSource("bank", "bank_return", "bank_returns", "银行回盘 · returns of the bank", "as_files_arrive"),
    DropSource("cases", "beneficiary_case", "cases", "个案基线 · cases in payment before us", "once"),
)


def drop_source(dataset: str) -> DropSource:
    """Find what is agreed about a dataset."""
    return next(source for source in DROP_SOURCES if source.dataset == dataset)
