"""The rules of style find what is planted, stay silent on what is right."""

from __future__ import annotations

import pytest

import imports
import tidy

LONG_PYTHON = "def grow() -> None:\n" + "    x = 1\n" * 40
LONG_RUST = "fn grow() {\n" + "    let x = 1;\n" * 49 + "}\n"
DOC = '    """' + "A long story.\n" * 60 + '"""\n'


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("src/huntgraph/a.py", "x = 1\n" * 401, "401 lines, at most 400"),
        ("crates/actor/src/a.rs", "// x\n" * 401, "401 lines, at most 400"),
        ("src/huntgraph/a.py", "x = '" + "y" * 100 + "'\n", "106 columns"),
        ("docs/a.md", "na\u00efve\n", "not ASCII: '\\xef'"),
        ("src/huntgraph/a.py", "# TO" + "DO: later\n", "do it or leave it out"),
        ("src/huntgraph/a.py", "x = 1", "no newline at the end"),
        ("docs/a.md", "see /" + "home/me/x\n", "a path of one machine"),
        ("docs/a.md", "from pypi" + ".org\n", "the address of a package registry"),
        ("src/huntgraph/utils.py", "x = 1\n", "the name 'utils' says nothing"),
        ("crates/actor/src/log_manager.rs", "", "the name 'manager' says nothing"),
        ("src/huntgraph/a.py", LONG_PYTHON, "grow has 41 lines of code, at most 40"),
        ("crates/actor/src/a.rs", LONG_RUST, "grow has 51 lines of code, at most 50"),
        ("src/huntgraph/a.py", "def f(timeout: float) -> None: ...\n", "timeout has no unit"),
        ("src/huntgraph/a.py", "def f(*, poll_delay: int | None) -> None: ...\n", "poll_delay_ms"),
        ("src/huntgraph/a.py", "class A:\n    interval: int = 3\n", "interval has no unit"),
        ("crates/actor/src/a.rs", "fn f(timeout: u64) {}\n", "'timeout: u64' has no unit"),
        ("src/huntgraph/a.py", "def (:\n", "not Python"),
        ("crates/core/src/a.rs", "fn f(x: f32) {}\n", "'f32': no float"),
        ("crates/core/src/a.rs", "const X: u32 = 1.5 as u32;\n", "'1.5': no float"),
        ("crates/core/src/a.rs", "use x::HashMap;\n", "no order of a hash table"),
        ("crates/core/src/a.rs", "let t = Instant::now();\n", "no clock"),
        ("crates/core/src/a.rs", "thread::yield_now();\n", "no thread"),
        ("crates/core/src/a.rs", "extern crate alloc;\n", "no std or alloc"),
        ("crates/core/src/lib.rs", "//! Core.\n", "the core must be no_std"),
        ("crates/core/Cargo.toml", "[dependencies]\nlibc = '1'\n", "but uses libc"),
        ("docs/a.md", "```sh\nmake dance\n```\n", "there is no `make dance`"),
        ("docs/a.md", "Run `make dance`.\n", "there is no `make dance`"),
        ("docs/a.md", "```sh\npython tools/none.py\n```\n", "there is no tools/none.py"),
    ],
)
def test_planted_violation_is_found(path: str, text: str, said: str) -> None:
    found = tidy.findings({path: text, "Makefile": "test:\n"})
    assert len(found) == 1, found
    assert found[0].startswith(path)
    assert said in found[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/huntgraph/a.py", "def f(timeout_ms: int, delay: timedelta) -> None: ...\n"),
        ("src/huntgraph/a.py", "def f() -> None:\n" + DOC + "    # why\n" * 50),
        ("src/huntgraph/schema.py", '"""Generated from x."""\n' + "x = 1\n" * 900),
        ("crates/actor/src/a.rs", "fn f(timeout: Duration) {}\n"),
        ("crates/actor/src/a.rs", "fn f() {\n" + "    // why\n" * 60 + "}\n"),
        ("crates/actor/src/a.rs", "fn f() { let x = \"{{{\"; let y = '{'; }\n" + "// x\n" * 60),
        ("crates/actor/src/a.rs", "fn f(x: [u8; 4]) {\n    g()\n}\n" + "// x\n" * 60),
        ("crates/core/src/a.rs", "// an f32, an Instant\nfn f(x: (u8, (u8, u8))) { x.1.0 }\n"),
        ("crates/core/src/a.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::vec;\n}\n"),
        ("docs/a.md", "```sh\nmake test FAST=1\n```\nYou make do with it.\n"),
    ],
)
def test_what_is_right_passes(path: str, text: str) -> None:
    assert tidy.findings({path: text, "Makefile": "test:\n"}) == []


def test_unsafe_belongs_into_one_file_of_the_core() -> None:
    block = "fn f() {\n    unsafe { g() }\n}\n"
    one = {"crates/core/src/image.rs": block, "crates/core/src/heat.rs": "// unsafe { }\n"}
    assert tidy.findings(one) == []
    assert len(tidy.findings({**one, "crates/core/src/apply.rs": block})) == 1


PARTS = {f"src/huntgraph/{part}/__init__.py": "" for part in ("cli", "gateway", "bus", "world")}


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("bus/ring.py", "from huntgraph.gateway import app\n", "bus is below gateway"),
        ("bus/ring.py", "import huntgraph.cli\n", "bus is below cli"),
        ("bus/ring.py", "from ..cli import main\n", "bus is below cli"),
        ("bus/ring.py", "from huntgraph import cli\n", "bus is below cli"),
        ("bus/ring.py", "def f():\n    from huntgraph.cli import main\n", "bus is below cli"),
        ("bus/ring.py", "import tests.unit\n", "imports tests"),
        ("gateway/app.py", "from huntgraph.cli import main\n", "gateway is below cli"),
        ("model/state.py", "from huntgraph.world import World\n", "model stands alone"),
        ("model/state.py", "from huntgraph import _core\n", "model stands alone"),
        ("errors.py", "import rich\n", "only the standard library and numpy, not rich"),
        ("schema.py", "import pydantic\n", "only the standard library and numpy"),
    ],
)
def test_import_against_the_direction_is_found(path: str, text: str, said: str) -> None:
    found = imports.findings({**PARTS, f"src/huntgraph/{path}": text})
    assert len(found) == 1, found
    assert said in found[0]


def test_imports_in_the_direction_pass() -> None:
    right = {
        "src/huntgraph/__init__.py": "from huntgraph.world import World\n",
        "src/huntgraph/cli/main.py": "from huntgraph import gateway, World\nimport rich\n",
        "src/huntgraph/gateway/app.py": "from ..bus.ring import Ring\nimport starlette\n",
        "src/huntgraph/bus/ring.py": "from huntgraph._core import Ring\nfrom .x import y\n",
        "src/huntgraph/model/state.py": "import numpy as np\nfrom huntgraph import schema\n",
        "src/huntgraph/schema.py": "import numpy\n",
    }
    assert imports.findings({**PARTS, **right}) == []


def test_a_circle_of_parts_is_found() -> None:
    circle = {
        "src/huntgraph/bus/a.py": "from huntgraph.world import b\n",
        "src/huntgraph/world/b.py": "from huntgraph.bus import a\n",
    }
    found = imports.findings({**PARTS, **circle})
    assert len(found) == 1
    assert "bus -> world -> bus" in found[0]
