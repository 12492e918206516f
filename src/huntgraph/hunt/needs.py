"""What a stage needs: from nested all/any of ids to at most four masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from huntgraph.hunt.page import AllOf, AnyOf, Need

__all__ = ["GROWTH_MAX", "TooManyAlternativesError", "alternatives", "named", "needs_mask"]

GROWTH_MAX: Final = 1024
"""Masks kept while alternatives are multiplied out, so that no file costs minutes."""


class TooManyAlternativesError(ValueError):
    """Needs grow beyond GROWTH_MAX alternatives while they are multiplied out."""


def named(need: Need) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give every id that needs name, with its path inside them, in the order written."""
    if isinstance(need, str):
        yield (), need
        return
    key, parts = _parts(need)
    for index, part in enumerate(parts):
        for path, name in named(part):
            yield (key, index, *path), name


def alternatives(need: Need | None, numbers: Mapping[str, int]) -> list[int]:
    """Give the alternatives of needs as masks (bit = stage number), the least set of them, sorted.

    A stage is unlocked when one mask is contained in a player's progress; no needs give ``[]``.
    For needs without "not" the minimal masks are unique, so equal needs give equal rows however
    they are written (absorption: a mask that contains another is dropped).

    Raises KeyError for an id that ``numbers`` does not hold, TooManyAlternativesError.
    """
    return sorted(_masks(need, numbers)) if need is not None else []


def needs_mask(need: Need, numbers: Mapping[str, int]) -> int:
    """Give the mask of all known stages that needs name."""
    mask = 0
    for _, name in named(need):
        if name in numbers:
            mask |= 1 << numbers[name]
    return mask


def _parts(need: AllOf | AnyOf) -> tuple[str, list[Need]]:
    return ("all", need.all) if isinstance(need, AllOf) else ("any", need.any)


def _masks(need: Need, numbers: Mapping[str, int]) -> set[int]:
    if isinstance(need, str):
        return {1 << numbers[need]}
    _, parts = _parts(need)
    if isinstance(need, AnyOf):
        return _absorb({mask for part in parts for mask in _masks(part, numbers)})
    result = {0}
    for part in parts:
        result = _absorb({one | other for one in result for other in _masks(part, numbers)})
    return result


def _absorb(masks: set[int]) -> set[int]:
    if len(masks) > GROWTH_MAX:
        raise TooManyAlternativesError
    kept: list[int] = []
    for mask in sorted(masks, key=int.bit_count):
        if not any(mask & small == small for small in kept):
            kept.append(mask)
    return set(kept)
