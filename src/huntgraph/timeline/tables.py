"""Cells of the state as tables (rules, section 8): a name is `tag << 56 | index`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import GATE_EDGES, GATES, STAGES

__all__ = [
    "ADDED",
    "EDGE",
    "GATE",
    "HUNT",
    "PARCEL",
    "PEER",
    "PLAYER",
    "PLAYERS",
    "SINGLE",
    "STAGE",
    "STAGE_ROW",
    "Differences",
    "compare",
    "describe_cell",
    "edge_parts",
    "held_in",
    "hunts_of",
    "index_of",
    "name_of",
    "places",
    "players_of",
    "stages_of",
    "tag_of",
]

Names = NDArray[np.uint64]
Words = NDArray[np.uint64]

EDGE, PLAYER, HUNT, STAGE, GATE, GATE_EDGE, SINGLE, PARCEL, PEER, ADDED = range(1, 11)
"""Tags."""
_TAG: Final = np.uint64(56)
_INDEX: Final = np.uint64((1 << 56) - 1)
SINGLES: Final = (
    *("tick", "position", *("receipts' chain",) * 4, "traffic rule", "traffic cost"),
    *("serial", "least and greatest cost", "correction"),
)

PLAYERS: Final = np.dtype(
    [
        *(("id", "u8"), ("progress", "u8"), ("seq", "u4"), ("node", "u4"), ("score", "i4")),
        *(("since", "u4"), ("team", "u1"), ("hunt", "u1"), ("target", "u1"), ("present", "u1")),
        *(("hints", "u1"), ("last_code", "<u2"), ("away", "u1"), ("last_position", "u8")),
        *(("edition", "u4"), ("spare", "u4")),
    ]
)
"""A player, laid out as the seven words of its cells are; `hunt`, `target` are 255 for none."""

STAGE_ROW: Final = np.dtype(
    [
        *(("hunt", "u1"), ("stage", "u1"), ("form", "u1"), ("rule", "u1"), ("node", "u4")),
        *(("opens", "u4"), ("closes", "u4"), ("stock", "u4"), ("points", "u4")),
        *(("needs", "u8", (4,)), ("hints", "u8", (4,)), ("wins", "u4"), ("owner", "u4")),
        *(("team_bits", "u8"), ("winner", "u8"), ("position", "u8")),
    ]
)
"""A stage of a hunt; `hints` are `delay | cost << 32`, needs that are not there 0."""


class Differences(NamedTuple):
    """Cells in which two states differ: names, old and new words; 0 where a state has no such."""

    names: Names
    old: Words
    new: Words


def name_of(tag: int, index: int) -> int:
    """Give the name of a cell."""
    return tag << 56 | index


def tag_of(names: Names) -> NDArray[np.uint64]:
    """Give the tags of cells."""
    return names >> _TAG


def index_of(names: Names) -> NDArray[np.uint64]:
    """Give the indices of cells."""
    return names & _INDEX


def compare(old: tuple[Names, Words], new: tuple[Names, Words]) -> Differences:
    """Compare all cells of two states; what differs comes in the order of names.

    A cell that only one of them has differs, also when its word is 0.
    """
    (names, words), (others, new_words) = _sorted(*old), _sorted(*new)
    at, shared = places(names, others)
    _, known = places(others, names)
    changed = shared & (new_words[at] != words) if len(others) else shared
    gone, come = ~shared, ~known
    columns = (
        np.concatenate([names[changed], names[gone], others[come]]),
        np.concatenate([words[changed], words[gone], np.zeros(come.sum(), np.uint64)]),
        np.concatenate([new_words[at[changed]], np.zeros(gone.sum(), np.uint64), new_words[come]]),
    )
    order = np.argsort(columns[0])
    return Differences(*(column[order] for column in columns))


def places(wanted: Names, names: Names) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Tell where each wanted name stands among sorted names, and whether it does."""
    if not len(names):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return at, names[at] == wanted


def edge_parts(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Give weight, heat and closed of edges' words."""
    signed = words.astype(np.int64)
    return signed & 0xFFFF, signed >> 16 & 0xFF, (signed >> 24 & 1).astype(np.bool_)


def players_of(words: Words) -> NDArray[np.void]:
    """Take the words of players by slot, shape (players, 7), for their table: dtype PLAYERS."""
    return words.view(PLAYERS).reshape(-1)


def stages_of(names: Names, words: Words) -> NDArray[np.void]:
    """Give all stages of all hunts, shape (stages,), dtype STAGE_ROW."""
    mine = tag_of(names) == STAGE
    index, some = index_of(names[mine]).astype(np.int64), words[mine]
    keys, rows = np.unique(index >> 4, return_inverse=True)
    grid = np.zeros((len(keys), 16), np.uint64)
    grid[rows, index & 15] = some
    table = np.zeros(len(keys), STAGE_ROW)
    table["hunt"], table["stage"] = keys // STAGES, keys % STAGES
    half, low = np.uint64(32), np.uint64(0xFFFF_FFFF)
    table["form"], table["rule"] = (
        grid[:, 0] & np.uint64(255),
        grid[:, 0] >> np.uint64(8) & np.uint64(255),
    )
    table["node"] = grid[:, 0] >> half
    for at, (one, other) in enumerate((("opens", "closes"), ("stock", "points")), 1):
        table[one], table[other] = grid[:, at] & low, grid[:, at] >> half
    table["needs"], table["hints"] = grid[:, 3:7], grid[:, 7:11]
    table["wins"], table["owner"] = grid[:, 11] & low, grid[:, 11] >> half
    table["team_bits"], table["winner"], table["position"] = grid[:, 12], grid[:, 13], grid[:, 14]
    return table


def hunts_of(names: Names, words: Words) -> list[dict[str, Any]]:
    """Give the hunts that were ever loaded: slot, hunt_id, state, edition, teams, elapsed ..."""
    mine = tag_of(names) == HUNT
    cells = dict(zip(index_of(names[mine]).tolist(), words[mine].tolist(), strict=True))
    found = []
    for slot in sorted({index // 16 for index in cells}):
        word = [cells.get(slot * 16 + w, 0) for w in range(10)]
        if word[1] & 0xFF == 0:
            continue
        small = {
            "state": word[1] & 0xFF,
            "stages": word[1] >> 8 & 0xFF,
            "gates": word[1] >> 16 & 0xFF,
        }
        times = {"elapsed_ticks": word[2] & 0xFFFF_FFFF, "closes": word[2] >> 32}
        more = {"teams": word[1] >> 24 & 0xFF, "edition": word[1] >> 32, "shut": word[5]}
        found.append({"slot": slot, "hunt_id": word[0], **small, **more, **times})
    return found


def held_in(hunts: Iterable[Mapping[str, Any]]) -> dict[int, tuple[int, int]]:
    """Give id and edition of hunts as `hunts_of` gives them, by slot."""
    return {hunt["slot"]: (hunt["hunt_id"], hunt["edition"]) for hunt in hunts}


def _sorted(names: Names, words: Words) -> tuple[Names, Words]:
    if (names[1:] > names[:-1]).all():
        return names, words
    order = np.argsort(names, kind="stable")
    return names[order], words[order]


def _looked_up(wanted: Names, names: Names, words: Words) -> Words:
    at, known = places(wanted, names)
    found: Words = np.zeros(len(wanted), np.uint64)
    found[known] = words[at[known]]
    return found


def describe_cell(name: int) -> str:
    """Say in words what a cell is."""
    tag, index = name >> 56, name & ((1 << 56) - 1)
    match tag:
        case 1:
            return f"edge {index}: weight, heat, closed"
        case 2:
            words = ("id", "progress", "seq, node", "score, since", "team to away")
            word = (*words, "last_position", "edition", "spare")[index & 7]
            return f"player slot {index >> 3}: {word}"
        case 3:
            return f"hunt {index // 16}: word {index % 16}"
        case 4:
            return f"hunt {index // 16 // STAGES}: stage {index // 16 % STAGES}, word {index % 16}"
        case 5:
            return f"hunt {index // 4 // GATES}: gate {index // 4 % GATES}, word {index % 4}"
        case 6:
            return f"hunt {index // GATE_EDGES}: gate edge {index % GATE_EDGES}"
        case 7:
            return SINGLES[index]
        case 8:
            return f"parcel for partition {index >> 48}: word {index & 7}"
        case 9:
            return f"border with partition {index // 4}: {('sent', 'acked', 'taken')[index % 4]}"
        case _:
            return f"added edge {index}: ends"
