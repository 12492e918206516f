"""The README's block of figures, made from bench/results. Run as a program, it writes it.

python tests/contract/figures.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from huntgraph.bench import figures_table, load_results

__all__ = ["with_figures"]

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
_BLOCK: Final = re.compile(r"(<!-- figures: begin.*?-->\n).*?(<!-- figures: end -->\n)", re.DOTALL)


def with_figures(page: str) -> str:
    """Give a page with its block of figures as the results have it. Raises ValueError."""
    if not _BLOCK.search(page):
        raise ValueError("the page has no block of figures")
    return _BLOCK.sub(lambda found: found[1] + _figures() + found[2], page)


def _figures() -> str:
    results = load_results(ROOT / "bench" / "results")
    machines = {json.dumps(found["machine"], sort_keys=True) for found in results.values()}
    told = []
    for machine in sorted(machines):
        facts = json.loads(machine)
        told.append(f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}")
    # How the idle policies compare is told in docs/performance.md.
    table = figures_table(results, benches=results.keys() - {"idle"})
    return f"Measured on {'; '.join(told)}.\n\n{table}"


if __name__ == "__main__":
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")
