"""`import_world` chooses the importer, and nothing half-made is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.errors import SourceError, UsageError
from huntgraph.world import FORMATS, SUFFIXES, World, import_world


def test_every_suffix_has_an_importer() -> None:
    assert set(SUFFIXES.values()) == set(FORMATS)


def test_the_format_overrides_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "roads.txt"
    path.write_text("a 0 1 5\n")
    assert import_world(path, format="dimacs").nodes == 2
    path = path.rename(tmp_path / "roads.GR")
    assert import_world(str(path), divide=5).cost.max() == 1


@pytest.mark.parametrize(
    ("name", "format_name", "options", "said", "fix"),
    [
        ("a.mapp", None, {}, 'suffix ".mapp"', 'did you mean ".map"?'),
        ("a", None, {}, "tells no format", "known are"),
        ("a.map", "movingia", {}, 'format "movingia"', 'did you mean "movingai"?'),
        ("a.map", None, {"diagnoal": 5}, 'no option "diagnoal"', 'did you mean "diagonal"?'),
        ("a.gr", None, {"path": 5}, 'no option "path"', ""),
    ],
)
def test_mistypes_are_answered(
    tmp_path: Path,
    name: str,
    format_name: str | None,
    options: dict[str, object],
    said: str,
    fix: str,
) -> None:
    if "path" in options:
        with pytest.raises(TypeError):
            import_world(tmp_path / name, format_name, **options)
        return
    with pytest.raises(UsageError, match=said) as caught:
        import_world(tmp_path / name, format_name, **options)
    assert fix in caught.value.fix


def test_a_failed_import_leaves_no_output(tmp_path: Path) -> None:
    (tmp_path / "a.gr").write_text("a 0 1 5\na 0 one 5\n")
    with pytest.raises(SourceError):
        import_world(tmp_path / "a.gr").save(tmp_path / "a.world")
    assert [path.name for path in tmp_path.iterdir()] == ["a.gr"]


def test_an_import_survives_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.gr").write_text("a 0 1 5\na 1 2 70000\n")
    world = import_world(tmp_path / "a.gr")
    world.save(tmp_path / "a.world")
    again = World.open(tmp_path / "a.world", verify="structure")
    assert again.world_id == world.world_id
    assert again.meta == world.meta
