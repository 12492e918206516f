"""The metrics of a partition: their names, units and meanings, for every way they leave.

OpenTelemetry and Prometheus get the same metrics from this one table. A name for Prometheus
follows from the other as the OpenTelemetry specification has it ("Prometheus and OpenMetrics
compatibility"): dots become underscores, the unit and ``_total`` are appended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["ANSWERS", "GATEWAY_ENTRIES", "METRICS", "UP", "Metric", "samples"]

Kind = Literal["counter", "gauge", "histogram"]
PROMETHEUS_UNITS: Final = {"s": "seconds", "By": "bytes"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``entry`` is the name of its number in a `Reading`, "" for UP and ANSWERS.

    A number times ``factor`` is one in ``unit`` (UCUM); units in braces say what is counted.
    """

    entry: str
    name: str
    kind: Kind
    unit: str
    about: str
    factor: float = 1

    @property
    def prometheus_unit(self) -> str:
        """The unit as Prometheus spells it, "" for plain counts."""
        return PROMETHEUS_UNITS.get(self.unit, "")

    @property
    def family(self) -> str:
        """The name of the family in OpenMetrics; samples of a counter append ``_total``."""
        unit = f"_{self.prometheus_unit}" if self.prometheus_unit else ""
        return self.name.replace(".", "_") + unit


def _count(entry: str, name: str, unit: str, about: str) -> Metric:
    return Metric(entry, f"huntgraph.{name}", "counter", unit, about)


def _gauge(entry: str, name: str, unit: str, about: str, factor: float = 1) -> Metric:
    return Metric(entry, f"huntgraph.{name}", "gauge", unit, about, factor)


def _times(entry: str, name: str, about: str) -> Metric:
    return Metric(entry, f"huntgraph.{name}", "histogram", "s", about, 1e-9)


UP: Final = _gauge("", "up", "", "1 while there are counters and the heartbeat moves")
ANSWERS: Final = _count(
    "", "answers", "{answer}", "answers by code; ok and duplicate refuse nothing"
)
CODE_PREFIX: Final = "answers_"
"""Entries of the file that start so are samples of ANSWERS; the rest of the name is the code."""

METRICS: Final = (
    _times("frame_ns", "frame.duration", "last byte of a frame in to its last answer sent"),
    _times("apply_ns", "apply.duration", "the part of it that applies the frame's records"),
    _times("durable_ns", "durable.duration", "records applied to records on disk"),
    _times("epoch_age_ns", "guidance.epoch.age", "age of the oldest epoch, looked at each tick"),
    _times("round_age_ns", "guidance.round.age", "age of the oldest round that answers"),
    _times("rounds_ns", "guidance.rounds.duration", "how long rounds of own targets took"),
    _times("slice_ns", "guidance.slice.duration", "one slice of work on guidance"),
    _times("stopped_ns", "stopped.duration", "how long moves waited for a correction"),
    _times("tick_ns", "tick.duration", "time a tick keeps the actor's thread"),
    _count("moves", "moves", "{move}", "records that took a position, refused moves with them"),
    _count("claims", "claims", "{claim}", "treasures won"),
    _count("frames", "frames", "{frame}", "frames answered"),
    _gauge("players", "players.known", "{player}", "players that ever entered"),
    _gauge("present", "players.present", "{player}", "players that are in the world now"),
    _gauge("connections", "connections.open", "{connection}", "game servers connected"),
    _count("connections_refused", "connections.refused", "{connection}", "no place was left"),
    _count("handshakes_failed", "handshakes.failed", "{handshake}", "handshakes that failed"),
    _gauge("tick", "tick.number", "{tick}", "the tick it is"),
    _count("ticks_late", "ticks.late", "{tick}", "ticks put off because the log had no room"),
    _gauge("epoch", "guidance.epoch.tick", "{tick}", "tick of the oldest epoch in use"),
    _count("epochs_lost", "guidance.epochs.lost", "{epoch}", "begun anew: too much had changed"),
    _count("rounds_begun", "guidance.rounds.begun", "{round}", "rounds of own targets"),
    _count("rounds_joined", "guidance.rounds.joined", "{round}", "rounds of others taken part in"),
    _count("rounds_done", "guidance.rounds.done", "{round}", "rounds of both that became whole"),
    _count("rounds_failed_late", "guidance.rounds.late", "{round}", "given up after 64 ticks"),
    _count("rounds_failed_changes", "guidance.rounds.changed", "{round}", "too many edges changed"),
    _count("rounds_failed_room", "guidance.rounds.cramped", "{round}", "no field or pages left"),
    _count("rounds_failed_void", "guidance.rounds.void", "{round}", "a newer one came, or no hunt"),
    _count("rounds_failed_full", "guidance.rounds.full", "{asking}", "too many targets at a time"),
    _count("bearings", "guidance.bearings", "{record}", "records sent to neighbours in rounds"),
    _count("fields_built", "guidance.fields.built", "{field}", "fields made whole"),
    _count("nodes_settled", "guidance.nodes.settled", "{node}", "nodes that fields reached"),
    _count("searches", "guidance.searches", "{search}", "bounded searches near a target"),
    _count("ring_events", "ring.events", "{event}", "events published"),
    _count("ring_gaps", "ring.gaps", "{gap}", "gaps told to clients of /events"),
    _count("ring_lost", "ring.lost", "{event}", "events in those gaps"),
    _gauge("position", "log.position", "{record}", "position of the last record"),
    _gauge("durable", "log.durable", "{record}", "position up to which all is on disk"),
    _count("log_commits", "log.commits", "{commit}", "group commits"),
    _count("log_bytes", "log.written", "By", "bytes written to the log"),
    _gauge("log_first", "log.first", "{record}", "position of the first record that is kept"),
    _gauge("log_disk_bytes", "log.disk", "By", "what its segments take on the disk"),
    _gauge("log_room", "log.room", "{record}", "records that fit before the disk must follow"),
    _gauge("log_failed", "log.failed", "", "1 when a write or sync failed"),
    _gauge("resident_bytes", "actor.memory.resident", "By", "resident memory of the process"),
    _count("allocations", "actor.allocations", "{allocation}", "on the heap, since boot"),
    _gauge("arena_blocks_in_use", "actor.arena.blocks", "{block}", "blocks of the arena in use"),
    _gauge("arena_blocks_peak", "actor.arena.blocks.peak", "{block}", "most of them at once"),
    _count("page_faults", "actor.page_faults", "{fault}", "minor ones of the actor's thread"),
    _gauge("draining", "actor.draining", "", "1 while no new moves are taken"),
    _gauge("heartbeat_ms", "actor.heartbeat", "s", "Unix time of the last tick", 1e-3),
)
"""All but UP and ANSWERS. Of a counters file ``state_hash`` is left out (a sample is a float64,
which cannot hold it), and ``partition`` and ``world_id``, which are attributes of all."""

GATEWAY_ENTRIES: Final = ("ring_gaps", "ring_lost")
"""Numbers that the gateway counts itself, from its own start on: gaps are found by readers."""


def samples(values: dict[str, int]) -> Iterator[tuple[Metric, dict[str, str], int | float]]:
    """Give metric, own attributes and value of every plain number that is there."""
    for metric in METRICS:
        if metric.kind != "histogram" and metric.entry in values:
            yield metric, {}, values[metric.entry] * metric.factor
    for entry, value in values.items():
        if entry.startswith(CODE_PREFIX):
            yield ANSWERS, {"code": entry.removeprefix(CODE_PREFIX)}, value
