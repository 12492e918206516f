"""`Diff`: a fork against the head that it was replayed to, as structure, not as cells."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Form
from huntgraph.timeline.edge_diff import EDGE_CHANGE, HOW, count_areas, edge_changes
from huntgraph.timeline.labels import LABELS, Label, Labels
from huntgraph.timeline.progress import (
    Progress,
    Row,
    Side,
    Stage,
    by_hunt,
    gained_and_lost,
    pairs,
    sides_of,
)
from huntgraph.timeline.replay import Outcomes, RefusedGrant
from huntgraph.timeline.standings import plain_standing

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["ClaimChange", "Diff", "Effect", "Find", "PlayerChange", "make_diff"]


@dataclass(frozen=True)
class PlayerChange:
    """A player who stands differently; `was` or `now` is None for one who never came there."""

    player: int
    label: Label
    was: dict[str, Any] | None
    now: dict[str, Any] | None


@dataclass(frozen=True)
class ClaimChange:
    """A treasure whose last winner or number of wins is another one; winner 0 is nobody.

    Where a slot holds another hunt in the fork, the treasures of both are told: each is gone, or
    not there yet, on the other side.
    """

    partition: int
    hunt: int
    hunt_id: int
    stage: int
    label: Label
    was_winner: int
    now_winner: int
    was_wins: int
    now_wins: int


@dataclass(frozen=True)
class Find:
    """A clue that a player has found in the fork only (`gained`), or in the original only."""

    player: int
    hunt: int
    hunt_id: int
    stage: int
    gained: bool
    label: Label


@dataclass(frozen=True)
class Effect:
    """What to do about a reward outside of the engine; its `id` is the same in every replay."""

    id: str
    do: str
    """``revoke`` a treasure's reward, or ``grant`` it."""
    player: int
    hunt: int
    hunt_id: int
    stage: int
    partition: int
    position: int
    """Of the claim that won, in the original for a revocation, in the fork for a grant."""
    label: Label


@dataclass
class Diff:
    """What is different in a fork. `edges` has dtype EDGE_CHANGE; ranks are in `players`."""

    base_hashes: dict[int, int]
    fork_hashes: dict[int, int]
    head: dict[int, int]
    edges: NDArray[np.void]
    players: list[PlayerChange]
    claims: list[ClaimChange]
    clues: list[Find]
    rewards: list[Effect]
    refused_grants: list[RefusedGrant] = field(default_factory=list)
    """Wins that `keep` could not keep, and GRANTs of edits: the hunt was not open there ..."""
    areas: list[dict[str, int]] = field(default_factory=list)
    """Changed edges by area: x1, z1, x2, z2, edges; the most first."""

    @property
    def base_hash(self) -> str:
        """The hash of the head that the fork was compared with: what a commit expects to find."""
        return _joint(self.base_hashes)

    @property
    def fork_hash(self) -> str:
        """The hash of the fork."""
        return _joint(self.fork_hashes)

    @property
    def empty(self) -> bool:
        """Whether nothing is different."""
        return self.base_hashes == self.fork_hashes

    def counts(self) -> dict[str, Any]:
        """Give how many changes there are of each sort, and how they are labelled."""
        how = self.edges["how"]
        edges = {name: int(np.count_nonzero(how == at)) for at, name in enumerate(HOW)}
        verbs = [effect.do for effect in self.rewards]
        sides = [(c.was or {}, c.now or {}) for c in self.players]
        differ = {
            name: sum(was.get(name) != now.get(name) for was, now in sides)
            for name in ("score", "rank", "hints", "target", "node")
        }
        return {
            "edges": edges | {"all": len(self.edges)},
            "players": {"all": len(self.players), **differ},
            "claims": len(self.claims),
            "clues": {"gained": sum(c.gained for c in self.clues)}
            | {"lost": sum(not c.gained for c in self.clues)},
            "rewards": {verb: verbs.count(verb) for verb in ("grant", "revoke")},
            "refused_grants": len(self.refused_grants),
            "labels": self._labels(),
        }

    def _labels(self) -> dict[str, int]:
        labels = [c.label for c in self.players] + [c.label for c in self.claims]
        labels += [c.label for c in self.clues] + [c.label for c in self.rewards]
        some = [np.count_nonzero(self.edges["label"] == at) for at in range(len(LABELS))]
        pairs = zip(LABELS, some, strict=True)
        return {label: labels.count(label) + int(count) for label, count in pairs}

    def to_dict(self, *, edges: bool = True) -> dict[str, Any]:
        """Give everything as JSON-ready values; `edges=False` leaves out the single edges."""
        body = {
            "base_hash": self.base_hash,
            "fork_hash": self.fork_hash,
            "head": {str(number): position for number, position in self.head.items()},
            "counts": self.counts(),
            "areas": self.areas,
            "players": [asdict(change) for change in self.players],
            "claims": [asdict(change) for change in self.claims],
            "clues": [asdict(change) for change in self.clues],
            "rewards": [asdict(effect) for effect in self.rewards],
            "refused_grants": [asdict(grant) for grant in self.refused_grants],
        }
        return body | ({"edges": self.plain_edges()} if edges else {})

    def plain_edges(self) -> list[dict[str, Any]]:
        """Give the changed edges as plain values."""
        names = EDGE_CHANGE.names or ()
        rows = [dict(zip(names, row, strict=True)) for row in self.edges.tolist()]
        return [r | {"how": HOW[r["how"]], "label": LABELS[r["label"]]} for r in rows]

    def plan(self) -> list[dict[str, Any]]:
        """Give the compensation plan: revocations and grants, then whom to tell, each with an id.

        A plan made again has the same ids: what was done once need not be done twice.
        """
        effects = [asdict(effect) for effect in self.rewards]
        told = sorted({c.player for c in self.players if _moved_up_or_down(c)})
        notes = [{"id": f"notify-{self.fork_hash}-{p}", "do": "notify", "player": p} for p in told]
        return effects + notes


def make_diff(run: Run) -> Diff:
    """Compare the branches of a run with its bases."""
    labels = Labels(run)
    was, now = sides_of(run)
    players, progress = _players(was, now, labels)
    edges = edge_changes(run, labels)
    return Diff(
        base_hashes=run.head_hashes(),
        fork_hashes=run.hashes(),
        head=run.head,
        edges=edges,
        players=players,
        claims=_claims(was, now, progress, labels),
        clues=_clues(progress, labels),
        rewards=_rewards(run, (was, now), progress, labels),
        refused_grants=[grant for outcomes in run.now.values() for grant in outcomes.refused],
        areas=count_areas(run.history, edges),
    )


def _joint(hashes: Mapping[int, int]) -> str:
    """One hash for all: that of the one partition, else SHA-256 over all in order, cut short."""
    if len(hashes) == 1:
        return f"{next(iter(hashes.values())):016x}"
    raw = b"".join(n.to_bytes(8, "little") + h.to_bytes(8, "little") for n, h in hashes.items())
    return hashlib.sha256(raw).hexdigest()[:16]


def _players(was: Side, now: Side, labels: Labels) -> tuple[list[PlayerChange], list[Progress]]:
    """Players who stand differently or have another rank, and the stages gained and lost."""
    found: list[PlayerChange] = []
    progress: list[Progress] = []
    for one, other in pairs(was, now):
        player = int((one if one is not None else other)["id"])  # type: ignore[index]
        sides = [None if row is None else plain_standing(row) for row in (one, other)]
        if sides[0] != sides[1]:
            found.append(PlayerChange(player, labels.of_player(player), *sides))
        progress += gained_and_lost(player, was.stages_of(one), now.stages_of(other))
    return found, progress


def _claims(was: Side, now: Side, progress: list[Progress], labels: Labels) -> list[ClaimChange]:
    found = []
    concerned: dict[tuple[int, int], set[int]] = {}
    for each in progress:
        concerned.setdefault((each.hunt, each.stage), set()).add(each.player)
    for number in was.stages:
        sides = [_own_treasures(side, number) for side in (was, now)]
        for hunt, hunt_id, stage in sorted(sides[0].keys() | sides[1].keys()):
            one, other = (side.get((hunt, hunt_id, stage)) for side in sides)
            winners = [0 if row is None else int(row["winner"]) for row in (one, other)]
            wins = [0 if row is None else int(row["wins"]) for row in (one, other)]
            if winners[0] != winners[1] or wins[0] != wins[1]:
                label = labels.of_claim(hunt, concerned.get((hunt, stage), set()) | {*winners})
                what = (number, hunt, hunt_id, stage)
                found.append(ClaimChange(*what, label, *winners, *wins))
    return found


def _own_treasures(side: Side, partition: int) -> dict[Stage, Row]:
    rows = side.stages[partition]
    own = (rows["owner"] == 0) & (rows["form"] == Form.TREASURE)
    return by_hunt(rows[own], side.held[partition])


def _clues(progress: list[Progress], labels: Labels) -> list[Find]:
    return [
        Find(p.player, p.hunt, p.hunt_id, p.stage, p.gained, labels.of_player(p.player))
        for p in progress
        if p.form == Form.CLUE
    ]


def _rewards(
    run: Run, sides: tuple[Side, Side], progress: list[Progress], labels: Labels
) -> list[Effect]:
    """Rewards of claims that won on one side alone.

    Who won by the same claim on both sides, and has gone on to another hunt on one, keeps what it
    got; but where the claim was of another hunt there, both rewards are told.
    """
    found = []
    for player, hunt, hunt_id, stage, form, gained in progress:
        if form != Form.TREASURE:
            continue
        partition, position = sides[gained].wins.get((player, hunt, stage), (0, 0))
        do = "grant" if gained else "revoke"
        name = f"{do}-{partition}-{position}-{hunt}-{stage}-{player}"
        place = (hunt, hunt_id, stage, partition, position)
        found.append(Effect(name, do, player, *place, labels.of_player(player)))
    others = {"grant": run.was, "revoke": run.now}
    told = Counter((e.partition, e.position, e.player) for e in found)
    return [
        e
        for e in found
        if told[e.partition, e.position, e.player] > 1 or not _is_won(others[e.do], e)
    ]


def _is_won(outcomes: Mapping[int, Outcomes], effect: Effect) -> bool:
    """Whether the claim of an effect won there too."""
    win = outcomes[effect.partition].wins.get(effect.position)
    same = (effect.player, effect.hunt, effect.stage)
    return win is not None and (win.player, win.hunt, win.stage) == same


def _moved_up_or_down(change: PlayerChange) -> bool:
    was, now = change.was or {}, change.now or {}
    return any(was.get(name) != now.get(name) for name in ("score", "rank"))
