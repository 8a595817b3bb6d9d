"""The generated files: written from contracts, registry tables and policy, committed, checked by CI."""

from collections.abc import Callable
from pathlib import Path

from connectors.settings import PROJECT


def _rendered() -> dict[Path, str]:
    from etl.births.model_doc import model_files
    from quality.suites import suite_files
    from schemas.dictionary import render_dictionary
    from schemas.policy_page import render_policy_page

    pages: dict[str, Callable[[], str]] = {
        "docs/dictionary.md": render_dictionary,
        "docs/policy.md": render_policy_page,
    }
    of_model = {PROJECT / "docs" / name: text for name, text in model_files().items()}
    return {**{PROJECT / name: render() for name, render in pages.items()}, **of_model, **suite_files()}


def write_generated(*, check: bool = False) -> list[str]:
    """Write the files that differ from what they are made from (or only name them), and name them."""
    changed = []
    for path, text in _rendered().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        changed.append(str(path.relative_to(PROJECT)))
        if not check:
            path.write_text(text, encoding="utf-8")
    return changed
