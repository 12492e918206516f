"""``huntgraph fork create|ls|show|replay|diff|preview|drop``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from huntgraph.cli.diff_screen import show_diff
from huntgraph.cli.output import Json, facts, print_json, progress, say, table
from huntgraph.cli.timeline import LogDir, Parquet, Without, WorldFile, crossed, opened, save
from huntgraph.errors import UsageError

if TYPE_CHECKING:
    from huntgraph.timeline.recipe import Recipe

__all__ = ["create", "diff", "drop", "ls", "preview", "replay", "show"]

Claims = Annotated[
    Literal["recompute", "keep", "void"] | None, Parameter(name="--claims", negative="")
]


def create(
    name: str,
    /,
    *,
    before: str | None = None,
    at: str | None = None,
    without: Without = (),
    ttl: str = "24h",
    budget_mib: int = 4096,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Create a fork.

    Args:
        name: what to call it.
        before: an event, PARTITION/POSITION: the fork begins right before it.
        at: a point instead: a tag, head~5s, a time.
        without: what is left out: earlier commits, as huntgraph audit names them, and records
            that cannot be read, PARTITION/POSITION each.
        ttl: how long it is kept.
        budget_mib: memory that its images may take where it is replayed.
        json: print the fork as JSON.
    """
    from huntgraph.timeline.points import duration_ms

    if (before is None) == (at is None):
        raise UsageError("a fork begins at one place", fix="give one of --before and --at")
    kept = {"ttl_s": duration_ms(ttl) // 1000, "budget_mib": budget_mib}
    timeline = opened(folder, world, without)
    fork = timeline.fork(before=before, at=at, name=name, without=without, **kept)
    _tell(fork.recipe, json)
    return 0


def ls(*, folder: LogDir = None, world: WorldFile = None, json: Json = False) -> int:
    """List forks.

    Args:
        json: print them as JSON.
    """
    from huntgraph.timeline.points import cut_text

    store = opened(folder, world).store
    recipes = [store.get(name) for name in store.names()]
    if json:
        print_json("forks", {"forks": [recipe.to_dict() for recipe in recipes]})
    else:
        rows = [(r.name, cut_text(r.point), str(len(r.edits)), r.claims) for r in recipes]
        table("", ("fork", "point", "edits", "claims"), rows)
    return 0


def show(
    name: str, /, *, folder: LogDir = None, world: WorldFile = None, json: Json = False
) -> int:
    """Show a fork.

    Args:
        name: the fork.
        json: print it as JSON.
    """
    _tell(opened(folder, world).kept_fork(name).recipe, json)
    return 0


def replay(
    name: str,
    /,
    *,
    to: str = "head",
    claims: Claims = None,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Replay a fork.

    Args:
        name: the fork.
        to: the point to replay to.
        claims: recompute: the next rightful claim wins; keep: who won keeps it; void: what is
            lost stays unwon. Kept with the fork.
        json: print the outcome as JSON.
    """
    timeline = opened(folder, world)
    fork = timeline.kept_fork(name)
    begin = time.monotonic()
    with progress("Replaying the fork"):
        run = fork.replay(claims or fork.recipe.claims, to=timeline.point(to))
    timeline.keep(fork)
    spent_ms = (time.monotonic() - begin) * 1000
    records = sum(len(script) for script in run.scripts.values())
    edited = sum(int(script.edited.sum()) for script in run.scripts.values())
    hashes = {str(n): f"{value:016x}" for n, value in run.hashes().items()}
    body = {"records": records, "edited": edited, "spent_ms": round(spent_ms, 1), "hashes": hashes}
    body["commits"] = dict(crossed(run))
    if json:
        print_json("fork-replay", {"name": name, "claims": fork.recipe.claims, **body})
    else:
        lines = [(f"partition {n}", value) for n, value in hashes.items()]
        lines += [(f"commit {name}", fate) for name, fate in crossed(run)]
        facts(
            "", [("records", records), ("edited", edited), ("spent", f"{spent_ms:.0f} ms"), *lines]
        )
    return 0


def diff(
    name: str,
    /,
    *,
    stat: bool = False,
    most: int = 20,
    parquet: Parquet = None,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Compare a fork with the head.

    Args:
        name: the fork.
        stat: counts alone.
        most: how many changes of each sort are listed.
        parquet: write the changed edges to this file.
        json: print all of it as JSON.
    """
    with progress("Replaying the fork"):
        found = opened(folder, world).kept_fork(name).diff()
    if parquet is not None:
        save(found.edges, parquet)
    if json:
        print_json("diff", found.to_dict(edges=not stat) | {"plan": found.plan()})
    else:
        show_diff(found, stat=stat, most=most)
    return 0


def preview(
    name: str,
    /,
    *,
    players: int = 100,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Look at the hunt as it is in a fork.

    Args:
        name: the fork.
        players: how many players are listed.
        json: print it as JSON.
    """
    from huntgraph.timeline.preview import preview as look

    with progress("Replaying the fork"):
        body = look(opened(folder, world).kept_fork(name).run, players=players)
    if json:
        print_json("preview", body)
        return 0
    facts("", [(key, body[key]) for key in ("players", "present", "in_hunts")])
    columns = ("rank", "hunt", "id", "team", "score", "partition", "node")
    rows = ([str(row[name]) for name in columns] for row in body["leaderboard"])
    table("Leaderboard", ("rank", "hunt", "player", *columns[3:]), rows)
    return 0


def drop(
    name: str, /, *, folder: LogDir = None, world: WorldFile = None, json: Json = False
) -> int:
    """Forget a fork.

    Args:
        name: the fork.
        json: print the outcome as JSON.
    """
    store = opened(folder, world).store
    store.drop(store.get(name).name)
    if json:
        print_json("fork-dropped", {"name": name})
    else:
        say(f"{name} is forgotten")
    return 0


def _tell(recipe: Recipe, json: bool) -> None:
    if json:
        print_json("fork", recipe.to_dict())
        return
    body = recipe.to_dict()
    names = ("name", "claims", "ttl_s", "budget_mib")
    point = [(f"partition {n}", at) for n, at in recipe.point.items()]
    edits = [(f"edit {at}", text) for at, text in enumerate(body["does"], 1)]
    out = [("left out", name) for name in recipe.without]
    facts("", [*((name, body[name]) for name in names), *point, *out, *edits])
