"""The generated schema against schema/wire.toml, read here in another way than the generator's."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph import schema

ROOT = Path(__file__).resolve().parents[2]
WIRE: dict[str, Any] = tomllib.loads((ROOT / "schema" / "wire.toml").read_text())
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "i32": 4, "u64": 8, "[u8; 32]": 32}


def test_generated_files_are_what_the_schema_says() -> None:
    command = [sys.executable, str(ROOT / "tools" / "generate.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", WIRE["records"])
def test_records_lie_as_written(name: str) -> None:
    dtype: np.dtype[np.void] = getattr(schema, name.upper())
    offset = 0
    assert dtype.fields is not None
    assert list(dtype.fields) == [field for field, _, _ in WIRE["records"][name]["fields"]]
    for field, kind, _ in WIRE["records"][name]["fields"]:
        sub, at = dtype.fields[field][:2]
        assert (at, sub.itemsize) == (offset, WIDTHS[kind]), field
        assert offset % (1 if kind.startswith("[") else WIDTHS[kind]) == 0, f"{field} is unaligned"
        assert sub.base.kind == ("i" if kind == "i32" else "u")
        assert sub.base.byteorder in "<|=", f"{field} is big-endian"
        offset += WIDTHS[kind]
    assert dtype.itemsize == offset == (16 if name == "frame" else 64)


def test_moves_and_rules_share_what_every_record_needs() -> None:
    for field in ("kind", "flags", "hunt"):
        assert schema.MOVE.fields is not None
        assert schema.RULE.fields is not None
        assert schema.MOVE.fields[field][:2] == schema.RULE.fields[field][:2]
    assert (schema.UPDATE.names or ())[0] == (schema.RECEIPT.names or ())[0] == "kind"


def test_a_receipt_ends_with_its_hash() -> None:
    assert schema.RECEIPT.fields is not None
    assert schema.RECEIPT.fields["hash"][1] == 32


@pytest.mark.parametrize("name", WIRE["enums"])
def test_enums_hold_the_numbers_written(name: str) -> None:
    enum = getattr(schema, name)
    written = {value: number for value, number, _ in WIRE["enums"][name]["values"]}
    assert {member.name: int(member) for member in enum} == written
    assert len(set(written.values())) == len(written), "two names for one number"
    assert max(written.values()) < 1 << 8 * WIDTHS[WIRE["enums"][name]["type"]]


def test_flags_are_single_bits() -> None:
    assert sorted(int(flag) for flag in schema.Flag) == [1 << bit for bit in range(8)]


def test_codes_have_texts_and_a_remedy() -> None:
    written = {name: number for name, number, _, _ in WIRE["codes"]["values"]}
    assert {code.name: int(code) for code in schema.Code} == written
    assert set(schema.CODE_TEXT) == set(written.values())
    for number, (what, remedy) in schema.CODE_TEXT.items():
        assert what, f"code {number} does not say what happened"
        assert remedy or number == 0, f"code {number} does not say what to do"


def test_limits_fit_the_fields_that_carry_them() -> None:
    for name, (value, _) in WIRE["limits"].items():
        assert getattr(schema, name) == value
    assert schema.COST_MAX < schema.WEIGHT_MAX < 1 << 16
    assert schema.HEAT_MAX < 1 << 8
    assert schema.STAGES <= 64, "progress is one u64"
    assert schema.TEAMS <= 64, "team bits are one u64"
    assert schema.GATES <= 64, "shut bits are one u64"
    assert schema.NODES < schema.NONE


def test_the_reference_page_names_every_field_and_code() -> None:
    page = (ROOT / "docs" / "reference" / "records.md").read_text()
    for name, record in WIRE["records"].items():
        section = page.split(f"## Record `{name}`")[1].split("\n## ")[0]
        listed = re.findall(r"^\| (\d+) \| [^|]+ \| `(\w+)` \|", section, re.MULTILINE)
        dtype: np.dtype[np.void] = getattr(schema, name.upper())
        assert dtype.fields is not None
        offsets = [(str(dtype.fields[field][1]), field) for field, _, _ in record["fields"]]
        assert listed == offsets
    for code in schema.Code:
        assert f"| {int(code)} | `{code.name}` |" in page
