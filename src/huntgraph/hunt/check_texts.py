"""Checks of texts and languages."""

from __future__ import annotations

from collections.abc import Iterator

from huntgraph.errors import did_you_mean
from huntgraph.hunt.finding import Finding, Path
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.page import Treasure
from huntgraph.hunt.texts import chain, normal, pick

__all__ = ["text_findings"]


def text_findings(hunt: Hunt) -> Iterator[Finding]:
    """Find texts that are missing or not translated, and languages nobody listed."""
    page = hunt.page
    yield from _languages(hunt)
    if page.title:
        yield from _text(hunt, page.title, ("title",), "the title")
    for index, stage in enumerate(page.stages):
        path: Path = ("stages", index)
        yield from _text(hunt, stage.text, (*path, "text"), f'the text of "{stage.id}"')
        for number, hint in enumerate(stage.hints):
            what = f'hint {number + 1} of "{stage.id}"'
            yield from _text(hunt, hint.text, (*path, "hints", number, "text"), what)
        if isinstance(stage, Treasure) and stage.reward and stage.reward.text:
            what = f'the reward of "{stage.id}"'
            yield from _text(hunt, stage.reward.text, (*path, "reward", "text"), what)


def _text(hunt: Hunt, texts: dict[str, str], path: Path, name: str) -> Iterator[Finding]:
    page = hunt.page
    first = page.languages[0]
    known = {normal(language) for language in page.languages}
    for tag in texts:
        if tag and normal(tag) not in known:
            what = f'{name} is given in "{tag}", which the hunt does not list'
            fix = did_you_mean(tag, page.languages) + " or add it to languages"
            yield hunt.source.finding("HG1222", (*path, tag), what, fix, key=True)
    if not pick(texts, [normal(first)], first):
        what, fix = f'{name} is missing in "{first}"', "add it: others fall back to it"
        yield hunt.source.finding("HG1220", path, what, fix, key=True)
    for language in page.languages[1:]:
        order = chain(language, page.languages, page.fallback, written_only=True)
        if not pick(texts, order, first):
            what = f'{name} is not translated to "{language}"'
            fix = f'translate it, or add a fallback for "{language}"'
            yield hunt.source.finding("HG1221", path, what, fix, severity="warning", key=True)


def _languages(hunt: Hunt) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, language in enumerate(hunt.page.languages):
        if normal(language) in seen:
            what = f'language "{language}" is listed twice'
            yield hunt.source.finding("HG1222", ("languages", index), what, "remove one")
        seen.add(normal(language))
    for key, chosen in hunt.page.fallback.items():
        for index, language in enumerate(chosen):
            if normal(language) not in seen:
                what = f'the fallback "{language}" is no language of the hunt'
                fix = did_you_mean(language, hunt.page.languages) + " or add it to languages"
                yield hunt.source.finding("HG1222", ("fallback", key, index), what, fix)
