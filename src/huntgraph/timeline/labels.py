"""Why a change is there: direct, derived or counterfactual.

*Direct*: it concerns a player, an edge or a hunt that an edited record names. *Counterfactual*: it
concerns a player who went on after an answer that would have been another one in the fork, or an
edge that such a player walked since: the replay does what was recorded, but this player might have
done something else. *Derived*: all other changes; they follow from the rules alone.

Answers are compared without guidance (next node, distance), which depends on when it was worked
out. So a player who merely was led along another way counts as derived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Kind
from huntgraph.timeline.kinds import PLAYER_KINDS, among
from huntgraph.timeline.replay import Outcomes
from huntgraph.timeline.script import Script, Touched
from huntgraph.timeline.tables import places

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["LABELS", "Label", "Labels"]

Label = Literal["direct", "derived", "counterfactual"]
LABELS: Final[tuple[Label, ...]] = ("direct", "derived", "counterfactual")


class Labels:
    """Labels of the changes of one run."""

    def __init__(self, run: Run) -> None:
        self._touched: Touched = run.touched
        self._saw = _first_seen(run)
        self._walked = self._since(run.scripts)

    def of_player(self, player: int) -> Label:
        """Label a change of a player."""
        if player in self._touched.players:
            return "direct"
        return "counterfactual" if player in self._went_on else "derived"

    def of_claim(self, hunt: int, players: set[int]) -> Label:
        """Label a change of who won a treasure of a hunt: these won it, on either side."""
        if hunt in self._touched.hunts or not self._touched.players.isdisjoint(players):
            return "direct"
        return "derived" if self._went_on.isdisjoint(players) else "counterfactual"

    def of_edges(
        self, partition: int, tail: NDArray[np.uint32], head: NDArray[np.uint32]
    ) -> NDArray[np.uint8]:
        """Label changes of edges, shape (n,): indices of LABELS."""
        ends = tail.astype(np.uint64) << np.uint64(32) | head.astype(np.uint64)
        named = [t << 32 | h for p, t, h in self._touched.edges if p == partition]
        labels = np.full(len(ends), LABELS.index("derived"), np.uint8)
        walked = self._walked.get(partition, np.zeros(0, np.uint64))
        labels[np.isin(ends, walked)] = LABELS.index("counterfactual")
        labels[np.isin(ends, np.array(named, np.uint64))] = LABELS.index("direct")
        return labels

    def _since(self, scripts: Mapping[int, Script]) -> dict[int, NDArray[np.uint64]]:
        """Edges that players walked, and the players who did anything, after they had seen."""
        walked: dict[int, NDArray[np.uint64]] = {}
        self._went_on: set[int] = set()
        ids = np.array(sorted(self._saw), np.uint64)
        seqs = np.array([self._saw[int(player)] for player in ids], np.uint64)
        for number, script in scripts.items() if len(ids) else ():
            moves = script.moves
            at, known = places(moves["player"], ids)
            late = known & (moves["seq"] > seqs[at]) & _own_moves(script)
            self._went_on |= set(moves["player"][late].tolist())
            went = moves[late & (script.kinds == Kind.GO)]
            walked[number] = np.unique(
                went["from"].astype(np.uint64) << np.uint64(32) | went["to"].astype(np.uint64)
            )
        return walked


def _first_seen(run: Run) -> dict[int, int]:
    """For each player whose answers differ, the number of the first record answered otherwise."""
    saw: dict[int, int] = {}
    originals, was, now = run.originals, run.was, run.now
    for number, script in run.scripts.items():
        players, seqs = _differing(script, now[number], originals[number], was[number])
        for player, seq in zip(players.tolist(), seqs.tolist(), strict=True):
            if player not in run.touched.players:
                saw[player] = min(seq, saw.get(player, seq))
    return saw


def _differing(
    script: Script, now: Outcomes, original: Script, was: Outcomes
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Players and numbers of the records that stand in both scripts and are answered otherwise."""
    was_seen = was.seen
    if len(script) != len(original) or (script.positions != original.positions).any():
        # The original script is the log: its records stand at consecutive positions.
        was_seen = was_seen[(script.positions - original.positions[0]).astype(np.intp)]
    differ = now.seen != was_seen
    moves = script.moves[differ & _own_moves(script)]
    return moves["player"], moves["seq"]


def _own_moves(script: Script) -> NDArray[np.bool_]:
    """Which records are those of players, and as they were logged."""
    return among(script.kinds, PLAYER_KINDS) & ~script.edited
