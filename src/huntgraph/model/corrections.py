"""FENCE, CORRECT and SETTLE (rules, section 12)."""

from __future__ import annotations

from huntgraph.model.answer import Answer
from huntgraph.model.hashing import bare_hash, edge_word, state_hash
from huntgraph.model.settable import Row, fits_edge, has_room, may_set, may_take, stands_alone
from huntgraph.model.setting import put_cell, put_traffic, take_cell
from huntgraph.model.state import Partition, Refused
from huntgraph.schema import PEERS, Code, Event, Kind

CELLS = 3


def fenced(state: Partition, record: dict[str, int], answer: Answer) -> None:
    """Refuses what comes while a correction is under way."""
    answer.code = Code.FENCED
    if record["kind"] in range(Kind.ENTER, Kind.GRANT + 1) or record["kind"] == Kind.ARRIVE:
        answer.player = record["player"]
    if record["kind"] in (Kind.ARRIVE, Kind.NOTICE):
        origin = record["from"]
        answer.echo = state.border.peers[origin].taken + 1 if origin < PEERS else 0


def correction(state: Partition, record: dict[str, int], answer: Answer) -> None:
    """Applies a FENCE, CORRECT or SETTLE."""
    try:
        DEEDS[Kind(record["kind"])](state, record)
        answer.position = state.position
    except Refused as refusal:
        answer.code = refusal.code
    answer.echo = state.correction


def fence(state: Partition, record: dict[str, int]) -> None:
    """The correction begins."""
    if state.correction:
        raise Refused(Code.FENCED)
    if record["id"] == 0:
        raise Refused(Code.BAD_CELL)
    if record["word_1"] not in (0, state_hash(state)):
        raise Refused(Code.STALE_HASH)
    state.position += 1
    state.correction = record["id"]
    state.players_before, state.slots_before = len(state.players), len(state.cost)


def check_under_way(state: Partition, record: dict[str, int]) -> None:
    """Refused unless it is this correction that holds the fence."""
    if record["id"] == 0 or record["id"] != state.correction:
        raise Refused(Code.NOT_FENCED)


def correct(state: Partition, record: dict[str, int]) -> None:
    """Some cells get new words."""
    check_under_way(state, record)
    if record["count"] > CELLS:
        raise Refused(Code.BAD_CELL)
    numbers = range(record["count"])
    names = [record[f"name_{number + 1}"] for number in numbers]
    words = [record[f"word_{number + 1}"] for number in numbers]
    gone = [bool(record["gone"] >> number & 1) for number in numbers]
    row: Row = {n: w for n, w, away in zip(names, words, gone, strict=True) if not away}
    sound = len(set(names)) == len(names)
    for name, away in zip(names, gone, strict=True):
        alone = len(names) == 1 or not (away or stands_alone(state, name))
        sound = sound and alone and (may_take(state, name) if away else may_set(state, name, row))
    if not sound:
        raise Refused(Code.BAD_CELL)
    if not has_room(state, row):
        raise Refused(Code.PRICES_FULL)
    state.position += 1
    put_traffic(state, row)
    for name, word, away in zip(names, words, gone, strict=True):
        if away:
            take_cell(state, name)
        else:
            put_cell(state, name, word)


def settle(state: Partition, record: dict[str, int]) -> None:
    """The correction is whole."""
    check_under_way(state, record)
    edges = range(len(state.cost) if state.traffic_set else 0)
    if not all(fits_edge(state, edge_word(state, edge)) for edge in edges):
        raise Refused(Code.BAD_CELL)
    if record["word_1"] != bare_hash(state):
        raise Refused(Code.HASH_MISMATCH)
    state.position += 1
    state.note(Event.CORRECTED, a=state.correction)
    state.correction, state.traffic_set = 0, False


DEEDS = {Kind.FENCE: fence, Kind.CORRECT: correct, Kind.SETTLE: settle}
