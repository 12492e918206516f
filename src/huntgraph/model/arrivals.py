"""Players taken from other partitions (rules, section 11)."""

from __future__ import annotations

from huntgraph.model.answer import Answer
from huntgraph.model.borders import HUNT_ID_MASK, take_parcel
from huntgraph.model.moves import Fields, arrive, retarget
from huntgraph.model.state import NO_STAGE, Partition, Player, Refused
from huntgraph.schema import Code, Event, Kind, State


def arrival(state: Partition, record: Fields, answer: Answer, room: bool) -> None:
    """Applies an ARRIVE; `room` tells whether the table has a slot for an unknown player."""
    answer.player = record["player"]

    def check() -> None:
        if record["node"] >= state.own_nodes:
            raise Refused(Code.UNKNOWN_NODE)
        if record["player"] not in state.slot_of and not room:
            raise Refused(Code.PLAYERS_FULL)

    take_parcel(state, record, answer, check, lambda: seat(state, record))


def seat(state: Partition, record: Fields) -> None:
    """Makes the player anew where it goes on."""
    slot = state.slot_of.setdefault(record["player"], len(state.players))
    player = Player(record["player"], present=True, last_position=state.position)
    for name in ("seq", "node", "score", "team"):
        setattr(player, name, record[name])
    if same_hunt(state, record):
        hunt = state.hunts[record["hunt"]]
        player.hunt, player.edition = record["hunt"], hunt.edition
        player.progress = record["progress"]
    state.players[slot : slot + 1] = [player]
    origin = {"flags": 1, "value": record["from"]}
    state.note(Event.ENTERED, player=player.id, head=player.node, **origin)
    arrive(state, player, Answer(Kind.ARRIVE))
    retarget(state, player)
    if player.target != NO_STAGE and player.target == record["target"]:
        player.hints = record["hints"]
        player.since = max(0, player.since - record["waited"])


def same_hunt(state: Partition, record: Fields) -> bool:
    """Whether the slot here holds the hunt that the player came with."""
    if record["hunt"] >= len(state.hunts):
        return False
    hunt = state.hunts[record["hunt"]]
    known = hunt.state in (State.READY, State.OPEN, State.PAUSED, State.CLOSED)
    same = hunt.hunt_id & HUNT_ID_MASK == record["hunt_id"]
    return known and same and record["team"] < max(hunt.teams, 1)
