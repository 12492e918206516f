"""Which text a player reads: languages and their fallbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["chain", "normal", "pick"]


def normal(language: str) -> str:
    """Write a language tag in one way: game clients send ``de_AT``, ``de-at`` and ``de-AT``."""
    return language.replace("_", "-").lower()


def chain(
    language: str,
    languages: Sequence[str],
    fallback: Mapping[str, Sequence[str]],
    *,
    written_only: bool = False,
) -> list[str]:
    """Give the languages to try for a player of ``language``, best first, in normal form.

    The language itself and its parents (``de-at``, ``de``), then the fallbacks of each and their
    fallbacks in turn, at last the hunt's first language (not with ``written_only``).
    """
    follow = {normal(key): [normal(each) for each in value] for key, value in fallback.items()}
    order: list[str] = []
    waiting = _parents(normal(language))
    while waiting:
        tag = waiting.pop(0)
        if tag and tag not in order:
            order.append(tag)
            waiting += [part for each in follow.get(tag, ()) for part in _parents(each)]
    first = normal(languages[0])
    return order if written_only or first in order else [*order, first]


def pick(texts: Mapping[str, str], order: Sequence[str], first: str) -> str:
    """Give the first text of the chain that is there and not blank; ``""`` without one.

    ``texts`` may hold a text under ``""``: it is in the hunt's ``first`` language.
    """
    known = {normal(tag or first): text for tag, text in texts.items() if text.strip()}
    return next((known[tag] for tag in order if tag in known), "")


def _parents(tag: str) -> list[str]:
    parts = tag.split("-")
    return ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
