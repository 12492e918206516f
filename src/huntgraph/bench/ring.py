"""The ring, and other buses beside it: what publishing costs, and when a reader has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph import _core
from huntgraph.bench.distribution import Samples, percentiles, quantile, windows
from huntgraph.bench.outside import AbsentError, ask, ask_program
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options

__all__ = ["ring"]

RINGS: Final = ("rtrb", "disruptor", "iceoryx2")
CLIENTS: Final = ("nats_core", "zenoh_peer")
PARTS: Final = ("publish", "delivery", "due", "floor")
WINDOW: Final = 1_000
CALM_SHARE: Final = 0.05
"""A window is calm when its tail is among the least of this share of all windows."""


def ring(options: Options, folder: Path) -> Found:
    """Measure our ring, then every other bus there is, each with the same load."""
    numbers, samples = _core.bench_ring(folder, options.seconds, lambda _word: None)
    figures = _figures("", numbers, samples)
    distribution = {f"{part}_ns": percentiles(samples[part], 1.0) for part in PARTS}
    notes: dict[str, str] = {}
    for name in RINGS:
        try:
            place = folder / name
            theirs = ask_program(["bus", name, str(options.seconds), str(place)], place)
        except AbsentError as absent:
            notes[name] = str(absent)
            continue
        figures |= _figures(f"{name}_", *theirs)
        distribution |= {f"{name}_{part}_ns": percentiles(theirs[1][part], 1.0) for part in PARTS}
    (folder / "seconds").write_text(str(options.seconds))
    for name in CLIENTS:
        try:
            figures |= {f"{name}_{key}": value for key, value in ask(name, folder).items()}
        except AbsentError as absent:
            notes[name] = str(absent)
    return Found(
        figures=figures,
        samples=len(samples["publish"]),
        distribution=distribution,
        floor={
            "clock_p50_ns": quantile(samples["clock"], 0.5, 1.0),
            **{name: value for name, value in figures.items() if name.startswith("floor_")},
        },
        offered="open loop, one entry of 64 bytes a microsecond, in turns with one cache line "
        "handed over (floor); then as fast as it goes, 64 entries at once",
        idle_policy="spin",
        notes=notes,
    )


def _figures(prefix: str, numbers: dict[str, float], samples: dict[str, Samples]) -> dict[str, Any]:
    found = {f"{prefix}{name}": round(value, 4) for name, value in numbers.items()}
    for part in PARTS:
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            found[f"{prefix}{part}_{name}_ns"] = quantile(samples[part], share, 1.0)
    for part in ("delivery", "floor"):
        calm = _calm(samples[part])
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            found[f"{prefix}{part}_calm_{name}_ns"] = quantile(calm, share, 1.0)
    return found


def _calm(samples: Samples) -> Samples:
    """Give the samples of the windows with the least tails: on shared cores the others are theirs.

    Both threads must have their cores for the whole of such a window.
    """
    parts = sorted(windows(samples, WINDOW), key=lambda part: quantile(part, 0.99, 1.0))
    return np.concatenate(parts[: max(1, round(CALM_SHARE * len(parts)))])
