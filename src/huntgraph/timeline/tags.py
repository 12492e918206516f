"""Tags: names for points in history, kept in the data folder."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from huntgraph.errors import ForkError, did_you_mean
from huntgraph.timeline.cut import Cut

__all__ = ["NAME", "check_name", "read_tags", "remove_tag", "set_tag", "write_json"]

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FILE: Final = "tags.json"


def check_name(name: str) -> str:
    """Give back a name of a tag or a fork. Raises ForkError HG1701 when it is none."""
    if NAME.fullmatch(name) and name != "head":
        return name
    what = f'"{name}" is no name'
    fix = "use up to 64 of a-z, 0-9, dot, dash and underscore, a letter or digit first"
    raise ForkError(what, fix=fix, code="HG1701")


def read_tags(folder: Path) -> dict[str, Cut]:
    """Give the tags of a data folder: the cut of each name."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {
        name: {int(number): int(position) for number, position in tag["cut"].items()}
        for name, tag in found.items()
    }


def set_tag(folder: Path, name: str, cut: Cut, note: str = "") -> None:
    """Name a cut. Raises ForkError HG1702 when the name is taken."""
    tags = _raw(folder)
    if check_name(name) in tags:
        what = f'the tag "{name}" is there already'
        raise ForkError(what, where=folder, fix="remove it first, or take another", code="HG1702")
    cut_text = {str(number): position for number, position in cut.items()}
    tags[name] = {"cut": cut_text, "made_ms": time.time_ns() // 1_000_000, "note": note}
    write_json(folder / FILE, tags)


def remove_tag(folder: Path, name: str) -> None:
    """Forget a tag. Raises ForkError HG1703 when there is none of this name."""
    tags = _raw(folder)
    if name not in tags:
        what = f'there is no tag "{name}"'
        raise ForkError(what, where=folder, fix=did_you_mean(name, tags), code="HG1703")
    del tags[name]
    write_json(folder / FILE, tags)


def write_json(path: Path, body: Any) -> None:
    """Write a JSON file whole or not at all, and on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(body, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _raw(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
