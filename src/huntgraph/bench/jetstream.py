"""Durable acknowledgements of NATS JetStream beside ours: same payload, same disk, each synced."""

from __future__ import annotations

from typing import Final

import numpy as np

from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.machine import filesystem
from huntgraph.bench.outside import AbsentError, ask
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Scene
from huntgraph.bench.with_actor import FRAME_MOVES, SYNC_BYTES, load, sync_floor

__all__ = ["jetstream"]

SHARES: Final = {"p50_ms": 0.5, "p99_ms": 0.99}


def jetstream(scene: Scene) -> Found:
    """Measure from the sending of a frame to the word that it is on disk, and JetStream's acks."""
    rate = scene.options.rate
    syncs = sync_floor(scene.folder / "sync", scene.options.seconds / 4)
    ours = load(scene, records=FRAME_MOVES, rate=rate, client_idle="yield")
    # Frames are answered, and become durable, in the order in which they were due.
    acks = ours.samples["latency"] + ours.samples["durable"]
    figures = {name: quantile(acks, share, 1e6) for name, share in SHARES.items()}
    figures |= {f"fsync_{name}": quantile(syncs, share, 1e6) for name, share in SHARES.items()}
    figures["frames_per_s"] = round(rate / FRAME_MOVES)
    distribution = {"ack_ms": percentiles(acks, 1e6), "fsync_ms": percentiles(syncs, 1e6)}
    notes: dict[str, str] = {}
    place = scene.folder / "jetstream"
    place.mkdir()
    offer = [scene.options.seconds, rate / FRAME_MOVES, SYNC_BYTES]
    (place / "offer").write_text(" ".join(map(str, offer)))
    try:
        figures |= {f"jetstream_{name}": value for name, value in ask("jetstream", place).items()}
        for path in sorted(place.glob("*.u64")):
            samples = np.fromfile(path, np.uint64)
            distribution[f"jetstream_{path.stem}_ms"] = percentiles(samples, 1e6)
    except AbsentError as absent:
        notes["jetstream"] = str(absent)
    return Found(
        figures=figures,
        samples=len(acks),
        distribution=distribution,
        floor={name: figures[f"fsync_{name}"] for name in SHARES},
        offered=f"open loop, {rate // FRAME_MOVES:,} frames of {FRAME_MOVES} moves a second, "
        f"{SYNC_BYTES:,} bytes on {filesystem(scene.folder)}; JetStream the same (due), "
        "then one at a time, then 64 in flight",
        idle_policy=scene.options.idle_policy,
        notes=notes,
    )
