"""The one error that the pipeline raises about bad input."""

import re

WRITTEN = re.compile(r"\[(\w+)\] found: (.*); expected: (.*); to do: (.*)", re.DOTALL)


class Refusal(Exception):  # noqa: N818 - the word of the field: a refused file, a refused row
    """Say what was found, what was expected and what to do, without personal values.

    Raised for input that cannot be used: a file, a manifest, a receipt, a setting, a missing
    version. `code` is stable and may be counted; the texts are for the person on duty. Callers
    put counts, rule ids, file names and row numbers into the texts, never a value of a row.
    """

    def __init__(self, code: str, *, found: str, expected: str, to_do: str) -> None:
        self.code = code
        self.found = found
        self.expected = expected
        self.to_do = to_do
        super().__init__(f"[{code}] found: {found}; expected: {expected}; to do: {to_do}")

    @classmethod
    def read(cls, text: str) -> "Refusal":
        """Read a refusal back from what it was written as; any other text is what was found."""
        written = WRITTEN.fullmatch(text)
        code, found, expected, to_do = written.groups() if written else ("unknown", text, "", "")
        return cls(code, found=found, expected=expected, to_do=to_do)

    def __reduce__(self) -> tuple[object, ...]:
        return _restore_refusal, (self.code, self.found, self.expected, self.to_do)


def _restore_refusal(code: str, found: str, expected: str, to_do: str) -> Refusal:
    return Refusal(code, found=found, expected=expected, to_do=to_do)
