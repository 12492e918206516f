"""Players handed to other partitions (rules, section 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from huntgraph.model.answer import Answer
from huntgraph.model.state import NO_HUNT, NO_STAGE, Partition, Player, Refused
from huntgraph.schema import ARRIVAL, PEERS, Code, Event, Flag, Kind

HUNT_ID_MASK: Final = 0xFFFF_FFFF


def check_border(state: Partition, head: int) -> None:
    """A step over the border needs room in the outbox."""
    if head >= state.own_nodes and state.border.full:
        raise Refused(Code.BORDER_FULL)


def hand_over(state: Partition, player: Player) -> None:
    """The player, on a halo node, leaves as a parcel."""
    at = player.node - state.own_nodes
    owner = state.border.owner[at]
    player.present, player.away = False, 1 + owner
    state.border.peers[owner].sent += 1
    row = np.zeros((), ARRIVAL)
    names = ("seq", "progress", "score", "team", "hunt", "target", "hints")
    fields = {name: getattr(player, name) for name in names}
    fields |= {"kind": Kind.ARRIVE, "from": state.border.partition, "player": player.id}
    fields |= {"number": state.border.peers[owner].sent, "cause": state.position}
    fields["node"] = state.border.twin[at]
    if player.hunt != NO_HUNT:
        hunt = state.hunts[player.hunt]
        fields["hunt_id"] = hunt.hunt_id & HUNT_ID_MASK
        if player.target != NO_STAGE:
            fields["waited"] = max(0, hunt.elapsed_ticks - player.since)
    for name, value in fields.items():
        row[name] = value
    state.border.outbox[owner, state.border.peers[owner].sent] = row.tobytes()
    note = {"head": player.node, "value": owner, "a": state.border.peers[owner].sent}
    state.note(Event.HANDED, player=player.id, **note)


def take_parcel(
    state: Partition,
    record: dict[str, int],
    answer: Answer,
    check: Callable[[], None],
    effect: Callable[[], None],
) -> None:
    """Takes an ARRIVE or a NOTICE: `check` may refuse it once its number fits, `effect` is last."""
    origin = record["from"]
    try:
        check_parcel(state, origin, record["number"])
        check()
        state.position += 1
        state.border.peers[origin].taken += 1
        effect()
        answer.position = state.position
    except Refused as refusal:
        answer.code = refusal.code
        answer.flags = Flag.DUPLICATE if refusal.code == Code.DUPLICATE else 0
    answer.echo = state.border.peers[origin].taken + 1 if origin < PEERS else 0


def check_parcel(state: Partition, origin: int, number: int) -> None:
    """Whether a parcel of this number is the next from another partition."""
    if origin >= PEERS or origin == state.border.partition:
        raise Refused(Code.WRONG_PARTITION)
    taken = state.border.peers[origin].taken
    if number <= taken:
        raise Refused(Code.DUPLICATE)
    if number != taken + 1:
        raise Refused(Code.SEQ_GAP)


def tell_moved(state: Partition, player: Player, answer: Answer) -> None:
    """Where a player that was handed over goes on."""
    answer.moved_to = player.away
    if player.away:
        answer.next = state.border.twin[player.node - state.own_nodes]


def handed_on(state: Partition, record: dict[str, int]) -> None:
    """Applies a HANDED_ON; refused when its numbers are out of order."""
    partition, number = record["arg"], record["a"]
    if partition >= PEERS:
        raise Refused(Code.WRONG_PARTITION)
    peer = state.border.peers[partition]
    if number <= peer.acked:
        raise Refused(Code.DUPLICATE)
    if number > peer.sent:
        raise Refused(Code.SEQ_GAP)
    for each in range(peer.acked + 1, number + 1):
        del state.border.outbox[partition, each]
    peer.acked = number
