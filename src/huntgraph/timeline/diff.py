"""`Diff`: a fork against the head that it was replayed to, as structure, not as cells."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Form
from huntgraph.timeline.edge_diff import EDGE_CHANGE, HOW, count_areas, edge_changes
from huntgraph.timeline.labels import LABELS, Label, Labels
from huntgraph.timeline.replay import Outcomes, RefusedGrant
from huntgraph.timeline.standings import NO_HUNT, STANDING, plain_standing, standings
from huntgraph.timeline.tables import places, players_of, stages_of

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["ClaimChange", "Diff", "Effect", "Find", "PlayerChange", "make_diff"]

Row = np.void
Stages = Mapping[int, NDArray[np.void]]
"""The stages of each partition, dtype STAGE_ROW."""
COMPARED: Final = tuple(name for name in STANDING.names or () if name not in ("id", "seq", "rank"))


@dataclass(frozen=True)
class PlayerChange:
    """A player who stands differently; `was` or `now` is None for one who never came there."""

    player: int
    label: Label
    was: dict[str, Any] | None
    now: dict[str, Any] | None


@dataclass(frozen=True)
class ClaimChange:
    """A treasure whose last winner or number of wins is another one; winner 0 is nobody."""

    partition: int
    hunt: int
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
    was, now = (_standings(run, branch=branch) for branch in (False, True))
    stages, fork_stages = (_stages(run, branch=branch) for branch in (False, True))
    one, other = (_forms(side.values()) for side in (stages, fork_stages))
    # A hunt that is gone on one side is told of by the other.
    players, progress = _players(was, now, (other | one, one | other), labels)
    edges = edge_changes(run, labels)
    return Diff(
        base_hashes=run.head_hashes(),
        fork_hashes=run.hashes(),
        head=run.head,
        edges=edges,
        players=players,
        claims=_claims(stages, fork_stages, progress, labels),
        clues=_clues(progress, labels),
        rewards=_rewards(run, (stages, fork_stages), progress, labels),
        refused_grants=[grant for outcomes in run.now.values() for grant in outcomes.refused],
        areas=count_areas(run.history, edges),
    )


def _standings(run: Run, *, branch: bool) -> NDArray[np.void]:
    replicas = run.replicas.items()
    return standings({n: players_of(replica.players(branch=branch)) for n, replica in replicas})


def _stages(run: Run, *, branch: bool) -> Stages:
    replicas = run.replicas.items()
    return {n: stages_of(*replica.hunt_cells(branch=branch)) for n, replica in replicas}


def _joint(hashes: Mapping[int, int]) -> str:
    """One hash for all: that of the one partition, else SHA-256 over all in order, cut short."""
    if len(hashes) == 1:
        return f"{next(iter(hashes.values())):016x}"
    raw = b"".join(n.to_bytes(8, "little") + h.to_bytes(8, "little") for n, h in hashes.items())
    return hashlib.sha256(raw).hexdigest()[:16]


Progress = list[tuple[int, int, int, int, bool]]
"""Player, hunt, stage and its form; whether it was gained."""
Forms = Mapping[tuple[int, int], int]
"""Forms by hunt and stage."""


def _players(
    was: NDArray[np.void], now: NDArray[np.void], forms: tuple[Forms, Forms], labels: Labels
) -> tuple[list[PlayerChange], Progress]:
    """Players who stand differently or have another rank, and the stages gained and lost."""
    found: list[PlayerChange] = []
    progress: Progress = []
    turned = {hunt for (hunt, stage), form in forms[0].items() if forms[1][hunt, stage] != form}
    for one, other in _pairs(was, now, turned):
        player = int((one if one is not None else other)["id"])  # type: ignore[index]
        sides = [None if row is None else plain_standing(row) for row in (one, other)]
        if sides[0] != sides[1]:
            found.append(PlayerChange(player, labels.of_player(player), *sides))
        bits = [_bits(*side) for side in zip((one, other), forms, strict=True)]
        progress += [(player, *stage, True) for stage in sorted(bits[1] - bits[0])]
        progress += [(player, *stage, False) for stage in sorted(bits[0] - bits[1])]
    return found, progress


def _pairs(
    was: NDArray[np.void], now: NDArray[np.void], turned: Collection[int]
) -> list[tuple[Row | None, Row | None]]:
    """Rows of the same player that differ, and all in hunts with clues that were treasures.

    None for one that is on one side only.
    """
    to, both = places(was["id"], now["id"])
    _, known = places(now["id"], was["id"])
    differ = both.copy()
    one, other = was[both], now[to[both]]
    differ[both] = np.any([one[name] != other[name] for name in (*COMPARED, "rank")], axis=0)
    differ[both] |= np.isin(one["hunt"], list(turned))
    pairs: list[tuple[Row | None, Row | None]] = [
        (was[i], now[to[i]]) for i in np.flatnonzero(differ)
    ]
    pairs += [(row, None) for row in was[~both]]
    pairs += [(None, row) for row in now[~known]]
    return pairs


def _bits(row: Row | None, forms: Forms) -> set[tuple[int, int, int]]:
    """Hunt, stage and form of all that a player found or won in the hunt it is in."""
    if row is None or int(row["hunt"]) == NO_HUNT:
        return set()
    hunt, progress = int(row["hunt"]), int(row["progress"])
    stages = (stage for stage in range(64) if progress >> stage & 1)
    return {(hunt, stage, forms.get((hunt, stage), 0)) for stage in stages}


def _forms(tables: Any) -> dict[tuple[int, int], int]:
    return {
        (int(row["hunt"]), int(row["stage"])): int(row["form"]) for table in tables for row in table
    }


def _claims(
    was: Stages,
    now: Stages,
    progress: Progress,
    labels: Labels,
) -> list[ClaimChange]:
    found = []
    concerned: dict[tuple[int, int], set[int]] = {}
    for player, hunt, stage, _, _ in progress:
        concerned.setdefault((hunt, stage), set()).add(player)
    for number, table in was.items():
        sides = [
            {(int(r["hunt"]), int(r["stage"])): r for r in rows if _is_own_treasure(r)}
            for rows in (table, now[number])
        ]
        for hunt, stage in sorted(sides[0].keys() | sides[1].keys()):
            one, other = (side.get((hunt, stage)) for side in sides)
            winners = [0 if row is None else int(row["winner"]) for row in (one, other)]
            wins = [0 if row is None else int(row["wins"]) for row in (one, other)]
            if winners[0] != winners[1] or wins[0] != wins[1]:
                label = labels.of_claim(hunt, concerned.get((hunt, stage), set()) | {*winners})
                found.append(ClaimChange(number, hunt, stage, label, *winners, *wins))
    return found


def _is_own_treasure(row: Row) -> bool:
    return bool(row["owner"] == 0 and row["form"] == Form.TREASURE)


def _clues(progress: Progress, labels: Labels) -> list[Find]:
    return [
        Find(player, hunt, stage, gained, labels.of_player(player))
        for player, hunt, stage, form, gained in progress
        if form == Form.CLUE
    ]


def _rewards(
    run: Run,
    stages: tuple[Stages, Stages],
    progress: Progress,
    labels: Labels,
) -> list[Effect]:
    places = [_wins(run.was, stages[0]), _wins(run.now, stages[1])]
    found = []
    for player, hunt, stage, form, gained in progress:
        if form != Form.TREASURE:
            continue
        partition, position = places[gained].get((player, hunt, stage), (0, 0))
        do = "grant" if gained else "revoke"
        name = f"{do}-{partition}-{position}-{hunt}-{stage}-{player}"
        place = (hunt, stage, partition, position)
        found.append(Effect(name, do, player, *place, labels.of_player(player)))
    return found


def _wins(
    outcomes: Mapping[int, Outcomes], stages: Stages
) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Where each player won each treasure: partition and position.

    A stage tells of its last win, also when an earlier commit made it; the outcomes of all others.
    """
    wins = (win for side in outcomes.values() for win in side.wins.values())
    found = {(w.player, w.hunt, w.stage): (w.partition, w.position) for w in wins}
    for number, table in stages.items():
        for row in table[table["owner"] == 0]:
            key = (int(row["winner"]), int(row["hunt"]), int(row["stage"]))
            found[key] = (number, int(row["position"]))
    return found


def _moved_up_or_down(change: PlayerChange) -> bool:
    was, now = change.was or {}, change.now or {}
    return any(was.get(name) != now.get(name) for name in ("score", "rank"))
