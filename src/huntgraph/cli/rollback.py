"""``huntgraph rollback``: a fork, an edit, a replay and a diff in one line."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from huntgraph.cli.diff_screen import show_diff
from huntgraph.cli.fork_commit import commit_fork
from huntgraph.cli.output import Json, print_json, progress, say
from huntgraph.cli.timeline import LogDir, Without, WorldFile, Yes, crossed, opened
from huntgraph.errors import UsageError

__all__ = ["rollback"]

Players = Annotated[tuple[int, ...], Parameter(name="--player", negative="")]


def rollback(
    *,
    player: Players,
    since: str,
    claims: Literal["recompute", "keep", "void"] = "recompute",
    preview: Annotated[bool, Parameter(negative="")] = False,
    without: Without = (),
    keep: str | None = None,
    reason: str = "",
    yes: Yes = False,
    most: int = 20,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Take players' moves out of history.

    Args:
        player: whose moves are taken out.
        since: from when on: 10m means the last ten minutes, or a time.
        claims: recompute: the next rightful claim wins; keep: others keep what they won; void:
            what is lost stays unwon.
        preview: only show what would change; so does leaving out --yes.
        without: what is left out: earlier commits, as huntgraph audit names them, and records
            that cannot be read, PARTITION/POSITION each.
        keep: keep the fork under this name.
        reason: why, for the audit trail; needed to commit.
        yes: commit it.
        most: how many changes of each sort are listed.
        json: print diff and plan as JSON, and what was committed on a line of its own.
    """
    from huntgraph.timeline.points import at_time, cut_text, since_ms

    if yes and not preview and not reason:
        raise UsageError("a commit needs a reason", fix='add --reason "why"')
    timeline = opened(folder, world, without)
    point = at_time(timeline.history, since_ms(timeline.history, since))
    with timeline.fork(at=cut_text(point), name=keep, without=without) as fork:
        with progress("Replaying the fork"):
            fork.drop(player=player).replay(claims)
            found = fork.diff()
        if keep is not None:
            timeline.keep(fork)
        if json:
            print_json("diff", found.to_dict(edges=False) | {"plan": found.plan()})
        else:
            for commit, fate in crossed(fork.run):
                say(f"commit {commit} is {fate}")
            show_diff(found, most=most)
        if yes and not preview:
            return commit_fork(timeline, fork, reason, json=json)
    say('nothing was changed; --yes --reason "why" commits this')
    return 0
