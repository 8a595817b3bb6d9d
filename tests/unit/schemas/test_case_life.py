"""The life of a case as a file: what does not fit together is refused, naming the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.case_life import FILE, load_case_life
from schemas.refusal import Refusal

Change = Callable[[str], str]


def test_lives_end_three_ways_and_every_other_state_leads_on() -> None:
    life = load_case_life()
    assert {state for state in life.states if life.is_final(state)} == {"exited", "refused", "withdrawn"}


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("life_word_unknown", lambda text: text.replace("to: assessed", "to: asessed")),
        ("life_word_unknown", lambda text: text.replace("needs: [meeting]", "needs: [meting]")),
        ("life_word_unknown", lambda text: text.replace("level: town", "level: county")),
        ("life_word_unknown", lambda text: text.replace('"10"]', '"11"]')),
        ("life_word_unknown", lambda text: text.replace("steps:", "  lost: 无 · never reached\nsteps:")),
        ("life_step_ambiguous", lambda text: text.replace("{from: suspended, to", "{from: in_payment, to")),
        ("key_missing", lambda text: text.replace("source: docs", "sourced: docs")),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_together_is_refused(tmp_path: Path, code: str, change: Change) -> None:
    path = tmp_path / "case_life.yaml"
    text = FILE.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        load_case_life(path)
    assert caught.value.code == code
