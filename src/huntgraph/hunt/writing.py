"""Writing a hunt as the text of a file."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from huntgraph.hunt.page import Page

__all__ = ["page_text"]

_KEYS: Final = """
hunt clue treasure gate title languages fallback opens duration teams at needs window who stock
points id amount after cost text reward hints edges both_ways shut_at_start flips_when opens_at
closes_at start traffic stages gates
"""
ORDER: Final = {key: rank for rank, key in enumerate(_KEYS.split())}
"""The order of keys that reads best; keys that are not named here follow in the models' order."""
ONE_LINE_MAX: Final = 60


def page_text(page: Page, *, schema: str = "") -> str:
    """Write a page as YAML; ``schema`` is the address at which editors find the format's schema.

    Reading the text gives an equal page.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    if schema:
        text.write(f"# yaml-language-server: $schema={schema}\n")
    yaml.dump(_arranged(page.plain()), text)
    return text.getvalue()


def _arranged(value: Any) -> Any:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: ORDER.get(key, len(ORDER)))
        made: CommentedMap | CommentedSeq = CommentedMap(
            (key, _arranged(value[key])) for key in keys
        )
    elif isinstance(value, list):
        made = CommentedSeq([_arranged(each) for each in value])
    else:
        return value
    # What fits on a line and holds no sentences is easier to read there.
    if len(str(value)) <= ONE_LINE_MAX and _short(value):
        made.fa.set_flow_style()
    return made


def _short(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_short(each) for each in value.values()) and not {"text", "en"} & set(value)
    if isinstance(value, list):
        return all(_short(each) for each in value)
    return not isinstance(value, str) or " " not in value
