"""GRANT: in a fork, a win that its original winner keeps (rules, section 12)."""

from __future__ import annotations

from huntgraph.model.answer import Answer
from huntgraph.model.moves import Fields, receipt, retarget, tell_claim, win
from huntgraph.model.notices import can_tell
from huntgraph.model.state import Partition, Player, Refused
from huntgraph.schema import HUNTS, Code, Flag, Form, State


def grant(state: Partition, record: Fields, answer: Answer) -> Player:
    """Applies a GRANT and gives the player, or is refused."""
    player, joins = check(state, record)
    state.position += 1
    hunt = state.hunts[record["hunt"]]
    if joins:
        player.join(record["hunt"], hunt.edition, record["from"])
    number = record["arg"]
    win(state, player, number)
    answer.found, answer.receipt = number, receipt(state, player, number)
    tell_claim(state, player, number)
    retarget(state, player)
    answer.flags, answer.position = int(Flag.RECEIPT), state.position
    return player


def check(state: Partition, record: Fields) -> tuple[Player, bool]:
    """The player, and whether it has to join the hunt first."""
    slot, number = record["hunt"], record["arg"]
    if slot >= HUNTS or state.hunts[slot].state in (State.EMPTY, State.LOADING):
        raise Refused(Code.UNKNOWN_HUNT)
    hunt = state.hunts[slot]
    if hunt.state == State.READY:
        raise Refused(Code.HUNT_NOT_OPEN)
    if record["player"] not in state.slot_of:
        raise Refused(Code.UNKNOWN_PLAYER)
    player = state.players[state.slot_of[record["player"]]]
    stage = hunt.stages[number] if number < len(hunt.stages) else None
    if stage is None or stage.form != Form.TREASURE or stage.owner:
        raise Refused(Code.NOTHING_HERE)
    joins = (player.hunt, player.edition) != (slot, hunt.edition)
    if joins and record["from"] >= max(hunt.teams, 1):
        raise Refused(Code.BAD_TEAM)
    if not joins and player.progress >> number & 1:
        raise Refused(Code.ALREADY_WON)
    if not can_tell(state, hunt, number, record["from"] if joins else player.team):
        raise Refused(Code.BORDER_FULL)
    return player, joins
