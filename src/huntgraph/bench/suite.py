"""The measurements by name, their defaults, and the result they are written down as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, get_args

from huntgraph.bench import in_process, with_actor
from huntgraph.bench.machine import commit, load_average, machine
from huntgraph.bench.result import Found
from huntgraph.bench.scene import IdlePolicy, Options, Scene, build
from huntgraph.errors import UsageError, did_you_mean

__all__ = ["names", "run"]

BENCHES: Final[dict[str, Callable[[Scene], Found]]] = {
    "apply": in_process.apply,
    "roundtrip": in_process.roundtrip,
    "frame": in_process.frame,
    "quic": with_actor.quic,
    "handshake": in_process.handshake,
    "durable": with_actor.durable,
    "memory": with_actor.memory,
    "allocations": with_actor.allocations,
}
ONE_THREAD: Final = ("apply", "roundtrip", "frame", "handshake")
"""Both ends on one thread: no idle policy to choose."""

DEFAULT: Final = Options(
    seconds=5.0,
    edges=3_900_000,
    players=12_500,
    rate=80_000,
    idle_policy="block",
    directory=Path("/var/tmp"),
)
QUICK: Final = replace(DEFAULT, seconds=0.3, edges=40_000, players=500, rate=20_000)
SECONDS: Final = {"apply": 4.0, "handshake": 1.0, "frame": 8.0, "durable": 10.0}
"""Length of each part where it is not five seconds."""


def names() -> tuple[str, ...]:
    """Give the names of the measurements."""
    return tuple(BENCHES)


def run(name: str, *, quick: bool = False, **options: Any) -> dict[str, Any]:
    """Make one measurement and give its result, JSON-ready; see the package for its parts.

    Args:
        name: one of `names`.
        quick: a small world and tenths of seconds: to see that it works, not for figures.
        options: ``seconds`` of each part, ``edges``, ``players``, ``rate`` (moves a second),
            ``idle_policy`` of the actor's process (block, yield or spin; the measurements on one
            thread always spin), ``directory`` for log and world.

    Raises:
        UsageError: HG1010, an unknown name or option, or a value out of range.
        ActorError: the actor could not be started.
        OSError: the measurement itself failed; the text is JSON with its code.
    """
    if name not in BENCHES:
        raise UsageError(f'there is no measurement "{name}"', fix=did_you_mean(name, BENCHES))
    chosen = _choose(name, quick, options)
    before = load_average()
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
        "quick": quick,
    }


def _choose(name: str, quick: bool, options: dict[str, Any]) -> Options:
    known = [field.name for field in fields(Options)]
    for option in options:
        if option not in known:
            fix = did_you_mean(option, known)
            raise UsageError(f'there is no option "{option}" of a measurement', fix=fix)
    base = QUICK if quick else replace(DEFAULT, seconds=SECONDS.get(name, DEFAULT.seconds))
    try:
        chosen = Options(
            seconds=float(options.get("seconds", base.seconds)),
            edges=int(options.get("edges", base.edges)),
            players=int(options.get("players", base.players)),
            rate=int(options.get("rate", base.rate)),
            idle_policy=options.get("idle_policy", base.idle_policy),
            directory=Path(options.get("directory", base.directory)),
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"a value is no number: {error}", fix="write --option seconds=5") from None
    _check(name, chosen, options)
    return chosen


def _check(name: str, chosen: Options, options: dict[str, Any]) -> None:
    bounds = {"seconds": (0.05, 3600), "players": (100, 1 << 20), "rate": (1_000, 10_000_000)}
    for option, (least, most) in bounds.items():
        if not least <= getattr(chosen, option) <= most:
            raise UsageError(f"{option} is out of range", fix=f"choose {least:,} to {most:,}")
    if chosen.idle_policy not in get_args(IdlePolicy):
        raise UsageError(
            f'there is no idle policy "{chosen.idle_policy}"',
            fix=did_you_mean(str(chosen.idle_policy), get_args(IdlePolicy)),
        )
    if name in ONE_THREAD and "idle_policy" in options:
        raise UsageError(f"{name} has no idle policy to choose: one thread drives both ends")
    if not chosen.directory.is_dir():
        raise UsageError(f"{chosen.directory} is no folder", fix="give one that can be written")
