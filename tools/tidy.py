"""The rules of style as checks. Prints one line a finding; status 1 when there is one.

python tools/tidy.py

There is no list of exceptions: a rule that is wrong is changed here. Generated files (their head
says "Generated from") may be longer and wider than others: what is checked is their source.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import imports

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
RUST_FUNCTION_LINES = 50
PYTHON_FUNCTION_LINES = 40
COLUMNS = 100

SKIPPED = {"target", "build", "dist", "node_modules", "__pycache__"}
CODE = {".rs", ".py"}
TEXT = CODE | {".pyi", ".md", ".toml", ".sh", ".js", ".css", ".html", ""}
NAMED = {"Makefile", "run"}
WIDE = {".md", ".html", ".toml"}  # tables, links and inline tables cannot be broken

BANNED_NAMES = {"util", "utils", "helper", "helpers", "misc", "manager", "managers"}
# Written so that this file does not find itself.
BANNED = [
    (re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b"), "do it or leave it out"),
    (re.compile(r"(?<![\w.~)-])/(?:work|root|home|tmp)/\w"), "a path of one machine"),
    (
        re.compile(r"pypi[.]org|pythonhoste[d]|index[.]crates|registry[.]npmjs|proxy[.]golang"),
        "the address of a package registry",
    ),
]
DURATION = re.compile(
    r"(?:^|_)(?:timeout|delay|interval|duration|period|deadline|ttl|latency|elapsed|backoff)$"
)
RUST_DURATION = re.compile(
    r"\b(?:\w+_)?(?:timeout|delay|interval|duration|period|deadline|ttl|latency|elapsed|backoff)"
    r"\s*:\s*(?:[ui](?:16|32|64|size)|f64)\b"
)
RUST_QUIET = re.compile(
    r"//[^\n]*|/\*.*?\*/|b?r(#*)\".*?\"\1|b?\"(?:\\.|[^\"\\])*\"|b?'(?:\\[^\n']+|\\'|[^\\'\n])'",
    re.DOTALL,
)
RUST_UNSAFE = re.compile(r"\bunsafe\s*(?:\{|fn\b|impl\b)")
RUST_FUNCTION = re.compile(r"\bfn\s+([A-Za-z_]\w*)")
CORE_BANNED = [
    (re.compile(r"\bf(?:32|64)\b|(?<![\w.])\d+\.\d"), "float"),
    (re.compile(r"\bHash(?:Map|Set)\b"), "order of a hash table"),
    (re.compile(r"\b(?:Instant|SystemTime|UNIX_EPOCH)\b"), "clock"),
    (re.compile(r"\bthread::|\bspawn\("), "thread"),
    (re.compile(r"\bextern\s+crate\s+(?:std|alloc)\b|\b(?:std|alloc)::"), "std or alloc"),
]


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Give (path below root, text) of every file with rules; hidden and built folders left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED and not name.endswith(".egg-info") and name[0] != "."
        )
        if Path(folder) == root and (root / ".ci").is_dir():
            folders.append(".ci")
        for name in sorted(names):
            path = Path(folder, name)
            if name in NAMED or (path.suffix in TEXT and path.suffix):
                yield path.relative_to(root).as_posix(), path.read_text(errors="surrogateescape")


def generated(text: str) -> bool:
    """Whether a file says that a program wrote it."""
    return "Generated from" in text[:300]


def text_findings(path: str, text: str) -> list[str]:
    """Check length, width, letters and banned words of one file."""
    found: list[str] = []
    suffix = PurePosixPath(path).suffix
    lines = text.splitlines()
    written = not generated(text)
    if suffix in CODE and len(lines) > FILE_LINES and written:
        found.append(f"{path}:1: {len(lines)} lines, at most {FILE_LINES}: split it")
    for number, line in enumerate(lines, 1):
        place = f"{path}:{number}"
        if suffix not in WIDE and len(line) > COLUMNS and written:
            found.append(f"{place}: {len(line)} columns, at most {COLUMNS}")
        if not line.isascii():
            odd = next(letter for letter in line if not letter.isascii())
            found.append(f"{place}: not ASCII: {odd!a}")
        for pattern, why in BANNED:
            if hit := pattern.search(line):
                found.append(f"{place}: {hit[0]!r}: {why}")
    if text and not text.endswith("\n"):
        found.append(f"{path}:{len(lines)}: no newline at the end")
    return found


def name_findings(path: str) -> list[str]:
    """Check the names of a file and its folders: a name says what is inside."""
    if PurePosixPath(path).suffix not in CODE:
        return []
    words = re.split(r"[/_.]", path.lower())
    bad = sorted(BANNED_NAMES.intersection(words))
    return [f"{path}:1: the name {bad[0]!r} says nothing: name the concept"] if bad else []


def python_findings(path: str, text: str) -> list[str]:
    """Check the length of functions and the names of durations."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [f"{path}:{error.lineno}: not Python: {error.msg}"]
    found: list[str] = []
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _python_length(node, lines)
            if length > PYTHON_FUNCTION_LINES:
                what = f"{node.name} has {length} lines of code, at most {PYTHON_FUNCTION_LINES}"
                found.append(f"{path}:{node.lineno}: {what}")
        name, note = "", None
        if isinstance(node, ast.arg):
            name, note = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, note = node.target.id, node.annotation
        bare_number = note is not None and re.search(r"\b(?:int|float)\b", ast.unparse(note))
        if bare_number and DURATION.search(name):
            place = f"{path}:{getattr(node, 'lineno', 1)}"
            found.append(f"{place}: {name} has no unit: {name}_ms, {name}_s, {name}_ticks")
    return found


def _python_length(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Count lines of code: the docstring, comments and blank lines cost nothing."""
    first, last = node.lineno, node.end_lineno or node.lineno
    quiet: set[int] = set()
    if ast.get_docstring(node, clean=False) is not None:
        doc = node.body[0]
        quiet.update(range(doc.lineno, (doc.end_lineno or doc.lineno) + 1))
    rows = ((number, lines[number - 1].strip()) for number in range(first, last + 1))
    return sum(1 for number, row in rows if number not in quiet and row and row[0] != "#")


def rust_code(text: str) -> str:
    """Blank out comments and literals, keeping lines and columns of the rest."""
    return RUST_QUIET.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text)


def rust_findings(path: str, text: str) -> list[str]:
    """Check the length of functions and the names of durations."""
    found: list[str] = []
    code = rust_code(text)
    for hit in RUST_FUNCTION.finditer(code):
        end = _rust_end(code, hit.end())
        length = sum(1 for line in code[hit.start() : end].splitlines() if line.strip())
        if length > RUST_FUNCTION_LINES:
            line = code.count("\n", 0, hit.start()) + 1
            what = f"{hit[1]} has {length} lines of code, at most {RUST_FUNCTION_LINES}"
            found.append(f"{path}:{line}: {what}")
    for hit in RUST_DURATION.finditer(code):
        line = code.count("\n", 0, hit.start()) + 1
        found.append(f"{path}:{line}: {hit[0]!r} has no unit in its name")
    if path.startswith("crates/core/src/"):
        found += core_findings(path, code)
    return found


def _rust_end(code: str, start: int) -> int:
    """Find the end of a function: its closing brace, or the semicolon of a declaration."""
    depth = braces = 0
    for at in range(start, len(code)):
        letter = code[at]
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == ";" and not depth and not braces:
            return at
        elif letter == "{":
            braces += 1
        elif letter == "}":
            braces -= 1
            if braces == 0:
                return at + 1
    return len(code)


def core_findings(path: str, code: str) -> list[str]:
    """Check one file of the core: no float, hash order, clock, thread, std; tests may use std."""
    if "/tests" in path:
        return []
    shipped = re.split(r"#\[cfg\(test\)\]\s*(?:extern|mod|use)", code)[0]
    found: list[str] = []
    for number, line in enumerate(shipped.splitlines(), 1):
        for pattern, what in CORE_BANNED:
            if hit := pattern.search(line):
                found.append(f"{path}:{number}: {hit[0]!r}: no {what} in the core")
    return found


def tree_findings(texts: Mapping[str, str]) -> list[str]:
    """Check what no single file shows: the core as a crate, imports, commands in the docs."""
    found: list[str] = []
    lib = texts.get("crates/core/src/lib.rs", "")
    if lib and not re.search(r"^#!\[(?:no_std|cfg_attr\(not\(test\), no_std\))\]", lib, re.M):
        found.append("crates/core/src/lib.rs:1: the core must be no_std")
    manifest = tomllib.loads(texts.get("crates/core/Cargo.toml", ""))
    for name in sorted(manifest.get("dependencies", {})):
        found.append(f"crates/core/Cargo.toml:1: the core has no dependencies, but uses {name}")
    core = [path for path in texts if path.startswith("crates/core/src/")]
    unsafe = [path for path in core if RUST_UNSAFE.search(rust_code(texts[path]))]
    if len(unsafe) > 1:
        found.append(f"{unsafe[1]}:1: unsafe belongs into one file of the core: {unsafe[0]}")
    python = {
        path: text
        for path, text in texts.items()
        if path.startswith("src/huntgraph/") and path.endswith(".py")
    }
    found += imports.findings(python)
    for path, text in texts.items():
        if path.endswith(".md"):
            found += command_findings(path, text, texts)
    return found


def command_findings(path: str, text: str, texts: Mapping[str, str]) -> list[str]:
    """Check that make's verbs and the scripts a page names are there."""
    found: list[str] = []
    verbs = set(re.findall(r"^([a-z]+):", texts.get("Makefile", ""), re.M))
    shell = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            shell = not shell and bool(re.search(r"```\s*(?:sh|bash|console|shell)\b", line))
            continue
        said = [line] if shell else re.findall(r"`([^`]+)`", line)
        for command in said:
            for verb in re.findall(r"(?:^|[;&$]\s*)make\s+([a-z]+)\b", command.strip()):
                if verb not in verbs:
                    found.append(f"{path}:{number}: there is no `make {verb}`")
            for script in re.findall(r"(?:^|\s)((?:tools|examples)/[\w./-]+\.(?:py|sh))", command):
                if script not in texts:
                    found.append(f"{path}:{number}: there is no {script}")
    return found


def findings(texts: Mapping[str, str]) -> list[str]:
    """Check a whole tree given as path -> text; gives one line a finding."""
    found: list[str] = []
    for path, text in texts.items():
        found += text_findings(path, text) + name_findings(path)
        if generated(text):
            continue
        if path.endswith(".py"):
            found += python_findings(path, text)
        elif path.endswith(".rs"):
            found += rust_findings(path, text)
    return found + tree_findings(texts)


def main() -> int:
    """Check this checkout."""
    texts = dict(files(ROOT))
    found = findings(texts)
    for line in found:
        print(line)
    print(f"tidy: {len(texts)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
