"""Write the record definitions of Rust, Python and the docs from schema/wire.toml.

python tools/generate.py          writes the three files
python tools/generate.py --check  exits 1 when one of them is not what the schema says
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"u8": 1, "u16": 2, "u32": 4, "i32": 4, "u64": 8, "[u8; 32]": 32}
NUMPY = {"u8": "u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "u64": "<u8"}
GENERATED = "Records, kinds, codes and limits. Generated from schema/wire.toml: edit that file."
NUMBERS = ("NONE", "UNREACHABLE", "WEIGHT_MAX", "COST_MAX", "HEAT_MAX")
Schema = dict[str, Any]


def size(record: Schema) -> int:
    """Bytes of a record: the sum of its fields, without padding."""
    return sum(SIZES[kind] for _, kind, _ in record["fields"])


def camel(name: str) -> str:
    """`hunt_step` -> `HuntStep`; `HUNT_STEP` likewise."""
    return "".join(part.capitalize() for part in name.lower().split("_"))


def rust_record(name: str, record: Schema) -> list[str]:
    """A struct with `encode` and `decode`, without unsafe code."""
    total = size(record)
    lines = [f"/// {record['doc']}", "#[repr(C)]"]
    lines += ["#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]"]
    lines += [f"pub struct {camel(name)} {{"]
    for field, kind, doc in record["fields"]:
        lines += [f"    /// {doc}", f"    pub {field}: {kind},"]
    lines += ["}", "", f"impl {camel(name)} {{", "    /// Bytes of the encoded record."]
    lines += [f"    pub const BYTES: usize = {total};", ""]
    return [*lines, *rust_encode(record, total), *rust_decode(record, total), "}", ""]


def rust_encode(record: Schema, total: int) -> list[str]:
    """The method that writes a record's bytes."""
    lines = ["    /// The record as little-endian bytes.", "    #[inline]"]
    lines += [f"    pub fn encode(&self) -> [u8; {total}] {{"]
    lines += [f"        let mut bytes = [0; {total}];"]
    offset = 0
    for field, kind, _ in record["fields"]:
        end = offset + SIZES[kind]
        source = f"self.{field}" if kind.startswith("[") else f"self.{field}.to_le_bytes()"
        lines.append(f"        bytes[{offset}..{end}].copy_from_slice(&{source});")
        offset = end
    return [*lines, "        bytes", "    }", ""]


def rust_decode(record: Schema, total: int) -> list[str]:
    """The method that reads a record from its bytes."""
    lines = ["    /// Reads a record from little-endian bytes.", "    #[inline]"]
    lines += [f"    pub fn decode(bytes: &[u8; {total}]) -> Self {{", "        Self {"]
    offset = 0
    for field, kind, _ in record["fields"]:
        width = SIZES[kind]
        parts = ", ".join(f"bytes[{offset + i}]" for i in range(width))
        value = f"[{parts}]" if kind.startswith("[") else f"{kind}::from_le_bytes([{parts}])"
        lines.append(f"            {field}: {value},")
        offset += width
    return [*lines, "        }", "    }"]


def rust_enum(name: str, enum: Schema) -> list[str]:
    """Constants in a module: unknown numbers must stay representable."""
    lines = [f"/// {enum['doc']}", f"pub mod {name.lower()} {{"]
    for value, number, doc in enum["values"]:
        lines += [f"    /// {doc}", f"    pub const {value}: {enum['type']} = {number};"]
    return [*lines, "}", ""]


def rust(schema: Schema) -> str:
    """The text of crates/core/src/schema.rs."""
    lines = [f"//! {GENERATED}"]
    lines += ["#![allow(clippy::all)]", "", "/// Version of the wire and of the log's records."]
    lines += [f"pub const VERSION: u16 = {schema['version']};", ""]
    for name, (value, doc) in schema["limits"].items():
        kind = "u32" if name in NUMBERS else "usize"
        lines += [f"/// {camel_doc(doc)}", f"pub const {name}: {kind} = {value};"]
    lines.append("")
    for name, record in schema["records"].items():
        lines += rust_record(name, record)
    for name, enum in schema["enums"].items():
        lines += rust_enum(name, enum)
    lines += ["/// Why a record was refused; 0 is done.", "#[repr(u16)]"]
    lines += ["#[derive(Clone, Copy, Debug, PartialEq, Eq)]", "pub enum Code {"]
    for name, number, text, _ in schema["codes"]["values"]:
        lines += [f"    /// {camel_doc(text)}", f"    {camel(name)} = {number},"]
    lines += ["}", "", "impl Code {", "    /// What happened, in words."]
    lines += ["    pub fn text(self) -> &'static str {"]
    lines += ["        match self {"]
    lines += [f'            Self::{camel(n)} => "{t}",' for n, _, t, _ in schema["codes"]["values"]]
    lines += ["        }", "    }", "}", ""]
    codes = schema["codes"]["values"]
    lines += [
        "/// All codes: number and name.",
        f"pub const CODES: [(u16, &str); {len(codes)}] = [",
    ]
    lines += [f'    ({number}, "{name}"),' for name, number, _, _ in codes]
    lines += ["];", ""]
    return "\n".join(lines)


def camel_doc(text: str) -> str:
    """A doc sentence: first letter upper, full stop."""
    return f"{text[0].upper()}{text[1:]}."


def python(schema: Schema) -> str:
    """The text of src/huntgraph/schema.py."""
    lines = [f'"""{GENERATED}"""', "", "from __future__ import annotations", ""]
    lines += ["from enum import IntEnum, IntFlag", "from typing import Final", ""]
    lines += ["import numpy as np", "", f"VERSION: Final = {schema['version']}"]
    for name, (value, doc) in schema["limits"].items():
        lines += [f"{name}: Final = {value}", f'"""{camel_doc(doc)}"""']
    lines.append("")
    for name, record in schema["records"].items():
        lines += [f"{name.upper()}: Final = np.dtype(", "    ["]
        for field, kind, _ in record["fields"]:
            shape = '"u1", (32,)' if kind.startswith("[") else f'"{NUMPY[kind]}"'
            lines.append(f'        ("{field}", {shape}),')
        lines += ["    ]", ")", f'"""{record["doc"]} {size(record)} bytes."""', ""]
    for name, enum in schema["enums"].items():
        base = "IntFlag" if name == "Flag" else "IntEnum"
        lines += ["", f"class {name}({base}):", f'    """{enum["doc"]}"""', ""]
        for value, number, doc in enum["values"]:
            lines += [f"    {value} = {number}", f'    """{camel_doc(doc)}"""']
        lines.append("")
    lines += ["", "class Code(IntEnum):", '    """Why a record was refused; 0 is done."""', ""]
    for name, number, text, _ in schema["codes"]["values"]:
        lines += [f"    {name} = {number}", f'    """{camel_doc(text)}"""']
    lines += ["", "", "CODE_TEXT: Final[dict[int, tuple[str, str]]] = {"]
    lines += [
        f'    {number}: ("{text}", "{fix}"),' for _, number, text, fix in schema["codes"]["values"]
    ]
    lines += ["}", '"""What each code means and what to do about it."""', ""]
    return "\n".join(lines)


def markdown(schema: Schema) -> str:
    """The text of docs/reference/records.md."""
    lines = ["# Records, kinds and codes", ""]
    lines += ["Generated from `schema/wire.toml`. All numbers are little-endian.", ""]
    for name, record in schema["records"].items():
        lines += [f"## Record `{name}`, {size(record)} bytes", "", record["doc"], ""]
        lines += ["| offset | type | field | meaning |", "|---|---|---|---|"]
        offset = 0
        for field, kind, doc in record["fields"]:
            lines.append(f"| {offset} | {kind} | `{field}` | {doc} |")
            offset += SIZES[kind]
        lines.append("")
    for name, enum in schema["enums"].items():
        lines += [f"## {name}", "", enum["doc"], "", "| number | name | meaning |", "|---|---|---|"]
        lines += [f"| {number} | `{value}` | {doc} |" for value, number, doc in enum["values"]]
        lines.append("")
    lines += ["## Codes", "", "| number | name | what | what to do |", "|---|---|---|---|"]
    codes = schema["codes"]["values"]
    lines += [f"| {number} | `{name}` | {what} | {fix} |" for name, number, what, fix in codes]
    lines += ["", "## Limits", "", "| name | value | meaning |", "|---|---|---|"]
    limits = schema["limits"].items()
    lines += [f"| `{name}` | {value:,} | {doc} |" for name, (value, doc) in limits]
    return "\n".join(lines) + "\n"


def check(schema: Schema) -> None:
    """Sizes and names that the formats rest on."""
    for name, record in schema["records"].items():
        wanted = 16 if name == "frame" else 64
        assert size(record) == wanted, f"record {name} has {size(record)} bytes, not {wanted}"
    for name, number, _, _ in schema["codes"]["values"]:
        assert re.fullmatch(r"[A-Z_]+", name), name
        assert 0 <= number < 1 << 16, name


def present(path: Path) -> str | None:
    """The text of a file, None when there is none."""
    return path.read_text() if path.exists() else None


def main() -> int:
    """Write the files, or with --check compare them."""
    schema = tomllib.loads((ROOT / "schema/wire.toml").read_text())
    check(schema)
    outputs = {
        "crates/core/src/schema.rs": rust(schema),
        "src/huntgraph/schema.py": python(schema),
        "docs/reference/records.md": markdown(schema),
    }
    stale = [path for path, text in outputs.items() if present(ROOT / path) != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path} is not what schema/wire.toml says: run python tools/generate.py")
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).write_text(outputs[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
