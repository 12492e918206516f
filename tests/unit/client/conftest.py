"""Certificates for tests that need some and no actor."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.client import Identity
from huntgraph.cluster import Authority


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    leaf = Authority.create_or_open(tmp_path / "pki").client_identity()
    return Identity(leaf.certificate, leaf.key, leaf.authority)
