"""A thread: links from a source row to the receipt, each verified, shown masked unless asked otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.masking import mask_value
from schemas.property import Property


@dataclass(frozen=True)
class Fact:
    """Something that a link shows; its value stays out of logs and exceptions."""

    label: str
    value: str = field(repr=False)
    mask: str = "none"

    def shown(self, *, masked: bool) -> str:
        """Give the value as it may be shown."""
        return mask_value(self.mask, self.value) if masked else self.value


@dataclass(frozen=True)
class Link:
    """One joint of a thread. `holds` is None where there is nothing to verify."""

    title: str
    holds: bool | None = None
    facts: tuple[Fact, ...] = ()
    links: tuple["Link", ...] = ()

    def walk(self) -> Iterator["Link"]:
        """Give this link and all below it."""
        yield self
        for link in self.links:
            yield from link.walk()


@dataclass(frozen=True)
class Thread:
    """Everything that hangs together with one record, person or source row."""

    title: str
    links: tuple[Link, ...]

    def walk(self) -> Iterator[Link]:
        """Give all links."""
        for link in self.links:
            yield from link.walk()

    @property
    def is_whole(self) -> bool:
        """Whether no link is broken."""
        return all(link.holds is not False for link in self.walk())


def mask_of(column: Property) -> str:
    """Tell how a column is masked; what is not known to be harmless is masked."""
    if column.classification == "public" or column.code_set or column.logical_type in ("boolean", "integer"):
        return "none"
    if column.form == "person_name":
        return "name"
    if column.logical_type in ("date", "timestamp"):
        return "date"
    if column.name.endswith("division_code"):
        return "division"
    return "hidden" if column.name.endswith(("address", "remark")) else "number"
