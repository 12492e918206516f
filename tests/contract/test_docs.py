"""What the documentation says is so: its commands run, its names exist, its figures are those."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from huntgraph import schema
from huntgraph.cli.reference import help_text
from huntgraph.cli.verbs import GROUPS, VERBS
from tests.contract.figures import with_figures
from tests.contract.pages import ROOT, Block, Runner, blocks, pages, prose, spans, text_of

RUNNABLE = [page for page in pages() if any("run" in block.marks for block in blocks(page))]
FOLDERS = ("crates", "src", "tests", "tools", "schema", "examples", "bench", "docs")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page.startswith("docs/tutorial") else [])
        for page in RUNNABLE
    ],
)
def test_what_a_page_says_works_in_order(page: str, short_path: Path) -> None:
    with Runner(short_path) as runner:
        if not page.startswith("docs/tutorial"):
            (short_path / "examples").symlink_to(ROOT / "examples")
        for block in blocks(page):
            runner.do(block)


def test_the_readme_and_the_tutorial_are_run() -> None:
    assert {"README.md", "docs/tutorial/first-hunt.md"} <= set(RUNNABLE)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (Block("p", 1, "sh", ("run",), "huntgraph sarve\n"), "p:1 ended with 2"),
        (Block("p", 1, "sh", ("run", "status=1"), "huntgraph version\n"), "p:1 ended with 0"),
        (Block("p", 1, "python", ("run",), "import huntgraph.none\n"), "p:1 ended with 1"),
        (Block("p", 1, "text", ("same",), "0 errors\n"), "p:1: it says"),
        (Block("p", 1, "sh", ("serve",), "huntgraph serve none.hgw\n"), "p:1 ended at its start"),
    ],
)
def test_a_page_that_is_wrong_is_noticed(block: Block, said: str, short_path: Path) -> None:
    with Runner(short_path) as runner, pytest.raises(AssertionError, match=said):
        runner.do(block)


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            lost.append(target)
    assert not lost


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(page: str) -> list[list[str]]:
    """Every command line of huntgraph that a page shows, as words, without the program."""
    lines = [
        line for block in blocks(page) if block.language == "sh" for line in joined(block.text)
    ]
    found = []
    for line in lines + spans(page):
        for part in re.split(r"\s(?:\|\|?|&&|>|;)\s|\$\(|\)", line):
            if re.match(r"\s*huntgraph\s", part):
                found.append(shlex.split(part, comments=True)[1:])
    return found


def joined(text: str) -> list[str]:
    """The lines of a block; those that end with a backslash go on with the next."""
    return text.replace("\\\n", " ").splitlines()


def problem(words: list[str]) -> str:
    """What is wrong with a command line, by the help of its verb; empty when nothing is."""
    known = [*VERBS, *GROUPS]
    if words[0].isupper():
        return ""  # `huntgraph VERB --help`
    paths = [" ".join(words[:2]), words[0]]
    path = next((path for path in paths if path in known), None)
    if path is None or (path in GROUPS and words[1:] and not words[1].startswith("-")):
        return f"there is no verb {' '.join(words[:2])}"
    shown = help_text(path)
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    lost = [option for option in options if option not in ("--help", "--debug")]
    lost = [option for option in lost if not re.search(rf"{re.escape(option)}(?![\w-])", shown)]
    return f"{path} has no {', '.join(lost)}" if lost else ""


@pytest.mark.parametrize("page", pages())
def test_every_command_exists_with_its_options(page: str) -> None:
    wrong = [f"{' '.join(words)}: {what}" for words in commands(page) if (what := problem(words))]
    assert not wrong


def test_a_wrong_command_is_noticed() -> None:
    assert problem(["hunt", "chek", "x.yaml"]) == "there is no verb hunt chek"
    assert problem(["sarve"]) == "there is no verb sarve"
    assert problem(["serve", "x.hgw", "--prot", "1"]) == "serve has no --prot"
    assert problem(["serve", "x.hgw", "--http-port", "1"]) == ""


@cache
def sources() -> str:
    """All code of the product, for names that must stand somewhere in it."""
    places = [*(ROOT / "src").rglob("*.py"), *(ROOT / "crates").rglob("*.rs"), ROOT / "Makefile"]
    return "\n".join(path.read_text(encoding="utf-8") for path in places)


def schema_names() -> set[str]:
    """Names of records, kinds, events, codes, flags, states and limits."""
    names = set(vars(schema))
    for member in vars(schema).values():
        names |= set(getattr(member, "__members__", ()))
    return names


@pytest.mark.parametrize("page", pages())
def test_every_code_exists(page: str) -> None:
    codes = set(re.findall(r"\bHG\d{4}\b", text_of(page)))
    assert not {code for code in codes if code not in sources()}


@pytest.mark.parametrize("page", [page for page in pages() if page != "docs/reference/records.md"])
def test_every_name_in_capitals_exists(page: str) -> None:
    words = {span for span in spans(page) if re.fullmatch(r"[A-Z][A-Z_]{2,}", span)}
    known = schema_names() | {"PATH"}
    example = {"WAVE"}  # the guide's invented kind
    assert not {word for word in words - known - example if word not in sources()}


@pytest.mark.parametrize("page", pages())
def test_every_file_named_exists(page: str) -> None:
    names = rf"(?:{'|'.join(FOLDERS)})/[\w./-]+"
    named = {span.partition("::") for span in spans(page) if re.match(names, span)}
    lost = []
    for path, _, test in named:
        found = ROOT / re.match(names, path)[0]  # type: ignore[index]
        if not found.exists():
            lost.append(path)
        elif test and f"def {test.partition('[')[0]}(" not in found.read_text():
            lost.append(f"{path}::{test}")
    assert not lost


def test_every_test_that_promises_name_exists() -> None:
    text = text_of("docs/promises.md")
    for path, test in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", text):
        assert (ROOT / path).is_file(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
    for binary, name in re.findall(r"--test (\w+)(?: -- (\w+))?", text):
        folders = [ROOT / "crates" / crate / "tests" for crate in ("actor", "core")]
        found = [folder / f"{binary}.rs" for folder in folders]
        found += [path for folder in folders for path in (folder / binary).rglob("*.rs")]
        code = "".join(path.read_text() for path in found if path.is_file())
        assert code, f"there is no --test {binary}"
        assert f"fn {name}" in code, f"--test {binary} has no {name}"
    assert re.findall(r"^\| (P\d+) \|", text, re.MULTILINE) == [f"P{n}" for n in range(1, 25)]


def test_the_figures_are_those_measured() -> None:
    page = text_of("README.md")
    assert with_figures(page) == page, "run python tests/contract/figures.py"


def test_an_edited_figure_is_noticed() -> None:
    page = text_of("README.md")
    edited = re.sub(r"(?<=Measured on ).", "x", page)
    assert with_figures(edited) == with_figures(page) != edited
    with pytest.raises(ValueError, match="no block of figures"):
        with_figures("no marks here")


@pytest.mark.parametrize("page", pages())
def test_plain_letters_and_no_path_of_a_machine(page: str) -> None:
    text = text_of(page)
    assert text.isascii()
    assert not re.search(r"(?<![\w.~)}/-])/(?:home|root|work|tmp|Users|mnt|opt)/\w", text)


def test_the_readme_can_be_read_at_once() -> None:
    assert len(text_of("README.md").splitlines()) <= 150
