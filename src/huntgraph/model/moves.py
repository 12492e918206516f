"""What players do (rules, sections 3 and 5)."""

from __future__ import annotations

from hashlib import sha256

from huntgraph.model.answer import Answer
from huntgraph.model.borders import check_border, hand_over
from huntgraph.model.hunts import turn_gates
from huntgraph.model.notices import can_tell, concerned, tell
from huntgraph.model.state import NO_HUNT, NO_STAGE, Hunt, Partition, Player, Refused
from huntgraph.schema import HEAT_MAX, HUNTS, NONE, RECEIPT, Code, Event, Form, Kind, State

Fields = dict[str, int]
"""The fields of a MOVE or RULE record by name."""


def check_enter(state: Partition, player: Player | None, move: Fields) -> None:
    """The checks of an ENTER, in their order."""
    slot, team, teams = move["hunt"], move["arg"], 1
    if slot != 65535:
        if slot >= HUNTS or state.hunts[slot].state in (State.EMPTY, State.LOADING):
            raise Refused(Code.UNKNOWN_HUNT)
        if state.hunts[slot].state in (State.READY, State.CLOSED):
            raise Refused(Code.HUNT_NOT_OPEN)
        teams = max(state.hunts[slot].teams, 1)
    if move["to"] >= state.own_nodes:
        raise Refused(Code.UNKNOWN_NODE)
    if team >= teams:
        raise Refused(Code.BAD_TEAM)
    if slot != 65535 and player is not None:
        same = (player.hunt, player.edition) == (slot, state.hunts[slot].edition)
        if same and player.team != team:
            raise Refused(Code.BAD_TEAM)


def enter(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The player appears."""
    check_enter(state, player, move)
    none = move["hunt"] == 65535
    named = (NO_HUNT, 0) if none else (move["hunt"], state.hunts[move["hunt"]].edition)
    if named != (player.hunt, player.edition):
        player.join(*named, move["arg"])
    player.node, player.present = move["to"], True
    state.note(Event.ENTERED, player=player.id, head=player.node)
    arrive(state, player, answer)


def go(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The player goes along an edge and heats it."""
    tail, head = move["from"], move["to"]
    if tail >= state.nodes or head >= state.nodes:
        raise Refused(Code.UNKNOWN_NODE)
    if player.node != tail:
        raise Refused(Code.WRONG_NODE)
    edge = state.find_edge(tail, head)
    if state.closed[edge]:
        raise Refused(Code.EDGE_CLOSED)
    check_border(state, head)
    player.node = head
    state.note(Event.WENT, player=player.id, tail=tail, head=head, edge=edge)
    state.set_edge(edge, heat=min(HEAT_MAX, int(state.heat[edge]) + state.traffic.rise))
    if head >= state.own_nodes:
        hand_over(state, player)
    else:
        arrive(state, player, answer)


def arrive(state: Partition, player: Player, answer: Answer) -> None:
    """Finds the clues at the player's node, in one pass."""
    if player.hunt == NO_HUNT or state.hunts[player.hunt].state != State.OPEN:
        return
    hunt = state.hunts[player.hunt]
    for number, stage in enumerate(hunt.stages):
        if stage.form != Form.CLUE or stage.node != player.node or player.progress >> number & 1:
            continue
        if stage.used_up() or not stage.in_window(hunt.elapsed_ticks):
            continue
        if not stage.unlocked(player.progress) or not can_tell(state, hunt, number, player.team):
            continue
        win(state, player, number)
        answer.found = number
        place = {"hunt": player.hunt, "head": player.node, "value": number}
        state.note(Event.FOUND, player=player.id, **place)
        if stage.wins == 1:
            turn_gates(state, player.hunt, number)


def win(state: Partition, player: Player, number: int) -> None:
    """Books a find or a win of the player's hunt, and tells whom it concerns."""
    hunt = state.hunts[player.hunt]
    partitions = concerned(hunt, number, player.team)
    hunt.stages[number].win(player, number, state.position)
    tell(state, player.hunt, number, partitions)


def running_hunt(state: Partition, player: Player) -> Hunt:
    """The player's hunt if it is open; refused otherwise."""
    if player.hunt == NO_HUNT:
        raise Refused(Code.UNKNOWN_HUNT)
    hunt = state.hunts[player.hunt]
    if hunt.state != State.OPEN:
        paused = hunt.state == State.PAUSED
        raise Refused(Code.HUNT_PAUSED if paused else Code.HUNT_NOT_OPEN)
    return hunt


def verdict(state: Partition, hunt: Hunt, number: int, player: Player) -> Code:
    """Why this player cannot win this treasure now; OK if it can."""
    stage = hunt.stages[number]
    if player.progress >> number & 1:
        return Code.ALREADY_WON
    if not stage.unlocked(player.progress):
        return Code.LOCKED
    if not stage.in_window(hunt.elapsed_ticks):
        return Code.NOT_IN_WINDOW
    if stage.team_won(player.team):
        return Code.TEAM_WON
    if stage.taken():
        return Code.TAKEN
    return Code.OK if can_tell(state, hunt, number, player.team) else Code.BORDER_FULL


def claim(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The player wins the first treasure it can at its node."""
    hunt = running_hunt(state, player)
    treasures = [n for n, stage in enumerate(hunt.stages) if stage.form == Form.TREASURE]
    here = [n for n in treasures if hunt.stages[n].node == player.node]
    here = [n for n in here if move["arg"] in (NONE, n)]
    if not here:
        raise Refused(Code.NOTHING_HERE)
    verdicts = [verdict(state, hunt, number, player) for number in here]
    if Code.OK not in verdicts:
        raise Refused(verdicts[0])
    number = here[verdicts.index(Code.OK)]
    win(state, player, number)
    answer.found, answer.receipt = number, receipt(state, player, number)
    tell_claim(state, player, number)


def tell_claim(state: Partition, player: Player, number: int) -> None:
    """The events of a win; the gates that it turns."""
    hunt = state.hunts[player.hunt]
    place = {"hunt": player.hunt, "head": hunt.stages[number].node, "value": number}
    state.note(Event.CLAIMED, player=player.id, flags=player.team, a=state.serial, **place)
    if hunt.stages[number].wins == 1 and hunt.state in (State.OPEN, State.PAUSED):
        turn_gates(state, player.hunt, number)


def receipt(state: Partition, player: Player, number: int) -> bytes:
    """The next receipt of the chain, 64 bytes (rules, section 7)."""
    state.serial += 1
    widths = [(Kind.RECEIPT, 1), (number, 1), (player.hunt, 2), (state.tick, 4)]
    widths += [(player.id, 8), (state.position, 8), (state.serial, 8)]
    proof = b"".join(value.to_bytes(width, "little") for value, width in widths)
    state.chain = sha256(state.chain + proof).digest()
    assert len(proof + state.chain) == RECEIPT.itemsize
    return proof + state.chain


def hint(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The player buys the next hint of its target."""
    hunt = running_hunt(state, player)
    known = player.target < len(hunt.stages)
    if not known or player.hints >= len(hunt.stages[player.target].hints):
        raise Refused(Code.NO_HINT)
    delay, cost = hunt.stages[player.target].hints[player.hints]
    if hunt.elapsed_ticks < player.since + delay:
        raise Refused(Code.HINT_EARLY)
    player.add_score(-cost)
    player.hints += 1
    answer.hint = player.hints
    state.note(Event.HINTED, player=player.id, hunt=player.hunt, value=player.target)


def leave(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The player disappears."""
    player.present = False
    state.note(Event.LEFT, player=player.id, tail=player.node)


def retarget(state: Partition, player: Player) -> None:
    """Chooses the stage the player is guided to."""
    target, elapsed_ticks = NO_STAGE, 0
    if player.present and player.hunt != NO_HUNT:
        hunt = state.hunts[player.hunt]
        if hunt.state in (State.OPEN, State.PAUSED):
            target, elapsed_ticks = next_target(hunt, player), hunt.elapsed_ticks
    if target != player.target:
        player.target, player.hints = target, 0
        player.since = 0 if target == NO_STAGE else elapsed_ticks


def next_target(hunt: Hunt, player: Player) -> int:
    """The lowest stage the player could find or win now, 255 for none."""
    for number, stage in enumerate(hunt.stages):
        gone = stage.taken() or stage.team_won(player.team) or player.progress >> number & 1
        if stage.in_window(hunt.elapsed_ticks) and not gone and stage.unlocked(player.progress):
            return number
    return NO_STAGE


def strike(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """The move is out of this history."""
    raise Refused(Code.STRUCK)


DEEDS = {Kind.ENTER: enter, Kind.GO: go, Kind.LEAVE: leave, Kind.CLAIM: claim, Kind.HINT: hint}
DEEDS[Kind.STRIKE] = strike


def take(state: Partition, player: Player, move: Fields, answer: Answer) -> None:
    """A taken move: from here on it has a position and a number, done or not."""
    state.position += 1
    player.seq = move["seq"]
    if player.hunt != NO_HUNT and state.hunts[player.hunt].edition != player.edition:
        player.forget_hunt()
    try:
        if move["kind"] not in (Kind.ENTER, Kind.STRIKE) and not player.present:
            raise Refused(Code.NOT_PRESENT)
        DEEDS[Kind(move["kind"])](state, player, move, answer)
    except Refused as refusal:
        answer.code = refusal.code
        state.note(Event.REFUSED, player=player.id, value=refusal.code)
    retarget(state, player)
    answer.position = state.position
    player.last_code, player.last_position = answer.code, answer.position
