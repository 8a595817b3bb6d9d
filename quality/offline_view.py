"""Pages of Great Expectations' Data Docs that load nothing from anywhere: own templates, one inline style.

Named in the site's configuration and imported by Great Expectations alone; importing this module
imports Great Expectations, which takes seconds.
"""

from itertools import count

from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import BaseLoader, BytecodeCache, ChoiceLoader, Environment, FileSystemLoader
from jinja2.bccache import Bucket

from connectors.settings import PROJECT

PAGES = PROJECT / "quality" / "pages"


class CompiledTemplates(BytecodeCache):
    """Templates as they were compiled once in this process; every view would compile them anew."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if it has been compiled."""
        if (code := self._code.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


def _take_our_templates(environment: Environment) -> None:
    """Let our templates stand before those of Great Expectations, and number elements in their order."""
    environment.bytecode_cache = COMPILED
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
