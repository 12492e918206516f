from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huntgraph.hunt.needs import TooManyAlternativesError, alternatives, named, needs_mask
from huntgraph.hunt.page import AllOf, AnyOf, Need

NAMES = "abcdefg"
NUMBERS = {name: number for number, name in enumerate(NAMES)}


def _all(*parts: Need) -> AllOf:
    return AllOf.model_construct(all=list(parts))


def _any(*parts: Need) -> AnyOf:
    return AnyOf.model_construct(any=list(parts))


needs: st.SearchStrategy[Need] = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.lists(inner, min_size=1, max_size=4).flatmap(
        lambda parts: st.sampled_from([_all(*parts), _any(*parts)])
    ),
    max_leaves=12,
)


def _holds(need: Need, progress: int) -> bool:
    if isinstance(need, str):
        return bool(progress >> NUMBERS[need] & 1)
    if isinstance(need, AllOf):
        return all(_holds(part, progress) for part in need.all)
    return any(_holds(part, progress) for part in need.any)


@given(needs)
def test_alternatives_mean_what_the_needs_say_for_every_progress(need: Need) -> None:
    masks = alternatives(need, NUMBERS)
    for progress in range(1 << len(NAMES)):
        unlocked = any(mask & progress == mask for mask in masks)
        assert unlocked == _holds(need, progress)


@given(needs)
def test_no_alternative_contains_another(need: Need) -> None:
    masks = alternatives(need, NUMBERS)
    assert masks == sorted(set(masks))
    assert not any(a != b and a & b == a for a in masks for b in masks)


def test_no_needs_give_no_alternatives() -> None:
    assert alternatives(None, NUMBERS) == []


def test_more_alternatives_on_the_way_than_in_the_end_are_no_error() -> None:
    assert alternatives(_all(_any("a", "b", "c", "d", "e"), "a"), NUMBERS) == [1]


def test_alternatives_that_explode_are_refused_quickly() -> None:
    numbers = {f"n{number}": number for number in range(64)}
    pairs = [_any(f"n{2 * index}", f"n{2 * index + 1}") for index in range(32)]
    with pytest.raises(TooManyAlternativesError):
        alternatives(_all(*pairs), numbers)


def test_named_gives_each_id_with_its_path() -> None:
    need = _all("a", _any("b", "c"))
    expected = [(("all", 0), "a"), (("all", 1, "any", 0), "b"), (("all", 1, "any", 1), "c")]
    assert list(named(need)) == expected
    assert needs_mask(need, NUMBERS) == 0b111
