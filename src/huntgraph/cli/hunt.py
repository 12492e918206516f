"""``huntgraph hunt check|schema|publish|pause|resume|extend|close``; see `hunts` for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter, validators

from huntgraph.cli.orders import Dir, layout_of, order_everywhere
from huntgraph.cli.output import Json, counted, print_json, progress, say
from huntgraph.errors import HuntFileError, RefusedError, UsageError
from huntgraph.schema import CODE_TEXT, HUNTS, Code, Kind

if TYPE_CHECKING:
    from huntgraph.cluster import Answers

__all__ = ["check", "close", "extend", "pause", "publish", "resume", "schema"]

Slot = Annotated[int, Parameter(name="--slot", validator=validators.Number(gte=0, lt=HUNTS))]


def check(
    file: Path, /, *, world: Path | None = None, strict: bool = False, json: Json = False
) -> int:
    """Check a hunt file.

    Args:
        file: the hunt file.
        world: the world it is for; without it places and ways are not looked at.
        strict: let a warning fail the check too.
        json: print the findings as JSON.
    """
    from huntgraph.hunt import check_file
    from huntgraph.world import World

    with progress("Checking"):
        found = check_file(file, None if world is None else World.open(world))
    errors = sum(finding.severity == "error" for finding in found)
    if json:
        rows = [finding.to_dict() for finding in found]
        print_json("findings", {"file": str(file), "errors": errors, "findings": rows})
    else:
        for finding in found:
            print(finding)
        say(f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}")
    return 1 if errors or (strict and found) else 0


def schema(*, out: Path | None = None) -> int:
    """Print the JSON Schema.

    Args:
        out: a file to write it to instead.
    """
    from huntgraph.hunt import schema_text

    text = schema_text()
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return 0
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"the schema cannot be written: {error.strerror or error}"
        raise HuntFileError(what, where=out, fix="check the folder") from error
    return 0


def publish(
    file: Path,
    /,
    *,
    folder: Dir = None,
    slot: Slot = 0,
    json: Json = False,
) -> int:
    """Publish a hunt.

    Args:
        file: the hunt file.
        slot: the slot to publish it into, 0 to 7.
        json: print the outcome as JSON.
    """
    from huntgraph.cli.serving import hunt_rows
    from huntgraph.cluster import publish_everywhere

    layout = layout_of(folder)
    rows = hunt_rows(file, Path(layout.facts()["world"]), slot, layout)
    answers = order_everywhere(layout, lambda sends: publish_everywhere(sends, rows))
    return _told("published", answers, slot, json)


def pause(*, folder: Dir = None, slot: Slot = 0, json: Json = False) -> int:
    """Pause a hunt.

    Args:
        slot: the hunt's slot.
        json: print the outcome as JSON.
    """
    return _order("paused", Kind.HUNT_PAUSE, folder, slot, json)


def resume(*, folder: Dir = None, slot: Slot = 0, json: Json = False) -> int:
    """Let a hunt go on.

    Args:
        slot: the hunt's slot.
        json: print the outcome as JSON.
    """
    return _order("resumed", Kind.HUNT_RESUME, folder, slot, json)


def extend(
    duration: str,
    /,
    *,
    folder: Dir = None,
    slot: Slot = 0,
    json: Json = False,
) -> int:
    """Let a hunt close later.

    Args:
        duration: how much later, such as 90s, 10m or 1h.
        slot: the hunt's slot.
        json: print the outcome as JSON.
    """
    from huntgraph.hunt.durations import parse_ticks

    try:
        ticks = parse_ticks(duration)
    except ValueError as error:
        raise UsageError(str(error), fix="write a duration such as 90s, 10m or 1h") from error
    return _order("extended", Kind.HUNT_EXTEND, folder, slot, json, arg=ticks)


def close(*, folder: Dir = None, slot: Slot = 0, json: Json = False) -> int:
    """Close a hunt.

    Args:
        slot: the hunt's slot.
        json: print the outcome as JSON.
    """
    return _order("closed", Kind.HUNT_CLOSE, folder, slot, json)


def _order(done: str, kind: Kind, folder: Path | None, slot: int, json: bool, **fields: int) -> int:
    from huntgraph.cluster import control_move, steer_everywhere

    record = control_move(kind, slot, **fields)
    try:
        answers = order_everywhere(layout_of(folder), lambda sends: steer_everywhere(sends, record))
    except RefusedError as error:
        if error.refusal == Code.HUNT_NOT_OPEN:
            error.what = error.what.replace(CODE_TEXT[error.refusal][0], _NEEDED[kind])
            error.fix = f"see how it stands: huntgraph hunt show {slot}"
        raise
    return _told(done, answers, slot, json)


_NEEDED: Final = {
    Kind.HUNT_PAUSE: "only an open hunt can be paused",
    Kind.HUNT_RESUME: "only a paused hunt can be resumed",
    Kind.HUNT_EXTEND: "only a hunt that runs can be extended",
    Kind.HUNT_CLOSE: "only a hunt that runs can be closed",
}
"""Why an order is refused for the state that a hunt is in."""


def _told(done: str, answers: dict[int, Answers], slot: int, json: bool) -> int:
    last = {partition: each.updates[-1] for partition, each in answers.items()}
    places = [
        {"partition": partition, "position": int(each["position"]), "tick": int(each["tick"])}
        for partition, each in last.items()
    ]
    if json:
        print_json("hunt-order", {"done": done, "slot": slot, "partitions": places})
    elif len(places) > 1:
        print(f"slot {slot} {done} in {len(places)} partitions, effective at their next ticks")
    else:
        position = f"{places[0]['position']:,}"
        print(f"slot {slot} {done} at position {position}, effective at the next tick")
    return 0
