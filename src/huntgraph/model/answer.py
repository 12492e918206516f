"""What the model answers to one record: the update, the receipt and the events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from huntgraph.schema import NONE


class Happening(NamedTuple):
    """One event, with the fields of the EVENT record; `tail` and `head` are its from and to."""

    kind: int
    position: int
    tick: int
    player: int = 0
    hunt: int = 65535
    tail: int = NONE
    head: int = NONE
    edge: int = NONE
    value: int = 0
    flags: int = 0
    a: int = 0


@dataclass
class Answer:
    """An update without its guidance fields, the receipt's 64 bytes, and the events in order."""

    kind: int
    code: int = 0
    flags: int = 0
    seq: int = 0
    player: int = 0
    position: int = 0
    node: int = NONE
    target: int = NONE
    tick: int = 0
    echo: int = 0
    score: int = 0
    stage: int = 255
    found: int = 255
    hint: int = 0
    moved_to: int = 0
    next: int = NONE
    """Where a player goes on that was handed over; guidance's own `next` is not kept here."""
    receipt: bytes | None = None
    events: list[Happening] = field(default_factory=list)
