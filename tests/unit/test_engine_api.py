"""The engine's public face: what a first user writes wrong, and what objects say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import huntgraph as hg


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"playr": 7}, 'did you mean "player"?'),
        ({"player": -1}, "uint64"),
        ({"player": 1 << 70}, "uint64"),
        ({"to": "home"}, "uint32"),
        ({"to": [1, 2], "player": [1, 2, 3]}, "to of a move"),
    ],
)
def test_a_move_that_cannot_be_made_says_which_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(hg.UsageError) as caught:
        hg.move(hg.Kind.ENTER, **fields)
    assert said in str(caught.value)


def test_a_move_takes_names_that_python_keeps_for_itself() -> None:
    go = hg.move(hg.Kind.GO, player=[7, 8], from_=3, to=[4, 5])
    assert go["from"].tolist() == [3, 3]
    assert go["to"].tolist() == [4, 5]


def test_objects_say_what_they_are(tmp_path: Path) -> None:
    engine = hg.Engine(hg.generate(edges=20_000, seed=1))
    engine.apply(hg.move(hg.Kind.ENTER, player=7, seq=1, to=0))
    assert repr(engine).startswith("<Engine at position 1, tick 0; slots: 1 of players, ")
    assert repr(hg.Authority.create_or_open(tmp_path)) == f"<Authority in {tmp_path}>"


def test_every_public_name_is_there_and_documented() -> None:
    for name in hg.__all__:
        found = getattr(hg, name)
        if isinstance(found, type) or callable(found):
            assert found.__doc__, name
    assert set(hg.__all__) <= set(dir(hg))


def test_records_of_another_size_are_refused() -> None:
    engine = hg.Engine(hg.generate(edges=20_000, seed=1))
    with pytest.raises(ValueError, match="64 bytes"):
        engine.apply(np.zeros(2))
