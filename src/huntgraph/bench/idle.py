"""What an actor's idle policy costs and gives: the same load under each, one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, get_args

from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.result import Found
from huntgraph.bench.scene import IdlePolicy, Scene
from huntgraph.bench.with_actor import FRAME_MOVES, load

__all__ = ["idle"]

SHARES: Final = {"p50": 0.5, "p99": 0.99}


def idle(scene: Scene) -> Found:
    """Measure frames at a set rate with an actor that blocks, yields and spins."""
    figures: dict[str, float] = {}
    distribution: dict[str, Any] = {}
    for policy in get_args(IdlePolicy):
        chosen = replace(scene, options=replace(scene.options, idle_policy=policy))
        found = load(
            chosen,
            records=FRAME_MOVES,
            rate=scene.options.rate,
            client_idle="yield",
            directory=f"actor-{policy}",
        )
        times = found.samples
        for name, share in SHARES.items():
            figures[f"{policy}_{name}_us"] = quantile(times["latency"], share)
            service = found.service.quantile_ns(share) / 1e3
            figures[f"{policy}_service_{name}_us"] = round(service, 3)
            figures[f"{policy}_durable_{name}_ms"] = quantile(times["durable"], share, 1e6)
        distribution[f"{policy}_us"] = percentiles(times["latency"])
        distribution[f"{policy}_durable_ms"] = percentiles(times["durable"], 1e6)
    return Found(
        figures=figures,
        samples=sum(part["count"] for part in distribution.values()),
        distribution=distribution,
        offered=f"open loop, {scene.options.rate:,} moves/s in frames of {FRAME_MOVES}, from a "
        "process that yields; each policy in turn",
        idle_policy="block, yield, spin",
    )
