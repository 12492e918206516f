"""Records, kinds, codes and limits. Generated from schema/wire.toml: edit that file."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

import numpy as np

VERSION: Final = 1
HUNTS: Final = 8
"""Hunts in one partition at a time."""
STAGES: Final = 64
"""Stages (clues and treasures) of a hunt."""
NEEDS: Final = 4
"""Alternatives of a stage's needs."""
HINTS: Final = 4
"""Hints of a stage."""
GATES: Final = 32
"""Gates of a hunt."""
GATE_EDGES: Final = 512
"""Edges of all gates of a hunt."""
TEAMS: Final = 64
"""Teams of a hunt."""
DEGREE: Final = 64
"""Edges of one node."""
NODES: Final = 16777216
"""Nodes of a partition."""
PEERS: Final = 64
"""Partitions of a world."""
PARCELS: Final = 4096
"""Players on their way to other partitions at a time."""
ROUNDS: Final = 16
"""Targets with rounds of guidance over borders at a time, of a partition."""
COST_MAX: Final = 60000
"""Greatest base cost of an edge."""
WEIGHT_MAX: Final = 65534
"""Greatest weight: base cost and heat term together."""
HEAT_MAX: Final = 254
"""Greatest heat of an edge."""
PRICES: Final = 127
"""Different base costs of edges in a compact partition at a time."""
FRAME_RECORDS: Final = 1024
"""Records in one frame."""
NONE: Final = 4294967295
"""No node, no edge, no stage."""
UNREACHABLE: Final = 4294967295
"""Distance where there is no path."""

MOVE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("hunt", "<u2"),
        ("seq", "<u4"),
        ("player", "<u8"),
        ("from", "<u4"),
        ("to", "<u4"),
        ("arg", "<u4"),
        ("server", "<u4"),
        ("echo", "<u8"),
        ("time_ms", "<u8"),
        ("a", "<u8"),
        ("b", "<u8"),
    ]
)
"""What a player, a game server or the clock does to the state; also the log's record. 64 bytes."""

RULE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("hunt", "<u2"),
        ("index", "u1"),
        ("form", "u1"),
        ("rule", "u1"),
        ("teams", "u1"),
        ("from", "<u4"),
        ("to", "<u4"),
        ("opens", "<u4"),
        ("closes", "<u4"),
        ("stock", "<u4"),
        ("points", "<u4"),
        ("delay", "<u4"),
        ("cost", "<u4"),
        ("mask", "<u8"),
        ("hunt_id", "<u8"),
        ("count", "<u4"),
        ("owner", "<u4"),
    ]
)
"""One row of a hunt on its way into the image; kinds hunt_begin to hunt_publish. 64 bytes."""

UPDATE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("code", "<u2"),
        ("seq", "<u4"),
        ("player", "<u8"),
        ("position", "<u8"),
        ("node", "<u4"),
        ("next", "<u4"),
        ("distance", "<u4"),
        ("target", "<u4"),
        ("epoch", "<u4"),
        ("tick", "<u4"),
        ("echo", "<u8"),
        ("score", "<i4"),
        ("stage", "u1"),
        ("found", "u1"),
        ("hint", "u1"),
        ("moved_to", "u1"),
    ]
)
"""The engine's answer to one move. 64 bytes."""

ARRIVAL: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("from", "<u2"),
        ("seq", "<u4"),
        ("player", "<u8"),
        ("number", "<u8"),
        ("cause", "<u8"),
        ("progress", "<u8"),
        ("node", "<u4"),
        ("score", "<i4"),
        ("hunt_id", "<u4"),
        ("waited", "<u4"),
        ("hunt", "u1"),
        ("team", "u1"),
        ("target", "u1"),
        ("hints", "u1"),
        ("spare", "<u4"),
    ]
)
"""A player handed over by another partition: what travels between the two, and what the receiver logs. 64 bytes."""

NOTICE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("from", "<u2"),
        ("wins", "<u4"),
        ("winner", "<u8"),
        ("number", "<u8"),
        ("cause", "<u8"),
        ("team_bits", "<u8"),
        ("hunt_id", "<u4"),
        ("hunt", "u1"),
        ("stage", "u1"),
        ("spare", "<u2"),
        ("a", "<u8"),
        ("b", "<u8"),
    ]
)
"""What another partition tells of a stage that is there; what travels, and what the receiver logs. 64 bytes."""

CORRECTION: Final = np.dtype(
    [
        ("kind", "u1"),
        ("count", "u1"),
        ("gone", "u1"),
        ("flags", "u1"),
        ("spare", "<u4"),
        ("id", "<u8"),
        ("name_1", "<u8"),
        ("word_1", "<u8"),
        ("name_2", "<u8"),
        ("word_2", "<u8"),
        ("name_3", "<u8"),
        ("word_3", "<u8"),
    ]
)
"""How a fork's cells become the partition's; kinds fence, correct and settle. 64 bytes."""

BEARING: Final = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("from", "<u2"),
        ("round", "<u4"),
        ("hunt_id", "<u4"),
        ("hunt", "u1"),
        ("stage", "u1"),
        ("count", "<u2"),
        ("age", "<u4"),
        ("reach", "<u4"),
        ("entries", "u1", (32,)),
        ("a", "<u8"),
    ]
)
"""What partitions tell each other of the way to a target; never logged. 64 bytes."""

RECEIPT: Final = np.dtype(
    [
        ("kind", "u1"),
        ("stage", "u1"),
        ("hunt", "<u2"),
        ("tick", "<u4"),
        ("player", "<u8"),
        ("position", "<u8"),
        ("serial", "<u8"),
        ("hash", "u1", (32,)),
    ]
)
"""Proof of a claim; stands right behind the update it belongs to. 64 bytes."""

EVENT: Final = np.dtype(
    [
        ("stamp", "<u8"),
        ("position", "<u8"),
        ("player", "<u8"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("hunt", "<u2"),
        ("tick", "<u4"),
        ("from", "<u4"),
        ("to", "<u4"),
        ("edge", "<u4"),
        ("value", "<u4"),
        ("a", "<u8"),
        ("b", "<u8"),
    ]
)
"""One slot of the ring. 64 bytes."""

SLOT: Final = np.dtype(
    [
        ("kind", "u1"),
        ("hunt", "u1"),
        ("state", "u1"),
        ("stages", "u1"),
        ("gates", "u1"),
        ("teams", "u1"),
        ("spare", "<u2"),
        ("hunt_id", "<u8"),
        ("partitions", "<u8"),
        ("shut", "<u8"),
        ("edition", "<u4"),
        ("elapsed", "<u4"),
        ("closes", "<u4"),
        ("wait", "<u4"),
        ("hunters", "<u4"),
        ("wins", "<u4"),
        ("a", "<u8"),
    ]
)
"""How a hunt slot stands in a partition. 64 bytes."""

STANDING: Final = np.dtype(
    [
        ("kind", "u1"),
        ("hunt", "u1"),
        ("stage", "u1"),
        ("form", "u1"),
        ("rule", "u1"),
        ("owner", "u1"),
        ("spare", "<u2"),
        ("node", "<u4"),
        ("stock", "<u4"),
        ("wins", "<u4"),
        ("hunters", "<u4"),
        ("team_bits", "<u8"),
        ("winner", "<u8"),
        ("position", "<u8"),
        ("points", "<u4"),
        ("opens", "<u4"),
        ("closes", "<u4"),
        ("b", "<u4"),
    ]
)
"""How a stage stands in a partition; follows the slot that it belongs to. 64 bytes."""

HELLO: Final = np.dtype(
    [
        ("version", "<u2"),
        ("flags", "<u2"),
        ("partition", "<u2"),
        ("spare", "<u2"),
        ("world_id", "<u8"),
        ("client", "<u8"),
        ("a", "<u8"),
        ("b", "<u8"),
        ("c", "<u8"),
        ("d", "<u8"),
        ("e", "<u8"),
    ]
)
"""First frame of a game server. 64 bytes."""

WELCOME: Final = np.dtype(
    [
        ("version", "<u2"),
        ("flags", "<u2"),
        ("partition", "<u2"),
        ("parcels", "<u2"),
        ("world_id", "<u8"),
        ("position", "<u8"),
        ("durable", "<u8"),
        ("epoch", "<u8"),
        ("tick", "<u4"),
        ("frame_records", "<u4"),
        ("in_flight", "<u4"),
        ("nodes", "<u4"),
        ("state_hash", "<u8"),
    ]
)
"""The actor's answer to hello. 64 bytes."""

FRAME: Final = np.dtype(
    [
        ("length", "<u4"),
        ("kind", "<u2"),
        ("count", "<u2"),
        ("first", "<u8"),
    ]
)
"""Header before every frame's body. 16 bytes."""


class Kind(IntEnum):
    """Kinds of input records."""

    ENTER = 1
    """A player appears at node `to` in `hunt`, team `arg`."""
    GO = 2
    """A player goes along the edge `from` -> `to`."""
    LEAVE = 3
    """A player disappears."""
    CLAIM = 4
    """A player claims the treasure at its node (`arg`: stage or NONE)."""
    HINT = 5
    """A player asks for the next hint."""
    STRIKE = 6
    """In a fork, in place of a player's record: it takes its number and does nothing."""
    GRANT = 7
    """In a fork: `player` wins treasure `arg` of `hunt`, joining it with team `from` if it has to."""
    EDGE_CLOSE = 16
    """Edge `from` -> `to` closes."""
    EDGE_OPEN = 17
    """Edge `from` -> `to` opens."""
    EDGE_PRICE = 18
    """Edge `from` -> `to` gets base cost `arg`."""
    EDGE_REMOVE = 19
    """Edge `from` -> `to` is no more."""
    EDGE_ADD = 20
    """There is an edge `from` -> `to` of base cost `arg`."""
    HUNT_BEGIN = 32
    """A hunt starts loading into a slot."""
    HUNT_STAGE = 33
    """Row: a clue or treasure."""
    HUNT_NEED = 34
    """Row: one alternative of a stage's needs."""
    HUNT_HINT = 35
    """Row: a hint of a stage."""
    HUNT_GATE = 36
    """Row: a gate."""
    HUNT_GATE_EDGE = 37
    """Row: an edge of the newest gate."""
    HUNT_TRAFFIC = 38
    """Row: the traffic rule."""
    HUNT_PUBLISH = 39
    """The hunt is whole; effective at the next tick."""
    HUNT_PAUSE = 40
    """At the next tick."""
    HUNT_RESUME = 41
    """At the next tick."""
    HUNT_EXTEND = 42
    """By `arg` ticks, at the next tick."""
    HUNT_CLOSE = 43
    """At the next tick."""
    ARRIVE = 48
    """A player comes from another partition: record `arrival`."""
    HANDED_ON = 49
    """Partition `arg` holds all players handed to it up to number `a`, durably."""
    NOTICE = 50
    """A stage of another partition was found or won: record `notice`."""
    TICK = 64
    """50 ms of logged time."""
    HASH = 65
    """The state hash before this record, for replays to compare."""
    RECEIPT = 66
    """Marks a receipt."""
    FENCE = 80
    """A correction begins: record `correction`."""
    CORRECT = 81
    """Some cells get new words: record `correction`."""
    SETTLE = 82
    """The correction is whole: record `correction`."""


class Event(IntEnum):
    """Kinds of ring events."""

    ENTERED = 1
    """Player at `to`; flag 1 = from another partition, `value`."""
    WENT = 2
    """Player `from` -> `to` over `edge`."""
    LEFT = 3
    """Player at `from`."""
    FOUND = 4
    """Clue `value` at `to`."""
    CLAIMED = 5
    """Treasure `value` at `to` by one of team `flags`, `a` = receipt serial."""
    HINTED = 6
    """Hint for stage `value`."""
    HANDED = 7
    """Player at `to` goes on in partition `value`; `a` = number of its parcel."""
    NOTED = 8
    """Stage `value` of `hunt`, in another partition, was found or won by the player; `a` = wins."""
    DELTA = 16
    """`edge` `from` -> `to` has weight `value`, 0 = removed; flag 1 = closed."""
    GATE = 17
    """Gate `edge` of `hunt` is shut (1) or open (0): `value`."""
    HUNT = 32
    """`hunt` has State `value`."""
    TICKED = 64
    """`value` players present."""
    CORRECTED = 65
    """Correction `a` is settled: any cell may have changed."""
    REFUSED = 80
    """A logged move was refused with Code `value`."""


class Frame(IntEnum):
    """Kinds of frames."""

    HELLO = 1
    """Game server -> actor."""
    WELCOME = 2
    """Actor -> game server."""
    MOVES = 3
    """Game server -> actor: moves."""
    UPDATES = 4
    """Actor -> game server: updates and receipts; this is the applied acknowledgement."""
    DURABLE = 5
    """Actor -> game server: `first` is the durable position."""
    FAILED = 6
    """Either way: `count` is a Code, the body its text; the sender closes."""
    DRAIN = 7
    """Actor -> game server: no new moves please, the actor is stopping; or game server -> actor: answer when all is durable."""
    CONTROL = 8
    """Supervisor or neighbour -> actor over the control socket: moves, rules, arrivals."""
    STATUS = 9
    """Supervisor or neighbour -> actor: answered by WELCOME."""
    HOLD = 10
    """Supervisor -> actor: moves and ticks wait from now on; answered by WELCOME."""
    RELEASE = 11
    """Supervisor -> actor: they go on; answered by WELCOME."""
    BEARINGS = 12
    """Neighbour -> actor over the control socket: bearings, not answered."""
    HUNTS = 13
    """Supervisor -> actor, empty: how the hunts stand; answered by HUNTS with slots and standings."""
    SYNC = 14
    """Supervisor -> actor: answered by WELCOME as soon as all that this session was answered is on disk."""
    READY = 15
    """Supervisor -> actor: a HOLD will come soon; answered by WELCOME as soon as all that was logged is on disk."""
    DROP = 16
    """Supervisor -> actor: segments of the log with no position behind `first` may go; answered by WELCOME."""


class Bearing(IntEnum):
    """Kinds of bearings."""

    ASK = 1
    """Somebody hunts this target."""
    WAYS = 2
    """Distances of the sender's nodes at the border, in this round."""
    ACK = 3
    """`count` ways were taken and passed on."""
    DONE = 4
    """The round is whole: what it found is exact."""


class Form(IntEnum):
    """Forms of a stage."""

    CLUE = 1
    """Found by arriving."""
    TREASURE = 2
    """Won by a claim."""


class Rule(IntEnum):
    """Who can win a treasure."""

    EXCLUSIVE = 1
    """One player in all."""
    TEAM = 2
    """Each team once."""
    PLAYER = 3
    """Each player once."""


class State(IntEnum):
    """States of a hunt."""

    EMPTY = 0
    """Slot never used."""
    LOADING = 1
    """Rows are coming."""
    READY = 2
    """Published, waits for its opening."""
    OPEN = 3
    """Running."""
    PAUSED = 4
    """Walking goes on, nothing is found or won, hunt time stands."""
    CLOSED = 5
    """Over."""


class Flag(IntFlag):
    """Flag bits of an update."""

    GUIDED = 1
    """Next and distance are valid (not set together with ARRIVED, whose distance is 0)."""
    EXACT_NOW = 2
    """Exact on the live weights right after this move."""
    CERTIFIED = 4
    """Globally exact for the weights of `epoch`."""
    NO_PATH = 8
    """No open way to the target; distance is UNREACHABLE."""
    ARRIVED = 16
    """The player stands on its target."""
    DUPLICATE = 32
    """Answered again, not applied again."""
    RECEIPT = 64
    """A receipt follows."""
    PENDING = 128
    """The target's field is still being built."""


class Code(IntEnum):
    """Why a record was refused; 0 is done."""

    OK = 0
    """Done."""
    BAD_KIND = 10
    """Unknown kind of record."""
    UNKNOWN_PLAYER = 11
    """This player never entered."""
    UNKNOWN_HUNT = 12
    """No hunt in this slot."""
    UNKNOWN_NODE = 13
    """The partition has no such node."""
    NO_EDGE = 14
    """There is no edge between these nodes."""
    EDGE_CLOSED = 15
    """The edge is closed."""
    WRONG_NODE = 16
    """The player stands on another node."""
    SEQ_GAP = 17
    """A move is missing before this one."""
    DUPLICATE = 18
    """An older move, applied before."""
    NOT_PRESENT = 19
    """The player has left."""
    PLAYERS_FULL = 20
    """The player table is full."""
    HUNT_NOT_OPEN = 21
    """The hunt is not open."""
    HUNT_PAUSED = 22
    """The hunt is paused."""
    NOTHING_HERE = 23
    """No treasure at this node."""
    LOCKED = 24
    """Clues are missing for this treasure."""
    NOT_IN_WINDOW = 25
    """Outside the time window."""
    TAKEN = 26
    """Already won by another player."""
    TEAM_WON = 27
    """Already won by this team."""
    ALREADY_WON = 28
    """Already won by this player."""
    NO_HINT = 29
    """No hint left for the target."""
    HINT_EARLY = 30
    """The hint's delay has not passed."""
    BAD_TEAM = 31
    """No such team, or the player is in another."""
    BAD_COST = 32
    """Cost out of range."""
    BAD_TICK = 33
    """Not the next tick."""
    HASH_MISMATCH = 34
    """The state differs from the log's hash."""
    MOVED = 35
    """The player is in another partition."""
    BORDER_FULL = 36
    """Too many players are on their way to other partitions."""
    EDGE_EXISTS = 37
    """There is such an edge already."""
    EDGES_FULL = 38
    """No room for another edge, in the partition or at one of its nodes."""
    BAD_EDGE = 39
    """An edge must lead to another node."""
    HUNT_IN_USE = 40
    """The slot holds a running hunt."""
    NOT_LOADING = 41
    """No hunt is loading in this slot."""
    BAD_RULE = 42
    """A row of the hunt is out of range or out of order."""
    STRUCK = 43
    """The move was struck out of this history."""
    FENCED = 44
    """A correction is under way."""
    NOT_FENCED = 45
    """No correction of this id is under way."""
    STALE_HASH = 46
    """The partition has moved on since the fork was compared with it."""
    BAD_CELL = 47
    """A cell's name or word is out of range."""
    PRICES_FULL = 48
    """Edges have as many different costs as the partition can tell apart."""
    BUSY = 50
    """Too many unanswered moves."""
    LOG_FULL = 51
    """The log has no room."""
    LOG_FAILED = 52
    """The log failed, the partition has stopped."""
    DRAINING = 53
    """The actor is stopping."""
    BAD_FRAME = 60
    """Malformed frame."""
    FRAME_TOO_LARGE = 61
    """Too many records in a frame."""
    BAD_VERSION = 62
    """Unknown wire version."""
    WRONG_PARTITION = 63
    """Another partition lives here."""
    WRONG_WORLD = 64
    """Another world is loaded here."""
    BAD_SEQUENCE = 65
    """The frame's first record number is not the next."""
    NOT_ALLOWED = 66
    """This kind is not allowed on this link."""


CODE_TEXT: Final[dict[int, tuple[str, str]]] = {
    0: ("done", ""),
    10: ("unknown kind of record", "send a kind of the protocol's table"),
    11: ("this player never entered", "send an enter first, with sequence number 1"),
    12: ("no hunt in this slot", "list the hunts and use one of their slots"),
    13: ("the partition has no such node", "use node ids below the world's node count"),
    14: ("there is no edge between these nodes", "go along an edge that is there, or add it first"),
    15: ("the edge is closed", "wait for it to open or go another way"),
    16: ("the player stands on another node", "resume from the node named in the update"),
    17: ("a move is missing before this one", "send from the sequence number after the update's seq"),
    18: ("an older move, applied before", "nothing to do"),
    19: ("the player has left", "send an enter"),
    20: ("the player table is full", "raise --players, or use another partition"),
    21: ("the hunt is not open", "wait for its opening"),
    22: ("the hunt is paused", "wait for it to go on"),
    23: ("no treasure at this node", "go to the target first"),
    24: ("clues are missing for this treasure", "find the clues it needs"),
    25: ("outside the time window", "come back inside the window"),
    26: ("already won by another player", "go on to the next target"),
    27: ("already won by this team", "go on to the next target"),
    28: ("already won by this player", "go on to the next target"),
    29: ("no hint left for the target", "go on without"),
    30: ("the hint's delay has not passed", "ask later"),
    31: ("no such team, or the player is in another", "use a team number of the hunt, the same each time"),
    32: ("cost out of range", "use 1 to COST_MAX less the greatest heat term"),
    33: ("not the next tick", "only the actor sends ticks"),
    34: ("the state differs from the log's hash", "run verify and bisect"),
    35: ("the player is in another partition", "send to the partition that moved_to names"),
    36: ("too many players are on their way to other partitions", "wait, then try the same step with the next sequence number"),
    37: ("there is such an edge already", "change its price, or remove it first"),
    38: ("no room for another edge, in the partition or at one of its nodes", "raise --added-edges, or lead it over another node"),
    39: ("an edge must lead to another node", "name two different nodes"),
    40: ("the slot holds a running hunt", "close that hunt first or take another slot"),
    41: ("no hunt is loading in this slot", "begin one first"),
    42: ("a row of the hunt is out of range or out of order", "check the hunt with 'huntgraph hunt check'"),
    43: ("the move was struck out of this history", "nothing to do: the fork goes on without it"),
    44: ("a correction is under way", "wait until it is settled, or settle it with 'huntgraph audit --recover'"),
    45: ("no correction of this id is under way", "fence the partition first"),
    46: ("the partition has moved on since the fork was compared with it", "replay the fork to the head and commit again"),
    47: ("a cell's name or word is out of range", "take names and words from an image of the same world"),
    48: ("edges have as many different costs as the partition can tell apart", "use a cost that some edge has, or start the actor with --prices any"),
    50: ("too many unanswered moves", "wait for updates, then send again"),
    51: ("the log has no room", "free disk space; the moves were not applied"),
    52: ("the log failed, the partition has stopped", "restart it after mending the disk"),
    53: ("the actor is stopping", "reconnect and send again"),
    60: ("malformed frame", "see the protocol reference"),
    61: ("too many records in a frame", "send at most FRAME_RECORDS records"),
    62: ("unknown wire version", "use version 1"),
    63: ("another partition lives here", "ask the gateway for the right address"),
    64: ("another world is loaded here", "use the world id of the welcome"),
    65: ("the frame's first record number is not the next", "number records from 1 on each connection"),
    66: ("this kind is not allowed on this link", "use the control socket"),
}
"""What each code means and what to do about it."""
