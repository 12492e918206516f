"""The demo's proof: what a replay of the log says against what the actor and the bots saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.cli.output import Progress

if TYPE_CHECKING:
    from huntgraph.cluster import Stopped
    from huntgraph.world import World

__all__ = ["Proof", "prove"]


@dataclass
class Proof:
    """What was compared; no ``problems`` means that all of it was equal."""

    facts: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def prove(
    directory: Path, world: World, stopped: Stopped, receipts: NDArray[np.void], bar: Progress
) -> Proof:
    """Replay the log in ``directory`` and compare it with the actor's last words and receipts.

    ``verify`` recomputes the receipts' SHA-256 chain; ``receipts`` (dtype RECEIPT), those the bots
    were given, must be the replay's, byte for byte. Raises LogError for a log that
    cannot be read.
    """
    from huntgraph.timeline import verify

    def tell(done: int) -> None:
        bar(done / max(stopped.position, 1), f"{done:,} positions")

    found = verify(directory, world, progress=tell)
    proof = Proof(
        {
            "positions": found.positions,
            "moves": found.moves,
            "hashes_compared": found.hashes_compared,
            "state_hash": f"{found.state_hash:016x}",
            "actor_state_hash": f"{stopped.state_hash:016x}",
            "receipts_in_log": len(found.receipts),
            "receipts_checked": len(receipts),
        }
    )
    proof.problems += [f"position {each.position:,}: {each.what}" for each in found.problems]
    if found.positions != stopped.position:
        ends = f"the log ends at position {found.positions:,}, the actor at {stopped.position:,}"
        proof.problems.append(ends)
    if stopped.durable < stopped.position:
        proof.problems.append("the actor stopped before all was durable")
    if found.state_hash != stopped.state_hash:
        proof.problems.append("the replay's state hash is not the actor's")
    proof.problems += _differences(receipts, found.receipts)
    return proof


def _differences(given: NDArray[np.void], replayed: NDArray[np.void]) -> list[str]:
    """Compare each receipt that was given out with the replay's of the same serial."""
    found = []
    by_serial = {int(row["serial"]): row.tobytes() for row in replayed}
    for row in given:
        serial = int(row["serial"])
        if by_serial.get(serial) != row.tobytes():
            found.append(f"receipt {serial} given to player {int(row['player'])} is not the log's")
    missing = set(by_serial) - {int(serial) for serial in given["serial"]}
    if missing:
        found.append(f"{len(missing)} receipts of the log never reached the bots")
    return found
