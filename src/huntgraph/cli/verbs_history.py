"""The verbs about recorded history; see `huntgraph.cli.verbs`."""

from __future__ import annotations

from typing import Final

from huntgraph.cli.verb import Verb

__all__ = ["HISTORY_VERBS"]

HISTORY_VERBS: Final[dict[str, Verb]] = {
    "lookup": Verb(
        "lookup:lookup",
        "Look recorded events up: by player, team, server, area, time, kind, outcome.",
        (
            "huntgraph lookup --player 7 --since 10m",
            "huntgraph lookup --claims --area 0,0,500,500",
            "huntgraph lookup --kind edge_close --parquet closings.parquet",
        ),
        "Over all partitions, in the order of time, each with what came of it: the logs are "
        "replayed from the newest snapshot before --since. Events are named PARTITION/POSITION.",
    ),
    "follow": Verb(
        "follow:follow",
        "Keep a folder's history warm, so that forks of it take milliseconds.",
        ("huntgraph follow", "huntgraph follow --keep 1M --dir /srv/hunt"),
        "Follows the logs of all partitions until Ctrl-C or SIGTERM. While it runs, fork replay, "
        "fork diff, fork preview, fork commit and rollback of the same folder are run by it, with "
        "the same answers; without it, and for forks from further back, they read snapshots and "
        "logs.",
    ),
    "tag": Verb(
        "tag:tag",
        "Give a point in history a name, or list the names.",
        ("huntgraph tag before-the-final", "huntgraph tag --json"),
        "A point is a position in every partition's log, consistent over all.",
    ),
    "why": Verb(
        "why:why",
        "Explain why an event came out as it did.",
        ("huntgraph why 0/1042", "huntgraph why 3/918223 --json"),
        "A claim, a refusal or a guidance answer: the rule, the stage, its needs, an earlier "
        "winner, the gate, the move that brought the player there. Replays from the log's start.",
    ),
    "export": Verb(
        "export:export",
        "Write logs and states as Parquet files.",
        ("huntgraph export out", 'huntgraph export out --at "before 0/1042" --no-log'),
        "Needs the extra huntgraph[parquet]. A folder for each partition: log, edges, players, "
        "stages.",
    ),
    "bisect": Verb(
        "bisect:bisect",
        "Find the first record behind which two logs, or two builds, are not the same.",
        ("huntgraph bisect ../other", "huntgraph bisect --build ../old/.venv/bin/python"),
        "Names the position, the record and the cells that differ; --keep saves both states. Exit "
        "status 5 when there is a difference.",
    ),
    "rollback": Verb(
        "rollback:rollback",
        "Take players' moves out of history: see what that comes to, then commit it.",
        (
            "huntgraph rollback --player 7 --since 10m --preview",
            'huntgraph rollback --player 7 --since 10m --reason "flew" --yes',
        ),
        "A fork, an edit, a replay and a diff in one line; with --yes also the commit. Everybody "
        "else's moves are replayed as they were.",
    ),
    "undo": Verb(
        "undo:undo",
        "Undo a commit by a new one, in all partitions or in none.",
        ('huntgraph undo 7df6471894dc0f49 --reason "it was lag" --yes',),
        "Cells that have changed since keep what they hold and are told, unless --force. The ids "
        "are in huntgraph audit. Exit status 6 when an actor does not answer.",
    ),
    "fork create": Verb(
        "fork:create",
        "Begin a branch of history: before an event, or at a point.",
        (
            "huntgraph fork create fix1 --before 3/918223",
            "huntgraph fork create fix2 --at head~10m",
        ),
        "A fork is kept as what it is made of; its state is worked out when it is asked for. "
        "Points: a tag, head, head~5s, a time, before or after an event.",
    ),
    "fork ls": Verb(
        "fork:ls", "List the forks of a folder.", ("huntgraph fork ls", "huntgraph fork ls --json")
    ),
    "fork show": Verb(
        "fork:show", "Show a fork: its point, its edits, its policy.", ("huntgraph fork show fix1",)
    ),
    "fork edit": Verb(
        "fork_edit:edit",
        "Change what a fork replays: drop, replace, insert, retime, or load other rules.",
        (
            "huntgraph fork edit fix1 drop --player 7 --since 10m",
            "huntgraph fork edit fix1 replace 0/1042 --kind go --from 3 --to 4",
            "huntgraph fork edit fix1 insert --after 0/1042 --kind edge_close --from 3 --to 4",
            "huntgraph fork edit fix1 rules --hunt 0 --rules night.yaml",
        ),
        "The log is never rewritten. Nothing is replayed before it is asked for.",
    ),
    "fork replay": Verb(
        "fork:replay",
        "Replay a fork to the head, with a policy for claims.",
        ("huntgraph fork replay fix1", "huntgraph fork replay fix1 --claims keep --json"),
    ),
    "fork diff": Verb(
        "fork:diff",
        "Compare a fork with the head: edges, players, claims, scores, clues, rewards.",
        (
            "huntgraph fork diff fix1",
            "huntgraph fork diff fix1 --stat",
            "huntgraph fork diff fix1 --json",
        ),
        "Each change is labelled: direct (an edited record names it), derived (it follows), or "
        "counterfactual (a player acted after an answer that would have been another one).",
    ),
    "fork preview": Verb(
        "fork:preview",
        "Look at numbers, players and leaderboard as they are in a fork.",
        ("huntgraph fork preview fix1", "huntgraph fork preview fix1 --json"),
    ),
    "fork commit": Verb(
        "fork_commit:commit",
        "Adopt a fork in all partitions, or in none, while the hunt goes on.",
        (
            'huntgraph fork commit fix1 --reason "player 7 flew"',
            'huntgraph fork commit fix1 --reason "player 7 flew" --yes --json',
        ),
        "Moves wait while the fork is brought to the head. Prints what is to be done about rewards "
        "already given. Exit status 6 when an actor does not answer.",
    ),
    "fork drop": Verb("fork:drop", "Forget a fork.", ("huntgraph fork drop fix1",)),
}
