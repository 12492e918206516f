"""Judges a hunt over several partitions from the models of all of them, once nothing is under way.

It knows nothing of how the hunt's rows were made for each partition.
"""

from __future__ import annotations

from collections.abc import Sequence

from huntgraph.model import Model
from huntgraph.schema import Rule

HOMELESS, UNTOLD, TWICE, GATES = "not in one partition", "untold", "won twice", "gates differ"


def check(models: Sequence[Model], slot: int = 0) -> list[tuple[str, int]]:
    """What is wrong, and with which stage or gate; ``models`` are by partition."""
    hunts = [model.hunts[slot] for model in models]
    found = []
    for number, copies in enumerate(zip(*(hunt.stages for hunt in hunts), strict=True)):
        homes = [partition for partition, stage in enumerate(copies) if stage.owner == 0]
        if len(homes) != 1:
            found.append((HOMELESS, number))
            continue
        home = copies[homes[0]]
        # A win that is neither a team's first nor a stock's last is not told: of those that are,
        # every copy knows.
        known = [(copy.wins > 0, copy.team_bits) for copy in copies]
        if known != [known[homes[0]]] * len(copies):
            found.append((UNTOLD, number))
        winners = sum(
            player.progress >> number & 1
            for model in models
            for player in model.players
            if player.away == 0
        )
        most = 1 if home.rule == Rule.EXCLUSIVE else home.stock or winners
        if max(winners, home.wins) > most or winners != home.wins:
            found.append((TWICE, number))
    for number, copies in enumerate(zip(*(hunt.gates for hunt in hunts), strict=True)):
        if len({gate.shut for gate in copies}) != 1:
            found.append((GATES, number))
    return found
