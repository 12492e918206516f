"""What partitions tell each other of the stages of a hunt they share (rules, section 11)."""

from __future__ import annotations

import numpy as np

from huntgraph.model.answer import Answer
from huntgraph.model.borders import HUNT_ID_MASK, take_parcel
from huntgraph.model.hunts import turn_gates
from huntgraph.model.state import Hunt, Partition
from huntgraph.schema import NOTICE, PEERS, Event, Kind, State


def concerned(hunt: Hunt, number: int, team: int) -> list[int]:
    """The partitions that a find or win of this stage by this team, now, has to be told to."""
    stage = hunt.stages[number]
    news = stage.wins == 0 or not stage.team_bits >> team & 1 or stage.wins + 1 == stage.stock
    return [p for p in range(PEERS) if news and hunt.partitions >> p & 1]


def can_tell(state: Partition, hunt: Hunt, number: int, team: int) -> bool:
    """Whether the outbox has room for the notices."""
    free = state.border.capacity - len(state.border.outbox)
    return len(concerned(hunt, number, team)) <= free


def tell(state: Partition, slot: int, number: int, partitions: list[int]) -> None:
    """Puts the notices of what has just been found or won into the outbox."""
    hunt = state.hunts[slot]
    stage = hunt.stages[number]
    row = np.zeros((), NOTICE)
    fields = {"kind": Kind.NOTICE, "from": state.border.partition, "cause": state.position}
    fields |= {"hunt": slot, "hunt_id": hunt.hunt_id & HUNT_ID_MASK, "stage": number}
    fields |= {"wins": stage.wins, "winner": stage.winner, "team_bits": stage.team_bits}
    for name, value in fields.items():
        row[name] = value
    for partition in partitions:
        peer = state.border.peers[partition]
        peer.sent += 1
        row["number"] = peer.sent
        state.border.outbox[partition, peer.sent] = row.tobytes()


def notice(state: Partition, record: dict[str, int], answer: Answer) -> None:
    """Applies a NOTICE."""
    take_parcel(state, record, answer, lambda: None, lambda: note_stage(state, record))


def note_stage(state: Partition, record: dict[str, int]) -> None:
    """Books what the owner of a stage tells of it."""
    if record["hunt"] >= len(state.hunts):
        return
    hunt = state.hunts[record["hunt"]]
    same = hunt.hunt_id & HUNT_ID_MASK == record["hunt_id"]
    if hunt.state in (State.EMPTY, State.LOADING) or not same:
        return
    number = record["stage"]
    if number >= len(hunt.stages) or hunt.stages[number].owner != 1 + record["from"]:
        return
    stage = hunt.stages[number]
    first = stage.wins == 0
    stage.wins, stage.team_bits = record["wins"], record["team_bits"]
    stage.winner, stage.position = record["winner"], record["cause"]
    place = {"hunt": record["hunt"], "value": number, "a": stage.wins}
    state.note(Event.NOTED, player=stage.winner, **place)
    if first and hunt.state in (State.OPEN, State.PAUSED):
        turn_gates(state, record["hunt"], number)
