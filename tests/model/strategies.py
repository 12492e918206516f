"""Random records, mostly sensible and sometimes not, for a model in a given state.

Each deed takes a source of randomness (a seeded `Random`, or Hypothesis's, which shrinks) and the
model, and gives the records to send next.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from huntgraph.model import Model, Player
from huntgraph.schema import HUNTS, NONE, Form, Kind, Rule, State
from tests.model.corrections import correct, go_on_correcting
from tests.model.worlds import NO_HUNT, Record, next_move, record_of, tick_of

Deed = Callable[[Random, Model], list[Record]]

IDS = [0, 2**64 - 1, *(7 * k + 2**40 * (k % 3) for k in range(1, 40))]
"""Player ids; more than the tables of the tests hold, the odd ones at the ends among them."""
PLAYER_KINDS = [Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE]
EDGE_KINDS = [Kind.EDGE_CLOSE, Kind.EDGE_OPEN, Kind.EDGE_PRICE, Kind.EDGE_REMOVE, Kind.EDGE_ADD]


def some_player(rng: Random, model: Model) -> Player | None:
    """A known player, more often one that is present."""
    present = [player for player in model.players if player.present]
    pool = present if present and rng.random() < 0.95 else model.players
    return rng.choice(pool) if pool else None


def some_edge(rng: Random, model: Model) -> tuple[int, int]:
    """Tail and head of a slot (absent ones too), rarely of none or out of range."""
    if rng.random() < 0.06:
        return rng.randrange(model.nodes + 1), rng.choice([rng.randrange(model.nodes + 1), NONE])
    edge = rng.randrange(len(model.head))
    return int(model.tail[edge]), int(model.head[edge])


def some_slot(rng: Random, model: Model, *states: State) -> int:
    """A hunt slot in one of the states if there is one; rarely any number."""
    fit = [slot for slot, hunt in enumerate(model.hunts) if hunt.state in states]
    if not fit or rng.random() < 0.05:
        return rng.choice([0, 1, 2, HUNTS - 1, HUNTS, NO_HUNT])
    return rng.choice(fit)


def walk(rng: Random, model: Model) -> list[Record]:
    """A few steps of one player over open edges; each record follows from the last."""
    player = some_player(rng, model)
    if player is None:
        return enter(rng, model)
    node, records = player.node, []
    for step in range(rng.randint(1, 4)):
        ways = [int(model.head[edge]) for edge in model.row(node) if not model.closed[edge]]
        if not ways:
            break
        tail, node = node, rng.choice(ways)
        seq = player.seq + 1 + step
        records.append(record_of(Kind.GO, player=player.id, seq=seq, tail=tail, head=node))
    return records


def go_astray(rng: Random, model: Model) -> list[Record]:
    """A step that may not be possible: closed, absent, from elsewhere, off the world."""
    player = some_player(rng, model)
    if player is None:
        return []
    tail, head = some_edge(rng, model)
    if rng.random() < 0.7:
        tail = player.node
        row = model.head[model.row(tail)].tolist()
        head = rng.choice([*row, tail, model.nodes])
    return [next_move(model, player.id, Kind.GO, tail=tail, head=head, echo=rng.getrandbits(64))]


def enter(rng: Random, model: Model) -> list[Record]:
    """A new or known player enters, mostly a running hunt."""
    slot = some_slot(rng, model, State.OPEN, State.PAUSED)
    if rng.random() < 0.15:
        slot = NO_HUNT
    teams = max(model.hunts[slot].teams, 1) if slot < HUNTS else 1
    team = rng.randrange(teams + 1 if rng.random() < 0.1 else teams)
    head = rng.randrange(model.nodes + 1 if rng.random() < 0.05 else model.nodes)
    place = {"hunt": slot, "arg": team, "head": head}
    return [next_move(model, rng.choice(IDS), Kind.ENTER, echo=rng.getrandbits(64), **place)]


def come_again(rng: Random, model: Model) -> list[Record]:
    """A known player enters its own hunt again, mostly with its own team."""
    player = some_player(rng, model)
    if player is None:
        return []
    slot = NO_HUNT if player.hunt == 255 else player.hunt
    team = player.team if rng.random() < 0.9 else rng.randrange(4)
    place = {"hunt": slot, "arg": team, "head": rng.randrange(model.nodes)}
    return [next_move(model, player.id, Kind.ENTER, **place)]


def stand(rng: Random, model: Model) -> list[Record]:
    """Claim, hint or leave."""
    player = some_player(rng, model)
    if player is None:
        return []
    kind = rng.choices([Kind.CLAIM, Kind.HINT, Kind.LEAVE], [6, 6, 1])[0]
    stage = NONE if rng.random() < 0.7 else rng.randrange(8)
    return [next_move(model, player.id, kind, arg=stage)]


def claim_there(rng: Random, model: Model) -> list[Record]:
    """Enters at a treasure of the player's hunt and claims it."""
    player = some_player(rng, model)
    if player is None or player.hunt == 255:
        return []
    stages = model.hunts[player.hunt].stages
    nodes = [stage.node for stage in stages if stage.form == Form.TREASURE]
    if not nodes:
        return []
    place = {"hunt": player.hunt, "arg": player.team, "head": rng.choice(nodes)}
    first = next_move(model, player.id, Kind.ENTER, **place)
    return [first, record_of(Kind.CLAIM, player=player.id, seq=player.seq + 2, arg=NONE)]


def misnumber(rng: Random, model: Model) -> list[Record]:
    """A repeated, older or too new number, or an unknown player."""
    player = some_player(rng, model)
    number, seq = rng.choice(IDS), rng.randrange(4)
    if player is not None and rng.random() < 0.8:
        step = rng.choice([0, 0, -1, -2, 2, 3, 2**31])
        number, seq = player.id, max(0, player.seq + step)
    kind, echo = rng.choice(PLAYER_KINDS), rng.getrandbits(64)
    place = {"hunt": rng.choice([NO_HUNT, 0, 1, 8]), "head": rng.randrange(model.nodes)}
    return [record_of(kind, player=number, seq=seq, echo=echo, **place)]


def change_edge(rng: Random, model: Model) -> list[Record]:
    """Closes, opens, prices, removes or adds an edge."""
    tail, head = some_edge(rng, model)
    kind = rng.choices(EDGE_KINDS, [2, 4, 2, 1, 3])[0]
    if kind == Kind.EDGE_ADD and rng.random() < 0.6:
        # Most slots are real edges: what can be added lies between nodes that have none.
        tail, head = rng.randrange(model.nodes), rng.randrange(model.nodes)
    cost = rng.randint(1, 12)
    if rng.random() < 0.1:
        cost = rng.choice([0, 1, 300, 59_999, 60_000, 60_001, 65_534, NONE])
    return [record_of(kind, tail=tail, head=head, arg=cost, echo=rng.getrandbits(64))]


def stage_row(rng: Random, model: Model, index: int) -> dict[str, int]:
    """The fields of a stage."""
    opens = rng.choice([0, 0, 0, rng.randint(1, 12)])
    closes = rng.choice([0, 0, 0, opens + rng.randint(1, 30), rng.randint(0, 4)])
    return {
        "index": index,
        "form": rng.choice([Form.CLUE, Form.TREASURE]),
        "rule": rng.choice([Rule.EXCLUSIVE, Rule.TEAM, Rule.PLAYER]),
        "tail": rng.randrange(model.nodes),
        "opens": opens,
        "closes": closes,
        "stock": rng.choice([0, 0, 1, 2, 3]),
        "points": rng.choice([0, 1, 10, 10, 2**31 - 5, NONE]) if rng.random() < 0.1 else 10,
    }


def traffic_row(rng: Random) -> dict[str, int]:
    """The fields of a traffic rule."""
    return {
        "stock": rng.choice([0, 1, 16, 40, 254, 255]),
        "points": rng.choice([0, 2, 4, 7, 8]),
        "index": rng.choice([1, 2, 3, 7, 8, 0]) if rng.random() < 0.1 else rng.choice([1, 2, 4]),
        "delay": rng.choice([0, 1, 2, 3, 7, 40, 65_535, 65_536]),
        "cost": rng.choice([0, 1, 2, 3, 5, 22, 260, 2**31]),
    }


def gate_rows(rng: Random, model: Model, hunt: int, index: int) -> list[Record]:
    """A gate and its edges."""
    times = {"opens": rng.choice([0, 3, 9, 20]), "closes": rng.choice([0, 3, 6, 12])}
    mask = rng.choice([0, 1 << rng.randrange(4), 1 << rng.randrange(4), rng.getrandbits(3)])
    flags = rng.choice([0, 1, 1, 2, 3])
    fields = {"hunt": hunt, "index": index, "flags": flags, "mask": mask, **times}
    records = [record_of(Kind.HUNT_GATE, **fields)]
    for _ in range(rng.randint(0, 4)):
        tail, head = some_edge(rng, model)
        place = {"hunt": hunt, "index": index, "tail": tail, "head": head}
        records.append(record_of(Kind.HUNT_GATE_EDGE, **place))
    return records


def load_hunt(rng: Random, model: Model) -> list[Record]:
    """All rows of a hunt; some of them may be refused."""
    hunt = some_slot(rng, model, State.EMPTY, State.CLOSED)
    times = {"opens": rng.choice([0, 1, 3]), "closes": rng.choice([0, 0, 60, 200, NONE - 2])}
    teams = rng.choice([0, 0, 1, 2, 3, 64, 65]) if rng.random() < 0.3 else rng.choice([0, 3])
    name = {"hunt": hunt, "hunt_id": rng.getrandbits(64), "teams": teams}
    records = [record_of(Kind.HUNT_BEGIN, **name, **times)]
    for index in range(rng.randint(0, 7)):
        records.append(record_of(Kind.HUNT_STAGE, hunt=hunt, **stage_row(rng, model, index)))
        for _ in range(rng.choice([0, 0, 1, 2]) if index else 0):
            mask = 1 << rng.randrange(index) | (1 << rng.randrange(index) if index > 1 else 0)
            records.append(record_of(Kind.HUNT_NEED, hunt=hunt, index=index, mask=mask))
        for _ in range(rng.choice([0, 1, 2])):
            fee = {"delay": rng.choice([0, 0, 2, NONE]), "cost": rng.choice([0, 3, 5])}
            records.append(record_of(Kind.HUNT_HINT, hunt=hunt, index=index, **fee))
    for index in range(rng.choice([0, 1, 2, 3])):
        records += gate_rows(rng, model, hunt, index)
    if rng.random() < 0.6:
        records.append(record_of(Kind.HUNT_TRAFFIC, hunt=hunt, **traffic_row(rng)))
    return records


def publish(rng: Random, model: Model) -> list[Record]:
    """Publishes a loading hunt, mostly with the right count of rows."""
    slot = some_slot(rng, model, State.LOADING)
    rows = model.hunts[slot].rows if slot < HUNTS else 0
    count = rows if rng.random() < 0.9 else rng.randrange(20)
    return [record_of(Kind.HUNT_PUBLISH, hunt=slot, count=count)]


def stray_row(rng: Random, model: Model) -> list[Record]:
    """One row of a hunt with numbers from anywhere."""
    hunt = some_slot(rng, model, State.LOADING, State.CLOSED)
    kind = rng.randint(Kind.HUNT_STAGE, Kind.HUNT_PUBLISH)
    fields = stage_row(rng, model, rng.choice([0, 1, 2, 3, 63, 64, 255]))
    if kind == Kind.HUNT_TRAFFIC:
        fields = traffic_row(rng)
    fields["form"], fields["rule"] = rng.randrange(4), rng.randrange(5)
    if rng.random() < 0.2:
        fields["tail"] = rng.choice([model.nodes, NONE])
    mask = rng.choice([0, 1, 2**63, rng.getrandbits(64)])
    head = rng.randrange(model.nodes)
    return [record_of(kind, hunt=hunt, head=head, mask=mask, count=rng.randrange(4), **fields)]


def order(rng: Random, model: Model) -> list[Record]:
    """Pause, resume, extend or close."""
    kind = rng.choices(
        [Kind.HUNT_PAUSE, Kind.HUNT_RESUME, Kind.HUNT_EXTEND, Kind.HUNT_CLOSE], [3, 5, 2, 1]
    )[0]
    wanted = State.PAUSED if kind == Kind.HUNT_RESUME else State.OPEN
    slot = some_slot(rng, model, wanted)
    return [record_of(kind, hunt=slot, arg=rng.choice([0, 1, 20, NONE]), echo=5)]


def ticks(rng: Random, model: Model) -> list[Record]:
    """A burst of ticks; now and then not the next one."""
    if rng.random() < 0.05:
        return [tick_of(model, rng.choice([-1, 0, 2, 7]) if model.tick else 2)]
    return [tick_of(model, ahead) for ahead in range(1, rng.choice([1, 1, 2, 5]) + 1)]


def oddity(rng: Random, model: Model) -> list[Record]:
    """A hash, right or wrong, or a kind that nobody knows."""
    kind = rng.choice([Kind.HASH, Kind.HASH, 0, 8, 15, 21, 31, 44, 63, Kind.RECEIPT, 83, 255])
    right = rng.random() < 0.5
    value = model.state_hash() if right else rng.getrandbits(64)
    return [record_of(kind, a=value, player=rng.choice(IDS), seq=1, echo=9)]


def strike(rng: Random, model: Model) -> list[Record]:
    """A struck record of a player, known, away or unknown."""
    player = rng.choice(model.players) if model.players else None
    if player is None or rng.random() < 0.2:
        return [record_of(Kind.STRIKE, player=rng.choice(IDS), seq=rng.choice([1, 1, 1, 2]))]
    return [next_move(model, player.id, Kind.STRIKE, echo=rng.getrandbits(64))]


def grant(rng: Random, model: Model) -> list[Record]:
    """A treasure given to somebody, who may have it or not be in its hunt."""
    slot = some_slot(rng, model, State.OPEN, State.PAUSED, State.CLOSED)
    stages = model.hunts[slot].stages if slot < HUNTS else []
    treasures = [n for n, stage in enumerate(stages) if stage.form == Form.TREASURE]
    stage = rng.choice(treasures) if treasures and rng.random() < 0.9 else rng.randrange(66)
    player = rng.choice(model.players).id if model.players else rng.choice(IDS)
    team = rng.choice([0, 0, 1, 2, 3, 65])
    return [record_of(Kind.GRANT, player=player, hunt=slot, arg=stage, tail=team, echo=3)]


DEEDS: dict[Deed, int] = {
    walk: 50,
    enter: 8,
    come_again: 3,
    stand: 12,
    claim_there: 9,
    go_astray: 5,
    misnumber: 8,
    change_edge: 6,
    load_hunt: 3,
    publish: 4,
    stray_row: 2,
    order: 1,
    ticks: 14,
    oddity: 2,
    strike: 3,
    grant: 2,
    correct: 1,
}
"""What may happen next, and how often."""


def next_records(rng: Random, model: Model) -> list[Record]:
    """Some deed's records."""
    if model.correction and rng.random() < 0.8:
        return go_on_correcting(rng, model)
    return rng.choices(list(DEEDS), list(DEEDS.values()))[0](rng, model)
