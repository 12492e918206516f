"""``huntgraph fork edit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import Parameter

from huntgraph.cli.output import Json, print_json, say
from huntgraph.cli.timeline import Area, Kinds, LogDir, Numbers, WorldFile, opened, query_of
from huntgraph.errors import UsageError
from huntgraph.schema import Kind

if TYPE_CHECKING:
    from huntgraph.timeline.edits import Edit
    from huntgraph.timeline.timeline import Timeline

__all__ = ["edit"]

Verb = Literal["drop", "replace", "insert", "retime", "rules"]
From = Annotated[int | None, Parameter(name="--from")]
Events = Annotated[tuple[str, ...], Parameter(show_default=False)]
Node = Annotated[int | None, Parameter(name="--to")]
TAKES: Final[dict[Verb, str]] = {
    "drop": "event player team server area kind since until",
    "replace": "event kind from to arg hunt",
    "insert": "after kind player from to arg hunt",
    "retime": "event after",
    "rules": "hunt rules",
}
"""What each edit is made of."""


def edit(
    name: str,
    verb: Verb,
    event: Events = (),
    /,
    *,
    player: Numbers = (),
    team: Numbers = (),
    server: Numbers = (),
    area: Area = None,
    kind: Kinds = (),
    since: str | None = None,
    until: str | None = None,
    after: str | None = None,
    from_: From = None,
    to: Node = None,
    arg: int | None = None,
    hunt: int | None = None,
    rules: Path | None = None,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Edit a fork.

    Args:
        name: the fork.
        verb: drop, replace, insert, retime or rules.
        event: the events that are meant, PARTITION/POSITION each.
        player: drop: records of these players; insert of a grant: who gets the treasure.
        team: drop: records of players in these teams.
        server: drop: records that these game servers sent.
        area: drop: x1,z1,x2,z2: records that name a node there, or leave their player at one.
        kind: drop: these kinds; replace, insert: the kind of the new record.
        since: drop: from this time on, or so long before the last tick.
        until: drop: up to this time.
        after: insert, retime: the event that it is to follow.
        from_: replace, insert: the new record's node or edge.
        to: the same: where it leads.
        arg: the same: its argument, such as a cost or a stage.
        hunt: the same: its hunt slot; rules: the slot whose hunt gets other rules.
        rules: a hunt file to load in place of the one that was loaded.
        json: print the fork as JSON.
    """
    given: dict[str, Any] = {"player": player, "team": team, "server": server, "area": area}
    given |= {"kind": kind, "since": since, "until": until, "event": event}
    named = {"from": from_, "to": to, "arg": arg, "hunt": hunt}
    fields = {key: value for key, value in named.items() if value is not None}
    _refuse_unused(verb, given | named | {"after": after, "rules": rules})
    timeline = opened(folder, world)
    fork = timeline.kept_fork(name)
    for made in _edits(timeline, verb, given, fields, after, rules):
        fork.edit(made)
    timeline.keep(fork)
    body = fork.recipe.to_dict()
    if json:
        print_json("fork", body)
    else:
        for number, text in enumerate(body["does"], 1):
            say(f"edit {number}: {text}")
    return 0


def _refuse_unused(verb: Verb, options: dict[str, Any]) -> None:
    """Raise UsageError for options that would be passed over in silence."""
    for name, value in options.items():
        if value not in (None, ()) and name not in TAKES[verb].split():
            what = f"{verb} takes no {'event' if name == 'event' else f'--{name}'}"
            takes = ", ".join(f"--{each}" for each in TAKES[verb].split() if each != "event")
            raise UsageError(what, fix=f"it takes {takes}; --help tells of each")


def _edits(
    timeline: Timeline,
    verb: Verb,
    given: dict[str, Any],
    fields: dict[str, int],
    after: str | None,
    rules: Path | None,
) -> list[Edit]:
    from huntgraph.timeline.edits import Insert, Replace, Retime, record_of
    from huntgraph.timeline.points import parse_event

    events = [parse_event(text) for text in given["event"]]
    if verb == "drop":
        return [_drop(timeline, given)]
    if verb == "rules":
        return [_rules(timeline, rules, fields.get("hunt", 0))]
    if not events and verb != "insert":
        raise UsageError(f"{verb} needs an event", fix="name it after the verb: PARTITION/POSITION")
    if verb == "retime":
        place = parse_event(_needed(after, "--after"))
        return [Retime(event, place) for event in events]
    record: dict[str, Any] = {"kind": _needed(next(iter(given["kind"]), None), "--kind"), **fields}
    if given["player"] and verb == "insert":
        record["player"] = given["player"][0]
    if verb == "insert":
        return [Insert(parse_event(_needed(after, "--after")), record_of(record))]
    return [Replace(event, record_of(record)) for event in events]


def _drop(timeline: Timeline, given: dict[str, Any]) -> Edit:
    """What fits all that is given; a player or a team alone means its moves and nothing else."""
    from huntgraph.timeline.edits import EDITABLE, Drop
    from huntgraph.timeline.kinds import PLAYER_KINDS

    if not any(value for value in given.values()):
        fix = "name a player, a server, an area, a kind, an event ..."
        raise UsageError("that would drop everything behind the fork's point", fix=fix)
    default: tuple[Kind, ...] = PLAYER_KINDS if given["player"] or given["team"] else EDITABLE
    return Drop(query_of(timeline, default, **given))


def _rules(timeline: Timeline, file: Path | None, slot: int) -> Edit:
    from huntgraph.hunt import load
    from huntgraph.timeline.edits import Rules

    hunt = load(Path(_needed(None if file is None else str(file), "--rules")))
    sources = timeline.history.sources
    if len(sources) > 1:
        fix = "use Fork.rules of huntgraph.timeline with the rows of each partition"
        raise UsageError("a hunt file cannot be compiled for several partitions here", fix=fix)
    world: Any
    ((number, world),) = ((number, source.world) for number, source in sources.items())
    return Rules(slot, {number: hunt.compile(world, slot).tobytes()})


def _needed(value: str | None, option: str) -> str:
    if value is None:
        raise UsageError(f"this edit needs {option}", fix="--help shows what each edit takes")
    return value
