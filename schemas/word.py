"""A person's word that goes on record: who decides, and why."""

from dataclasses import dataclass

from schemas.masking import LOOKS_PERSONAL
from schemas.refusal import Refusal

LONGEST_REASON = 200


@dataclass(frozen=True)
class Word:
    """Who decides something, and why; no personal value but the name of who decides."""

    user: str
    reason: str


def word_of(user: str, reason: str) -> Word:
    """Take a person's word as it was typed.

    Raises:
        Refusal: `reason_unusable`, there is no user or no fit reason.
    """
    word = Word(user.strip(), reason.strip())
    is_fit = word.user and word.reason and len(word.reason) <= LONGEST_REASON
    if not is_fit or LOOKS_PERSONAL.search(word.reason):
        raise Refusal(
            "reason_unusable",
            found="no user, or a reason that is empty, too long or holds somebody's number",
            expected=f"the name of who decides, and a reason of at most {LONGEST_REASON} characters",
            to_do="say who gives it up, and why, without personal values",
        )
    return word
