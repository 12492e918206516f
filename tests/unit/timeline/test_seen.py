"""What is seen of an answer is one word: the same for two answers if a player saw the same."""

from __future__ import annotations

import numpy as np
import pytest

from huntgraph.engine import Engine
from huntgraph.schema import UPDATE
from huntgraph.timeline.kinds import PLAYER_KINDS, among
from huntgraph.timeline.seen import seen_of
from tests.unit.timeline.recorder import with_a_cheater

SEEN = {"code", "stage", "target", "found", "hint", "score", "node", "moved_to"}
NAMES = [name for name in UPDATE.names or () if name != "spare"]


@pytest.mark.parametrize("name", NAMES)
def test_each_bit_of_what_is_seen_counts_and_no_other(name: str) -> None:
    rng = np.random.default_rng(7)
    rows = rng.integers(0, 256, (64 * UPDATE[name].itemsize, 64), np.uint8)
    before = seen_of(rows.view(UPDATE).reshape(-1))
    changed = rows.view(UPDATE).reshape(-1)
    at = UPDATE.fields[name][1] if UPDATE.fields else 0
    for number, row in enumerate(rows):
        row[at + number % UPDATE[name].itemsize] ^= 1 << (number // UPDATE[name].itemsize % 8)
    differ = seen_of(changed) != before
    assert differ.all() if name in SEEN else not differ.any()


def test_what_an_engine_sees_is_that_of_its_answers() -> None:
    story = with_a_cheater()
    rows, positions = story.log, np.arange(1, len(story.log) + 1, dtype=np.uint64)
    seeing, answering = (Engine(story.world) for _ in range(2))
    seen, strange = seeing.see(rows, positions)
    assert seen.tolist() == seen_of(answering.replay(rows, positions, wins=True)).tolist()
    assert strange is None
    assert seeing.state_hash() == answering.state_hash()
    assert seeing.events().tobytes() == answering.events().tobytes()
    assert len(np.unique(seen)) > 3


def test_a_record_that_no_log_can_have_is_told() -> None:
    story = with_a_cheater()
    own = np.flatnonzero(among(story.log[:, 0], PLAYER_KINDS))[-1]
    rows = np.concatenate([story.log, story.log[own:]])  # a player's number comes again
    _, strange = Engine(story.world).see(rows, np.arange(1, len(rows) + 1, dtype=np.uint64))
    assert strange == len(story.log)
