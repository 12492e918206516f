"""Corrections: STRIKE, GRANT, the fence, and cells of one image set in another."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.model import Model
from huntgraph.schema import Code, Event, Flag, Kind, Rule, State
from huntgraph.timeline.cells import Changes
from tests.model import strategies
from tests.model.checker import Pair, engine_class, same
from tests.model.corrections import Cells, cells_of, finish
from tests.model.realm import Realm
from tests.model.scene import Scene, clue, gate, gate_edge, kinds, treasure
from tests.model.worlds import Record, correction_of, grid_world, next_move, record_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

ID = 77
SETTABLE_SINGLES = (6, 7, 9)
PLAYERS_OWN = {2: 0xFFFF_FFFF, 4: 0xFFFF << 40, 5: 2**64 - 1}
"""Bits of a player's words that belong to its game server: seq, last_code, last_position."""


def settable(cells: Cells) -> Cells:
    """The cells that a correction may set, without the bits that are the game servers'."""
    kept = {}
    for name, word in cells.items():
        tag, index = name >> 56, name & (1 << 56) - 1
        if tag in (1, 3, 4, 5, 6, 10) or (tag == 7 and index in SETTABLE_SINGLES):
            kept[name] = word
        elif tag == 2:
            kept[name] = word & ~PLAYERS_OWN.get(index % 8, 0)
    return kept


def changes_to(model: Model, other: Model) -> Changes:
    """All that a correction has to change to make one image's cells those of another."""
    have, want = cells_of(model), cells_of(other)
    names = [name for name in have | want if have.get(name) != want.get(name)]
    columns = [[cells.get(name, 0) for name in names] for cells in (have, want)]
    given = (np.array(column, np.uint64) for column in (names, *columns))
    return Changes.between(*given, players=len(model.players), slots=len(model.head))


def raw(rows: NDArray[np.void]) -> list[Record]:
    return [row.tobytes() for row in rows]


def a_history(seed: int, deeds: int) -> Pair:
    """A world after a random history; the world is the same for all seeds."""
    rng = Random(seed)
    pair = Pair(grid_world(Random(1), 5, 5), players=64, added_edges=40)
    for _ in range(deeds):
        if records := strategies.next_records(rng, pair.model):
            pair.apply(records)
    if records := finish(pair.model):
        pair.apply(records)
    assert not pair.model.correction
    return pair


def fence(number: int = ID, expected: int = 0) -> Record:
    return correction_of(Kind.FENCE, number, (0, expected), count=0)


def settle(number: int, expected: int) -> Record:
    return correction_of(Kind.SETTLE, number, (0, expected), count=0)


def set_all(pair: Pair, other: Pair) -> Changes:
    """Gives one image the settable cells of another, row by row."""
    changes = changes_to(pair.model, other.model)
    rows = raw(changes.rows(ID))
    assert len(rows) > 40, "the two hardly differ"
    codes = [answer.code for answer in pair.apply(rows)]
    refused = [row.hex() for row, code in zip(rows, codes, strict=True) if code]
    assert not refused, refused[:3]
    return changes


def compare_cells(pair: Pair, other: Pair) -> None:
    have, want = settable(cells_of(pair.model)), settable(cells_of(other.model))
    differ = {
        n: (have.get(n), want.get(n)) for n in have.keys() | want if have.get(n) != want.get(n)
    }
    same("cells that differ", differ, {})


def longer(seed: int) -> tuple[Pair, Pair]:
    """An image, and another whose players and added edges go on where those of the first end."""
    one = a_history(seed, 120)
    other = a_history(seed, 120)
    rng = Random(seed + 1)
    for _ in range(400):
        if records := strategies.next_records(rng, other.model):
            other.apply(records)
    if records := finish(other.model):
        other.apply(records)
    return one, other


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_cells_of_one_image_set_in_another_make_them_equal(seed: int) -> None:
    pair, other = longer(seed)
    assert pair.apply([fence(expected=pair.model.state_hash())])[0].code == Code.OK
    set_all(pair, other)
    answer = pair.apply([settle(ID, pair.model.bare_hash())])[0]
    assert (answer.code, kinds(answer)) == (Code.OK, ["CORRECTED"])
    pair.compare_state()
    compare_cells(pair, other)
    # Both go on alike: what is derived from cells was derived anew.
    rng = Random(seed)
    for _ in range(150):
        if records := strategies.next_records(rng, pair.model):
            pair.apply(records)
    pair.compare_state()


@pytest.mark.parametrize("seed", [21, 22])
def test_corrections_beside_a_border_are_alike(seed: int) -> None:
    rng = Random(seed)
    shore = Realm(rng, 2, 6).shores[seed % 2]
    other = 1 - shore.part.partition
    for number in range(2400):
        records = strategies.next_records(rng, shore.model)
        peer = shore.model.border.peers[other]
        if rng.random() < 0.05 and peer.sent > peer.acked:
            records = [record_of(Kind.HANDED_ON, arg=other, a=peer.acked + 1)]
        if records:
            shore.apply(records)
        if number % 8 == 0:
            shore.pair.compare_state()
    seen = shore.pair.seen
    assert seen["HANDED"] > 5, seen
    assert seen["CORRECTED"] > 5, seen


def test_a_shifted_word_is_caught() -> None:
    pair, other = longer(4)
    pair.apply([fence()])
    set_all(pair, other)
    edge = next(e for e in range(len(pair.model.head)) if pair.model.weight(e) > 1)
    name = 1 << 56 | edge
    word = cells_of(pair.model)[name]
    pair.apply([correction_of(Kind.CORRECT, ID, (name, word - 1))])
    with pytest.raises(AssertionError, match="cells that differ"):
        compare_cells(pair, other)


def test_a_hash_that_does_not_follow_is_caught() -> None:
    pair = a_history(5, 50)
    pair.apply([fence()])
    name = 1 << 56 | next(e for e in range(len(pair.model.head)) if pair.model.weight(e) > 1)
    word = cells_of(pair.model)[name]
    planned = pair.model.bare_hash()
    pair.apply([correction_of(Kind.CORRECT, ID, (name, word - 1))])
    refused = pair.apply([settle(ID, planned)])[0]
    assert (refused.code, refused.position) == (Code.HASH_MISMATCH, 0)
    # The engine is given another row than the model: its hash follows that one.
    other = correction_of(Kind.CORRECT, ID, (name, word - 1))
    pair.compare_events = False
    pair.apply([correction_of(Kind.CORRECT, ID, (name, word))], engine_records=[other])
    with pytest.raises(AssertionError, match="state hash"):
        pair.compare_state()


@pytest.mark.parametrize("seed", [6, 7, 8])
def test_the_old_words_bring_the_old_hash_back(seed: int) -> None:
    pair, other = longer(seed)
    bare = pair.model.bare_hash()
    pair.apply([fence()])
    changes = set_all(pair, other)
    assert (~changes.had).any()
    assert changes.hash_after(bare) == pair.model.bare_hash()
    answers = pair.apply(raw(changes.inverse().rows(ID)))
    assert not any(answer.code for answer in answers)
    assert pair.apply([settle(ID, bare)])[0].code == Code.OK
    pair.compare_state()


@pytest.mark.parametrize("seed", [9, 10, 11, 12])
def test_the_old_words_undo_any_part_of_the_rows(seed: int) -> None:
    pair, other = longer(seed)
    bare = pair.model.bare_hash()
    pair.apply([fence()])
    changes = changes_to(pair.model, other.model)
    rows = raw(changes.rows(ID))
    pair.apply(rows[: Random(seed).randrange(len(rows))])
    # Refused are only rows that take away what was never made.
    codes = {answer.code for answer in pair.apply(raw(changes.inverse().rows(ID)))}
    assert codes <= {Code.OK, Code.BAD_CELL}
    assert pair.apply([settle(ID, bare)])[0].code == Code.OK
    pair.compare_state()


def test_rows_sent_again_change_nothing() -> None:
    pair, other = longer(13)
    pair.apply([fence()])
    changes = set_all(pair, other)
    before = pair.model.bare_hash()
    assert not any(answer.code for answer in pair.apply(raw(changes.rows(ID))))
    assert pair.model.bare_hash() == before


def test_a_fence_stops_everything_but_its_own_correction() -> None:
    scene = Scene()
    scene.enter(1, 0)
    stale = scene.apply(fence(expected=1))
    assert (stale.code, stale.position) == (Code.STALE_HASH, 0)
    assert scene.apply(fence(0)).code == Code.BAD_CELL
    assert scene.apply(correction_of(Kind.CORRECT, ID)).code == Code.NOT_FENCED
    begun = scene.apply(fence(expected=scene.model.state_hash()))
    assert (begun.code, begun.echo) == (Code.OK, ID)
    hashed = scene.model.state_hash()
    for record in [
        next_move(scene.model, 1, Kind.LEAVE),
        record_of(Kind.TICK, arg=scene.model.tick + 1),
        record_of(Kind.ARRIVE, player=9),
        record_of(Kind.HUNT_BEGIN),
        record_of(Kind.EDGE_CLOSE, tail=0, head=1),
        fence(78),
    ]:
        refused = scene.apply(record)
        assert (refused.code, refused.position) == (Code.FENCED, 0)
    assert scene.apply(correction_of(Kind.CORRECT, 78)).code == Code.NOT_FENCED
    assert scene.model.state_hash() == hashed
    assert scene.apply(record_of(Kind.HASH, a=hashed)).code == Code.OK
    assert scene.pair is not None
    scene.pair.restart()
    assert scene.apply(settle(ID, scene.model.bare_hash())).echo == 0
    assert scene.leave(1).code == Code.OK


@pytest.mark.parametrize(
    ("cells", "gone"),
    [
        ([(1 << 56, 0)], 0),
        ([(1 << 56, 1 << 25 | 1)], 0),
        ([(1 << 56 | 10**6, 1)], 0),
        ([(2 << 56, 2)], 0),
        ([(2 << 56 | 5 * 8, 9)], 0),
        ([(2 << 56 | 2, 10**6 << 32)], 0),
        ([(2 << 56, 0)], 1),
        ([(7 << 56 | 1, 5)], 0),
        ([(7 << 56 | 6, 8 << 8)], 0),
        ([(8 << 56, 5)], 0),
        ([(9 << 56, 5)], 0),
        ([(10 << 56, 5)], 0),
        ([(3 << 56 | 1, 9)], 0),
        ([(4 << 56, 1)], 0),
        ([(0, 0)], 0),
        ([(1 << 56, 1), (1 << 56, 1)], 0),
        ([(3 << 56 | 6, 0), (3 << 56, 1)], 0),
        ([(1 << 56, 5), (7 << 56 | 7, 0)], 0),
        ([(7 << 56 | 6, 0), (2 << 56 | 1, 5), (1 << 56, 5)], 0),
    ],
)
def test_a_malformed_row_changes_nothing(cells: list[tuple[int, int]], gone: int) -> None:
    scene = Scene()
    scene.enter(1, 0)
    scene.apply(fence())
    before = scene.model.state_hash()
    # A sound cell beside it is not set either.
    sound = [(2 << 56 | 1, 5)] if len(cells) == 1 else []
    answer = scene.apply(correction_of(Kind.CORRECT, ID, *cells, *sound, gone=gone))
    assert (answer.code, answer.position) == (Code.BAD_CELL, 0)
    assert scene.model.state_hash() == before


def test_a_player_keeps_what_its_game_server_knows() -> None:
    scene = Scene()
    scene.enter(1, 0)
    name, words = 2 << 56, cells_of(scene.model)
    scene.apply(fence())
    flags = words[name + 4] & ~(0xFFFF << 40)
    row = correction_of(Kind.CORRECT, ID, (name + 2, 3 << 32), (name + 4, flags), (name + 5, 999))
    assert scene.apply(row).code == Code.OK
    player = scene.player(1)
    assert (player.node, player.seq, player.last_position) == (3, 1, 1)
    scene.apply(settle(ID, scene.model.bare_hash()))
    assert scene.go(1, 2).code in (Code.OK, Code.NO_EDGE)


@pytest.mark.parametrize("pending", range(8))
def test_orders_that_only_a_correction_puts_together_take_effect_one_by_one(pending: int) -> None:
    scene = Scene()
    scene.open(treasure(0, 3))
    scene.apply(fence())
    assert scene.apply(correction_of(Kind.CORRECT, ID, (3 << 56 | 4, pending))).code == Code.OK
    scene.apply(settle(ID, scene.model.bare_hash()))
    told = [event.value for event in scene.tick().events if event.kind == Event.HUNT]
    turns = [(1, State.PAUSED), (2, State.OPEN)]
    ends = [State.CLOSED] if pending & 4 else [state for bit, state in turns if pending & bit]
    assert told == ends


def test_struck_records_take_their_number_and_nothing_else() -> None:
    scene = Scene()
    first = scene.apply(record_of(Kind.STRIKE, player=5, seq=1))
    assert (first.code, first.position, kinds(first)) == (Code.STRUCK, 1, ["REFUSED"])
    assert not scene.player(5).present
    assert scene.apply(record_of(Kind.STRIKE, player=6, seq=2)).code == Code.UNKNOWN_PLAYER
    assert scene.enter(5, 1).code == Code.OK
    struck = scene.apply(next_move(scene.model, 5, Kind.STRIKE))
    assert (struck.code, struck.node, scene.player(5).last_code) == (Code.STRUCK, 1, Code.STRUCK)
    again = scene.apply(record_of(Kind.STRIKE, player=5, seq=3))
    assert (again.code, again.flags) == (Code.STRUCK, Flag.DUPLICATE)


def test_a_win_is_granted_wherever_the_player_is() -> None:
    scene = Scene()
    scene.open(
        treasure(0, 3, Rule.EXCLUSIVE), treasure(1, 0), clue(2, 1),
        gate(0, True, 0), gate_edge(0, 0, 1), teams=2,
    )  # fmt: skip
    scene.enter(1, 0, hunt=0)
    scene.enter(2, 0)
    grant = {"hunt": 0, "arg": 0, "echo": 4}
    answer = scene.apply(record_of(Kind.GRANT, player=1, **grant))
    assert kinds(answer) == ["CLAIMED", "GATE", "DELTA"]
    assert (answer.code, answer.found, answer.seq, answer.echo) == (Code.OK, 0, 1, 4)
    assert answer.receipt is not None
    assert answer.events[0].head == 3
    assert (scene.player(1).last_position, scene.player(1).target) != (answer.position, 0)
    assert scene.apply(record_of(Kind.GRANT, player=1, **grant)).code == Code.ALREADY_WON
    assert scene.apply(record_of(Kind.GRANT, player=2, **grant, tail=2)).code == Code.BAD_TEAM
    joined = scene.apply(record_of(Kind.GRANT, player=2, **grant, tail=1))
    assert (joined.code, scene.player(2).team, scene.player(2).hunt) == (Code.OK, 1, 0)
    assert scene.hunt().stages[0].wins == 2
    for wrong in ({"arg": 2}, {"arg": 9}):
        assert scene.apply(record_of(Kind.GRANT, player=1, **wrong)).code == Code.NOTHING_HERE
    assert scene.apply(record_of(Kind.GRANT, player=9, **grant)).code == Code.UNKNOWN_PLAYER
    assert scene.apply(record_of(Kind.GRANT, player=1, hunt=3)).code == Code.UNKNOWN_HUNT
