"""`Hunt`: an authored set of treasures, clues, gates and rules, read from a file."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import HuntFileError, UsageError, did_you_mean
from huntgraph.hunt import page as models
from huntgraph.hunt.durations import format_ticks
from huntgraph.hunt.page import Gate, Page
from huntgraph.hunt.places import AnyWorld
from huntgraph.hunt.reading import read_page
from huntgraph.hunt.source import Source, read_source
from huntgraph.hunt.texts import chain, normal, pick
from huntgraph.hunt.writing import page_text

if TYPE_CHECKING:
    from huntgraph.hunt.parts import AnyParts

__all__ = ["Award", "Hunt", "load", "loads"]


@dataclass(frozen=True, slots=True)
class Award:
    """What a treasure's winner gets, with its text in one language."""

    id: str
    amount: int
    text: str


@dataclass(frozen=True)
class Hunt:
    """A hunt as read from a file; never changes.

    >>> hunt = loads("{hunt: tiny, stages: [{treasure: chest, at: 0, text: A chest}]}")
    >>> hunt.stage_number("chest"), hunt.text("chest", "en")
    (0, 'A chest')

    Stages are named by their number (the one that updates and receipts carry) or their id.
    """

    page: Page
    source: Source

    @property
    def id(self) -> str:
        """The hunt's id as written."""
        return self.page.hunt

    @cached_property
    def hunt_id(self) -> int:
        """The u64 that stands for exactly this hunt: from SHA-256 of its canonical form.

        Comments, spacing, the order of keys and other spellings of the same value (``60s`` and
        ``1m``) do not change it; everything else does.
        """
        plain = _one_spelling(self.page.plain(), self.page.languages[0])
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    @property
    def stages(self) -> Sequence[models.Clue | models.Treasure]:
        """Clues and treasures in the order written; a stage's number is its index."""
        return self.page.stages

    @property
    def gates(self) -> Sequence[Gate]:
        """Gates in the order written."""
        return self.page.gates

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each stage by its id."""
        return {stage.id: number for number, stage in enumerate(self.page.stages)}

    def stage_number(self, stage: str | int) -> int:
        """Give the number of a stage by its id (a number is checked). Raises UsageError."""
        if isinstance(stage, int):
            if 0 <= stage < len(self.page.stages):
                return stage
            what = f"hunt {self.id} has no stage {stage}"
            raise UsageError(what, fix=f"stages are 0..{len(self.page.stages) - 1}")
        if stage not in self.numbers:
            what = f'hunt {self.id} has no stage "{stage}"'
            raise UsageError(what, fix=did_you_mean(stage, self.numbers))
        return self.numbers[stage]

    def team_number(self, team: str) -> int:
        """Give the number of a team by its name. Raises UsageError."""
        if team not in self.page.teams:
            what = f'hunt {self.id} has no team "{team}"'
            raise UsageError(what, fix=did_you_mean(team, self.page.teams))
        return self.page.teams.index(team)

    def title(self, language: str = "") -> str:
        """Give the hunt's title; its id where there is none."""
        return self._pick(self.page.title, language) or self.id

    def text(self, stage: str | int, language: str = "") -> str:
        """Give a stage's text in a language or its fallbacks; ``""`` when there is none at all."""
        return self._pick(self.page.stages[self.stage_number(stage)].text, language)

    def hint_text(self, stage: str | int, number: int, language: str = "") -> str:
        """Give the text of a stage's hint; ``number`` counts from 1, as updates do.

        Raises UsageError when the stage has no such hint.
        """
        index = self.stage_number(stage)
        hints = self.page.stages[index].hints
        if not 1 <= number <= len(hints):
            what = f'stage "{self.page.stages[index].id}" has no hint {number}'
            raise UsageError(what, fix=f"it has {len(hints)}, counted from 1")
        return self._pick(hints[number - 1].text, language)

    def reward(self, stage: str | int, language: str = "") -> Award | None:
        """Give the reward of a treasure; None for clues and treasures without one."""
        found = self.page.stages[self.stage_number(stage)]
        if not isinstance(found, models.Treasure) or found.reward is None:
            return None
        text = self._pick(found.reward.text, language)
        return Award(found.reward.id, found.reward.amount, text)

    def compile(self, world: AnyWorld, slot: int, *, now_ms: int | None = None) -> NDArray[np.void]:
        """Give the records that publish this hunt into a slot: dtype RULE, shape ``(rows,)``.

        ``now_ms`` (milliseconds since 1970) is when they will be published; it matters for hunts
        that open at a time of day, and is the present when left out.

        Raises HuntInvalidError with every error of ``check`` but those about ways: reachability
        is a matter of authoring. Raises UsageError for a slot outside 0..7.
        """
        from huntgraph.hunt.rows import compile_rows

        return compile_rows(self, world, slot, now_ms=now_ms)

    def compile_parts(
        self, parts: AnyParts, slot: int, *, now_ms: int | None = None
    ) -> list[NDArray[np.void]]:
        """Give the records that publish this hunt in every partition of a world.

        Nodes of the file are those of the whole world. One array of dtype RULE, shape ``(rows,)``,
        for each partition in order; publish all of them into the same slot, as close together as
        can be: such a hunt opens 20 ticks (a second) after that, or later. Raises as `compile`.
        """
        from huntgraph.hunt.parts import compile_parts

        return compile_parts(self, parts, slot, now_ms=now_ms)

    def to_yaml(self, *, schema: str = "") -> str:
        """Write the hunt as a file's text; ``schema`` is the address editors find the schema at."""
        return page_text(self.page, schema=schema)

    def save(self, path: str | Path, *, schema: str = "") -> None:
        """Write the hunt to a file, whole or not at all. Raises HuntFileError when it cannot."""
        target = Path(path)
        try:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        except OSError as error:
            raise _unwritable(target, error) from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(self.to_yaml(schema=schema))
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(target)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise _unwritable(target, error) from error

    def _pick(self, texts: dict[str, str], language: str) -> str:
        first = self.page.languages[0]
        order = chain(normal(language or first), self.page.languages, self.page.fallback)
        return pick(texts, order, first)

    def __repr__(self) -> str:
        treasures = sum(isinstance(stage, models.Treasure) for stage in self.stages)
        length = format_ticks(self.page.duration) if self.page.duration else "without end"
        clues = len(self.stages) - treasures
        return f"<Hunt {self.id}: {clues} clues, {treasures} treasures, {length}>"


def load(path: str | Path) -> Hunt:
    """Read a hunt file.

    Raises HuntFileError when it cannot be read, and its subclass HuntInvalidError with every
    mistake in what it says. What the hunt means is looked at by `huntgraph.hunt.check`.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        what = f"the hunt file cannot be read: {error.strerror or error}"
        raise HuntFileError(what, where=path, fix="check the path and its permissions") from error
    return loads(data, file=path)


def loads(text: str | bytes, *, file: str | Path = "<text>") -> Hunt:
    """Read a hunt from a file's text; ``file`` is its name in messages. Raises like `load`."""
    source = read_source(text, file)
    return Hunt(read_page(source), source)


def _one_spelling(value: Any, first: str) -> Any:
    if isinstance(value, list):
        return [_one_spelling(each, first) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {first: inside}
        if key in ("text", "title") and isinstance(inside, str)
        else _one_spelling(inside, first)
        for key, inside in value.items()
    }


def _unwritable(target: Path, error: OSError) -> HuntFileError:
    what = f"the hunt file cannot be written: {error.strerror or error}"
    return HuntFileError(what, where=target, fix="check the folder and the room on the disk")
