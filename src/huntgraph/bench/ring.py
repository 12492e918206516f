"""The ring, and other buses beside it: what publishing costs, and when a reader has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from huntgraph import _core
from huntgraph.bench.distribution import Samples, percentiles, quantile
from huntgraph.bench.outside import AbsentError, ask, ask_program
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options

__all__ = ["ring"]

RINGS: Final = ("rtrb", "disruptor", "iceoryx2")
CLIENTS: Final = ("nats_core", "zenoh_peer")
PARTS: Final = ("publish", "delivery", "due")


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
        floor={"clock_p50_ns": quantile(samples["clock"], 0.5, 1.0)},
        offered="open loop, one entry of 64 bytes a microsecond; then as fast as it goes",
        idle_policy="spin",
        notes=notes,
    )


def _figures(prefix: str, numbers: dict[str, float], samples: dict[str, Samples]) -> dict[str, Any]:
    found = {f"{prefix}{name}": round(value, 4) for name, value in numbers.items()}
    for part in PARTS:
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            found[f"{prefix}{part}_{name}_ns"] = quantile(samples[part], share, 1.0)
    return found
