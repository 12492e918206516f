"""The reasons behind each outcome, kind by kind and code by code (rules, sections 2 to 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from huntgraph.schema import NONE, UNREACHABLE, Code, Flag, Form, Kind, Rule, State
from huntgraph.schema import Event as EventKind
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.scene import Reason, Scene, way_here

__all__ = ["reasons_of"]

NO_STAGE: Final = 255
WON: Final = (EventKind.CLAIMED, EventKind.NOTED)
FOUND: Final = (EventKind.FOUND, EventKind.NOTED)
Reasons = Iterator[Reason]


def reasons_of(scene: Scene, kind: Kind, code: Code) -> Reasons:
    """Give the chain of reasons of an event, from near to far."""
    if kind == Kind.CLAIM:
        yield from _claim(scene, code)
    elif code in BY_CODE:
        yield from BY_CODE[code](scene)
    if kind in PLAYER_KINDS:
        if int(scene.update["stage"]) != NO_STAGE:
            yield from _target(scene)
        yield from way_here(scene)


def _claim(scene: Scene, code: Code) -> Reasons:
    player, hunt = scene.player, scene.hunt()
    if player is None or hunt is None:
        yield Reason("the player is in no hunt")
        return
    yield Reason(f"hunt {hunt['slot']} was {State(hunt['state']).name.lower()}")
    here, named = _treasures_here(scene), int(scene.record["arg"])
    if named != NONE:
        yield Reason(f"the claim names stage {named} and no other")
    if code == Code.NOTHING_HERE or not here:
        places = [str(int(s["node"])) for s in _stages(scene) if s["form"] == Form.TREASURE]
        node = int(player["node"])
        yield Reason(f"the player stood on node {node}, treasures lie on {', '.join(places)}")
        return
    won = int(scene.update["found"])
    stage = next((s for s in here if int(s["stage"]) == won), here[0])
    number = int(stage["stage"])
    rule = {Rule.EXCLUSIVE: "one player in all", Rule.TEAM: "each team once"}
    text = rule.get(Rule(int(stage["rule"])), "each player once")
    yield Reason(f"treasure {number} lies there; it can be won by {text}")
    yield from _window(scene, stage)
    yield from _needs(scene, stage)
    yield from _winners(scene, stage, code)


def _winners(scene: Scene, stage: np.void, code: Code) -> Reasons:
    """Who won it before, as far as the rule asks for that."""
    number, hunt = int(stage["stage"]), int(stage["hunt"])
    before = scene.last(*WON, hunt=hunt, value=number)
    if code == Code.ALREADY_WON:
        mine = scene.last(EventKind.CLAIMED, value=number, player=int(scene.record["player"]))
        place = None if mine is None else scene.place(mine)
        yield Reason("the player had won it before", place)
    elif before is None and not int(stage["wins"]):
        yield Reason("nobody had won it before")
    elif before is None:
        text = f"player {int(stage['winner'])} won it before history begins"
        yield Reason(f"{text}; wins so far: {int(stage['wins'])}")
    else:
        text = f"player {int(before['player'])} won it before"
        yield Reason(f"{text}; wins so far: {int(stage['wins'])}", scene.place(before))


def _window(scene: Scene, stage: np.void) -> Reasons:
    hunt = scene.hunt() or {}
    opens, closes, now = int(stage["opens"]), int(stage["closes"]), hunt.get("elapsed_ticks", 0)
    if opens or closes:
        end = f"before tick {closes}" if closes else "for good"
        yield Reason(f"it can be won from tick {opens} of hunt time, {end}; it was tick {now}")


def _needs(scene: Scene, stage: np.void) -> Reasons:
    """The alternative of needs that is met, or the one with the least missing; who found what."""
    needs = [int(need) for need in stage["needs"] if need]
    if not needs:
        return
    progress = int(scene.player["progress"]) if scene.player is not None else 0
    nearest = min(needs, key=lambda need: (need & ~progress).bit_count())
    missing = _bits(nearest & ~progress)
    if missing:
        yield Reason(f"it needs stages {_list(_bits(nearest))}; missing: {_list(missing)}")
    else:
        yield Reason(f"it needs stages {_list(_bits(nearest))}, which the player had")
    for number in _bits(nearest & progress):
        mine = scene.last(*FOUND, EventKind.CLAIMED, value=number, player=_player(scene))
        place = None if mine is None else scene.place(mine)
        yield Reason(f"the player had stage {number}", place)


def _closed(scene: Scene) -> Reasons:
    tail, head = int(scene.record["from"]), int(scene.record["to"])
    shut = scene.last(EventKind.DELTA, from_=tail, to=head, flags=1)
    if shut is None:
        since = "from the start" if scene.whole else "before history begins"
        yield Reason(f"the edge {tail} -> {head} was closed {since}")
        return
    yield Reason(f"the edge {tail} -> {head} was closed", scene.place(shut))
    gate = scene.last(EventKind.GATE, position=int(shut["position"]))
    if gate is not None:
        yield Reason(f"gate {int(gate['edge'])} of hunt {int(gate['hunt'])} shut then")
    cause = scene.last(*FOUND, EventKind.CLAIMED, position=int(shut["position"]))
    if cause is not None:
        what = f"player {int(cause['player'])} came to stage {int(cause['value'])} then"
        yield Reason(what, scene.place(cause))


def _no_edge(scene: Scene) -> Reasons:
    tail, head = int(scene.record["from"]), int(scene.record["to"])
    gone = scene.last(EventKind.DELTA, from_=tail, to=head, value=0)
    if gone is None:
        when = "never" if scene.whole else "not since history begins"
        yield Reason(f"there is no edge {tail} -> {head}, and was {when}")
    else:
        yield Reason(f"the edge {tail} -> {head} was removed", scene.place(gone))


def _wrong_node(scene: Scene) -> Reasons:
    if scene.player is not None:
        node, named = int(scene.player["node"]), int(scene.record["from"])
        yield Reason(f"the player stood on node {node}, the move starts from {named}")
    refused = scene.last(EventKind.REFUSED, player=_player(scene))
    if refused is not None:
        code = Code(int(refused["value"])).name
        yield Reason(f"a move before it was refused: {code}", scene.place(refused))


def _not_present(scene: Scene) -> Reasons:
    left = scene.last(EventKind.LEFT, EventKind.HANDED, player=_player(scene))
    if left is not None:
        over = left["kind"] == EventKind.HANDED
        text = f"it went on in partition {int(left['value'])}" if over else "it had left"
        yield Reason(text, scene.place(left))


def _hint(scene: Scene) -> Reasons:
    player, hunt = scene.player, scene.hunt()
    stage = None if player is None else scene.stage(int(player["target"]))
    if player is None or hunt is None or stage is None:
        yield Reason("the player had no target")
        return
    since, now, taken = int(player["since"]), hunt["elapsed_ticks"], int(player["hints"])
    yield Reason(f"stage {int(stage['stage'])} was the target since tick {since}; it was {now}")
    delays = [int(hint) & 0xFFFF_FFFF for hint in stage["hints"] if hint]
    yield Reason(
        f"{taken} of {len(delays)} hints were taken; they come after {_list(delays)} ticks"
    )


def _target(scene: Scene) -> Reasons:
    """Why the player is led where it is: the lowest stage that it could still find or win."""
    number = int(scene.update["stage"])
    yield Reason(f"the target is stage {number} on node {int(scene.update['target'])}")
    if scene.player is None:
        return
    progress, skipped = int(scene.player["progress"]), []
    hunt = scene.hunt() or {}
    for stage in _stages(scene):
        at = int(stage["stage"])
        if at < number:
            skipped.append(f"{at} {_skipped(stage, progress, hunt.get('elapsed_ticks', 0))}")
    if skipped:
        yield Reason(f"stages before it: {', '.join(skipped)}")
    yield from _guidance(scene)


def _skipped(stage: np.void, progress: int, now: int) -> str:
    needs = [int(need) for need in stage["needs"] if need]
    if progress >> int(stage["stage"]) & 1:
        return "had"
    if needs and all(need & ~progress for need in needs):
        return "locked"
    if now < int(stage["opens"]) or (stage["closes"] and now >= int(stage["closes"])):
        return "outside its window"
    return "taken"


def _guidance(scene: Scene) -> Reasons:
    """The way by the weights right after the event: a move sent again is answered, not applied."""
    scene.engine.work()
    again = scene.engine.apply(scene.record.reshape(1))[0]
    flags, distance = int(again["flags"]), int(again["distance"])
    if flags & Flag.ARRIVED:
        yield Reason("the player stood on it")
    elif flags & Flag.NO_PATH or distance == UNREACHABLE:
        yield Reason("no open way leads there")
    elif flags & Flag.GUIDED and int(again["next"]) != NONE:
        yield Reason(
            f"the least way there costs {distance} and goes on to node {int(again['next'])}"
        )


def _hunt_state(scene: Scene) -> Reasons:
    hunt = scene.hunt()
    if hunt is not None:
        yield Reason(f"hunt {hunt['slot']} was {State(hunt['state']).name.lower()}")


BY_CODE: Final[dict[Code, Callable[[Scene], Reasons]]] = {
    Code.EDGE_CLOSED: _closed,
    Code.NO_EDGE: _no_edge,
    Code.WRONG_NODE: _wrong_node,
    Code.NOT_PRESENT: _not_present,
    Code.NO_HINT: _hint,
    Code.HINT_EARLY: _hint,
    Code.HUNT_NOT_OPEN: _hunt_state,
    Code.HUNT_PAUSED: _hunt_state,
}


def _stages(scene: Scene) -> list[np.void]:
    slot = NO_STAGE if scene.player is None else int(scene.player["hunt"])
    return list(scene.stages[scene.stages["hunt"] == slot])


def _treasures_here(scene: Scene) -> list[np.void]:
    assert scene.player is not None
    wanted = int(scene.record["arg"])
    return [
        stage
        for stage in _stages(scene)
        if stage["form"] == Form.TREASURE
        and stage["node"] == scene.player["node"]
        and wanted in (NONE, int(stage["stage"]))
    ]


def _player(scene: Scene) -> int:
    return int(scene.record["player"])


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(64) if mask >> bit & 1]


def _list(values: list[int]) -> str:
    return ", ".join(map(str, values)) or "none"
