"""From a hunt to the records that publish it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import UsageError
from huntgraph.hunt.check_ids import id_findings
from huntgraph.hunt.check_times import time_findings
from huntgraph.hunt.check_traffic import traffic_findings
from huntgraph.hunt.durations import TICK_MS, TICKS_MAX
from huntgraph.hunt.finding import HuntInvalidError, refuse
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.needs import alternatives
from huntgraph.hunt.page import Clue
from huntgraph.hunt.places import Placed, Places, place
from huntgraph.schema import HUNTS, RULE, Form, Kind, Rule

__all__ = ["compile_rows", "wait_ticks"]

WHO: Final = {"exclusive": Rule.EXCLUSIVE, "team": Rule.TEAM, "player": Rule.PLAYER}
GATE_STARTS_SHUT: Final = 1


def compile_rows(
    hunt: Hunt, world: Places, slot: int, *, now_ms: int | None = None
) -> NDArray[np.void]:
    """Give the RULE records of a hunt; see `huntgraph.hunt.Hunt.compile`."""
    if not 0 <= slot < HUNTS:
        raise UsageError(f"there is no hunt slot {slot}", fix=f"slots are 0..{HUNTS - 1}")
    placed = place(hunt.page, hunt.source, world)
    refuse(
        [
            *id_findings(hunt),
            *time_findings(hunt),
            *placed.findings,
            *traffic_findings(hunt, world),
        ]
    )
    rows: list[dict[str, Any]] = [
        {
            "kind": Kind.HUNT_BEGIN,
            "teams": len(hunt.page.teams),
            "opens": wait_ticks(hunt, now_ms),
            "closes": hunt.page.duration,
            "hunt_id": hunt.hunt_id,
        }
    ]
    rows += _stage_rows(hunt, placed)
    rows += _gate_rows(hunt, placed)
    rows += _traffic_rows(hunt)
    rows.append({"kind": Kind.HUNT_PUBLISH, "count": len(rows) - 1})
    records = np.zeros(len(rows), dtype=RULE)
    records["hunt"] = slot
    for record, row in zip(records, rows, strict=True):
        for name, value in row.items():
            record[name] = value
    return records


def wait_ticks(hunt: Hunt, now_ms: int | None = None) -> int:
    """Give the ticks from publishing to opening; never early, and 0 for a time gone by.

    Raises HuntInvalidError when that is more than the records can hold.
    """
    opens = hunt.page.opens
    if not isinstance(opens, datetime):
        return opens
    if now_ms is None:
        now_ms = time.time_ns() // 1_000_000
    wait_ms = round(opens.timestamp() * 1000) - now_ms
    ticks = max(0, -(-wait_ms // TICK_MS))
    if ticks > TICKS_MAX:
        what, fix = "the hunt opens more than six years from now", "choose an earlier time"
        raise HuntInvalidError([hunt.source.finding("HG1231", ("opens",), what, fix)])
    return ticks


def _stage_rows(hunt: Hunt, placed: Placed) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for index, stage in enumerate(hunt.stages):
        is_clue = isinstance(stage, Clue)
        rows.append(
            {
                "kind": Kind.HUNT_STAGE,
                "index": index,
                "form": Form.CLUE if is_clue else Form.TREASURE,
                "rule": Rule.PLAYER if isinstance(stage, Clue) else WHO[stage.who],
                "from": placed.stages[index],
                "opens": stage.window.begins,
                "closes": stage.window.ends or 0,
                "stock": 0 if isinstance(stage, Clue) else stage.stock,
                "points": stage.points,
            }
        )
        for mask in alternatives(stage.needs, hunt.numbers):
            rows.append({"kind": Kind.HUNT_NEED, "index": index, "mask": mask})
        for hint in stage.hints:
            row = {"kind": Kind.HUNT_HINT, "index": index, "delay": hint.after, "cost": hint.cost}
            rows.append(row)
    return rows


def _gate_rows(hunt: Hunt, placed: Placed) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for index, gate in enumerate(hunt.gates):
        mask = 0
        for name in gate.flips_when:
            mask |= 1 << hunt.numbers[name]
        rows.append(
            {
                "kind": Kind.HUNT_GATE,
                "flags": GATE_STARTS_SHUT if gate.shut_at_start else 0,
                "index": index,
                "opens": gate.opens_at,
                "closes": gate.closes_at,
                "mask": mask,
            }
        )
        for tail, head in placed.pairs[index]:
            rows.append({"kind": Kind.HUNT_GATE_EDGE, "index": index, "from": tail, "to": head})
    return rows


def _traffic_rows(hunt: Hunt) -> list[dict[str, Any]]:
    traffic = hunt.page.traffic
    if traffic is None:
        return []
    return [
        {
            "kind": Kind.HUNT_TRAFFIC,
            "stock": traffic.rise,
            "points": traffic.bucket.bit_length() - 1,
            "index": int(traffic.decay_share.removeprefix("1/")).bit_length() - 1,
            "delay": traffic.decay_every,
            "cost": traffic.bucket_cost,
        }
    ]
