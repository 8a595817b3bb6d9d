"""Read YAML that people maintain by hand: nothing is guessed, nothing silently overwritten."""

from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from schemas.refusal import Refusal


class _StrictLoader(yaml.CSafeLoader):
    """A safe loader that refuses a key written twice; YAML itself would keep the last one."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
    if repeated:
        raise Refusal(
            "yaml_key_repeated",
            found=f"key {', '.join(repeated)} more than once near line {node.start_mark.line + 1}",
            expected="each key once",
            to_do="merge the entries or correct one of the keys",
        )
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file whose top level is a mapping.

    Raises:
        Refusal: no such file, no YAML, a repeated key, or no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - derived from SafeLoader
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise refuse_file(
            path, "file_missing", "no such file", "the file", "write it or correct its name"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        # A date that the calendar has not, or bytes that are no UTF-8, are a ValueError.
        raise refuse_file(
            path, "yaml_unreadable", str(error), "YAML in UTF-8", "correct the syntax"
        ) from None
    except Refusal as refusal:
        raise refuse_file(path, refusal.code, refusal.found, refusal.expected, refusal.to_do) from None
    if not isinstance(content, dict):
        raise refuse_file(
            path, "yaml_no_mapping", type(content).__name__, "a mapping", "see a neighbouring file"
        )
    return content


def check_keys(
    path: Path, where: str, mapping: object, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """Hold a mapping against the keys that it must and may have, and return it.

    Raises:
        Refusal: it is no mapping, a required key is missing or empty, or a key is not known.
    """
    if not isinstance(mapping, dict):
        raise refuse_file(
            path, "yaml_no_mapping", f"{where} is no mapping", f"keys {', '.join(required)}", "add them"
        )
    missing = [key for key in required if mapping.get(key) in (None, "", [], {})]
    if missing:
        raise refuse_file(
            path,
            "key_missing",
            f"{where} without {', '.join(missing)}",
            f"keys {', '.join(required)}",
            "add them",
        )
    unknown = sorted(str(key) for key in mapping if key not in {*required, *optional})
    if unknown:
        known = ", ".join([*required, *optional])
        raise refuse_file(
            path,
            "key_unknown",
            f"{where} has {', '.join(unknown)}",
            f"only {known}",
            "correct the spelling or remove it",
        )
    return mapping


def refuse_file(path: Path, code: str, found: str, expected: str, to_do: str) -> Refusal:
    """Make a refusal that begins with the file's name and folder."""
    return Refusal(code, found=f"{path.parent.name}/{path.name}: {found}", expected=expected, to_do=to_do)
