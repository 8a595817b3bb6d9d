"""What the registry refuses, as a refusal: the database knows the rules of people's acts, nobody else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import registry_engine, registry_session
from connectors.settings import Settings
from schemas.refusal import WRITTEN, Refusal

# Found, expected, what to do.
Said = tuple[str, str, str]


@contextmanager
def guarded_session(
    settings: Settings, doing: str, say: Callable[[str], Said | None], *, is_trial: bool = False
) -> Iterator[Connection]:
    """Give a connection in one transaction; what the registry refuses in it comes out as a refusal.

    Triggers write refusals themselves; keys and checks have only names, which `say` puts into words.
    What is only tried meets every guard and is taken back at the end. `doing` is what a shadow refuses.

    Raises:
        Refusal: the registry refused what was written.
    """
    settings.refuse_in_shadow(doing)
    try:
        # Ended without a commit, a connection takes back what it did.
        with registry_engine(settings).connect() if is_trial else registry_session(settings) as connection:
            yield connection
    except sa.exc.IntegrityError as error:
        raise _refusal_of(error, say) from None


def _refusal_of(error: sa.exc.IntegrityError, say: Callable[[str], Said | None]) -> Refusal:
    diagnosis = getattr(error.orig, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or ""
    name = getattr(diagnosis, "constraint_name", None) or ""
    if WRITTEN.fullmatch(message):
        return Refusal.read(message)
    found, expected, to_do = say(name) or (
        f"登记库不收 · a row that {name or 'a constraint'} forbids",
        "登记库所收的记录 · a row that the registry takes",
        "更正后再登记 · correct it",
    )
    return Refusal(name or "row_refused", found=found, expected=expected, to_do=to_do)
