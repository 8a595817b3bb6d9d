"""The generated pages: written from contracts, registry tables and policy, committed, checked by CI."""

from collections.abc import Callable, Mapping

from connectors.settings import PROJECT


def _pages() -> Mapping[str, Callable[[], str]]:
    from schemas.dictionary import render_dictionary
    from schemas.policy_page import render_policy_page

    return {"docs/dictionary.md": render_dictionary, "docs/policy.md": render_policy_page}


def write_generated(*, check: bool = False) -> list[str]:
    """Write the pages that differ from what they are made from (or only name them), and name them."""
    changed = []
    for name, render in _pages().items():
        path, text = PROJECT / name, render()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        changed.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    return changed
