"""Terrain made from a seed, in whole numbers only, so that every machine makes the same.

Smoothed value noise (random heights on a lattice, blended in between) gives hills, the roughness
of the ground, lakes, rivers and holes. All randomness is taken as raw bits from PCG64, one numbered
stream for each purpose: no library's choice of how to turn bits into numbers has a say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huntgraph.world.arrays import I32, U16, U64, Bools

LAKE_SHARE, RIVER_SHARE, HOLE_SHARE = 80, 40, 50
"""How many of 1,000 cells are lake (the lowest), river and hole."""
BOULDER_BITS = 6
"""One cell in 2**6 is a boulder: a hole by itself."""
BAND = 32
"""One row and one column in this many may carry bridges."""
SPAN = 48
"""The longest bridge, in cells."""

_HILLS, _ROUGH, _RIVERS, _HOLES, _BOULDERS, _BRIDGE_ROWS, _BRIDGE_COLUMNS = range(1, 8)
PORTALS = 8
"""The number of the stream of bits that places the portals."""


@dataclass(frozen=True)
class Terrain:
    """A piece of land, every array of shape ``(height, width)``."""

    walkable: Bools
    effort: U16
    """What a step on the cell costs, 8..27 (8 on bridges)."""
    ground: I32
    """Height, 0..255."""


def raw_bits(seed: int, stream: int, count: int) -> U64:
    """Give ``count`` random 64-bit words of a numbered stream."""
    return np.random.PCG64(np.random.SeedSequence([seed, stream])).random_raw(count)


def make_terrain(width: int, height: int, seed: int) -> Terrain:
    """Make ``width`` x ``height`` cells of land with water, bridges over it, and holes."""
    hills = _blend(seed, _HILLS, width, height, (64, 32, 16, 8))
    river = np.abs(_blend(seed, _RIVERS, width, height, (96, 32)) - 32_768)
    water = hills < _level(hills, LAKE_SHARE)
    water |= river < _level(river, RIVER_SHARE)
    rocks = _blend(seed, _HOLES, width, height, (6,))
    holes = rocks >= _level(rocks, 1000 - HOLE_SHARE)
    holes |= _boulders(seed, width, height)
    land = ~(water | holes)
    bridges = _bridges(water, land, raw_bits(seed, _BRIDGE_ROWS, height))
    bridges |= _bridges(water.T, land.T, raw_bits(seed, _BRIDGE_COLUMNS, width)).T
    rough = _blend(seed, _ROUGH, width, height, (24, 8))
    effort = (8 + (rough * 20 >> 16)).astype(np.uint16)
    effort[bridges] = 8
    hills >>= 8
    # Banks differ in height; a bridge lies at the mean of what it may join.
    hills[bridges] = np.int32(int(hills[water].mean()) if bridges.any() else 0)
    return Terrain(land | bridges, effort, hills)


def _lattice(seed: int, stream: int, columns: int, rows: int) -> I32:
    words = raw_bits(seed, stream, (columns * rows + 3) // 4).astype("<u8")
    return words.view("<u2")[: columns * rows].reshape(rows, columns).astype(np.int32)


def _weights(length: int, cell: int) -> tuple[NDArray[np.intp], I32]:
    """Give for each place its lattice point and its smooth weight towards the next, 0..256."""
    point, offset = np.divmod(np.arange(length), cell)
    smooth = 256 * offset * offset * (3 * cell - 2 * offset) // cell**3
    return point, smooth.astype(np.int32)


def _noise(seed: int, stream: int, width: int, height: int, cell: int) -> I32:
    """Blend a lattice of random heights 0..65,535, one every ``cell`` cells."""
    column, across = _weights(width, cell)
    row, down = _weights(height, cell)
    lattice = _lattice(seed, stream, width // cell + 2, height // cell + 2)
    lines = lattice[:, column] * (256 - across) + lattice[:, column + 1] * across
    lines >>= 8
    low = lines[row]
    step = lines[row + 1]
    step -= low
    step *= down[:, None]
    step >>= 8
    low += step
    return low


def _blend(seed: int, stream: int, width: int, height: int, cells: tuple[int, ...]) -> I32:
    """Sum noise of several sizes, each half as strong as the one before; 0..65,535."""
    total = np.zeros((height, width), dtype=np.int32)
    share = 0
    for octave, cell in enumerate(cells):
        part = 1 << (len(cells) - 1 - octave)
        total += _noise(seed, stream * 16 + octave, width, height, cell) * part
        share += part
    total //= share
    return total


def _level(values: I32, share: int) -> int:
    """Give the least level with at least ``share`` of 1,000 cells below it."""
    below = np.cumsum(np.bincount(values.reshape(-1), minlength=65_536))
    return int(np.searchsorted(below, values.size * share // 1000)) + 1


def _boulders(seed: int, width: int, height: int) -> Bools:
    words = raw_bits(seed, _BOULDERS, (width * height + 7) // 8).astype("<u8")
    octets = words.view(np.uint8)[: width * height].reshape(height, width)
    return octets < (256 >> BOULDER_BITS)


def _bridges(water: Bools, land: Bools, bits: U64) -> Bools:
    """Find the stretches of water, along one row in each band, that a bridge can span."""
    height, width = water.shape
    spans = np.zeros((height, width), dtype=np.bool_)
    bands = height // BAND
    if not bands or width < 3:
        return spans
    rows = np.arange(bands) * BAND + (bits[:bands] % np.uint64(BAND)).astype(np.int64)
    wet = np.zeros((bands, width + 2), dtype=np.int8)
    wet[:, 1:-1] = water[rows]
    turn = np.diff(wet, axis=1)
    starts, ends = np.argwhere(turn == 1), np.argwhere(turn == -1)
    fits = (ends[:, 1] - starts[:, 1] <= SPAN) & (starts[:, 1] > 0) & (ends[:, 1] < width)
    starts, ends = starts[fits], ends[fits]
    banks = land[rows[starts[:, 0]], starts[:, 1] - 1] & land[rows[ends[:, 0]], ends[:, 1]]
    starts, ends = starts[banks], ends[banks]
    marks = np.zeros((bands, width + 1), dtype=np.int8)
    marks[starts[:, 0], starts[:, 1]] = 1
    marks[ends[:, 0], ends[:, 1]] = -1
    spans[rows] = np.cumsum(marks[:, :-1], axis=1) > 0
    return spans
