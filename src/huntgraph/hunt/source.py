"""Reading YAML so that every value knows its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from huntgraph.hunt.finding import Finding, HuntInvalidError, Path, Severity, path_text

__all__ = ["Source", "read_source"]

BYTES_MAX: Final = 4 << 20
VALUES_MAX: Final = 100_000
"""Values of one file with its aliases written out: a small file must not become a huge one."""
DEPTH_MAX: Final = 40
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Source:
    """A hunt file's plain values and where each of them stands.

    ``marks`` maps a path to its value's line and column (from 1), ``keys`` to its key's.
    """

    file: str
    values: Any
    marks: dict[Path, tuple[int, int]]
    keys: dict[Path, tuple[int, int]]

    def mark(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Give line and column of a value (or of its key), or of the nearest thing around it."""
        spot = self.nearest(path)
        if key and spot in self.keys:
            return self.keys[spot]
        return self.marks.get(spot, (1, 1))

    def nearest(self, path: Sequence[str | int]) -> Path:
        """Give the path as the file has it.

        Steps that the file does not write are left out: a key with its default, the ``all`` that
        a plain list stands for, the tags of a model.
        """
        spot: Path = ()
        for step in path:
            if (*spot, step) in self.marks:
                spot = (*spot, step)
        return spot

    def finding(
        self,
        code: str,
        path: Sequence[str | int],
        what: str,
        fix: str,
        *,
        severity: Severity = "error",
        key: bool = False,
    ) -> Finding:
        """Make a finding at a path."""
        line, column = self.mark(path, key=key)
        where = path_text(self.nearest(path))
        return Finding(severity, code, line, column, what, fix, where, self.file)


def read_source(data: bytes | str, file: str | FilePath) -> Source:
    """Read YAML 1.2 text; ``file`` is only a name for messages.

    Raises HuntInvalidError: HG1201 when it is not UTF-8 or not YAML, HG1203 for keys written twice.
    Times stay text, anchors and aliases work, merge keys and tags do not.
    """
    name = str(file)
    if len(data) > BYTES_MAX:
        raise _broken(name, 1, 1, "the file is larger than 4 MiB", "split the hunt")
    text = data if isinstance(data, str) else _decode(data, name)
    try:
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "not YAML"
        raise _broken(name, line, column, what, "mend the YAML here or just above") from error
    except (YAMLError, ValueError, RecursionError) as error:
        what = str(error).partition("\n")[0] or "nested too deeply"
        raise _broken(name, 1, 1, what, "write plain YAML 1.2") from error
    if root is None:
        raise _broken(name, 1, 1, "the file is empty", "start with 'hunt: my-first-hunt'")
    reader = _Reader(name)
    values = reader.read(root, (), ())
    if reader.findings:
        raise HuntInvalidError(reader.findings)
    return Source(name, values, reader.marks, reader.keys)


def _broken(file: str, line: int, column: int, what: str, fix: str) -> HuntInvalidError:
    return HuntInvalidError([Finding("error", "HG1201", line, column, what, fix, "", file)])


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        what = f"byte {data[error.start]:#04x} is not UTF-8"
        raise _broken(file, line, column, what, "save the file as UTF-8") from error


@dataclass
class _Reader:
    """Turns composed YAML nodes into plain values, keeping their marks."""

    file: str
    findings: list[Finding] = field(default_factory=list)
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def read(self, node: Node, path: Path, above: tuple[int, ...]) -> Any:
        """Give the plain value of a node (``above``: the ids of the nodes around it)."""
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.marks[path] = (line, column)
        if len(self.marks) > VALUES_MAX:
            what = f"the file holds more than {VALUES_MAX} values"
            raise _broken(self.file, line, column, what, "use fewer aliases")
        if len(above) > DEPTH_MAX:
            raise _broken(self.file, line, column, "nested too deeply", "write it flatter")
        if id(node) in above:
            raise _broken(self.file, line, column, "an alias holds itself", "write the value out")
        inside = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, inside)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, i), inside) for i, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Path, inside: tuple[int, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            # A key such as 12 or true is kept as it is written: all keys of the format are words.
            key = str(key_node.value)
            spot = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in values:
                first = self.keys[(*path, key)]
                what = f'key "{key}" is written twice'
                fix = f"remove this one or the one in line {first[0]}"
                self.findings.append(
                    Finding("error", "HG1203", *spot, what, fix, path_text((*path, key)), self.file)
                )
                continue
            self.keys[(*path, key)] = spot
            values[key] = self.read(value_node, (*path, key), inside)
        return values


def _scalar(node: Node) -> str | int | float | bool | None:
    tag = str(node.tag).removeprefix(_TAG)
    text = str(node.value)
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag in ("int", "float"):
        plain = text.replace("_", "")
        for kind in (int, lambda word: int(word, 0), float):
            try:
                return kind(plain)
            except ValueError:
                continue
    return text
