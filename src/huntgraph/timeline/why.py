"""`why`: what made an event come out as it did, from the log and the state alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from huntgraph.schema import CODE_TEXT, Code, Kind
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.points import Event
from huntgraph.timeline.reasons import reasons_of
from huntgraph.timeline.scene import Reason, Scene, named, scene_of

__all__ = ["Explanation", "why"]


@dataclass
class Explanation:
    """Why an event came out as it did: `outcome` in a sentence, `reasons` from near to far."""

    event: Event
    kind: str
    code: str
    outcome: str
    player: int | None = None
    reasons: list[Reason] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON-ready values."""
        reasons = [
            {"text": r.text, "event": None if r.event is None else named(r.event)}
            for r in self.reasons
        ]
        names = ("kind", "code", "outcome", "player")
        body = {name: getattr(self, name) for name in names}
        return {"event": named(self.event), **body, "reasons": reasons}


def why(history: History, event: Event) -> Explanation:
    """Replay to an event and explain its outcome: rule, needs, earlier winner, gate, way there.

    Raises ForkError HG1711 when there is no such event, LogError.
    """
    scene = scene_of(history, event)
    kind, code = Kind(int(scene.record["kind"])), Code(int(scene.update["code"]))
    found = Explanation(event, kind.name, code.name, _outcome(scene, kind, code))
    if kind in PLAYER_KINDS:
        found.player = int(scene.record["player"])
    found.reasons = list(reasons_of(scene, kind, code))
    return found


def _outcome(scene: Scene, kind: Kind, code: Code) -> str:
    if code != Code.OK:
        return f"{kind.name} was refused: {CODE_TEXT[code][0]}"
    found = int(scene.update["found"])
    if kind == Kind.CLAIM:
        return f"treasure {found} was won"
    if kind == Kind.HINT:
        return f"hint {int(scene.update['hint'])} was given"
    return f"{kind.name} was done" + (f", and clue {found} found" if found != 255 else "")
