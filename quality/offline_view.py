"""Pages of Great Expectations' Data Docs that load nothing from anywhere: own templates, one inline style.

Named in the site's configuration and imported by Great Expectations alone; importing this module
imports Great Expectations, which takes seconds.
"""

from itertools import count

from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader

from connectors.settings import PROJECT

PAGES = PROJECT / "quality" / "pages"


def _take_our_templates(environment: Environment) -> None:
    """Let our templates stand before those of Great Expectations, and number elements in their order."""
    environment.loader = ChoiceLoader([FileSystemLoader(PAGES), *_loaders(environment)])
    numbers = count(1)
    environment.filters["generate_html_element_uuid"] = lambda prefix=None: f"{prefix or ''}{next(numbers)}"


def _loaders(environment: Environment) -> list[BaseLoader]:
    return [environment.loader] if environment.loader is not None else []


class OfflinePageView(DefaultJinjaPageView):
    """A page about a suite or about one validation."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _take_our_templates(self.env)


class OfflineIndexPageView(DefaultJinjaIndexPageView):
    """The page that lists all validations."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _take_our_templates(self.env)
