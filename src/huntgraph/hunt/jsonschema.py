"""The JSON Schema of the hunt format, for editors.

``python -m huntgraph.hunt`` writes ``schema.json`` beside this file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from huntgraph.hunt.page import Page
from huntgraph.schema import GATES, HINTS, STAGES, TEAMS

__all__ = ["SCHEMA_FILE", "schema", "schema_text"]

SCHEMA_FILE: Final = Path(__file__).with_name("schema.json")
"""The published schema, part of the package."""
NEED: Final = "#/$defs/Need"


def schema() -> dict[str, Any]:
    """Give the format as a JSON Schema (draft 2020-12)."""
    made = Page.model_json_schema(by_alias=True)
    made["properties"]["stages"]["maxItems"] = STAGES
    made["properties"]["gates"]["maxItems"] = GATES
    made["properties"]["teams"]["maxItems"] = TEAMS
    place = made["properties"]["start"]["items"]
    made["properties"]["start"]["anyOf"] = [place, {"type": "array", "items": place}]
    del made["properties"]["start"]["items"], made["properties"]["start"]["type"]
    for part in ("Clue", "Treasure"):
        made["$defs"][part]["properties"]["hints"]["maxItems"] = HINTS
    one = made["$defs"]["AllOf"]["properties"]["all"]["items"]["oneOf"]
    need = {"oneOf": [*one, {"type": "array", "minItems": 1, "items": {"$ref": NEED}}]}
    tidied = _tidy(made)
    tidied["$defs"]["Need"] = need
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tidied}


def schema_text() -> str:
    """Give the schema as the text of its file."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def _tidy(part: Any) -> Any:
    """Name the needs, which also take plain lists, and leave out titles made from names."""
    if isinstance(part, dict):
        if {"$ref": "#/$defs/AllOf"} in part.get("oneOf", ()):
            return {"$ref": NEED}
        return {
            key: _tidy(value)
            for key, value in part.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_tidy(each) for each in part] if isinstance(part, list) else part
