"""The table of verbs: what each is for, and examples that run as they stand.

Help pages, the reference page and a test of every example are made from it. Importing it imports
no verb.
"""

from __future__ import annotations

from collections.abc import Iterator

from huntgraph.cli.verb import Verb
from huntgraph.cli.verbs_history import HISTORY_VERBS

__all__ = ["GROUPS", "SECTIONS", "VERBS", "Verb", "exit_text"]

SECTIONS: dict[str, tuple[str, ...]] = {
    "See it": ("demo", "doctor", "version"),
    "Make worlds and hunts": ("world", "hunt"),
    "Serve and watch": ("serve", "bots", "top", "edge"),
    "Settle disputes": ("lookup", "why", "rollback", "undo", "audit", "tag", "fork", "follow"),
    "Check, measure, export": ("verify", "bisect", "bench", "export"),
}
"""How the first help page sets verbs and groups of verbs out."""

GROUPS: dict[str, str] = {
    "world": "Make, import, split and look at worlds.",
    "hunt": "Check hunts, and publish and steer them on running actors.",
    "edge": "Change edges of a world that is served, whole or in parts.",
    "fork": "Branch history: edit, replay and compare, beside the running hunt.",
}

_STEER = (
    "Reaches all partitions that are served from --dir; takes effect at the next tick of each. "
    "Exit status 6 when no actor answers there."
)
_NOW = (
    "Takes effect at once. In a world of parts nodes are those of the whole world, and an edge "
    "belongs to the partition of FROM; the way back is the other's. Exit status 6 when no actor "
    "answers in --dir."
)

VERBS: dict[str, Verb] = {
    "demo": Verb(
        "demo:demo",
        "Watch a hunt run on this machine, then see it proved.",
        ("huntgraph demo", "huntgraph demo --seconds 60 --players 1000", "huntgraph demo --json"),
        "Starts a real actor and some hundreds of bots over QUIC, ends by itself, replays the log "
        "and compares state and receipts. Not for production. Exit status 5 when anything differs.",
    ),
    "serve": Verb(
        "serve:serve",
        "Serve a world: an actor for game servers, a gateway for everyone else.",
        (
            "huntgraph serve --edges 100k",
            "huntgraph serve town.hgw --hunt night.yaml --http-port 8080",
            "huntgraph serve --parts town --hunt night.yaml",
        ),
        "Runs until Ctrl-C or SIGTERM, then drains; a second one stops at once. State stays in "
        "--dir and is gone on with at the next start.",
    ),
    "bots": Verb(
        "bots:bots",
        "Let bots play a hunt that is being served.",
        ("huntgraph bots --players 200 --seconds 10", "huntgraph bots --rate 5 --json"),
        "They connect over QUIC as game servers do, follow the guidance they are given and claim "
        "what they find.",
    ),
    "top": Verb(
        "top:top",
        "Watch running partitions: rates, latencies, players, memory.",
        ("huntgraph top", "huntgraph top --once --json", "huntgraph top one two"),
        "Reads the counters that actors write, which costs them nothing. A table that is drawn "
        "anew on a terminal, lines elsewhere. Applied is from a frame's last byte in to its last "
        "answer sent; durable from applied to on disk. Exit status 6 when there is nothing to "
        "watch.",
    ),
    "verify": Verb(
        "verify:verify",
        "Replay the logs of all partitions and compare them with everything that was recorded.",
        ("huntgraph verify", "huntgraph verify ./hunt --json", "huntgraph verify --from-snapshot"),
        "Checks the log's chain, every recorded state hash, every receipt, and that each player "
        "taken over a border was handed over. Names the first bad position. Exit status 5 when "
        "something differs.",
    ),
    "audit": Verb(
        "audit:audit",
        "List what was committed and undone: by whom, why, and what is still to be done for it.",
        ("huntgraph audit", "huntgraph audit --json"),
        "Verifies the chain of the audit trail first; exit status 5 when it is broken. With "
        "--recover, a commit that a death left half done is finished or undone, as huntgraph serve "
        "does by itself.",
    ),
    "doctor": Verb(
        "doctor:doctor",
        "Look over this machine and this installation.",
        ("huntgraph doctor", "huntgraph doctor --json"),
        "Every problem comes with what mends it. Exit status 3 when there is one.",
    ),
    "bench": Verb(
        "bench:bench",
        "Measure, with machine, load and sample count beside the figures.",
        ("huntgraph bench", "huntgraph bench apply --json"),
        "Without a name it lists what can be measured.",
    ),
    "version": Verb(
        "version:version",
        "Print the versions of the package, the wire and the file formats.",
        ("huntgraph version", "huntgraph version --json"),
    ),
    "world make": Verb(
        "world:make",
        "Make a world from a seed: the same arguments give the same world everywhere.",
        (
            "huntgraph world make town.hgw --edges 100k",
            "huntgraph world make land.hgw --edges 4M --seed 7 --neighbours 8",
            "huntgraph world make big.hgw --edges 4M --parts 12",
        ),
    ),
    "world import": Verb(
        "world:import_",
        "Import a world from a map, a road graph or a list of edges.",
        (
            "huntgraph world import arena.map arena.hgw",
            "huntgraph world import roads.gr roads.hgw --format dimacs",
        ),
        "Bad input is named by file and line, and leaves no partial output behind.",
    ),
    "world split": Verb(
        "world:split",
        "Split a world into partitions, one for each actor, with few crossing edges.",
        (
            "huntgraph world split town.hgw --out town",
            "huntgraph world split town.hgw --parts 6 --out town-6 --json",
        ),
        "Needs the extra huntgraph[split]. Each part is a world file: the nodes it owns, and a "
        "halo of their neighbours in other parts.",
    ),
    "world info": Verb(
        "world:info",
        "Print what a world file holds.",
        ("huntgraph world info town.hgw", "huntgraph world info town.hgw --json"),
    ),
    "hunt check": Verb(
        "hunt:check",
        "Find what would spoil a hunt: places, texts, windows, circles, dead ends.",
        (
            "huntgraph hunt check night.yaml",
            "huntgraph hunt check night.yaml --world town.hgw --json",
        ),
        "Exit status 1 when there is an error (with --strict also for a warning).",
    ),
    "hunt schema": Verb(
        "hunt:schema",
        "Print the JSON Schema of hunt files, for editors.",
        ("huntgraph hunt schema", "huntgraph hunt schema --out hunt.schema.json"),
    ),
    "hunt publish": Verb(
        "hunt:publish",
        "Publish a hunt in all partitions that are served, or in none.",
        ("huntgraph hunt publish night.yaml", "huntgraph hunt publish night.yaml --slot 1"),
        _STEER,
    ),
    "hunt ls": Verb(
        "hunts:ls",
        "List the hunts of all slots, as all partitions that are served know them.",
        ("huntgraph hunt ls", "huntgraph hunt ls --json"),
        "Partitions open and close a hunt at ticks of their own: where they differ, states are "
        "counted. Exit status 6 when no actor answers in --dir.",
    ),
    "hunt show": Verb(
        "hunts:show",
        "Show a hunt: state, hunt time, who hunts, and what became of each stage.",
        ("huntgraph hunt show 0", "huntgraph hunt show 0 --json"),
        "Each stage is told as the partition that it is in knows it; its node is one of the whole "
        "world. Exit status 6 when no actor answers in --dir.",
    ),
    "hunt pause": Verb(
        "hunt:pause",
        "Pause a hunt: walking goes on, nothing is found or won, its time stands.",
        ("huntgraph hunt pause", "huntgraph hunt pause --slot 1"),
        _STEER,
    ),
    "hunt resume": Verb(
        "hunt:resume",
        "Let a paused hunt go on.",
        ("huntgraph hunt resume", "huntgraph hunt resume --slot 1"),
        _STEER,
    ),
    "hunt extend": Verb(
        "hunt:extend",
        "Let a hunt close later.",
        ("huntgraph hunt extend 10m", "huntgraph hunt extend 1h --slot 1"),
        _STEER,
    ),
    "hunt close": Verb(
        "hunt:close",
        "Close a hunt for good.",
        ("huntgraph hunt close", "huntgraph hunt close --slot 1"),
        _STEER,
    ),
    "edge add": Verb(
        "edge:add",
        "Add an edge from one node to another; the way back is an edge of its own.",
        ("huntgraph edge add 3 400 --cost 9", "huntgraph edge add 3 400 --cost 9 --json"),
        f"{_NOW} How many can be added: --added-edges of huntgraph serve.",
    ),
    "edge remove": Verb(
        "edge:remove",
        "Remove an edge; a gate that has it leaves it alone until it is added again.",
        ("huntgraph edge remove 3 4",),
        _NOW,
    ),
    "edge close": Verb(
        "edge:close",
        "Close an edge: it keeps its cost and its heat, and nobody may go along it.",
        ("huntgraph edge close 3 4",),
        _NOW,
    ),
    "edge open": Verb(
        "edge:open_",
        "Open an edge that was closed.",
        ("huntgraph edge open 3 4",),
        _NOW,
    ),
    "edge price": Verb(
        "edge:price",
        "Give an edge another base cost; what its heat adds stays.",
        ("huntgraph edge price 3 4 --cost 25",),
        _NOW,
    ),
}

VERBS |= HISTORY_VERBS


def exit_text() -> Iterator[str]:
    """Give the lines of the table of exit statuses."""
    yield "Exit status: 0 done, 1 failed, 2 wrong usage, 3 doctor found a problem,"
    yield "5 something differs from what was recorded, 6 nobody answers, 130 Ctrl-C."
