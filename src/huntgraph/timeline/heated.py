"""Warm edges beside a traffic rule that a correction sets: their weights follow it at once.

A correction that sets a rule has cells for all edges whose weights the rule moves: those that are
to keep their words cost something else then, and the hash that is planned knows of the others
(rules, section 12).
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import numpy as np

from huntgraph.timeline.cells import Changes, Names, tag
from huntgraph.timeline.tables import EDGE, SINGLE

__all__ = ["RULE", "Heated"]

RULE: Final = np.array([SINGLE << 56 | word for word in (6, 7)], np.uint64)
"""Cells of the traffic rule."""
WEIGHT: Final = np.uint64(0xFFFF)
BYTE: Final = np.uint64(0xFF)


class Heated(NamedTuple):
    """The traffic rule that holds in a partition and its warm edges.

    ``rule`` are the words of the cells `RULE`; ``names`` and ``words`` have shape (n,).
    """

    rule: Names
    names: Names
    words: Names

    @classmethod
    def of(cls, rule: Names, names: Names, words: Names) -> Self:
        """Take the warm edges of cells, shape (n,)."""
        warm = (tag(names) == EDGE) & (words >> np.uint64(16) & BYTE != 0)
        return cls(rule, names[warm], words[warm])

    def beside(self, changes: Changes, *, stay: bool) -> Changes:
        """Give the edges that the rule of some changes moves, and that are not among these.

        Their new words are those that they have if they are to ``stay`` as they are, and otherwise
        what the rule makes of them.
        """
        then = self.rule.copy()
        for at, name in enumerate(RULE):
            mine = changes.names == name
            then[at] = changes.new[mine][0] if mine.any() else then[at]
        weight = self.words + _terms(self.words, then) - _terms(self.words, self.rule)
        moved = (self.words & ~WEIGHT) | (weight & WEIGHT)
        some = (moved != self.words) & ~np.isin(self.names, changes.names)
        old, there = self.words[some], np.ones(int(some.sum()), np.bool_)
        return Changes(self.names[some], old, old if stay else moved[some], there, there)


def _terms(words: Names, rule: Names) -> Names:
    """What a rule adds to the weights of edges for their heat."""
    heat = words >> np.uint64(16) & BYTE
    terms: Names = (heat >> (rule[0] >> np.uint64(8) & BYTE)) * rule[1]
    return terms
