"""The rules of a partition in plain Python: slow, readable, and the oracle of the Rust core.

Written from docs/reference/rules.md alone; nothing here is shared with the core but the record
layouts of `huntgraph.schema`.

    model = Model(first, head, cost)
    answer = model.apply(record)         # 64 bytes, or a scalar of dtype MOVE or RULE
    answer.code, answer.receipt, answer.events, model.state_hash()
"""

from __future__ import annotations

from huntgraph.model.answer import Answer, Happening
from huntgraph.model.model import Model
from huntgraph.model.outbox import Border
from huntgraph.model.state import Gate, Hunt, Player, Stage, Traffic

__all__ = ["Answer", "Border", "Gate", "Happening", "Hunt", "Model", "Player", "Stage", "Traffic"]
