"""Recipes of forks and where they are kept.

A fork is stored as what it is made of: its state follows from the logs, so nothing is lost when a
process dies, and an actor never holds anything of a fork.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huntgraph.errors import ForkError, did_you_mean
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Edit, describe, read_edit, write_edit
from huntgraph.timeline.points import Event, parse_event
from huntgraph.timeline.replay import CLAIMS, Claims
from huntgraph.timeline.tags import check_name, write_json

__all__ = ["COUNT_MAX", "TTL_S", "ForkStore", "Recipe", "lost_of", "now_ms"]

COUNT_MAX: Final = 16
"""Forks that a data folder can hold at a time."""
TTL_S: Final = 24 * 3600
"""How long a fork is kept when nobody says otherwise."""
BUDGET_MIB: Final = 4096
"""Memory that the images of one fork may take in the process that replays it."""
FILE: Final = "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """What a fork is made of."""

    name: str
    point: Cut
    edits: tuple[Edit, ...] = ()
    claims: Claims = "recompute"
    without: tuple[str, ...] = ()
    """What is left out: earlier commits by their ids, lost records by events (`0/918223`)."""
    made_ms: int = 0
    ttl_s: int = TTL_S
    budget_mib: int = BUDGET_MIB

    @property
    def ends_ms(self) -> int:
        """When it is forgotten, in milliseconds since 1970."""
        return self.made_ms + self.ttl_s * 1000

    @property
    def left_out(self) -> tuple[str, ...]:
        """Ids of earlier commits that are left out."""
        return tuple(name for name in self.without if "/" not in name)

    @property
    def lost(self) -> list[Event]:
        """Records that cannot be read, one of each place where some are lost."""
        return lost_of(self.without)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON-ready values."""
        return {
            "name": self.name,
            "point": {str(number): position for number, position in self.point.items()},
            "edits": [write_edit(edit) for edit in self.edits],
            "does": [describe(edit) for edit in self.edits],
            "claims": self.claims,
            "without": list(self.without),
            "made_ms": self.made_ms,
            "ttl_s": self.ttl_s,
            "budget_mib": self.budget_mib,
        }

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Recipe:
        """Read what `to_dict` gave. Raises ForkError HG1722."""
        try:
            claims = body["claims"]
            return cls(
                name=body["name"],
                point={int(number): int(at) for number, at in body["point"].items()},
                edits=tuple(read_edit(edit) for edit in body["edits"]),
                claims=claims if claims in CLAIMS else "recompute",
                without=tuple(body.get("without", ())),
                made_ms=int(body["made_ms"]),
                ttl_s=int(body["ttl_s"]),
                budget_mib=int(body["budget_mib"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"the fork's recipe cannot be read: {error}"
            raise ForkError(what, fix="drop the fork and make it again", code="HG1722") from error


class ForkStore:
    """The forks of a data folder, each in a folder of its own under ``forks``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "forks"

    def names(self) -> list[str]:
        """Give the names of all forks; those whose time is over are removed."""
        found = []
        for path in sorted(self.folder.glob(f"*/{FILE}")):
            recipe = self._read(path)
            if recipe.ends_ms <= now_ms():
                self.drop(recipe.name)
            else:
                found.append(recipe.name)
        return found

    def get(self, name: str) -> Recipe:
        """Give a fork's recipe. Raises ForkError HG1750 when there is none."""
        if name not in (known := self.names()):
            fix = did_you_mean(name, known) if known else "make one with huntgraph fork create"
            what = f'there is no fork "{name}"'
            raise ForkError(what, where=self.folder, fix=fix, code="HG1750")
        return self._read(self.folder / name / FILE)

    def create(self, recipe: Recipe) -> Recipe:
        """Keep a new fork. Raises ForkError HG1751 for a name in use, HG1752 when too many."""
        known = self.names()
        if check_name(recipe.name) in known:
            what = f'the fork "{recipe.name}" is there already'
            raise ForkError(what, where=self.folder, fix="drop it first", code="HG1751")
        if len(known) >= COUNT_MAX:
            what = f"there are {len(known)} forks already, {COUNT_MAX} at most"
            raise ForkError(what, where=self.folder, fix="drop one of them", code="HG1752")
        return self.save(recipe)

    def save(self, recipe: Recipe) -> Recipe:
        """Write a fork's recipe anew."""
        write_json(self.folder / recipe.name / FILE, recipe.to_dict())
        return recipe

    def drop(self, name: str) -> None:
        """Forget a fork. What a commit of it wrote beside its recipe stays."""
        place = self.folder / check_name(name)
        (place / FILE).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.rmdir()

    def _read(self, path: Path) -> Recipe:
        try:
            return Recipe.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            what = f"the fork's recipe cannot be read: {error}"
            raise ForkError(what, where=path, fix="remove its folder", code="HG1722") from error


def lost_of(without: Iterable[str]) -> list[Event]:
    """Give those of what is left out that are records. Raises ForkError HG1712."""
    return [parse_event(name) for name in without if "/" in name]


def now_ms() -> int:
    """Give the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
