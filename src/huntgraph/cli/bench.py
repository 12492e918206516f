"""``huntgraph bench``."""

from __future__ import annotations

from huntgraph.cli.output import Json, facts, print_json, progress
from huntgraph.cli.world import Options, options_of
from huntgraph.errors import UsageError, did_you_mean

__all__ = ["bench"]


def bench(name: str | None = None, /, *, option: Options = None, json: Json = False) -> int:
    """Measure.

    Args:
        name: what to measure; without it the names are listed.
        option: NAME=VALUE for the measurement; may be given more than once.
        json: print one JSON object.
    """
    import huntgraph.bench as benches

    names = list(benches.names())
    if name is None:
        if json:
            print_json("bench-names", {"names": names})
        else:
            print("\n".join(names))
        return 0
    if name not in names:
        raise UsageError(f'there is no measurement "{name}"', fix=did_you_mean(name, names))
    with progress(f"Measuring {name}"):
        found = benches.run(name, **options_of(option))
    if json:
        print_json("bench", found)
        return 0
    figures = found.get("figures", {})
    rest = {key: value for key, value in found.items() if key not in ("figures", "name")}
    facts(name, [*figures.items(), *rest.items()])
    return 0
