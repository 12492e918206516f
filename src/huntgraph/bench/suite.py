"""The measurements by name, their defaults, and the result they are written down as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, get_args

from huntgraph.bench import in_process, with_actor
from huntgraph.bench.borders import borders
from huntgraph.bench.edges import edges
from huntgraph.bench.guidance import guidance
from huntgraph.bench.idle import idle
from huntgraph.bench.jetstream import jetstream
from huntgraph.bench.machine import commit, load_average, machine
from huntgraph.bench.quic_rivals import quic_rivals
from huntgraph.bench.result import Found
from huntgraph.bench.ring import ring
from huntgraph.bench.routes import routes
from huntgraph.bench.scene import IdlePolicy, Options, Scene, build, private_folder
from huntgraph.bench.soak import soak
from huntgraph.bench.timeline import timeline
from huntgraph.errors import UsageError, did_you_mean
from huntgraph.schema import HUNTS

__all__ = ["names", "run"]

BENCHES: Final[dict[str, Callable[[Scene], Found]]] = {
    "apply": in_process.apply,
    "roundtrip": in_process.roundtrip,
    "frame": in_process.frame,
    "idle": idle,
    "quic": with_actor.quic,
    "handshake": in_process.handshake,
    "durable": with_actor.durable,
    "memory": with_actor.memory,
    "allocations": with_actor.allocations,
    "jetstream": jetstream,
    "quic_rivals": quic_rivals,
    "edges": edges,
}
WITHOUT_SCENE: Final[dict[str, Callable[[Options, Path], Found]]] = {
    "ring": ring,
    "rivals": routes,
    "guidance": guidance,
    "borders": borders,
    "soak": soak,
    "timeline": timeline,
}
"""Given a private folder: they make worlds of their own, or none."""
ALL: Final = (*BENCHES, *WITHOUT_SCENE)
UNCHOSEN: Final = ("apply", "roundtrip", "frame", "idle", "handshake", "ring", "rivals")
"""No idle policy to choose: there is no actor's process, or all are measured."""

DEFAULT: Final = Options(
    seconds=5.0,
    edges=3_900_000,
    players=12_500,
    rate=80_000,
    partitions=12,
    targets=4,
    reach=40,
    maps=True,
    idle_policy="block",
    directory=Path("/var/tmp"),
)
QUICK: Final = replace(
    DEFAULT,
    seconds=0.3,
    edges=40_000,
    players=500,
    rate=20_000,
    partitions=2,
    targets=2,
    maps=False,
)
OWN: Final[dict[str, dict[str, Any]]] = {
    "apply": {"seconds": 4.0},
    "handshake": {"seconds": 1.0},
    "frame": {"seconds": 8.0},
    "durable": {"seconds": 10.0},
    "guidance": {"seconds": 20.0, "edges": 46_800_000},
    "borders": {"seconds": 20.0, "edges": 46_800_000},
    "soak": {"seconds": 600.0},
    "timeline": {"seconds": 10.0, "edges": 46_800_000},
}
"""Defaults that differ from measurement to measurement."""
QUICK_OWN: Final[dict[str, dict[str, Any]]] = {
    "borders": {"seconds": 1.0},
    "soak": {"seconds": 3.0},
    "timeline": {"seconds": 1.0},
}
"""Rounds take some ticks, a soak must outlive two kills, a fork needs some ticks to go back."""


def names() -> tuple[str, ...]:
    """Give the names of the measurements."""
    return ALL


def run(name: str, *, quick: bool = False, **options: Any) -> dict[str, Any]:
    """Make one measurement and give its result, JSON-ready; see the package for its parts.

    Args:
        name: one of `names`.
        quick: a small world and tenths of seconds: to see that it works, not for figures.
        options: ``seconds`` of each part (or ``minutes``), ``edges``, ``players``, ``rate`` (moves
            a second), ``partitions``, ``targets`` of a partition, ``reach``,
            ``maps`` (0: no real ones),
            ``idle_policy`` of the actor's process (block, yield or spin; the measurements on one
            thread always spin), ``directory`` for log and world.

    Raises:
        UsageError: HG1010, an unknown name or option, or a value out of range.
        ActorError: the actor could not be started.
        OSError: the measurement itself failed; the text is JSON with its code.
    """
    if name not in ALL:
        raise UsageError(f'there is no measurement "{name}"', fix=did_you_mean(name, ALL))
    chosen = _choose(name, quick, options)
    before = load_average()
    if name in WITHOUT_SCENE:
        with private_folder(chosen) as folder:
            found = WITHOUT_SCENE[name](chosen, folder)
    else:
        with build(chosen) as scene:
            found = BENCHES[name](scene)
    return {
        "name": name,
        "figures": found.figures,
        "machine": machine(),
        "load": {**before, "offered": found.offered},
        "idle_policy": found.idle_policy,
        "commit": commit(),
        "samples": found.samples,
        "distribution": found.distribution,
        "floor": found.floor,
        "notes": found.notes,
        "quick": quick,
    }


def _choose(name: str, quick: bool, options: dict[str, Any]) -> Options:
    known = [field.name for field in fields(Options)] + ["minutes"]
    for option in options:
        if option not in known:
            fix = did_you_mean(option, known)
            raise UsageError(f'there is no option "{option}" of a measurement', fix=fix)
    own = (QUICK_OWN if quick else OWN).get(name, {})
    base = replace(QUICK if quick else DEFAULT, **own)
    try:
        if "minutes" in options:
            options["seconds"] = 60.0 * float(options.pop("minutes"))
        chosen = Options(
            seconds=float(options.get("seconds", base.seconds)),
            edges=int(options.get("edges", base.edges)),
            players=int(options.get("players", base.players)),
            rate=int(options.get("rate", base.rate)),
            partitions=int(options.get("partitions", base.partitions)),
            targets=int(options.get("targets", base.targets)),
            reach=int(options.get("reach", base.reach)),
            maps=bool(int(options.get("maps", base.maps))),
            idle_policy=options.get("idle_policy", base.idle_policy),
            directory=Path(options.get("directory", base.directory)),
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"a value is no number: {error}", fix="write --option seconds=5") from None
    _check(name, chosen, options)
    return chosen


def _check(name: str, chosen: Options, options: dict[str, Any]) -> None:
    bounds: dict[str, tuple[float, float]] = {
        "seconds": (0.05, 7 * 86_400),
        "players": (100, 1 << 20),
        "rate": (1_000, 10_000_000),
        "partitions": (1, 64),
        "targets": (1, HUNTS - 1),
        "reach": (0, 1 << 20),
    }
    for option, (least, most) in bounds.items():
        if not least <= getattr(chosen, option) <= most:
            raise UsageError(f"{option} is out of range", fix=f"choose {least:,} to {most:,}")
    if chosen.idle_policy not in get_args(IdlePolicy):
        raise UsageError(
            f'there is no idle policy "{chosen.idle_policy}"',
            fix=did_you_mean(str(chosen.idle_policy), get_args(IdlePolicy)),
        )
    if name in UNCHOSEN and "idle_policy" in options:
        why = "it measures all" if name == "idle" else "it starts no actor"
        raise UsageError(f"{name} has no idle policy to choose: {why}")
    if not chosen.directory.is_dir():
        raise UsageError(f"{chosen.directory} is no folder", fix="give one that can be written")
